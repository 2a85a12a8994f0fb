"""Connections of the benchmark's own, against a real server that counts."""

import socket
import threading

import pytest

from bench.peers import crowd, slow
from bench.peers.crowd import Crowd, length_of, request_for


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setattr(slow, "TAKES", 0.0)
    with slow.slow_backend() as server:
        yield server


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", None, id="the head is not there"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 41, id="a part of the body"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 37, id="no body, small letters"),
        pytest.param(b"HTTP/1.1 200 OK\r\nAge: 1\r\nContent-Length: 3\r\n\r\nabcHTTP", 49, id="the next one began"),
    ],
)
def test_the_length_of_an_answer(received, expected):
    assert length_of(received) == expected


def test_an_answer_of_unstated_length_is_refused():
    with pytest.raises(ValueError, match="unstated length"):
        length_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_filling_asks_for_each_target_once(backend):
    with Crowd(backend.port, 4) as some:
        some.fill(f"/{number}" for number in range(50))
    assert backend.asked == 50


def test_a_rush_asks_once_on_every_connection(backend):
    with Crowd(backend.port, 30) as some:
        answers = some.rush(lambda number: request_for("/x", f"{number}"))
    assert (len(answers.seconds), answers.failed, backend.asked) == (30, 0, 30)


def test_a_rate_is_kept(backend):
    with Crowd(backend.port, 10) as some:
        answers = some.keep_rate(200, 0.5, lambda number: request_for("/x", f"{number}"))
    assert (len(answers.seconds), answers.failed, backend.asked) == (100, 0, 100)


def test_a_latency_counts_from_when_its_request_was_due(monkeypatch):
    monkeypatch.setattr(slow, "TAKES", 0.1)
    with slow.slow_backend() as server, Crowd(server.port, 1) as some:
        answers = some.keep_rate(1000, 0.005, lambda number: request_for("/x", f"{number}"))
    assert [round(seconds, 3) >= 0.1 * (number + 1) - 0.005 for number, seconds in enumerate(answers.seconds)] == [
        True
    ] * 5


def closing_server(answer):
    """Accept connections, answer one request each with this, and close."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener, thread


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closed without an answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", id="closed within the body"),
        pytest.param(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n", id="another status"),
    ],
)
def test_what_fails_is_counted(answer, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 2.0)
    listener, thread = closing_server(answer)
    try:
        with Crowd(listener.getsockname()[1], 3) as some:
            answers = some.rush(lambda number: request_for("/x", f"{number}"))
        assert answers.failed == 3
        with Crowd(listener.getsockname()[1], 1) as some, pytest.raises(RuntimeError, match="failed to answer"):
            some.fill(["/x", "/y"])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_silence_is_a_failure_in_the_end(monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Crowd(listener.getsockname()[1], 2) as some:
            assert some.rush(lambda number: request_for("/x", f"{number}")).failed == 2
        with Crowd(listener.getsockname()[1], 1) as some:
            assert some.keep_rate(100, 0.03, lambda number: request_for("/x", f"{number}")).failed == 3
