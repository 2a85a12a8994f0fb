"""``POST /warm``, ``GET /warm`` and ``sapwood warm``, over real sockets; the last of them on a running sidecar."""

from __future__ import annotations

import asyncio
import json

import pytest
from admincontrol import sapwood
from backends import Backend
from rich.progress import Progress
from sidecar import Sidecar
from warmers import RULES

from proxy.admin.warming import MOST_ITEMS, MOST_URLS, WarmOrder
from proxy.cli import warming


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("SAPWOOD_CONFIG", "SAPWOOD_ADMIN", "SAPWOOD_TOKEN", "SAPWOOD_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("body", "order"),
    [
        pytest.param({}, WarmOrder(("plans", "lists")), id="all warmers"),
        pytest.param({"limit": 7}, WarmOrder(("plans", "lists"), limit=7), id="all, of each so many"),
        pytest.param({"names": ["lists", "lists"]}, WarmOrder(("lists",)), id="one, once"),
        pytest.param({"urls": ["/plans/1", "/plans/1?x"]}, WarmOrder(urls=("/plans/1", "/plans/1?x")), id="URLs alone"),
        pytest.param({"names": ["plans"], "urls": ["/plans/1"], "limit": None}, WarmOrder(("plans",), ("/plans/1",)), id="both"),
    ],
)  # fmt: skip
async def test_an_order_is_handed_on_and_answered_with_its_job(api, control, body, order):
    status, job, _ = await api.ask("POST", "/warm", json=body)
    assert (status, job, control.warm_orders) == (202, {"id": "j1", "state": "done", "runs": []}, [order])


async def test_no_body_is_all_of_them(api, control):
    status, _, _ = await api.ask("POST", "/warm")
    assert (status, control.warm_orders) == (202, [WarmOrder(("plans", "lists"))])


