"""Conditions: the client's, answered here; ours, sent to the backend; and what a 304 or a HEAD changes."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from proxy.message import dates
from proxy.policy.freshness import date_of
from proxy.policy.hops import of_this_hop

if TYPE_CHECKING:
    from proxy.message.headers import Field, Headers
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.message.stored import StoredResponse

_ENTITY_TAG: Final = re.compile(rb'(?:W/)?"[^"]*"')
_SUCCESSFUL: Final = range(200, 300)

# These describe the bytes that are stored, and a 304 brings no others (RFC 9111 section 3.2).
BOUND_TO_THE_BODY: Final = frozenset({b"content-encoding", b"content-length", b"content-range"})

# RFC 9110 section 15.4.5: representation metadata that a 304 does not carry.
NOT_IN_A_304: Final = BOUND_TO_THE_BODY | {
    b"content-digest",
    b"content-disposition",
    b"content-language",
    b"content-md5",
    b"content-type",
    b"digest",
    b"repr-digest",
}


class Condition(Enum):
    """What a request's preconditions make of the answer."""

    PROCEED = "proceed"
    NOT_MODIFIED = "not modified"
    PRECONDITION_FAILED = "precondition failed"


def has_validator(headers: Headers) -> bool:
    """Say whether a response can be validated (RFC 9110 section 8.8)."""
    return b"etag" in headers or b"last-modified" in headers


def our_conditions(stored: StoredResponse) -> list[Field]:
    """Return the fields that ask whether ``stored`` still holds, as received; none without a validator (section 4.3.1)."""
    pairs = ((b"If-None-Match", b"etag"), (b"If-Modified-Since", b"last-modified"))
    return [(condition, value) for condition, name in pairs if (value := stored.headers.get(name))]


def evaluate(request: Request, status: int, headers: Headers, *, response_time: float) -> Condition:
    """Evaluate a client's preconditions against a stored response (RFC 9111 section 4.3.2, RFC 9110 section 13.2.2).

    If-Match and If-Unmodified-Since are the origin's alone; where the status is not 2xx nothing is evaluated.
    """
    if status not in _SUCCESSFUL:
        return Condition.PROCEED
    reads = request.method in {b"GET", b"HEAD"}
    if b"if-none-match" in request.headers:
        if not _if_none_match_names(request.headers, headers):
            return Condition.PROCEED
        return Condition.NOT_MODIFIED if reads else Condition.PRECONDITION_FAILED
    if reads and _unmodified_since(request.headers, headers, response_time):
        return Condition.NOT_MODIFIED
    return Condition.PROCEED


def _if_none_match_names(asked: Headers, headers: Headers) -> bool:
    """RFC 9110 section 13.1.2. A malformed field still matches a tag that is malformed in the same way."""
    value = asked.combined(b"if-none-match") or b""
    etag = headers.get(b"etag")
    if value == b"*":
        return True
    return etag is not None and any(same_weakly(etag, tag) for tag in [value, *_ENTITY_TAG.findall(value)])


def same_weakly(one: bytes, other: bytes) -> bool:
    """RFC 9110 section 8.8.3.2, weak comparison."""
    return one.removeprefix(b"W/") == other.removeprefix(b"W/")


def same_strongly(one: bytes, other: bytes) -> bool:
    """RFC 9110 section 8.8.3.2, strong comparison."""
    return one == other and not one.startswith(b"W/")


def _unmodified_since(asked: Headers, headers: Headers, response_time: float) -> bool:
    """RFC 9110 section 13.1.3; without Last-Modified by Date, or by the time of receipt (RFC 9111 section 4.3.2)."""
    values = asked.get_all(b"if-modified-since")
    since = dates.parse(values[0], response_time) if len(values) == 1 else None
    if since is None:
        return False
    modified = dates.parse(headers.get(b"last-modified") or b"", response_time)
    return (date_of(headers, response_time) if modified is None else modified) <= since


def not_modified(headers: Headers) -> Headers:
    """Return the fields of a 304 for a stored response (RFC 9110 section 15.4.5)."""
    return headers.without(NOT_IN_A_304 | {b"last-modified"} if b"etag" in headers else NOT_IN_A_304)


def validates(stored: StoredResponse, response: Response) -> bool:
    """Say whether this 304 speaks of ``stored`` (RFC 9111 section 4.3.4): the one whose validators were sent.

    Tags compare weakly: a backend that compresses weakens the tag of its 200, not that of its 304.
    """
    theirs = response.headers.get(b"etag")
    if theirs is not None:
        ours = stored.headers.get(b"etag")
        return ours is not None and same_weakly(ours, theirs)
    modified, known = response.headers.get(b"last-modified"), stored.headers.get(b"last-modified")
    return modified is None or known is None or modified == known


def merged(stored: StoredResponse, response: Response, *, response_time: float) -> Headers:
    """Update stored fields from a 304, or from a HEAD's 200 (RFC 9111 section 3.2); storability is judged anew after."""
    news = response.headers.without(BOUND_TO_THE_BODY | of_this_hop(response.headers))
    if b"date" not in news:
        news = news.with_field(b"Date", dates.render(response_time))
    return stored.headers.without(news.names()).plus(news)


def is_vouched_for(stored: StoredResponse, response: Response) -> bool:
    """Say whether a HEAD's answer names a stored validator, and not only fails to contradict (RFC 9111 section 4.3.5)."""
    return any(
        response.headers.get(name) == value
        for name in (b"etag", b"last-modified")
        if (value := stored.headers.get(name))
    )


def updated_by_head(stored: StoredResponse, response: Response, *, response_time: float) -> Headers | None:
    """Return the fields that a HEAD's answer of the stored status updates, None if it proves the entry stale.

    RFC 9111 section 4.3.5: each validator and the length that came must be the stored ones.
    """
    for name in (b"etag", b"last-modified"):
        if name in response.headers and response.headers.get(name) != stored.headers.get(name):
            return None
    length = response.headers.get(b"content-length")
    if length is not None and length != (stored.headers.get(b"content-length") or b"%d" % len(stored.body)):
        return None
    return merged(stored, response, response_time=response_time)
