import gc
import tracemalloc

import pytest
from nouns import a_key, a_response

from proxy.message.headers import Headers
from proxy.message.stored import Uncacheable, VaryRecord
from proxy.store.sizes import size_of


def fields(count):
    return Headers([(b"x-field-%d" % n, b"value %d of this field" % n) for n in range(count)])


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: a_response(b"b" * 100 + b"%d" % n, headers=fields(2)), id="small response"),
        pytest.param(lambda n: a_response(b"b" * 2000 + b"%d" % n, headers=fields(12)), id="usual response"),
        pytest.param(lambda n: a_response(b"b" * 90_000 + b"%d" % n, headers=fields(30)), id="large response"),
        pytest.param(
            lambda n: a_response(selectors=tuple(f"tag:{n}-{m}" for m in range(100)), headers=fields(5)),
            id="many selectors",
        ),
        pytest.param(
            lambda n: VaryRecord((b"accept-%d" % n,), tuple(f"{n:032x}{m}" for m in range(64))), id="vary record"
        ),
        pytest.param(lambda n: Uncacheable(f"private {n}", n / 7), id="mark"),
    ],
)
def test_what_is_counted_is_what_it_takes(make):
    """Between exact and a kilobyte or a third too much: a budget may be kept early, never late."""
    count = 200
    gc.collect()
    tracemalloc.start()
    kept = {}
    for number in range(count):
        key, value = a_key(f"/plans/{number}?page={number}"), make(number)
        if hasattr(value, "headers"):
            value.headers.get(b"age")  # a served entry has its index
        kept["response:" + key.digest] = (key.material, value, number / 3, number)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    counted = sum(size_of(a_key(f"/plans/{number}?page={number}"), one[1]) for number, one in enumerate(kept.values()))
    assert taken <= counted
    assert counted <= taken * 1.35 + 1100 * count
