"""What of the pool needs no socket; the rest is in tests/contracts and tests/integration/origin."""

import pytest

from proxy.fetch.options import OriginOptions
from proxy.fetch.origin import Outgoing
from proxy.fetch.pool import Pool, _may_repeat
from proxy.message.errors import OriginError
from proxy.message.headers import Headers


class Ended:
    """An exchange that has ended."""

    def __init__(self, *, was_dropped=True, has_begun_body=False):
        self.was_dropped = was_dropped
        self.has_begun_body = has_begun_body


@pytest.mark.parametrize(
    ("method", "ended", "expected"),
    [
        *(
            pytest.param(method, Ended(), True, id=f"{method.decode()} means the same twice")
            for method in (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE")
        ),
        *(
            pytest.param(method, Ended(), False, id=f"{method.decode()} may not")
            for method in (b"POST", b"PATCH", b"CONNECT", b"PROPPATCH", b"LOCK")
        ),
        pytest.param(b"GET", Ended(was_dropped=False), False, id="an answer had begun"),
        pytest.param(b"PUT", Ended(has_begun_body=True), False, id="the body had begun"),
    ],
)
def test_what_may_be_sent_once_more(method, ended, expected):
    assert _may_repeat(Outgoing(method, b"/", Headers()), ended) is expected


async def test_a_closed_pool_sends_nothing():
    pool = Pool(OriginOptions("http://127.0.0.1:1"))
    await pool.close()
    await pool.close()
    with pytest.raises(OriginError) as failure:
        await pool.send(Outgoing(b"GET", b"/", Headers()))
    assert failure.value.status == 503
    assert (pool.in_flight, pool.waiting, pool.connections) == (0, 0, 0)


async def test_an_address_that_is_none_is_known_before_anything_is_sent():
    with pytest.raises(ValueError, match="expected"):
        Pool(OriginOptions("app:8000"))
