"""A stage for transcripts: the origin says, the client asks, time passes, the client asks.

The pipeline is the real one, with the memory store and the local ledger; the origin is scripted, and every answer of
it can be held back by a gate, so that tasks meet where a test wants them to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from clocks import Clock

from proxy.background import Background
from proxy.fetch.flights import Flights
from proxy.fetch.origin import Reply
from proxy.fetch.spool import Budget
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import EMPTY, Headers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.pipeline.answer import Pipeline
from proxy.pipeline.parts import Parts, PipelineOptions
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.settings import load_settings
from proxy.settings.trial import forwarding_of
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions


class Chunks:
    """A body that comes in the given pieces; an OriginError or MessageError among them is where it breaks off."""

    def __init__(self, pieces, length=None, trailers=EMPTY, gate=None, *, overrun=False):
        self.length = length
        self.trailers = trailers
        self.closed = False
        self.overrun = overrun
        self._pieces = list(pieces)
        self._gate = gate

    async def read(self):
        if not self._pieces:
            return b""
        if self._gate is not None:
            await self._gate.wait()
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def aclose(self):
        self.closed = True

    def all_of_it(self):
        """Return all of it where nobody has to wait for it, else None."""
        if self._gate is not None or self.length is None or self.overrun or len(self._pieces) > 1:
            return None
        piece = self._pieces[0] if self._pieces else b""
        return piece if isinstance(piece, bytes) and len(piece) == self.length else None


@dataclass
class Says:
    """One scripted answer: a head and a body, or an error. ``gate`` holds back the head, ``body_gate`` the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"hello"
    gate: asyncio.Event | None = None
    body_gate: asyncio.Event | None = None
    pieces: list | None = None
    length: int | None = -1
    error: OriginError | None = None
    interim: list[int] = field(default_factory=list)
    overrun: bool = False


class ScriptedOrigin:
    """Answers by script, in the order of asking; without a script, by ``default``."""

    def __init__(self):
        self.is_free = True  # a connection rests, and a place is free
        self.script: list[Says] = []
        self.default: Says | None = None
        self.heard = []
        self.bodies: list[Chunks] = []
        self.limit = 64
        self.waiting = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.asked = asyncio.Event()

    async def send(self, outgoing, interim=None):
        self.heard.append(outgoing)
        self.asked.set()
        says = self.script.pop(0) if self.script else self.default
        assert says is not None, f"nobody told the origin what to say to {outgoing.target!r}"
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for status in says.interim:
                interim and interim(Response(status, Headers([(b"Link", b"</a.css>")])))
            if outgoing.body is not None:
                while await outgoing.body.read():
                    pass
            if says.gate is not None:
                await says.gate.wait()
        finally:
            self.in_flight -= 1
        if says.error is not None:
            raise says.error
        pieces = says.pieces if says.pieces is not None else [says.body] if says.body else []
        length = len(says.body) if says.length == -1 else says.length
        if outgoing.method == b"HEAD" or says.status in {204, 304}:
            pieces, length = [], length if outgoing.method == b"HEAD" else 0
        body = Chunks(pieces, length, gate=says.body_gate, overrun=says.overrun)
        self.bodies.append(body)
        lines = [(name.encode(), value.encode("latin-1")) for name, value in says.headers.items()]
        return Reply(Response(says.status, Headers(lines)), body, None)

    def begin(self, outgoing, heard, interim=None):
        """Answer as ``send`` does, without being waited for; what comes in one piece without a gate is whole."""
        return Begun(self, outgoing, heard, interim) if self.is_free else None

    async def close(self):
        pass


class Begun:
    """A request that went out at once."""

    def __init__(self, origin, outgoing, heard, interim):
        self.heard = heard
        self.sending = asyncio.create_task(self.run(origin, outgoing, interim))

    async def run(self, origin, outgoing, interim):
        try:
            reply = await origin.send(outgoing, interim)
        except OriginError as error:
            self.heard(error)
        else:
            self.heard(replace(reply, whole=reply.body.all_of_it()))

    def give_up(self):
        self.sending.cancel()


