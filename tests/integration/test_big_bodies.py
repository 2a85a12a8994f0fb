"""A body of 1 GiB passes in either direction, to a fast reader and to one that stalls, in bounded memory."""

from __future__ import annotations

import hashlib
import socket
import threading

import pytest
from servers import free_port
from sidecar import Sidecar

GIB = 1 << 30
MIB = 1 << 20
GROWTH_ALLOWED = 32 * MIB
BLOCK = bytes(range(256)) * 4096  # 1 MiB


class BigOrigin:
    """Sends 1 GiB for GET, and counts and digests what it is sent by PUT."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.port = free_port()
        self.sent = 0
        self._socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            while line := reader.readline():
                fields = {}
                while (field := reader.readline().strip()) != b"":
                    name, _, value = field.partition(b":")
                    fields[name.lower()] = value.strip()
                if line.startswith(b"PUT"):
                    digest, left = hashlib.blake2b(), int(fields[b"content-length"])
                    while left:
                        block = reader.read(min(MIB, left))
                        digest.update(block)
                        left -= len(block)
                    answer = digest.hexdigest().encode()
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                else:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.size)
                    try:
                        for _ in range(self.size // MIB):
                            connection.sendall(BLOCK)
                            self.sent += MIB
                    except OSError:
                        return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def origin():
    origin = BigOrigin(GIB)
    yield origin
    origin.close()


@pytest.fixture
def sidecar(origin):
    with Sidecar(None, upstream=f"http://127.0.0.1:{origin.port}") as sidecar:
        with socket.create_connection(("127.0.0.1", sidecar.port)) as warm:  # one small round trip first
            warm.sendall(b"PUT /warm HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            assert warm.recv(MIB)
        yield sidecar


def expected_digest() -> str:
    digest = hashlib.blake2b()
    for _ in range(GIB // MIB):
        digest.update(BLOCK)
    return digest.hexdigest()


def test_a_response_to_a_fast_reader(sidecar):
    before = sidecar.memory()
    digest, received = hashlib.blake2b(), 0
    with socket.create_connection(("127.0.0.1", sidecar.port)) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        with client.makefile("rb") as reader:
            while reader.readline() != b"\r\n":
                pass
            while received < GIB:
                block = reader.read(min(MIB, GIB - received))
                assert block
                digest.update(block)
                received += len(block)
    assert digest.hexdigest() == expected_digest()
    assert sidecar.peak_memory() - before < GROWTH_ALLOWED


def test_a_response_to_a_reader_that_stalls(sidecar, origin):
    before = sidecar.memory()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect(("127.0.0.1", sidecar.port))
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(100)
        sent = -1
        while sent != origin.sent:  # until the backend is held back all the way
            sent = origin.sent
            threading.Event().wait(0.5)
        assert sent < GROWTH_ALLOWED, "the backend was read far beyond what the client took"
        assert sidecar.peak_memory() - before < GROWTH_ALLOWED


def test_a_request_body(sidecar):
    before = sidecar.memory()
    with socket.create_connection(("127.0.0.1", sidecar.port)) as client:
        client.sendall(b"PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIB)
        for _ in range(GIB // MIB):
            client.sendall(BLOCK)
        with client.makefile("rb") as reader:
            assert reader.readline().startswith(b"HTTP/1.1 200")
            while reader.readline() != b"\r\n":
                pass
            assert reader.read(128).decode() == expected_digest()
    assert sidecar.peak_memory() - before < GROWTH_ALLOWED
