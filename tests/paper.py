"""A client's transport of paper: what was written is kept, what is received is said by the test."""

import asyncio


class Paper(asyncio.Transport):
    """Writes down what it is told; ``stalled`` keeps all of it unsent."""

    def __init__(self, peer="192.0.2.1"):
        super().__init__({"peername": (peer, 4711)})
        self.written = b""
        self.calls = 0
        self.events = []
        self.unsent = 0
        self.high = None
        self.closing = False

    def write(self, data):
        self.written += data
        self.calls += 1

    def set_write_buffer_limits(self, high=None, low=None):
        self.high = high

    def get_write_buffer_size(self):
        return self.unsent

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True
        self.events.append("close")

    def abort(self):
        self.closing = True
        self.events.append("abort")

    def write_eof(self):
        self.events.append("eof")

    def pause_reading(self):
        self.events.append("pause")

    def resume_reading(self):
        self.events.append("resume")
