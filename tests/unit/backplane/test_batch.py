"""What one turn wants goes out together; what befalls one exchange befalls nobody else's."""

import asyncio

import pytest
from redis.exceptions import ResponseError

from proxy.background import Background
from proxy.backplane.batch import LARGE, MOST, Lookups, Saves
from proxy.message.errors import StoreError


class Redis:
    """Answers when it is told to; knows every key by its name."""

    def __init__(self):
        self.failures = []
        self.told = []
        self.sent = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.fails_with = None
        self.tasks = Background(lambda name, error: self.failures.append(error))

    async def run(self, operation, *command):
        (reply,) = await self._answer(operation, [command])
        return reply

    async def pipeline(self, operation, commands):
        return await self._answer(operation, commands)

    def begin(self, operation, commands, told, *, errors_are_answers):
        assert errors_are_answers is (operation == "save")

        def over(asking):
            if asking.cancelled():
                told(StoreError("given up"))
            else:
                told(asking.result())

        self.tasks.start(self._asked(operation, commands), operation).add_done_callback(over)

    async def _asked(self, operation, commands):
        try:
            return await self._answer(operation, commands)
        except StoreError as error:
            return error

    def tell(self, operation, failure):
        self.told.append((operation, failure))

    async def _answer(self, operation, commands):
        self.sent.append((operation, [tuple(command) for command in commands]))
        self.asked.set()
        fails_with = self.fails_with
        await self.gate.wait()
        if fails_with is not None:
            raise fails_with
        return [self._reply(command) for command in commands]

    @staticmethod
    def _reply(command):
        if command[0] == b"MGET":
            return [b"value of " + key for key in command[1:]]
        return ResponseError("OOM") if b"too much" in command else b"OK"


@pytest.fixture
async def redis():
    redis = Redis()
    yield redis
    await redis.tasks.drain(1)
    assert redis.failures == []


async def read(lookups, keys):
    """Ask, and wait for what is told."""
    waiting = asyncio.get_running_loop().create_future()
    lookups.ask(keys, lambda told: waiting.done() or waiting.set_result(told))
    told = await waiting
    if isinstance(told, StoreError):
        raise told
    return told


async def test_what_is_asked_in_one_turn_is_one_command_and_each_gets_its_own(redis):
    lookups = Lookups(redis, b"seq")
    answers = await asyncio.gather(read(lookups, [b"a", b"b"]), read(lookups, [b"c"]), read(lookups, [b"a"]))
    assert redis.sent == [("load", [(b"MGET", b"a", b"b", b"c", b"a", b"seq")])]
    assert answers == [
        [b"value of a", b"value of b", b"value of seq"],
        [b"value of c", b"value of seq"],
        [b"value of a", b"value of seq"],
    ]


async def test_the_next_turn_does_not_wait_for_the_last_ones_answer(redis):
    lookups = Lookups(redis, b"seq")
    redis.gate.clear()
    slow = asyncio.create_task(read(lookups, [b"slow"]))
    await redis.asked.wait()
    redis.gate.set()  # for those who come to it from now on; the slow one has to be woken first
    assert (await read(lookups, [b"quick"]))[0] == b"value of quick"
    assert (await slow)[0] == b"value of slow"
    assert len(redis.sent) == 2


async def test_no_exchange_is_shared_by_too_many(redis):
    lookups = Lookups(redis, b"seq")
    await asyncio.gather(*(read(lookups, [b"%d" % number]) for number in range(MOST + 1)))
    assert [len(command) for _, (command,) in redis.sent] == [MOST + 2, 3]


async def test_a_failure_is_everybodys_who_was_on_board_and_nobody_elses(redis):
    lookups = Lookups(redis, b"seq")
    redis.fails_with = StoreError("gone")
    answers = await asyncio.gather(read(lookups, [b"a"]), read(lookups, [b"b"]), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["gone", "gone"]
    redis.fails_with = None
    assert (await read(lookups, [b"a"]))[0] == b"value of a"


async def test_who_leaves_takes_nothing_from_the_others(redis):
    lookups = Lookups(redis, b"seq")
    redis.gate.clear()
    leaving, staying = (asyncio.create_task(read(lookups, [key])) for key in (b"a", b"b"))
    await redis.asked.wait()
    leaving.cancel()
    await asyncio.wait([leaving])
    redis.gate.set()
    assert (await staying)[0] == b"value of b"


async def test_at_the_end_nobody_waits_for_ever(redis):
    lookups = Lookups(redis, b"seq")
    redis.gate.clear()
    waiting = asyncio.create_task(read(lookups, [b"a"]))
    await redis.asked.wait()
    await redis.tasks.drain(0)
    with pytest.raises(StoreError, match="given up"):
        await waiting


async def test_who_is_told_and_fails_costs_the_others_nothing(redis):
    lookups = Lookups(redis, b"seq")

    def fails(_):
        raise ValueError("a bug")

    lookups.ask([b"a"], fails)
    assert (await read(lookups, [b"b"]))[0] == b"value of b"
    assert [str(error) for error in redis.failures] == ["a bug"]
    redis.failures.clear()


async def test_saves_of_one_turn_go_together_and_a_refusal_is_its_callers_alone(redis):
    saves = Saves(redis)
    good, bad, also_good = await asyncio.gather(
        saves.run([(b"SET", b"a"), (b"EXPIRE", b"a")], 10),
        saves.run([(b"SET", b"too much")], 10),
        saves.run([(b"SET", b"b")], 10),
        return_exceptions=True,
    )
    assert redis.sent == [("save", [(b"SET", b"a"), (b"EXPIRE", b"a"), (b"SET", b"too much"), (b"SET", b"b")])]
    assert (good, also_good, type(bad), str(bad)) == (None, None, StoreError, "the store refused: OOM")
    assert redis.told == [("save", "reply")]


async def test_what_is_large_goes_alone(redis):
    saves = Saves(redis)
    await asyncio.gather(saves.run([(b"SET", b"a")], 10), saves.run([(b"SET", b"large")], LARGE))
    assert sorted(len(commands) for _, commands in redis.sent) == [1, 1]


async def test_what_cannot_even_be_asked_is_told_to_each_who_waits(redis):
    def fails(*_, **__):
        raise ValueError("a bug")

    redis.begin = fails
    lookups, told = Lookups(redis, b"seq"), []
    for name in (b"a", b"b"):
        lookups.ask((name,), told.append)
    await asyncio.sleep(0)
    assert [str(answer) for answer in told] == ["the store could not be asked"] * 2
    assert [str(error) for error in redis.failures] == ["a bug"]
    redis.failures.clear()
