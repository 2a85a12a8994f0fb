"""A slow backend that counts: what many askers for one cold key cost who stands behind."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from bench.peers.behind import SIZES, body_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKES: Final = 0.3
BODY: Final = body_of(SIZES["2k"])


class Slow(ThreadingHTTPServer):
    """Answers each request after a third of a second."""

    daemon_threads = True
    request_queue_size = 2048

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.port = self.server_address[1]
        self.asked = 0
        self.lock = threading.Lock()


class Answering(BaseHTTPRequestHandler):
    """Counts, waits, answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        server = self.server
        assert isinstance(server, Slow)
        with server.lock:
            server.asked += 1
        time.sleep(TAKES)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def slow_backend() -> Iterator[Slow]:
    """Run one in a thread."""
    with Slow() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
