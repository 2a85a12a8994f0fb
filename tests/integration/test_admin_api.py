"""Every call of the admin API over real sockets."""

import asyncio
import io
from dataclasses import replace

import pytest
from admincontrol import HEALTHY, AMistake

from proxy.admin import bodies
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.observe.events import TaskFailed
from proxy.purge.options import PurgeOptions
from proxy.purge.replicas import Replicas


def is_problem(answer, status):
    code, document, fields = answer
    return (
        code == status == document["status"]
        and fields["Content-Type"].startswith("application/problem+json")
        and fields["Cache-Control"] == "no-store"
        and set(document) >= {"type", "title", "detail"}
    )


async def test_a_purge_is_handed_on_and_answered_with_its_receipt(api, control):
    status, receipt, _ = await api.ask(
        "POST", "/purge", json={"tags": ["plans"], "urls": ["/plans/7?x=1"], "mode": "soft", "wait": "2s"},
        headers={"X-Request-ID": "r-77"},
    )  # fmt: skip
    assert status == 200
    assert receipt == {
        "seq": "k3f9:1001", "mode": "soft", "selectors": 2,
        "replicas": {"live": 3, "confirmed": 3}, "effective": True,
    }  # fmt: skip
    assert control.purges == [(("tag:plans", "url:/plans/7"), True, "r-77")]


@pytest.mark.parametrize("given", [None, "", "two words", "line\tbreak", "x" * 129, "Bearer=abc"])
async def test_a_request_id_that_is_no_plain_word_is_replaced(api, control, given):
    await api.ask("POST", "/purge", json={"all": True}, headers={} if given is None else {"X-Request-ID": given})
    ((_, _, request_id),) = control.purges
    assert len(request_id) == 32
    assert request_id.isalnum()


@pytest.mark.parametrize(
    ("target", "selectors"),
    [
        pytest.param("/plans/7", ("url:/plans/7",), id="a path"),
        pytest.param(
            "/plans/catalog?zip=1&utm=2", ("url:/plans/catalog?zip=1", "url:/plans/catalog"), id="a query by its routes"
        ),
        pytest.param("/plans/catalog?*", ("path:/plans/catalog",), id="every query"),
        pytest.param("/plans/%41", ("url:/plans/A",), id="another spelling of the path"),
    ],
)
async def test_the_purge_method_does_one_url(api, control, target, selectors):
    status, receipt, _ = await api.ask("PURGE", target)
    assert (status, receipt["mode"], receipt["selectors"]) == (200, "hard", len(selectors))
    assert control.purges[0][:2] == (selectors, False)


async def test_the_purge_method_takes_a_whole_url(api, control):
    reader, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    writer.write(b"PURGE http://api.example/plans/7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b" 200 OK" in await reader.readline()
    writer.close()
    assert control.purges[0][0] == ("url:/plans/7",)


async def test_the_purge_method_refuses_what_no_route_serves(api, control):
    assert is_problem(await api.ask("PURGE", "/elsewhere"), 422)
    assert control.purges == []


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        pytest.param(b'{"tags": "a"}', 422, "tags: expected a list", id="wrong type"),
        pytest.param(b'{"tags": ["a"], "patterns": ["*"]}', 422, "patterns[0]: too wide", id="a pattern too wide"),
        pytest.param(b"", 400, "not JSON", id="no body"),
        pytest.param(b"{", 400, "line 1 column 2", id="broken JSON"),
        pytest.param(b'{"tags": ["\xff"]}', 400, "not UTF-8", id="not UTF-8"),
        pytest.param(b'{"tags": ["a"], "tags": ["b"]}', 400, "given twice", id="a name given twice"),
        pytest.param(b"[" * 100_000, 400, "nested too deep", id="nested too deep"),
        pytest.param(b'{"x": %s}' % (b"9" * 10_000), 400, "refused", id="a number too long"),
        pytest.param(b'{"tags": ["%s"]}' % (b"a" * (256 << 10)), 413, "in parts", id="too large"),
        pytest.param(b'{"tags": ["%s"]}' % (b"a" * (1 << 20)), 413, "at most 256 KiB", id="much too large"),
    ],
)
async def test_a_purge_that_cannot_be_read_purges_nothing(api, control, body, status, detail):
    answer = await api.ask("POST", "/purge", data=io.BytesIO(body))
    assert is_problem(answer, status)
    assert detail in answer[1]["detail"]
    assert control.purges == []


