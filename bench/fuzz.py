"""Spoiled requests and spoiled responses: no crash, no hang, and everybody else still gets their own answer."""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mutate import pieces, spoiled
from record import Record
from servers import Valkey
from sidecar import Sidecar
from talk import Talk

if TYPE_CHECKING:
    from typing import Self

RULES = """
version: 1
service: fuzz
upstream: {url: http://127.0.0.1:1, timeout: 500ms, idle_timeout: 500ms, connect_timeout: 2s, max_concurrent: 32}
memory: {max_size: 0}
limits: {head_timeout: 1s, body_timeout: 1s, write_timeout: 2s, keep_alive: 1s, tunnels: 16}
drain_timeout: 5s
log: {hits: 0%, level: info}
routes:
  - {name: item, match: "GET /items/{id}", authorization: ignore, cookies: ignore, client_control: obey, ttl: 1s}
  - {name: own, match: "GET /own/**", scope: credential, private: store, cookies: [a], user: "{jwt.sub}"}
  - {name: markers, match: "GET /marker/**", authorization: ignore, cookies: ignore, ttl: 1s}
invalidate:
  - {after: "PUT,POST,DELETE /items/{id}", tags: ["item:{id}"]}
"""
WORKERS = 24
QUIET = 0.1  # seconds without a byte, after which the client has nothing more to say
GIVEN_UP = 12.0  # seconds; every timer of the rules above is far shorter, and at most a few follow one another
KEPT = 10

_HOST = b"Host: a.example\r\n"
REQUESTS = (
    b"GET /items/1 HTTP/1.1\r\n" + _HOST + b"Accept: */*\r\nUser-Agent: x\r\nCookie: a=b; c=d\r\n\r\n",
    b"GET /items/2?a=1&b=%20c&a=2 HTTP/1.1\r\n" + _HOST + b'If-None-Match: "a", W/"b"\r\nRange: bytes=0-4,6-\r\n\r\n',
    b"GET /own/x HTTP/1.1\r\n"
    + _HOST
    + b"Authorization: Bearer e30.eyJzdWIiOiJhIn0.c2ln\r\nCache-Control: max-age=5\r\n\r\n",
    b"POST /items/3 HTTP/1.1\r\n" + _HOST + b"Content-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello there",
    b"PUT /items/4 HTTP/1.1\r\n"
    + _HOST
    + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n there\r\n0\r\nX-T: 1\r\n\r\n",
    b"POST /else HTTP/1.1\r\n" + _HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    b"GET /socket HTTP/1.1\r\n"
    + _HOST
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\nbytes",
    b"HEAD /items/1 HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + _HOST + b"Connection: close, x\r\nX: y\r\nTE: trailers\r\nMax-Forwards: 0\r\n\r\n",
    b"GET /a HTTP/1.1\r\n"
    + _HOST
    + b"\r\nGET /b HTTP/1.1\r\n"
    + _HOST
    + b"\r\nDELETE /items/1 HTTP/1.1\r\n"
    + _HOST
    + b"\r\n",
    b"GET http://a.example/items/1 HTTP/1.1\r\n" + _HOST + b"Forwarded: for=1\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
)
RESPONSES = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\nCache-Control: max-age=60\r\n\r\nhello',
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: Accept, X\r\n\r\nok",
    b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=1, stale-while-revalidate=5\r\n\r\n',
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes",
    b"HTTP/1.0 200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nto the close",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nSurrogate-Control: max-age=5\r\nSurrogate-Key: a b\r\nAge: 3\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nCDN-Cache-Control: max-age=5;x\r\n\r\n",
)  # fmt: skip
STRICT_HEAD = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~\x80-\xff]+ HTTP/1\.1\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?[\t -~\x80-\xff]*\r\n)*\r\n"
)
FRAMING = re.compile(rb"^(content-length|transfer-encoding|host): *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class Strict:
    """A backend that takes nothing but well-formed requests, and answers some of them with spoiled bytes."""

    def __init__(self, seed: int) -> None:
        self.malformed: list[bytes] = []
        self.requests = 0
        self._chance = random.Random(seed)
        self._talks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0, backlog=1000, limit=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in tuple(self._writers):
            writer.close()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, writer):
                pass
        self._writers.discard(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        framing = [(name.lower(), value) for name, value in FRAMING.findall(head)]
        names = [name for name, _ in framing]
        if not STRICT_HEAD.fullmatch(head) or names.count(b"host") != 1 or len(names) > 2:  # noqa: PLR2004 - Host, one framing
            self.malformed.append(head)
            return False
        target = head.split(b" ", 2)[1]
        stated = dict(framing)
        if b"transfer-encoding" in stated and not await self._chunks(reader, head):
            return False
        await reader.readexactly(int(stated.get(b"content-length", b"0")))
        if target.startswith(b"/spoiled"):
            for piece in pieces(self._chance, spoiled(self._chance, RESPONSES)):
                writer.write(piece)
                await writer.drain()
            return self._chance.random() < 0.5  # noqa: PLR2004 - kept open, or closed
        body = target
        caching = b"Cache-Control: max-age=60\r\n" if target.startswith(b"/items") else b"Cache-Control: no-store\r\n"
        if head.startswith(b"HEAD "):
            writer.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (caching, len(body)))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (caching, len(body), body))
        await writer.drain()
        return True

    async def _chunks(self, reader: asyncio.StreamReader, head: bytes) -> bool:
        while True:
            line = await reader.readuntil(b"\r\n")
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}\r\n", line):
                self.malformed.append(head + line)
                return False
            size = int(line, 16)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return True
            if (await reader.readexactly(size + 2))[-2:] != b"\r\n":
                self.malformed.append(head + line)
                return False


