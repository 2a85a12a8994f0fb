"""What is counted beside what a process of its own grows by; run as a program it is that process."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nouns import a_key, a_response

from proxy.message.headers import Headers
from proxy.message.stored import Uncacheable, VaryRecord
from proxy.purge.local import LocalLedger
from proxy.store.codec import decode, decode_vary, encode, encode_vary
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions

COUNT = 10_000
# Of each: fields, bytes of the body, selectors; and how many tell it.
RESPONSES = {
    "bare": (0, 0, 0, COUNT),
    "small": (5, 300, 2, COUNT),
    "usual": (9, 2000, 3, COUNT),
    "capitals": (9, 2000, 3, COUNT),
    "large": (30, 11_000, 5, 2000),
    "huge": (9, 64_000, 3, 1000),
    "tagged": (5, 300, 100, 5000),
}


@pytest.mark.parametrize("shape", [*RESPONSES, "mark", "vary"])
def test_what_is_counted_is_what_the_process_grows_by(shape):
    path = os.pathsep.join(str(place) for place in (Path(__file__).parents[3], Path(__file__).parents[2]))
    run = subprocess.run(
        [sys.executable, __file__, shape],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=100,
        check=True,
    )
    grown, counted = json.loads(run.stdout)
    assert 0.9 <= counted / grown <= 1.1, f"counted {counted:,}, grown by {grown:,}"


def fill(store, shape, number):
    """Keep one as it comes from Redis and was served: nothing of it is shared, and its index is there."""
    key = a_key(f"GET api.example /api/v1/plans/{number}?page={number}")
    seconds = 60 + number / 7
    if shape == "mark":
        record = encode(Uncacheable(f"private {number}", number / 7), key.material, 1 << 30)
        store.hold_entry(key, decode(record, key.material, 1 << 30), seconds)
    elif shape == "vary":
        vary = VaryRecord((b"accept-%d" % number,), tuple(a_key(f"{number} {other}").digest for other in range(3)))
        store.hold_vary(key, decode_vary(encode_vary(vary, key.material), key.material), seconds)
    else:
        fields, body, selectors, _ = RESPONSES[shape]
        name = b"X-Field-%d" if shape == "capitals" else b"x-field-%d"
        response = a_response(
            (b"%d" % number).ljust(body, b"."),
            headers=Headers([(name % n, b"value %d of entry %d" % (n, number)) for n in range(fields)]),
            selectors=tuple(f"tag:{number}-{n}" for n in range(selectors)),
        )
        store.hold_entry(key, decode(encode(response, key.material, 1 << 30), key.material, 1 << 30), seconds)
        store.entry(key).headers.get(b"age")


def resident():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(shape):
    store = MemoryStore(LocalLedger(), StoreOptions(memory_size=1 << 40), now=lambda: 1000.0)
    count = RESPONSES[shape][-1] if shape in RESPONSES else COUNT
    for number in range(count // 4):  # into what the imports left free
        fill(store, shape, number)
    counted, grown = store.size, resident()
    for number in range(count // 4, count + count // 4):
        fill(store, shape, number)
    sys.stdout.write(json.dumps([resident() - grown, store.size - counted]))


if __name__ == "__main__":
    main(sys.argv[1])