async def test_a_body_that_never_comes_is_not_waited_for_for_ever(api, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_SECONDS", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    writer.write(b"POST /purge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
    assert b" 408 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize("call", [("POST", "/purge"), ("PURGE", "/plans/7")], ids=["POST", "PURGE"])
async def test_a_store_that_is_down_purges_nothing_and_says_so(api, control, call):
    control.store_is_down = True
    answer = await api.ask(*call, **({"json": {"all": True}} if call[0] == "POST" else {}))
    assert is_problem(answer, 503)
    assert "nothing was purged" in answer[1]["detail"]
    assert "Try again" in answer[1]["detail"]
    assert answer[2]["Retry-After"] == "1"
    assert "hunter2" not in str(answer[1])


async def test_how_far_the_ledger_is_and_whether_a_purge_was_seen(api, control):
    assert (await api.ask("GET", "/purge"))[1] == {"seq": "k3f9:1000"}
    control.seen = [Replicas(3, 2, 0.25, 0.1), Replicas(3, 2, 0.25, 0.3)]
    expected = {"seq": "k3f9:1000", "position": "k3f9:1000", "replicas": {"live": 3, "confirmed": 2}}
    assert (await api.ask("GET", "/purge/k3f9:1000"))[:2] == (200, {**expected, "effective": False})
    assert (await api.ask("GET", "/purge/k3f9:1000"))[:2] == (200, {**expected, "effective": True})
    assert is_problem(await api.ask("GET", "/purge/k3f9:1001"), 404)
    assert is_problem(await api.ask("GET", "/purge/other:1"), 410)
    assert is_problem(await api.ask("GET", "/purge/nonsense"), 422)
    control.store_is_down = True
    assert is_problem(await api.ask("GET", "/purge"), 503)


@pytest.mark.parametrize(
    ("wait", "seen", "status", "replicas", "effective", "looks"),
    [
        pytest.param("60s", [Replicas(2, 1, 60.0, 0), Replicas(2, 2, 60.0, 0)], 200, (2, 2), True, 2, id="until all have confirmed"),
        pytest.param("60s", [Replicas(2, 1, 0.05, 0)], 200, (2, 1), True, None, id="until nobody may trust an old mirror"),
        pytest.param("60s", [Replicas(2, 1, 0.05, 0), Replicas(1, 1, 0.0, 0, complete=False)], 200, (1, 1), True, None, id="one that left the list counts until then"),
        pytest.param("60ms", [Replicas(2, 1, 60.0, 0)], 202, (2, 1), False, None, id="no longer than asked to"),
        pytest.param(None, [Replicas(2, 1, 60.0, 0)], 202, (2, 1), False, 1, id="not at all if not asked to"),
        pytest.param(None, [Replicas(2, 2, 60.0, 0)], 200, (2, 2), True, 1, id="nothing to wait for"),
        pytest.param(None, [Replicas(2, 0, 0.0, 0)], 200, (2, 0), True, 1, id="nobody trusts a mirror"),
    ],
)  # fmt: skip
async def test_waiting_ends_when_the_purge_holds_everywhere_or_with_the_time_given(
    api, control, wait, seen, status, replicas, effective, looks
):
    control.seen = seen
    code, receipt, _ = await api.ask("POST", "/purge", json={"all": True} | ({"wait": wait} if wait else {}))
    assert (code, receipt["effective"]) == (status, effective)
    assert (receipt["replicas"]["live"], receipt["replicas"]["confirmed"]) == replicas
    assert control.asked[0] == Seq("k3f9", 1001)
    assert looks in {None, len(control.asked)}


async def test_a_receipt_whose_replicas_cannot_be_read_is_of_a_purge_all_the_same(api, control, monkeypatch):
    async def down(seq):
        raise StoreError("gone just now")

    monkeypatch.setattr(control, "replicas", down, raising=False)
    code, receipt, _ = await api.ask("POST", "/purge", json={"all": True, "wait": "50ms"})
    assert (code, receipt["effective"]) == (202, False)
    assert receipt["replicas"] == {"live": None, "confirmed": None}


async def test_a_dry_run_estimates_and_purges_nothing(api, control):
    status, document, _ = await api.ask("POST", "/purge", json={"tags": ["plans"], "dry_run": True, "refresh": 20})
    assert (status, document) == (
        200,
        {
            "dry_run": True, "estimate": True, "mode": "hard", "selectors": 1,
            "entries": 12, "reads": 340, "most_read": ["/plans/7", "/plans/catalog?page=1"],
        },
    )  # fmt: skip
    assert (control.purges, control.refreshed) == ([], [])


async def test_the_most_read_that_a_purge_has_hit_are_fetched_again(api, control):
    status, receipt, _ = await api.ask("POST", "/purge", json={"tags": ["plans"], "refresh": 5})
    assert (status, receipt["effective"], receipt["refreshing"], receipt["estimate"]) == (200, True, 5, True)
    assert control.refreshed == [(("tag:plans",), 5)]


async def test_where_the_purge_failed_nothing_is_fetched_again(api, control):
    control.store_is_down = True
    status, _, _ = await api.ask("POST", "/purge", json={"tags": ["plans"], "refresh": 5})
    assert (status, control.refreshed) == (503, [])


async def test_more_calls_than_a_second_may_have_are_told_what_to_do_instead(api, control):
    control.purge_limits = PurgeOptions(max_calls_per_second=1, max_selectors_per_call=7)
    for _ in range(2):
        assert (await api.ask("PURGE", "/plans/7"))[0] == 200
    answer = await api.ask("POST", "/purge", json={"all": True})
    assert is_problem(answer, 429)
    assert "more than 1 calls a second (purge.max_calls_per_second)" in answer[1]["detail"]
    assert "up to 7 selectors in one call" in answer[1]["detail"]
    assert answer[2]["Retry-After"] == "1"
    assert len(control.purges) == 2
    assert (await api.ask("GET", "/purge"))[0] == 200


async def test_stats_are_shown_and_reset(api, control):
    assert (await api.ask("GET", "/stats"))[1]["total_requests"] == 9
    assert (await api.ask("POST", "/stats/reset"))[1]["resets"] == 1
    assert control.resets == 1


@pytest.mark.parametrize(
    ("facts", "status", "word"),
    [
        (HEALTHY, 200, "healthy"),
        (replace(HEALTHY, breaker_open=True), 200, "degraded"),
        (replace(HEALTHY, ready=False), 503, "unhealthy"),
    ],
)
async def test_health_says_how_it_is_and_a_monitor_can_go_by_the_status(api, control, facts, status, word):
    control.facts = facts
    code, document, _ = await api.ask("GET", "/health")
    assert (code, document["status"]) == (status, word)


async def test_the_configuration_and_a_reload(api, control):
    assert (await api.ask("GET", "/config"))[1]["hash"] == "abc123"
    assert (await api.ask("POST", "/reload"))[:2] == (200, {"reloaded": True, "hash": "abc123"})
    control.mistakes = [
        AMistake("f.yaml", 3, 5, "routes[0].ttl", "expected a duration"),
        AMistake("f.yaml", 9, 1, "x", "unknown"),
    ]
    answer = await api.ask("POST", "/reload")
    assert is_problem(answer, 422)
    assert "2 mistakes" in answer[1]["detail"]
    assert answer[1]["mistakes"][0] == {
        "source": "f.yaml",
        "line": 3,
        "column": 5,
        "path": "routes[0].ttl",
        "message": "expected a duration",
        "text": "f.yaml:3:5: routes[0].ttl: expected a duration",
    }


async def test_entries_of_a_url(api, control):
    status, document, _ = await api.ask("GET", "/entries?url=/plans/catalog%3Fpage%3D2")
    assert (status, document["url"], len(document["entries"])) == (200, "/plans/catalog?page=2", 1)
    assert is_problem(await api.ask("GET", "/entries"), 422)
    assert is_problem(await api.ask("GET", "/entries?url=x"), 422)
    control.store_is_down = True
    assert is_problem(await api.ask("GET", "/entries?url=/x"), 503)


async def test_explain_takes_method_url_and_fields(api):
    target = "/explain?method=HEAD&url=/x%3Fa&header=Accept:%20text/html&header=Authorization:%20Bearer%20x"
    assert (await api.ask("GET", target))[1] == {
        "method": "HEAD", "url": "/x?a", "fields": ["Accept", "Authorization"], "route": "catalog",
    }  # fmt: skip
    assert (await api.ask("GET", "/explain?url=/x"))[1]["method"] == "GET"
    for wrong in ("/explain", "/explain?url=x", "/explain?url=/x&header=nothing", "/explain?url=/x&header=:v"):
        assert is_problem(await api.ask("GET", wrong), 422)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        pytest.param("GET", "/nothing", 404, id="no such resource"),
        pytest.param("GET", "/reload", 405, id="a change by GET"),
        pytest.param("GET", "/stats/reset", 405, id="another change by GET"),
        pytest.param("PUT", "/purge", 405, id="a method nobody knows"),
        pytest.param("DELETE", "/entries?url=/x", 405, id="deleting by another way"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(api, method, target, status):
    answer = await api.ask(method, target)
    assert is_problem(answer, status)
    assert status != 405 or answer[2]["Allow"] in {"POST", "GET, POST", "GET, HEAD, PUT", "GET, HEAD, POST"}
    assert "Server" not in answer[2]


async def test_a_bug_is_told_and_answered_without_our_insides(api, control):
    control.bug = KeyError("hunter2")
    answer = await api.ask("GET", "/purge/k3f9:7")
    assert is_problem(answer, 500)
    assert "hunter2" not in str(answer)
    assert "Traceback" not in str(answer)
    assert api.observer.events == [TaskFailed("admin GET /purge/{seq}", control.bug)]


async def test_a_head_that_is_too_large_or_broken_is_refused(api):
    for head in (
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
        writer.write(head)
        assert b" 400 " in await reader.readline()
        writer.close()
    assert (await api.ask("GET", "/livez"))[0] == 200


async def test_a_client_that_leaves_does_not_undo_its_purge(api, control):
    began, go = asyncio.Event(), asyncio.Event()
    purge = control.purge

    async def slow(*args, **options):
        began.set()
        await go.wait()
        return await purge(*args, **options)

    control.purge = slow
    _, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    writer.write(b"PURGE /plans/7 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await began.wait()
    writer.transport.abort()
    await api.ask("GET", "/livez")
    go.set()
    await api.ask("GET", "/livez")
    assert len(control.purges) == 1


async def test_a_client_that_leaves_within_its_body_is_no_bug_of_ours(api, control):
    _, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    writer.write(b"POST /purge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    await api.ask("GET", "/livez")
    writer.transport.abort()
    await api.ask("GET", "/livez")
    assert api.observer.events == []
    assert control.purges == []
