"""Rounds: whose turn it is, how long it lasts, and what is looked at again."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.settings.cron import parse_cron
from proxy.warming.rounds import TOGETHER, Round, Rounds
from proxy.warming.schedule import LATE, LONGEST_SLEEP, RESTART
from proxy.warming.turns import Turn
from proxy.warming.warmers import Popular, Warmer

MIDNIGHT = 1_800_000_000 // 86400 * 86400.0
HOURLY = Warmer("plans", "a" * 8, Popular(), UTC, crons=(parse_cron("0 * * * *"),))
RETRY = 0.5


class Scripted:
    """Turns as a test wants them; a StoreError among them is raised. The last one for ever."""

    def __init__(self, *answers):
        self.answers = list(answers) or [Turn.MINE]
        self.taken, self.finished = [], []

    async def take(self, key, due):
        self.taken.append((key, due))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def finish(self, key, due):
        self.finished.append((key, due))


class Played:
    def __init__(self, *answers, held=30.0):
        self.now = MIDNIGHT + 60.0
        self.turns = Scripted(*answers)
        self.failures, self.ran = [], []
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks = Background(lambda name, error: self.failures.append(error))
        self.rounds = Rounds(self.turns, lambda: self.now, self.tasks, self.run, held=held, retry=RETRY)

    async def run(self, one):
        self.ran.append(one)
        await self.gate.wait()

    async def settled(self):
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def play():
    made = []

    def begun(*answers, **more):
        made.append(Played(*answers, **more))
        return made[-1]

    yield begun
    for played in made:
        await played.tasks.drain(0)
        assert played.failures == []


async def test_what_is_due_is_run_once_and_finished(play):
    played = play()
    played.rounds.use((HOURLY,))
    assert await played.rounds.look() == LONGEST_SLEEP
    assert played.turns.taken == []
    played.now = MIDNIGHT + 3600
    for _ in range(3):
        await played.rounds.look()
        await played.settled()
    due = (HOURLY.digest, int(MIDNIGHT + 3600))
    assert ([one.trigger for one in played.ran], played.turns.taken, played.turns.finished) == (
        ["schedule"],
        [due],
        [due],
    )


@pytest.mark.parametrize("answer", [Turn.TAKEN, StoreError("away")], ids=["taken", "no store"])
async def test_what_another_one_runs_is_looked_at_again(play, answer):
    played = play(answer, Turn.DONE)
    played.rounds.use((HOURLY,))
    played.now = MIDNIGHT + 3600
    assert await played.rounds.look() == RETRY
    assert await played.rounds.look() == LONGEST_SLEEP
    await played.rounds.look()
    assert (played.ran, len(played.turns.taken)) == ([], 2)


async def test_a_turn_is_asked_for_again_while_it_lasts(play):
    played = play(held=0.03)
    played.gate.clear()
    played.rounds.add([Round(HOURLY, "startup", "k", 7)])
    await played.rounds.look()
    async with asyncio.timeout(5):
        while len(played.turns.taken) < 4:  # noqa: ASYNC110  the loop's own clock brings them
            await asyncio.sleep(0.005)
    assert played.turns.finished == []
    played.gate.set()
    async with asyncio.timeout(5):
        while not played.turns.finished:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("lost", [Turn.TAKEN, Turn.DONE])
async def test_who_has_lost_its_turn_breaks_off(play, lost):
    played = play(Turn.MINE, StoreError("away"), lost, held=0.03)
    played.gate.clear()
    played.rounds.add([Round(HOURLY, "startup", "k", 7)])
    await played.rounds.look()
    async with asyncio.timeout(5):
        while len(played.turns.taken) < 3 or len(played.tasks):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.005)
    assert played.turns.finished == []


async def test_a_run_under_way_is_not_begun_again(play):
    played = play()
    played.gate.clear()
    for _ in range(2):
        played.rounds.add([Round(HOURLY, "purge", "k", 7)])
        await played.rounds.look()
    assert len(played.ran) <= 1
    assert len(played.turns.taken) == 1


async def test_a_start_is_shared_by_all_who_start_within_five_minutes(play):
    at_start = Warmer("w", "b" * 8, Popular(), UTC, on_startup=True)
    played = play()
    played.now = 7 * TOGETHER + 299.0
    played.rounds.use((at_start, HOURLY), at_start=True)
    await played.rounds.look()
    assert played.turns.taken == [("bbbbbbbb-startup", 7 * TOGETHER)]
    played.rounds.use((at_start,))  # a reload is no start
    await played.rounds.look()
    assert len(played.turns.taken) == 1


@pytest.mark.parametrize(("down_for", "times"), [(RESTART - 1, 1), (RESTART + 1, 0)])
async def test_a_start_looks_back_as_far_as_a_restart_takes(play, down_for, times):
    played = play()
    played.now = MIDNIGHT + 3600 + down_for
    played.rounds.use((HOURLY,), at_start=True)
    await played.rounds.look()
    assert len(played.turns.taken) == times


async def test_a_purge_is_for_those_who_want_it_and_each_has_its_own_turn(play):
    wants = Warmer("w", "b" * 8, Popular(), UTC, on_purge=True)
    played = play()
    played.rounds.use((wants, HOURLY))
    played.rounds.purged(41, frozenset({"tag:a"}))
    played.rounds.purged(42, frozenset({"tag:b"}))
    await played.rounds.look()
    await played.settled()
    assert [(one.trigger, one.due, one.hit) for one in played.ran] == [
        ("purge", 41, {"tag:a"}),
        ("purge", 42, {"tag:b"}),
    ]
    assert played.turns.taken == [("bbbbbbbb-purge-41", 41), ("bbbbbbbb-purge-42", 42)]


async def test_what_cannot_be_run_for_long_is_given_up(play):
    played = play(Turn.TAKEN)
    played.rounds.add([Round(HOURLY, "purge", "k", 7)])
    assert await played.rounds.look() == RETRY
    played.now += LATE + 1
    assert await played.rounds.look() == LONGEST_SLEEP


async def test_a_reload_takes_back_what_waits_for_warmers_that_are_gone(play):
    played = play(Turn.TAKEN)
    played.rounds.use((HOURLY,))
    played.rounds.add([Round(HOURLY, "purge", "k", 7)])
    await played.rounds.look()
    played.rounds.use(())
    assert await played.rounds.look() == LONGEST_SLEEP


async def test_it_watches_by_itself_and_what_is_added_wakes_it(play):
    played = play()
    played.tasks.start(played.rounds.watch(), "watch")
    await played.settled()
    played.rounds.add([Round(HOURLY, "purge", "k", 7)])
    await played.settled()
    assert len(played.ran) == 1
