import io
import threading

from proxy.observe.linewriter import LineWriter


class Stalls(io.BytesIO):
    """A pipe whose reader has stopped reading, until ``go``."""

    def __init__(self):
        super().__init__()
        self.reached = threading.Event()
        self.go = threading.Event()

    def write(self, data):
        self.reached.set()
        assert self.go.wait(10)
        return super().write(data)


class Gone(io.BytesIO):
    def write(self, data):
        raise BrokenPipeError


def test_lines_arrive_whole_and_in_order():
    stream = io.BytesIO()
    writer = LineWriter(stream)
    for number in range(2000):
        writer.write(b"%d" % number)
    writer.close()
    assert stream.getvalue().split() == [b"%d" % number for number in range(2000)]


def test_a_stalled_reader_holds_up_nobody_and_lost_lines_are_counted():
    stream = Stalls()
    writer = LineWriter(stream, most_waiting=3)
    writer.write(b"first")
    assert stream.reached.wait(10)
    for number in range(10):
        writer.write(b"%d" % number)
    stream.go.set()
    writer._lines.put(None)
    writer._thread.join(10)
    assert stream.getvalue() == b"first\n0\n1\n2\n"
    writer.write(b"later")
    waiting = [writer._lines.get_nowait() for _ in range(2)]
    assert waiting == [b'{"event":"log_lines_dropped","level":"warning","lines":7}', b"later"]


def test_closing_does_not_wait_for_ever():
    stream = Stalls()
    writer = LineWriter(stream)
    writer.write(b"first")
    assert stream.reached.wait(10)
    writer.close(seconds=0.01)
    assert writer._thread.is_alive()
    stream.go.set()
    writer._thread.join(10)


def test_a_reader_that_has_gone_ends_no_program():
    writer = LineWriter(Gone())
    for _ in range(3):
        writer.write(b"line")
    writer.close()
    assert not writer._thread.is_alive()


def test_a_stream_that_is_no_terminal():
    writer = LineWriter(io.BytesIO())
    assert writer.is_terminal is False
    writer.close()


class Writes(io.BytesIO):
    """Remembers what was written at once."""

    def __init__(self):
        super().__init__()
        self.at_once = []

    def write(self, data):
        self.at_once.append(bytes(data))
        return super().write(data)


def test_what_other_processes_write_to_as_well_gets_whole_lines_in_small_pieces():
    stream = Writes()
    writer = LineWriter(stream, most_at_once=100)
    lines = [b"%d" % number * (1 + number % 30) for number in range(500)] + [b"x" * 300, b"last"]
    for line in lines:
        writer.write(line)
    writer.close()
    assert stream.getvalue().split(b"\n") == [*lines, b""]
    assert all(piece.endswith(b"\n") for piece in stream.at_once)
    assert [len(piece) for piece in stream.at_once if len(piece) > 100] == [301], "a long line is alone"
    assert len(stream.at_once) < len(lines)
