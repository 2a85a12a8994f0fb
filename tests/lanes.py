"""A listener on paper over a stage's pipeline, with the hit lane or without: the same bytes in, the same bytes out."""

from __future__ import annotations

import asyncio
import math
import re
from ipaddress import ip_network
from types import SimpleNamespace

from paper import Paper

from proxy.fetch.origin import Reply
from proxy.front import Front, FrontOptions
from proxy.front.connection import Connection
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.observe.counters import Counters
from proxy.observe.logs import Logs
from proxy.observe.observers import Fanout
from proxy.observe.options import LogOptions
from proxy.observe.repeats import Repeats
from proxy.pipeline.answer import Pipeline
from proxy.pipeline.probe import Probe
from proxy.pipeline.render import undressed
from proxy.wire.limits import WireLimits
from tests.pipeline.stage import Begun, Chunks, Stage

_MASKED = re.compile(rb"\r\n(Date|Age): [^\r]*")


class Library:
    """An origin that says the same whenever it is asked the same."""

    def __init__(self):
        self.heard = []
        self.headers = {b"Content-Type": b"application/json", b"Date": b"Tue, 14 Nov 2023 22:13:20 GMT"}

    def begin(self, outgoing, heard, interim=None):
        return Begun(self, outgoing, heard, interim)

    async def send(self, outgoing, interim=None):
        del interim
        self.heard.append(outgoing)
        if outgoing.body is not None:
            while await outgoing.body.read():
                pass
        path = outgoing.target.partition(b"?")[0]
        lines = dict(self.headers)
        status = 200
        if b"tagged" in path:
            lines |= {b"ETag": b'"one"', b"Last-Modified": b"Tue, 14 Nov 2023 00:00:00 GMT"}
        if b"varied" in path:
            lines |= {b"Vary": b"Accept-Language"}
        if b"absent" in path:
            status = 404
        if b"brief" in path:
            lines |= {b"Cache-Control": b"max-age=2, stale-while-revalidate=5"}
        if b"undated" in path:
            del lines[b"Date"]
        language = outgoing.headers.get(b"accept-language") or b"-"
        content = b"" if outgoing.method == b"HEAD" else b"%b for %b" % (outgoing.target, language)
        content *= 2000 if b"large" in path else 1
        return Reply(Response(status, Headers(lines.items())), Chunks([content] if content else [], len(content)), None)

    async def close(self):
        pass


class Awaited:
    """A pipeline whose every answer is awaited in a task."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.finished = pipeline.finished

    def ask(self, request, body, asker):
        asker.goes_on(lambda: self.pipeline.answer(request, body, asker.interim))


class House:
    """One sidecar from the bytes of its clients to its origin, without sockets. ``logged`` are the lines' hits share.

    ``worth_it`` as in ``Probe``, but from the first hit on. Without ``door`` every request that takes the whole way takes it in a task.
    """

    def __init__(
        self, rules, *, lane=True, watched=True, logged=0.0, door=True, longest_head=None, worth_it=1, **stage
    ):
        self.stage = Stage(rules, **stage)
        self.stage.origin = Library()
        self.stage.parts.origin = self.stage.origin
        parts, facts = self.stage.parts, self.stage.facts
        self.counters = Counters(self.stage.clock)
        self.lines = []
        writer = SimpleNamespace(write=self.lines.append, is_terminal=False)
        self.logs = Logs(LogOptions(hits=logged), writer)
        observers = (self.counters, self.logs, facts) if watched else (self.counters, self.logs)
        parts.observer = Fanout(observers, lambda name, error: self.stage.failures.append((name, error)))
        repeats = Repeats(self.counters, self.logs, facts if watched else None)
        self.trusted_until = math.inf
        self.probe = Probe(parts, self.stage.store, lambda: self.trusted_until, repeats, worth_it) if lane else None
        self.pipeline = Pipeline(parts, self.probe, repeats if door else None)
        self.front = Front(
            FrontOptions(
                "127.0.0.1:0",
                pipelined=8,
                trusted_proxies=(ip_network("10.0.0.0/8"),),
                wire=WireLimits() if longest_head is None else WireLimits(head=longest_head),
            ),
            self.pipeline if door else Awaited(self.pipeline),
            on_failure=lambda name, error: self.stage.failures.append((name, error)),
            decorate=undressed,
            probe=self.probe,
        )
        self.whole_ways = 0
        self._ask, self.front.handler.ask = self.front.handler.ask, self._asked
        self.front.loop = asyncio.get_running_loop()
        self.front.clock = SimpleNamespace(date=lambda: b"noon")
        self.connection, self.wire = None, None

    def _asked(self, request, body, asker):
        self.whole_ways += 1
        self._ask(request, body, asker)

    def connects(self, peer="192.0.2.1"):
        self.connection, self.wire = Connection(self.front), Paper(peer)
        self.connection.connection_made(self.wire)

    async def hears(self, *pieces):
        """Receive these bytes, and let everything come to rest; return what was said to them."""
        if self.connection is None or self.wire.closing or self.connection.is_closing:
            self.connects()
        before = len(self.wire.written)
        for piece in pieces:
            if not self.wire.closing:
                self.connection.data_received(piece)
        await self.rests()
        return self.wire.written[before:]

    async def rests(self):
        while len(self.front.background) or len(self.stage.background) or self.is_asking:  # noqa: ASYNC110 - tasks have no common event
            await asyncio.sleep(0)

    @property
    def is_asking(self):
        """Say whether the last client waits for an answer."""
        return self.connection is not None and self.connection._exchange is not None and not self.wire.closing

    async def ends(self):
        if self.connection is not None:
            self.connection.connection_lost(None)
        await self.rests()
        assert self.stage.failures == []

    def counted(self):
        """Return all that was counted but times: outcomes by status class, and reads by entry."""
        rows = {
            (*place, tuple(row.classes), row.saved > 0, sum(row.timing.counts), row.last)
            for place, row in self.counters.served.items()
            if sum(row.classes)
        }
        reads = {digest: row.reads for digest, row in self.stage.parts.popularity._rows.items()}
        return rows, reads

    @property
    def on_lane(self):
        """How many plates stand ready."""
        return sum(len(spot.plates) for spot in self.front.lane._spots.values())


def masked(said):
    """Return an answer without Date and Age."""
    return _MASKED.sub(b"", said)
