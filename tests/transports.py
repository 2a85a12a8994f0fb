"""A connection without a socket: what was written is kept, what is received is said by the test."""

from __future__ import annotations

from proxy.fetch.connection import Connection
from proxy.wire.limits import WireLimits
from proxy.wire.responses import ResponseReader


class Wire:
    """A transport that remembers."""

    def __init__(self):
        self.sent = b""
        self.calls = []
        self.closing = False
        self.can_eof = True

    def set_write_buffer_limits(self, **limits):
        self.limits = limits

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.sent += data

    def writelines(self, pieces):
        self.sent += b"".join(pieces)

    def can_write_eof(self):
        return self.can_eof

    def write_eof(self):
        self.calls.append("eof")

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")

    def close(self):
        self.closing = True
        self.calls.append("close")

    def abort(self):
        self.closing = True
        self.calls.append("abort")


def connected(on_lost=lambda connection: None):
    """Return a connection on a wire."""
    wire = Wire()
    connection = Connection(ResponseReader(WireLimits()), on_lost)
    connection.connection_made(wire)
    return connection, wire
