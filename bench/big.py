"""1 GiB through the sidecar, down and up, fast and stalled: in memory that does not grow with it."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from record import Record
from sidecar import Sidecar

from tests.integration.test_big_bodies import (
    BLOCK,
    GIB,
    GROWTH_ALLOWED,
    MIB,
    BigOrigin,
    expected_digest,
    test_a_request_body,
    test_a_response_to_a_fast_reader,
    test_a_response_to_a_reader_that_stalls,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu(sidecar: Sidecar) -> float:
    """Return the CPU seconds that the process has used."""
    assert sidecar.process is not None
    fields = Path(f"/proc/{sidecar.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def one(record: Record, what: str, origin: BigOrigin, act: Callable[[Sidecar], None], *, moved: bool) -> None:
    """Let a fresh sidecar carry it, and take down time, CPU and growth."""
    with Sidecar(None, upstream=f"http://127.0.0.1:{origin.port}") as sidecar:
        with socket.create_connection(("127.0.0.1", sidecar.port)) as warm:
            warm.sendall(b"PUT /warm HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            warm.recv(MIB)
        before, began, used = sidecar.memory(), time.monotonic(), cpu(sidecar)
        failure = ""
        try:
            act(sidecar)
        except AssertionError as error:
            failure = str(error) or "an assertion failed"
        seconds, growth = time.monotonic() - began, sidecar.peak_memory() - before
        if moved:
            record.note(f"{what}: seconds; CPU s of the sidecar", f"{seconds:.2f}; {cpu(sidecar) - used:.2f}")
        record.ask(
            f"{what}: grew by, MiB", round(growth / MIB, 1), f"< {GROWTH_ALLOWED // MIB}", growth < GROWTH_ALLOWED
        )
        record.ask(f"{what}: every byte as sent", failure or "yes", "yes", not failure)


def prove() -> Record:
    """Run it and return what was found."""
    record = Record("big", __doc__ or "", {"bytes": f"{GIB // MIB} MiB, blocks of {len(BLOCK) // MIB} MiB"})
    expected_digest()  # nothing of its time in the numbers
    origin = BigOrigin(GIB)
    try:
        one(record, "response, fast reader", origin, test_a_response_to_a_fast_reader, moved=True)
        one(record, "request body", origin, test_a_request_body, moved=True)
        origin.sent = 0
        stalled = lambda sidecar: test_a_response_to_a_reader_that_stalls(sidecar, origin)  # noqa: E731 - one use
        one(record, "response, stalled reader", origin, stalled, moved=False)
    finally:
        origin.close()
    return record


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name).parse_args()
    sys.exit(prove().keep())