@dataclass
class Told:
    """An answer as its client got it."""

    status: int
    headers: Headers
    body: bytes
    facts: object
    broken: bool = False

    def __getitem__(self, name):
        value = self.headers.combined(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    @property
    def outcome(self):
        return self.facts.outcome.value


class Facts:
    """An observer that keeps everything."""

    def __init__(self):
        self.told = []

    def tell(self, event):
        self.told.append(event)

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]


class Stage:
    """One sidecar's pipeline under the given rules; None: the implicit route."""

    def __init__(
        self, rules: str | None = None, *, ledger=None, store=None, waiters=1000, collecting=1 << 20, **options
    ):
        if rules is not None and "upstream:" not in rules:
            rules += "\nupstream: {url: 'http://127.0.0.1:1'}\n"
        settings = load_settings(rules, overrides={"upstream.url": "http://127.0.0.1:1"} if rules is None else None)
        self.clock = Clock()
        self.origin = ScriptedOrigin()
        self.facts = Facts()
        self.failures = []
        self.background = Background(lambda name, error: self.failures.append((name, error)))
        self.ledger = LocalLedger(PurgeOptions()) if ledger is None else ledger
        self.store = MemoryStore(self.ledger, StoreOptions(), now=self.clock) if store is None else store
        self.parts = Parts(
            book=settings.book,
            forwarding=forwarding_of(settings),
            store=self.store,
            ledger=self.ledger,
            origin=self.origin,
            flights=Flights(self.background, waiters=waiters),
            budget=Budget(collecting),
            background=self.background,
            observer=self.facts,
            wall=self.clock,
            options=PipelineOptions(**options),
        )
        self.pipeline = Pipeline(self.parts)

    def says(self, status=200, body=b"hello", **more):
        """Script the origin's next answer; header fields as keywords with underscores."""
        known = {"gate", "body_gate", "pieces", "length", "error", "interim", "overrun"}
        headers = {name.replace("_", "-"): value for name, value in more.items() if name not in known}
        answer = Says(status, headers, body, **{name: value for name, value in more.items() if name in known})
        self.origin.script.append(answer)
        return answer

    def request(self, target="/a", /, method="GET", body=None, interim=None, **headers):
        lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        return Request(
            method=method.encode(),
            target=target.encode("latin-1"),
            headers=Headers([(b"Host", b"api.example"), *lines]),
            authority=b"api.example",
            client="192.0.2.1",
            forwarded_for=b"192.0.2.1",
            request_id=b"id-1",
            has_body=body is not None,
        )

    async def asks(self, target="/a", /, method="GET", body=None, interim=None, **headers) -> Told:
        """Ask as a client does, and read the answer to its end."""
        request = self.request(target, method, body, **headers)
        chunks = None if body is None else Chunks([body], len(body))
        answer = await self.pipeline.answer(request, chunks, interim or (lambda response: None))
        return await self.read(answer)

    async def read(self, answer) -> Told:
        """Read an answer to its end, as the front does."""
        response = answer.response
        if isinstance(answer.body, bytes):
            return Told(response.status, response.headers, answer.body, answer.facts)
        body, broken = b"", False
        try:
            while data := await answer.body.read():
                body += data
        except MessageError:
            broken = True
        await answer.body.aclose()
        return Told(response.status, response.headers, body, answer.facts, broken)

    def asking(self, target="/a", /, **more):
        """Ask in a task of its own."""
        return asyncio.create_task(self.asks(target, **more))

    def passes(self, seconds):
        """Let time pass."""
        self.clock.now += seconds

    async def settled(self):
        """Let every task go as far as it can."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def at_rest(self):
        """Wait for all work beside requests to end."""
        await self.background.drain(10)

    async def heard(self, count):
        """Wait until the origin has heard that many requests."""
        while len(self.origin.heard) < count:
            self.origin.asked.clear()
            await self.origin.asked.wait()