class Fuzz:
    """Many at once; each spoils one message and then asks for its own marker."""

    def __init__(self, sidecar: Sidecar, seed: int) -> None:
        self._sidecar, self._seed = sidecar, seed
        self.did: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.wrong: dict[str, list[bytes]] = {"hang": [], "answer of status 500": [], "desync": [], "no marker": []}

    async def run(self, seconds: float) -> None:
        """Go on until the time is over."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._worker(number, until) for number in range(WORKERS)))

    async def _worker(self, number: int, until: float) -> None:
        chance = random.Random(self._seed * 1000 + number)
        turn = 0
        async with Talk(self._sidecar.port) as talk:
            while time.monotonic() < until:
                turn += 1
                if number % 2:
                    data = spoiled(chance, REQUESTS)
                    self.did["spoiled requests"] += 1
                else:
                    data = b"%s /spoiled/%d HTTP/1.1\r\n%s\r\n" % (
                        chance.choice((b"GET", b"GET", b"GET", b"HEAD", b"PUT")), chance.randrange(20), _HOST,
                    )  # fmt: skip
                    self.did["spoiled responses"] += 1
                await self._say(chance, data)
                await self._marker(talk, data, b"/marker/%d/%d" % (number, turn))

    async def _say(self, chance: random.Random, data: bytes) -> None:
        """Say it on a connection of its own, then nothing more; the sidecar has to come to an end."""
        try:
            async with asyncio.timeout(GIVEN_UP):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._sidecar.port)
                try:
                    answers = b""
                    with suppress(ConnectionError):
                        for piece in pieces(chance, data):
                            writer.write(piece)
                            await writer.drain()
                        answers = await self._until_quiet(reader)
                        if chance.random() < 0.9:  # noqa: PLR2004 - else the sidecar's timers have to end it
                            writer.write_eof()
                        answers += await reader.read()
                    self._look(answers, data)
                finally:
                    writer.close()
        except TimeoutError:
            self.wrong["hang"].append(data)

    @staticmethod
    async def _until_quiet(reader: asyncio.StreamReader) -> bytes:
        answers = b""
        with suppress(TimeoutError):
            while more := await asyncio.wait_for(reader.read(1 << 16), QUIET):
                answers += more
        return answers

    def _look(self, answers: bytes, data: bytes) -> None:
        status = answers[9:12]
        self.statuses[int(status) if status.isdigit() else 0] += 1
        if b"application/problem+json" in answers and re.search(rb'"status": ?500\b', answers):
            self.wrong["answer of status 500"].append(data)

    async def _marker(self, talk: Talk, data: bytes, marker: bytes) -> None:
        for attempt in (1, 2):  # an idle connection may be closed as we ask
            try:
                async with asyncio.timeout(GIVEN_UP):
                    said = await talk.ask("GET", marker.decode())
            except (OSError, EOFError, TimeoutError):
                await talk.close()
                if attempt == 2:  # noqa: PLR2004 - the last
                    self.wrong["no marker"].append(data)
                continue
            if said.body != marker:
                self.wrong["desync"].append(data + b"\n---\n" + said.body[:500])
            return


async def prove(seconds: float, seed: int) -> Record:
    """Run it and return what was found."""
    record = Record("fuzz", __doc__ or "", {"seconds": seconds, "workers": WORKERS, "seed": seed})
    valkey = Valkey().start()
    try:
        async with Strict(seed) as backend:
            with Sidecar(RULES, upstream=backend.url, store=valkey.url) as sidecar:
                fuzz = Fuzz(sidecar, seed)
                await fuzz.run(seconds)
                assert sidecar.process is not None
                ended = sidecar.process.poll()
    finally:
        valkey.close()
    failures = [line for line in sidecar.lines if b"task_failed" in line or b"Traceback" in line]
    for what, count in fuzz.did.items():
        record.note(what, count)
    record.note("requests that reached the backend", backend.requests)
    record.note("first answers", ", ".join(f"{status} {count:,}" for status, count in fuzz.statuses.most_common(12)))
    record.ask("the sidecar went on to the end", "yes" if ended is None else f"exit {ended}", "yes", ended is None)
    for what, cases in fuzz.wrong.items():
        record.ask(what, len(cases), "0", not cases)
    record.ask("malformed requests at the backend", len(backend.malformed), "0", not backend.malformed)
    record.ask("failures in the log", len(failures), "0", not failures)
    record.details.update(
        {what: [base64.b64encode(case).decode() for case in cases[:KEPT]] for what, cases in fuzz.wrong.items()},
        malformed=[base64.b64encode(case).decode() for case in backend.malformed[:KEPT]],
        failures=[line.decode("utf-8", "replace") for line in failures[:KEPT]],
    )
    return record


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(prove(given.seconds, given.seed)).keep())
