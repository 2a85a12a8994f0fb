"""Once an interval, later after failures, nothing twice and nothing lost within the hour."""

import asyncio

import pytest
from servers import Told, until

from proxy.observe import cloudwatch
from proxy.observe.cloudwatch import LONGEST_PAUSE, MOST_WAITING, Exporter, pause_after
from proxy.observe.counters import Counters
from proxy.observe.events import ExportFailed, Outcome, RequestServed
from proxy.observe.putting import ExportError
from proxy.observe.stats import RedisFacts


class Post:
    """Takes metrics, or refuses them."""

    def __init__(self):
        self.taken = []
        self.tries = 0
        self.refuses = False

    async def send(self, data):
        self.tries += 1
        if self.refuses:
            raise ExportError("ClientError AccessDenied")
        self.taken.append(data)

    def requests(self):
        return [[datum.value for datum in data if datum.name == "TotalRequests"] for data in self.taken]


class Office:
    def __init__(self):
        self.now = 1000.0
        self.post, self.told = Post(), Told()
        self.counters = Counters(lambda: self.now)
        self.exporter = Exporter(self.post, 60.0, self.counters, self.redis, self.told, lambda: self.now)

    async def redis(self):
        return RedisFacts(0, 0, 0, 50, 100)

    def serve(self, times=1):
        for _ in range(times):
            self.counters.tell(RequestServed("plan", Outcome.HIT_REDIS, "GET", "/", 200, 0.1, 1, "i", "c"))

    async def tick(self, seconds=60.0):
        self.now += seconds
        await self.exporter.export()


@pytest.fixture
def office():
    return Office()


async def test_each_interval_is_handed_over_once(office):
    office.serve(100)
    await office.tick()
    assert office.post.taken == [], "what was before the beginning is of no interval"
    office.serve(3)
    await office.tick()
    office.serve(4)
    await office.tick()
    assert office.post.requests() == [[3.0], [4.0]]
    assert {datum.at for datum in office.post.taken[0]} == {1120.0}


async def test_what_was_refused_goes_with_the_next_after_a_pause_that_doubles(office):
    await office.tick()
    office.post.refuses = True
    for number in range(1, 5):
        office.serve(number)
        await office.tick()
    assert office.post.tries == 3, "at once, after one interval, after two more"
    assert [(event.to, event.failure) for event in office.told.of(ExportFailed)] == [
        ("cloudwatch", "ClientError AccessDenied")
    ] * 3
    office.post.refuses = False
    for _ in range(4):
        await office.tick()
    assert office.post.requests()[0][:4] == [1.0, 2.0, 3.0, 4.0]
    assert sum(map(len, office.post.requests())) == 8, "each once"
    office.post.refuses = True
    tries = office.post.tries
    await office.tick()
    await office.tick()
    assert office.post.tries == tries + 2, "the pauses begin anew"


async def test_an_hour_waits_and_no_more(office):
    await office.tick()
    office.post.refuses = True
    for number in range(MOST_WAITING + 10):
        office.serve(number)
        await office.tick()
    office.post.refuses = False
    await office.tick(LONGEST_PAUSE)
    (sent,) = office.post.requests()
    assert len(sent) == MOST_WAITING
    assert sent[0] == 11.0


async def test_the_last_of_it_goes_at_the_end_once(office):
    office.exporter.start()
    async with asyncio.timeout(10):
        await until(lambda: office.exporter._before is not None)
    office.serve(5)
    office.now += 7
    await office.exporter.close()
    await office.exporter.close()
    assert office.post.requests() == [[5.0]]


async def test_who_never_began_has_nothing_to_say_at_the_end(office):
    await office.exporter.close()
    assert office.post.tries == 0


async def test_it_happens_by_itself(office):
    office.exporter._interval = 0.001
    office.exporter.start()
    async with asyncio.timeout(10):
        await until(lambda: len(office.post.taken) >= 2)
    await office.exporter.close()


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [pytest.param(1, 60.0, id="one"), pytest.param(3, 240.0, id="three"), pytest.param(99, 900.0, id="many")],
)
def test_pauses(failures, seconds):
    assert pause_after(failures, 60.0) == seconds
    assert cloudwatch.LONGEST_PAUSE == 900.0
