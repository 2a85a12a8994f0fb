"""A response with what a cache must remember of it."""

from proxy.message.headers import EMPTY
from proxy.message.selectors import Seq
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse, VaryRecord

STORED = StoredResponse(
    status=200,
    reason=b"OK",
    headers=EMPTY,
    body=b"",
    request_time=1.0,
    response_time=2.0,
    initial_age=1.0,
    freshness=Freshness(60.0, LifetimeSource.MAX_AGE),
    selectors=(),
    seq=Seq("e", 1),
)


def test_what_is_left_out_forbids_nothing():
    assert (STORED.vary, STORED.expires_with_credential) == ((), None)
    freshness = STORED.freshness
    assert (freshness.stale_while_revalidate, freshness.stale_if_error) == (0.0, 0.0)
    assert (freshness.must_revalidate, freshness.always_validate) == (False, False)
    assert VaryRecord(()).variants == ()
