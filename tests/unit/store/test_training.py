"""What is learned from, when that makes a dictionary, and when the dictionary has grown old."""

import os

import pytest
from alike import a_dictionary, a_plan, sections
from nouns import a_key

from proxy.store.dictionary import LONGEST
from proxy.store.training import LEAST_SAMPLES, MOST_SAMPLES, Drift, Samples, train


def test_of_each_place_there_is_one_sample():
    samples = Samples(10_000)
    assert samples.want("ab0", 1000, 100)
    samples.add("ab0", b"x" * 1000)
    assert not samples.want("ab0", 1000, 100)
    samples.add("ab0", b"y" * 400)
    samples.add("b", b"z" * 300)
    assert samples.all() == [b"x" * 1000, b"z" * 300]
    assert (len(samples), samples.size) == (2, 1300)


def test_one_place_in_four_is_asked():
    samples = Samples(10_000)
    assert sum(samples.want(a_key(str(number)).digest, 1000, 100) for number in range(1000)) == pytest.approx(
        250, abs=50
    )


def test_what_is_compressed_already_teaches_nothing():
    samples = Samples(10_000)
    assert [samples.want("a0", 1000, record) for record in (900, 901, 1200)] == [True, False, False]


def test_what_is_too_long_to_lean_on_anything_teaches_nothing():
    samples = Samples(1 << 20)
    samples.add("a", b"x" * (LONGEST + 1))
    assert (len(samples), samples.size) == (0, 0)


def test_they_are_enough_by_their_bytes():
    samples = Samples(3000)
    for place in range(3):
        assert not samples.are_enough
        assert samples.want(f"{place}0", 1000, 10)
        samples.add(f"{place}0", b"x" * 1000)
    assert samples.are_enough
    assert not samples.want("more0", 1000, 10)


def test_they_are_enough_by_their_number():
    samples = Samples(1 << 30)
    for place in range(MOST_SAMPLES):
        assert not samples.are_enough
        samples.add(str(place), b"x")
    assert samples.are_enough


def test_what_has_much_in_common_makes_a_dictionary_within_its_size():
    trained = train(sections(400), 16 * 1024, None)
    assert 12 * 1024 < len(trained.dictionary.value) <= 16 * 1024 + 11
    assert trained.dictionary.ratio < 0.9 * trained.standing


def test_it_is_judged_by_what_it_was_not_trained_on():
    samples = sections(400)
    strange = [os.urandom(1500) if at % 8 == 0 else sample for at, sample in enumerate(samples)]
    assert train(strange, 16 * 1024, None).dictionary is None


def test_a_dictionary_is_never_most_of_what_it_was_trained_on():
    samples = sections(40)
    assert len(train(samples, 1 << 20, None).dictionary.value) <= sum(map(len, samples)) // 8 + 11


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"x" * 5000], id="one"),
        pytest.param(sections(LEAST_SAMPLES - 1), id="too few"),
        pytest.param([b""] * 100, id="empty ones"),
        pytest.param([b"ab"] * 5000, id="tiny ones"),
        pytest.param([b"x" * 1000] * 100, id="uniform ones"),
        pytest.param([os.urandom(1000) for _ in range(100)], id="random ones"),
    ],
)
def test_others_make_none_and_no_error(samples):
    assert train(samples, 64 * 1024, None).dictionary is None


def test_a_size_too_small_for_any_makes_none():
    assert train(sections(400), 100, None).dictionary is None


def test_one_that_is_no_better_than_what_is_in_use_is_not_taken():
    trained = train(sections(400), 16 * 1024, a_dictionary())
    assert trained.dictionary is None
    assert trained.standing == pytest.approx(a_dictionary().ratio, rel=0.01)


def test_one_that_is_better_is_taken():
    trained = train(sections(400), 16 * 1024, a_dictionary("tariff"))
    assert trained.dictionary.ratio < 0.9 * trained.standing
    assert trained.dictionary.decompress(trained.dictionary.compress(a_plan(1)), len(a_plan(1))) == a_plan(1)


MUCH = 4 << 20


def test_a_little_worse_is_no_drift():
    drift = Drift(0.10)
    assert not any(drift.has_come(MUCH, int(0.124 * MUCH)) for _ in range(9))


def test_clearly_worse_is_drift_once_and_is_expected_from_then_on():
    drift = Drift(0.10)
    assert drift.has_come(MUCH, int(0.13 * MUCH))
    assert not any(drift.has_come(MUCH, int(0.16 * MUCH)) for _ in range(9))
    assert drift.has_come(MUCH, int(0.17 * MUCH))


def test_a_few_that_are_worse_are_no_drift():
    drift = Drift(0.10)
    assert not any(drift.has_come(20_000, 20_000) for _ in range(200))
    assert drift.has_come(200_000, 200_000)


def test_a_ratio_that_somebody_planted_never_fails():
    assert Drift(0.0).has_come(MUCH, 1)
    assert not Drift(float("nan")).has_come(MUCH, MUCH)
