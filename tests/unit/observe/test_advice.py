import pytest

from proxy.observe.advice import FEWEST, advise


@pytest.mark.parametrize(
    ("facts", "advice", "because"),
    [
        pytest.param({}, "raise", "still read when it expires; 10% of answers cost a fetch", id="read to the end"),
        pytest.param({"mean_age": 40.0}, "raise", "40 s of 100 s", id="from four tenths on"),
        pytest.param({"mean_age": 39.0}, "keep", "39 s of 100 s", id="below that it fits"),
        pytest.param({"refetched": 10}, "keep", "only 1.1% of answers", id="read to the end, at next to no cost"),
        pytest.param({"mean_age": 10.0}, "lower", "10 s of 100 s: hardly read later", id="read early"),
        pytest.param({"mean_age": 10.1}, "keep", "of 100 s", id="above a tenth it fits"),
        pytest.param({"mean_age": 0.25}, "lower", "0.2 s of 100 s", id="read at once"),
        pytest.param({"mean_age": 9.0, "watched": 199.0}, "wait", "less than two lifetimes", id="early because young"),
        pytest.param({"hits": FEWEST - 1}, "wait", "fewer than 100 hits", id="too few"),
        pytest.param({"hits": 0, "refetched": 0, "mean_age": 0.0}, "wait", "fewer", id="none at all"),
        pytest.param({"mean_lifetime": 0.0, "mean_age": 0.0}, "wait", "fewer", id="nothing lives at all"),
        pytest.param({"mean_age": 7000.0, "mean_lifetime": 10_800.0}, "raise", "117 min of 3 h", id="in longer units"),
        pytest.param({"mean_age": 7200.0, "mean_lifetime": 172_800.0}, "wait", "2 h of 2 d", id="in the longest units"),
    ],
)
def test_a_lifetime_fits_or_not(facts, advice, because):
    usual = {"hits": 900, "refetched": 100, "mean_age": 50.0, "mean_lifetime": 100.0, "watched": 1000.0}
    said = advise(**{**usual, **facts})
    assert said.advice == advice
    assert because in said.because
