"""What the tests of the traffic listener play with: a scripted handler, scripted bodies, a raw client."""

import asyncio
import contextlib

from proxy.message.headers import EMPTY
from proxy.message.response import Response
from proxy.pipeline.reply import Answer


class Script:
    """A handler: one coroutine function per path; remembers what it was asked and told."""

    def __init__(self):
        self.pages = {}
        self.requests = []
        self.told = []
        self.failures = []
        self.tell = asyncio.Event()

    def page(self, path):
        return lambda function: self.pages.setdefault(path, function)

    def ask(self, request, body, asker):
        asker.goes_on(lambda: self.answer(request, body, asker.interim))

    async def answer(self, request, body, interim):
        self.requests.append(request)
        page = self.pages.get(request.path)
        if page is None:
            return Answer(Response(200), request.target)
        return await page(request, body, interim)

    def finished(self, request, answer, *, seconds, sent_bytes, aborted):
        assert seconds >= 0
        self.told.append((request.path, answer.response.status, sent_bytes, aborted))
        self.tell.set()

    async def until_told(self, count):
        while len(self.told) < count:
            self.tell.clear()
            await asyncio.wait_for(self.tell.wait(), 5)


async def swallow(request, body, interim):
    """A page that reads what it is sent, and then has nothing to say."""
    while await body.read():
        pass


class Stream:
    """A body of given chunks; None in them waits for ``gate``."""

    def __init__(self, chunks, length=None, trailers=EMPTY):
        self.chunks = iter(chunks)
        self.length = length
        self.trailers = trailers
        self.gate = asyncio.Event()
        self.closed = False
        self.produced = 0

    async def read(self):
        chunk = next(self.chunks, b"")
        if chunk is None:
            await self.gate.wait()
            return await self.read()
        if isinstance(chunk, BaseException):
            raise chunk
        self.produced += len(chunk)
        return chunk

    async def aclose(self):
        self.closed = True


class Client:
    """A raw client."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def send(self, data):
        self.writer.write(data)

    async def head(self):
        data = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        line, *lines = data[:-4].split(b"\r\n")
        fields = {}
        for each in lines:
            name, _, value = each.partition(b": ")
            fields[name.lower()] = value
        return int(line.split(b" ")[1]), fields

    async def exactly(self, count):
        return await asyncio.wait_for(self.reader.readexactly(count), 5)

    async def answer(self):
        status, fields = await self.head()
        return status, fields, await self.exactly(int(fields[b"content-length"]))

    async def end(self):
        """Everything up to the listener's closing."""
        return await asyncio.wait_for(self.reader.read(-1), 8)

    async def gone(self):
        """Wait for the closing, clean or not."""
        with contextlib.suppress(ConnectionError):
            await self.end()

    async def aclose(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def get(path, *fields, version=b"HTTP/1.1"):
    return b"\r\n".join([b"GET " + path + b" " + version, b"Host: a", *fields, b"", b""])


def post(path, *fields, body=b""):
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: a", *fields, b"", body])


async def dechunked(client):
    data = b""
    while size := int((await asyncio.wait_for(client.reader.readline(), 5)).split(b";")[0], 16):
        data += await client.exactly(size)
        assert await client.exactly(2) == b"\r\n"
    trailers = b""
    while (line := await asyncio.wait_for(client.reader.readline(), 5)) != b"\r\n":
        trailers += line
    return data, trailers
