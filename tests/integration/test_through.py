"""What passes through a sidecar as its users run it: streams, tunnels, trailers, old clients, odd bodies."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from contextlib import asynccontextmanager

import pytest
from rawbackend import RawBackend
from servers import free_port
from sidecar import Sidecar

RULES = """
version: 1
service: through
upstream: {url: http://127.0.0.1:1}
log: {hits: 0%}
routes:
  - {name: stored, match: GET /stored/**, authorization: ignore, cookies: ignore, ttl: 1h}
"""
BINARY = bytes(range(256)) * 257


@pytest.fixture(scope="module")
def sidecar_and_port():
    """One sidecar for all; the backend's port is each test's to listen on."""
    port = free_port()
    with Sidecar(RULES, upstream=f"http://127.0.0.1:{port}", store="memory://") as sidecar:
        yield sidecar, port


@pytest.fixture
def behind(sidecar_and_port):
    """Return a function that runs a backend, and connects to the sidecar before it."""
    sidecar, port = sidecar_and_port
    status, _ = sidecar.admin("POST", "/purge", {"all": True})
    assert status == 200

    @asynccontextmanager
    async def run(talk):
        clients = []

        async def connect():
            client = Wire(*await asyncio.open_connection("127.0.0.1", sidecar.port, limit=2**20))
            clients.append(client)
            return client

        async with asyncio.timeout(60), RawBackend(talk, port):
            yield connect
            for client in clients:
                await client.aclose()

    return run


class Wire:
    """A client that says and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def head(self) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Return the first line, and the fields with lower-case names."""
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (line.partition(b": ") for line in lines)
        return first, [(name.lower(), value) for name, _, value in pairs]

    async def chunk(self) -> bytes:
        size = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def answer(self) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
        """Return one whole answer; its trailers stand behind its fields."""
        first, fields = await self.head()
        length = dict(fields).get(b"content-length")
        if length is not None:
            return first, fields, await self.reader.readexactly(int(length))
        body = b""
        while True:
            size = int(await self.reader.readline(), 16)
            if not size:
                break
            body += (await self.reader.readexactly(size + 2))[:-2]
        while (line := await self.reader.readline()) != b"\r\n":
            name, _, value = line.strip().partition(b": ")
            fields.append((name.lower(), value))
        return first, fields, body

    async def aclose(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


def get(target: str, *lines: bytes) -> bytes:
    return b"\r\n".join([b"GET %s HTTP/1.1" % target.encode(), b"Host: a.example", *lines, b"", b""])


@pytest.mark.parametrize("target", ["/events", "/stored/events"])
@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked\r\n", b""], ids=["in chunks", "until the close"])
async def test_events_arrive_one_by_one_at_each_of_several_readers(behind, target, framing):
    """Both ask before anything is answered: on a cached route the second would follow the first."""
    gates = [asyncio.Event() for _ in range(4)]
    both = asyncio.Barrier(2)
    asked = 0

    async def talk(peer):
        nonlocal asked
        await peer.head()
        asked += 1
        mine = asked
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n", framing, b"\r\n")
        for number, gate in enumerate(gates):
            event = b"data: %d of %d\n\n" % (number, mine)
            await peer.say(b"%x\r\n%s\r\n" % (len(event), event) if framing else event)
            await gate.wait()

    async with behind(talk) as connect:
        clients = [await connect(), await connect()]
        for client in clients:
            client.say(get(target))
        owners = []

        async def read(client):
            first, fields = await client.head()
            assert first == b"HTTP/1.1 200 OK"
            assert (b"content-type", b"text/event-stream; charset=utf-8") in fields
            for number, gate in enumerate(gates):
                event = await client.chunk()
                assert event.startswith(b"data: %d of " % number)
                if not number:
                    owners.append(event.split()[-1])
                await both.wait()  # neither backend nor sidecar has said more than this
                gate.set()

        await asyncio.gather(*(read(client) for client in clients))
        assert sorted(owners) == [b"1", b"2"], "each reader has a stream of its own"


@pytest.mark.parametrize("target", ["/slow", "/stored/slow"])
async def test_a_body_leaves_as_it_comes(behind, target):
    gate = asyncio.Event()

    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await gate.wait()
        await peer.say(b"3\r\ntwo\r\n0\r\n\r\n")

    async with behind(talk) as connect:
        client = await connect()
        client.say(get(target))
        await client.head()
        assert await client.chunk() == b"one"
        gate.set()
        assert await client.chunk() == b"two"
        assert await client.chunk() == b""


def frame(payload: bytes, mask: bytes = b"") -> bytes:
    """Write a WebSocket text frame (RFC 6455 section 5.2)."""
    if not mask:
        return b"\x81" + bytes([len(payload)]) + payload
    return b"\x81" + bytes([0x80 | len(payload)]) + mask + unmasked(payload, mask)


def unmasked(payload: bytes, mask: bytes) -> bytes:
    return bytes(octet ^ mask[index % 4] for index, octet in enumerate(payload))


@pytest.mark.parametrize("target", ["/socket", "/stored/socket"])
async def test_a_websocket_echoes_with_bytes_beside_both_heads(behind, target):
    key, mask = base64.b64encode(b"sixteen octets!!"), b"\x01\x02\x03\x04"
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())

    async def talk(peer):
        _, headers = await peer.head()
        assert headers.get(b"upgrade").lower() == b"websocket"
        assert headers.get(b"connection").lower() == b"upgrade"
        lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
        head = b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"", b""))
        await peer.say(head, frame(b"welcome"))  # in one packet
        while True:
            start = await peer.reader.readexactly(6)
            payload = await peer.reader.readexactly(start[1] & 0x7F)
            await peer.say(frame(unmasked(payload, start[2:])))

    async with behind(talk) as connect:
        client = await connect()
        upgrade = get(
            target,
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + key,
        )
        client.say(upgrade, frame(b"early", mask))  # in one packet
        first, fields = await client.head()
        assert first.startswith(b"HTTP/1.1 101")
        assert dict(fields)[b"sec-websocket-accept"] == accept
        assert await client.reader.readexactly(9) == frame(b"welcome")
        assert await client.reader.readexactly(7) == frame(b"early")
        for number in range(20):
            client.say(frame(b"message %d" % number, mask))
            expected = frame(b"message %d" % number)
            assert await client.reader.readexactly(len(expected)) == expected


@pytest.mark.parametrize("target", ["/hinted", "/stored/hinted"])
async def test_early_hints_arrive_before_the_answer(behind, target):
    gate = asyncio.Event()

    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        await gate.wait()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with behind(talk) as connect:
        client = await connect()
        client.say(get(target))
        first, fields = await client.head()
        assert first.startswith(b"HTTP/1.1 103")
        assert (b"link", b"</a.css>; rel=preload") in fields
        gate.set()
        first, _, body = await client.answer()
        assert (first, body) == (b"HTTP/1.1 200 OK", b"ok")


@pytest.mark.parametrize("target", ["/trailed", "/stored/trailed"])
async def test_trailers_of_a_response(behind, target):
    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n2\r\nok\r\n")
        await peer.say(b"0\r\nDigest: sha-256=x\r\n\r\n")

    async with behind(talk) as connect:
        client = await connect()
        client.say(get(target, b"TE: trailers", b"Connection: TE"))
        first, fields, body = await client.answer()
        assert (first, body) == (b"HTTP/1.1 200 OK", b"ok")
        assert fields[-1] == (b"digest", b"sha-256=x")


async def test_a_chunked_request_body_and_its_trailers(behind):
    got = []

    async def talk(peer):
        _, headers = await peer.head()
        assert headers.get(b"transfer-encoding") == b"chunked"
        body = b""
        while size := int(await peer.reader.readline(), 16):
            body += (await peer.reader.readexactly(size + 2))[:-2]
        got.extend((body, await peer.reader.readuntil(b"\r\n\r\n")))
        await peer.say(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    async with behind(talk) as connect:
        client = await connect()
        head = b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n"
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(BINARY), BINARY) for _ in range(3))
        client.say(head, chunks, b"0\r\nDigest: sha-256=y\r\n\r\n")
        assert (await client.answer())[0] == b"HTTP/1.1 201 Created"
    assert got[0] == BINARY * 3
    assert got[1].lower() == b"digest: sha-256=y\r\n\r\n"


async def test_100_continue_is_the_backends_to_say(behind):
    gate = asyncio.Event()

    async def talk(peer):
        _, headers = await peer.head()
        assert headers.get(b"expect") == b"100-continue"
        gate.set()
        await peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await peer.body(headers)
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    async with behind(talk) as connect:
        client = await connect()
        client.say(b"PUT /upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        await gate.wait()
        first, fields = await client.head()
        assert (first, fields) == (b"HTTP/1.1 100 Continue", [])
        client.say(b"body")
        assert (await client.answer())[2] == b"body"


async def test_a_refusal_instead_of_100_spares_the_body(behind):
    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")

    async with behind(talk) as connect:
        client = await connect()
        client.say(b"PUT /upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        first, fields = await client.head()
        assert first == b"HTTP/1.1 413 Content Too Large"
        assert (b"connection", b"close") in fields
        assert await client.reader.read() == b""


@pytest.mark.parametrize("target", ["/old", "/stored/old"])
async def test_an_http_1_0_client_gets_no_chunks_and_the_close(behind, target):
    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    async with behind(talk) as connect:
        for _ in range(2):
            client = await connect()
            client.say(b"GET %s HTTP/1.0\r\nHost: a.example\r\n\r\n" % target.encode())
            whole = await client.reader.read()
            head, _, body = whole.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"transfer-encoding" not in head.lower()
            assert body == b"onetwo"


@pytest.mark.parametrize("target", ["/odd", "/stored/odd"])
@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param(BINARY, b"Content-Type: application/octet-stream\r\n", id="every octet"),
        pytest.param(gzip.compress(BINARY), b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n", id="gzip"),
        pytest.param(b"", b"Content-Type: text/plain\r\n", id="empty"),
        pytest.param(b"x" * 3_000_000, b"Content-Type: text/plain\r\n", id="large"),
    ],
)
async def test_a_body_stays_as_it_was_sent(behind, target, body, line):
    async def talk(peer):
        while True:
            await peer.head()
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), line), body)

    outcomes = []
    async with behind(talk) as connect:
        client = await connect()
        for _ in range(3):
            client.say(get(target, b"Accept-Encoding: gzip"))
            first, fields, got = await client.answer()
            assert (first, got) == (b"HTTP/1.1 200 OK", body)
            for field in line.strip().split(b"\r\n"):
                name, _, value = field.partition(b": ")
                assert (name.lower(), value) in fields
            outcomes.append(dict(fields)[b"x-cache-status"])
    assert outcomes == ([b"MISS", b"HIT", b"HIT"] if "stored" in target else [b"BYPASS"] * 3)


async def test_a_binary_request_body_stays_as_it_was_sent(behind):
    async def talk(peer):
        _, _, body = await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    async with behind(talk) as connect:
        client = await connect()
        client.say(b"PUT /odd HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BINARY), BINARY)
        assert (await client.answer())[2] == BINARY


async def test_several_lines_of_one_field_stay_several(behind):
    cookies = [b"a=1; Path=/", b"b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT", b"a=3"]

    async def talk(peer):
        _, headers = await peer.head()
        assert headers.get_all(b"x-many") == [b"one", b"two, three"]
        lines = b"".join(b"Set-Cookie: %s\r\n" % cookie for cookie in cookies)
        await peer.say(b"HTTP/1.1 200 OK\r\nX-Raw: caf\xc3\xa9 \xff\r\n", lines, b"Content-Length: 0\r\n\r\n")

    async with behind(talk) as connect:
        client = await connect()
        client.say(get("/passed", b"X-Many: one", b"X-Many: two, three"))
        _, fields, _ = await client.answer()
        assert [value for name, value in fields if name == b"set-cookie"] == cookies
        assert (b"x-raw", b"caf\xc3\xa9 \xff") in fields


async def test_a_body_that_breaks_off_is_broken_off_and_not_kept(behind):
    asked = 0

    async def talk(peer):
        nonlocal asked
        await peer.head()
        asked += 1
        if asked > 1:
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull")
            return
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    async with behind(talk) as connect:
        client = await connect()
        client.say(get("/stored/broken"))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.answer()
        again = await connect()
        again.say(get("/stored/broken"))
        assert (await again.answer())[2] == b"full"
