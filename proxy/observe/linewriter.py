"""Lines leave the loop here: a full pipe or a slow disk holds up a thread, never a request."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH: Final = 500

GATHERED: Final = 0.1
"""Seconds for which lines gather after the first: a thread that wakes for each of them takes the lock from the loop."""


class LineWriter:
    """Writes lines to a binary stream from a thread of its own.

    While ``most_waiting`` lines wait, further ones are dropped; a line then says how many were. ``most_at_once`` bounds
    the bytes of one write, where other processes write to the same pipe: up to PIPE_BUF are never mixed with theirs.
    """

    def __init__(self, stream: IO[bytes], most_waiting: int = 10_000, *, most_at_once: int | None = None) -> None:
        self._stream = stream
        self._most_at_once = most_at_once
        self.most_waiting = most_waiting
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._dropped = 0
        self._broken = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sapwood-log", daemon=True)
        self._thread.start()

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches."""
        return self._stream.isatty()

    def write(self, line: bytes) -> None:
        """Queue one line, without its end. Never waits; call it from one thread."""
        if self._lines.qsize() >= self.most_waiting:
            self._dropped += 1
            return
        if self._dropped:
            self._lines.put(b'{"event":"log_lines_dropped","level":"warning","lines":%d}' % self._dropped)
            self._dropped = 0
        self._lines.put(line)

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for that long at most. The stream stays open: it is its owner's."""
        self._lines.put(None)
        self._closing.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            batch = [line]
            self._closing.wait(GATHERED)
            ended = False
            try:
                while len(batch) < _BATCH and not ended:
                    following = self._lines.get_nowait()
                    if following is None:
                        ended = True
                    else:
                        batch.append(following)
            except Empty:
                pass  # everything that waited is in the batch
            self._write_out(batch)
            if ended:
                return

    def _write_out(self, batch: list[bytes]) -> None:
        if self._broken:
            return
        try:
            for piece in self._pieces(batch):
                self._stream.write(piece)
                self._stream.flush()
        except (OSError, ValueError):
            # The reader of our log has gone, or the stream was closed: there is no place left to say so.
            self._broken = True

    def _pieces(self, batch: list[bytes]) -> Iterator[bytes]:
        """Return whole lines, as many at a time as may be written at once; a longer line is alone."""
        if self._most_at_once is None:
            yield b"\n".join(batch) + b"\n"
            return
        piece = b""
        for line in batch:
            if piece and len(piece) + len(line) + 1 > self._most_at_once:
                yield piece
                piece = b""
            piece += line + b"\n"
        yield piece