@pytest.mark.parametrize(
    ("body", "where", "said"),
    [
        pytest.param([], "body", "expected an object", id="no object"),
        pytest.param({"name": ["plans"]}, "name", "unknown; known: names, urls, limit", id="an unknown field"),
        pytest.param({"names": "plans"}, "names", "expected a list", id="no list"),
        pytest.param({"names": ["plan"]}, "names[0]", "did you mean plans?", id="an unknown warmer"),
        pytest.param({"names": ["zzz"]}, "names[0]", "known: plans, lists", id="another"),
        pytest.param({"names": [7]}, "names[0]", "expected text", id="no text"),
        pytest.param({"urls": ["/a\r\nb"]}, "urls[0]", "expected text", id="two lines"),
        pytest.param({"urls": ["/a"] * (MOST_URLS + 1)}, "urls", "expected at most", id="too many"),
        pytest.param({"limit": 0}, "limit", "from 1 to", id="nothing"),
        pytest.param({"limit": True}, "limit", "from 1 to", id="true"),
        pytest.param({"limit": MOST_ITEMS + 1}, "limit", "from 1 to", id="too much"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_warmed(api, control, body, where, said):
    status, problem, _ = await api.ask("POST", "/warm", json=body)
    assert status == 422
    assert problem["mistakes"][0]["where"] == where
    assert said in problem["mistakes"][0]["detail"]
    assert control.warm_orders == []


async def test_a_url_that_no_route_serves(api):
    status, problem, _ = await api.ask("POST", "/warm", json={"urls": ["/nothing"]})
    assert (status, problem["detail"]) == (422, 'nothing was warmed: urls: no route serves "/nothing"')


async def test_without_warmers_there_must_be_urls(api, control):
    control.warmers = ()
    status, problem, _ = await api.ask("POST", "/warm", json={})
    assert (status, "the configuration has no warmers" in problem["detail"]) == (422, True)


async def test_too_many_jobs(api, control):
    control.is_busy = True
    status, problem, fields = await api.ask("POST", "/warm", json={})
    assert (status, fields["Retry-After"]) == (503, "5")
    assert "too many jobs" in problem["detail"]


def a_run(name, state="done", **more):
    counts = {"total": 2, "warmed": 0, "fresh": 0, "failed": 0, "skipped": 0, "reasons": {}, "error": ""}
    return {"warmer": name, "state": state, **counts, **more}


def a_job(state, *runs):
    return {"id": "j1", "state": state, "runs": list(runs)}


@pytest.mark.parametrize(
    ("last", "code"),
    [
        pytest.param(a_run("lists", fresh=1, warmed=1), 0, id="well"),
        pytest.param(a_run("lists", warmed=1, skipped=1, reasons={"deadline": 1}), 0, id="not all in time"),
        pytest.param(a_run("lists", warmed=1, failed=1, reasons={"status-500": 1}), 1, id="one failed"),
        pytest.param(a_run("lists", "failed", total=0, error="the list is not JSON"), 1, id="not at all"),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
async def test_the_command_follows_its_job_to_the_end(api, control, capsys, monkeypatch, last, code, terminal):
    monkeypatch.setattr(warming, "ASKS_EVERY", 0.0)
    first = a_run("plans", warmed=2)
    control.warm_answers = [
        a_job("pending", a_run("plans", "pending", total=0), a_run("lists", "pending", total=0)),
        a_job("running", first, a_run("lists", "running", warmed=1)),
        a_job("done", first, last),
    ]
    drawn = []
    if terminal:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        update = Progress.update
        monkeypatch.setattr(Progress, "update", lambda *args, **how: drawn.append(how) or update(*args, **how))
    assert await sapwood("warm", "plans", "lists", "--limit", "2", "--admin", api.url) == code
    assert control.warm_orders == [WarmOrder(("plans", "lists"), limit=2)]
    said = capsys.readouterr().out
    if terminal:
        assert drawn[-2]["completed"] == drawn[-2]["total"] == 2
        assert drawn[-1]["results"] == (last["error"] or drawn[-1]["results"])
        assert "plans" in said
    else:
        assert [json.loads(line) for line in said.splitlines()] == [first, last]


async def test_a_job_that_nobody_knows_any_more(api, control, capsys, monkeypatch):
    monkeypatch.setattr(warming, "ASKS_EVERY", 0.0)
    control.warm_answers = [a_job("running", a_run("plans", "running")), {**a_job("running"), "id": "another"}]
    assert await sapwood("warm", "--admin", api.url) == 1
    assert "does not know the job any more" in capsys.readouterr().err


async def test_an_unknown_name_is_said_and_exit_1(api, capsys):
    assert await sapwood("warm", "plan", "--admin", api.url) == 1
    assert "did you mean plans?" in capsys.readouterr().err


async def test_on_a_running_sidecar(valkey, capsys, monkeypatch):
    monkeypatch.setattr(warming, "ASKS_EVERY", 0.01)

    async def answer(head):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    rules = RULES + "warm:\n  - {name: few, source: {urls: [/plans/1, /plans/2]}}\n"
    async with Backend(answer) as backend:
        with Sidecar(
            rules.replace("log: {level: error, hits: 0%}\n", ""), upstream=backend.url, store=valkey.url
        ) as sidecar:
            admin = f"http://127.0.0.1:{sidecar.admin_port}"
            assert await sapwood("warm", "--admin", admin) == 0
            (line,) = capsys.readouterr().out.splitlines()
            assert (json.loads(line)["warmer"], json.loads(line)["warmed"]) == ("few", 2)
            _, shown = await asyncio.to_thread(sidecar.admin, "GET", "/warm")
            assert shown["warmers"]["few"]["total_items_warmed"] == 2
            assert shown["jobs"][0]["state"] == "done"
            _, stats = await asyncio.to_thread(sidecar.admin, "GET", "/stats")
            assert stats["warming"]["total_items_warmed"] == 2
            assert stats["warming"]["last_runs"]["few"]["warmed"] == 2
        log = [json.loads(line) for line in sidecar.lines if b'"warmed"' in line]
        assert [(one["warmer"], one["trigger"], one["warmed"]) for one in log if one["event"] == "warmed"] == [
            ("few", "order", 2)
        ]
