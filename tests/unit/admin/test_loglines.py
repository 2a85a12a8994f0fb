"""How much is logged, changed while it runs."""

import json

import pytest
from admincontrol import FakeControl, serving

from proxy.admin.loglines import document, read_change
from proxy.admin.problems import Problem
from proxy.observe.options import LogOptions

RUNNING = LogOptions(level="info", hits=0.01)


@pytest.mark.parametrize(
    ("said", "level", "hits"),
    [
        pytest.param({"level": "debug", "hits": "10%"}, "debug", 0.1, id="both"),
        pytest.param({"level": "error"}, "error", 0.01, id="the level alone"),
        pytest.param({"hits": "0%"}, "info", 0.0, id="no hits"),
        pytest.param({"hits": "100%"}, "info", 1.0, id="all hits"),
        pytest.param({"hits": "0.25%"}, "info", 0.0025, id="part of a percent"),
    ],
)
def test_what_is_left_out_stays(said, level, hits):
    changed = read_change(said, RUNNING)
    assert (changed.level, changed.hits, changed.format) == (level, hits, "json")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        pytest.param({"level": "loud"}, ["level"], id="no level"),
        pytest.param({"level": ["debug"]}, ["level"], id="a list"),
        pytest.param({"hits": "101%"}, ["hits"], id="more than all"),
        pytest.param({"hits": 10}, ["hits"], id="a number"),
        pytest.param({"hits": "10"}, ["hits"], id="no percent"),
        pytest.param({"format": "console"}, ["body"], id="what only the file says"),
        pytest.param({"level": "debug", "hits": "x", "y": 1}, ["hits", "body"], id="every mistake"),
    ],
)
def test_what_cannot_be_is_refused_whole(said, wrong):
    with pytest.raises(Problem) as refused:
        read_change(said, RUNNING)
    assert refused.value.status == 422
    assert [mistake["where"] for mistake in refused.value.members["mistakes"]] == wrong


@pytest.mark.parametrize("said", [{}, [], None, "debug"], ids=str)
def test_nothing_to_change_is_refused(said):
    with pytest.raises(Problem, match="expected an object"):
        read_change(said, RUNNING)


async def test_the_calls():
    control = FakeControl()
    async with serving(control) as api:
        assert (await api.ask("GET", "/log"))[1] == {"format": "json", "level": "info", "hits": "1%"}
        status, said, _ = await api.ask("PUT", "/log", data=json.dumps({"level": "debug", "hits": "12.5%"}))
        assert (status, said) == (200, {"format": "json", "level": "debug", "hits": "12.5%"})
        assert control.log_options == LogOptions(level="debug", hits=0.125)
        assert (await api.ask("PUT", "/log", data='{"level": 7}'))[0] == 422
        assert (await api.ask("POST", "/log", data="{}"))[0] == 405
        assert control.log_options == LogOptions(level="debug", hits=0.125)


def test_the_document_reads_as_the_configuration_is_written():
    assert document(LogOptions(hits=0.0025))["hits"] == "0.25%"
