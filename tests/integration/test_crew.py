"""The leader in this process, its workers in theirs: who hangs, who dies again and again, who cannot be started."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest
from backends import Client
from servers import until

from proxy.observe.events import TaskFailed, WorkerEnded
from proxy.service import Service, orders
from proxy.service import crew as module
from proxy.service.crew import FIRST_PAUSE, LONGEST_PAUSE, pause_after
from proxy.service.leading import LeadersSteering
from proxy.service.member import Member, WorkerError
from proxy.settings import load_settings

RULES = """
version: 1
service: crew
workers: 2
upstream: {url: "http://127.0.0.1:1"}
log: {level: error, hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, ttl: 1h}
"""


@asynccontextmanager
async def leader(valkey, told, load=None):
    flags = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "store.url": valkey.url}
    again = None if load is None else (lambda: load_settings(load(), overrides=flags))
    service = Service(load_settings(RULES, overrides=flags), load=again, watch=told)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def all_are_up(service):
    await until(lambda: service.crew.up == 2)


async def test_a_worker_that_hangs_is_replaced(valkey, told, monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.2)
    async with asyncio.timeout(100), leader(valkey, told) as service:
        stopped = service.crew.members[0].pid
        os.kill(stopped, signal.SIGSTOP)
        await until(lambda: told.of(WorkerEnded))
        (ended,) = told.of(WorkerEnded)
        assert (ended.index, ended.how) == (0, "hung: not heard for 2 s")
        await all_are_up(service)
        assert service.crew.members[0].pid != stopped
        assert service.crew.restarts == 1
        assert told.of(TaskFailed) == []


async def test_calls_do_not_wait_for_a_worker_that_hangs(valkey, told, monkeypatch):
    monkeypatch.setattr(orders, "ANSWERS_WITHIN", 0.1)
    async with asyncio.timeout(100), leader(valkey, told) as service:
        steering = LeadersSteering(service, service.crew)
        async with Client(service.traffic_port) as client:
            await client.ask("/other")
        assert (await steering.stats())["total_requests"] == 1
        pids = [member.pid for member in service.crew.members]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        assert (await steering.stats())["total_requests"] == 1, "by what they told last"
        assert (await steering.would_hit(["all"])).entries == 0
        assert await steering.refresh(["all"], 5) == 0
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_who_dies_at_once_again_and_again_is_replaced_ever_more_slowly(valkey, told):
    async with asyncio.timeout(100), leader(valkey, told) as service:
        for turn in range(3):
            os.kill(service.crew.members[1].pid, signal.SIGKILL)
            await until(lambda turn=turn: len(told.of(WorkerEnded)) == turn + 1)
            assert not service.crew.members[1].is_up
            await all_are_up(service)
        assert [event.restart_in for event in told.of(WorkerEnded)] == [0.1, 0.2, 0.4]
        assert {event.index for event in told.of(WorkerEnded)} == {1}
        assert service.is_ready, "the other one has served all the while"


async def test_a_worker_that_cannot_be_started_is_told_of_and_tried_again(valkey, told, monkeypatch):
    async with asyncio.timeout(100), leader(valkey, told) as service:
        launch, failures = Member.launch, [OSError(12, "Cannot allocate memory"), WorkerError("no port for it")]

        async def fail(member, inherited):
            if failures and isinstance(failures[0], OSError):
                raise failures.pop(0)
            await launch(member, inherited)

        begin = Member.begin

        async def fail_later(member, *said):
            if failures:
                raise failures.pop(0)
            await begin(member, *said)

        monkeypatch.setattr(Member, "launch", fail)
        monkeypatch.setattr(Member, "begin", fail_later)
        os.kill(service.crew.members[0].pid, signal.SIGKILL)
        await until(lambda: len(told.of(WorkerEnded)) == 3)
        await all_are_up(service)
        assert [event.how for event in told.of(WorkerEnded)] == [
            "killed by SIGKILL", "[Errno 12] Cannot allocate memory", "no port for it",
        ]  # fmt: skip
        facts = await LeadersSteering(service, service.crew).health()
        assert facts.workers_down == 0


async def test_health_says_that_a_worker_is_missing(valkey, told, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 60.0)
    async with asyncio.timeout(100), leader(valkey, told) as service:
        steering = LeadersSteering(service, service.crew)
        assert (await steering.health()).workers_down == 0
        os.kill(service.crew.members[0].pid, signal.SIGKILL)
        await until(lambda: told.of(WorkerEnded))
        assert (await steering.health()).workers_down == 1
        assert b"sapwood_workers_up 1.0" in (await steering.metrics())[0]
        assert steering.ready()


async def test_a_worker_that_reads_something_else_keeps_all_from_a_reload(valkey, told, tmp_path, monkeypatch):
    """As when a mounted secret changes between the leader's look and the worker's."""
    text = RULES
    async with asyncio.timeout(100), leader(valkey, told, lambda: text) as service:
        before = service.settings
        text = RULES.replace("name: plan", "name: other")
        good = orders.refusal

        async def told_wrong(member, order, settings):
            return "it reads another configuration" if member.index == 1 else await good(member, order, settings)

        monkeypatch.setattr(orders, "refusal", told_wrong)
        (mistake,) = await service.reload()
        assert (mistake.path, mistake.message) == ("workers", "worker 1: it reads another configuration")
        assert (service.settings, service.reload_ok) == (before, False)
        monkeypatch.setattr(orders, "refusal", good)
        assert await service.reload() == ()
        assert service.reload_ok
        assert service.house.parts.book.route_for(b"GET", b"/plans/1").route.name == "other"


async def test_who_cannot_use_what_all_have_checked_is_replaced_by_one_that_does(valkey, told, monkeypatch):
    text = RULES
    async with asyncio.timeout(100), leader(valkey, told, lambda: text) as service:
        text = RULES.replace("name: plan", "name: other")
        good = orders.refusal

        async def told_wrong(member, order, settings):
            if (order, member.index) == ("use", 0):
                return "it has no memory left"
            return await good(member, order, settings)

        monkeypatch.setattr(orders, "refusal", told_wrong)
        pid = service.crew.members[0].pid
        assert await service.reload() == ()
        await until(lambda: told.of(WorkerEnded))
        await all_are_up(service)
        assert service.crew.members[0].pid != pid
        for _ in range(16):
            async with Client(service.traffic_port) as client:
                await client.ask("/plans/1")
        steering = LeadersSteering(service, service.crew)
        assert (await steering.stats())["routes"].keys() == {"other"}


async def test_a_start_that_fails_leaves_no_process(valkey, told, monkeypatch):
    async def fail(member, *_):
        raise WorkerError("not today")

    monkeypatch.setattr(Member, "begin", fail)
    made = []
    launch = Member.launch

    async def launch_and_note(member, inherited):
        await launch(member, inherited)
        made.append(member.pid)

    monkeypatch.setattr(Member, "launch", launch_and_note)
    with pytest.raises(WorkerError, match="not today"):
        async with leader(valkey, told):
            pass
    assert len(made) == 2
    for pid in made:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert len(asyncio.all_tasks()) == 1, "only this test's own"


@pytest.mark.parametrize(
    ("early", "pause"),
    [(0, 0.0), (1, FIRST_PAUSE), (2, 2 * FIRST_PAUSE), (8, 12.8), (10, LONGEST_PAUSE), (10_000, LONGEST_PAUSE)],
)
def test_pauses_double_up_to_half_a_minute(early, pause):
    assert pause_after(early) == pause
