"""From something stored or shared to an answer: the client's conditions, ranges, HEAD, and the fields of ours."""

from __future__ import annotations

import math
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.message.cachestatus import CacheStatus, appended, x_cache_status
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.observe.events import Outcome
from proxy.pipeline.reply import Answer, Facts
from proxy.policy import cors, downstream, forwarding, freshness, ranges, validation

if TYPE_CHECKING:
    from proxy.message.headers import Field
    from proxy.message.request import Request
    from proxy.message.selectors import Standing
    from proxy.message.stored import StoredResponse
    from proxy.pipeline.visit import Call, Visit


_NOTHING: Final[frozenset[bytes]] = frozenset()
_WRITTEN_ANEW: Final = frozenset({b"age"})
_COOKIE: Final = frozenset({b"set-cookie"})

_ABOUT_WHAT_IS_HERE: Final = frozenset({b"if-modified-since", b"if-none-match", b"range"})
"""Request fields that make of a whole answer another one; without them it goes out as it is."""


def hit(visit: Visit, stored: StoredResponse, outcome: Outcome, now: float) -> Answer:
    """Answer with what is stored, nobody asked; where the client did not mind it may be stale."""
    left = freshness.remaining(stored, now)
    status = CacheStatus(hit=True, ttl=math.floor(left))
    return _served(visit, stored, status, outcome if left > 0 else Outcome.STALE, now, left)


def stale(visit: Visit, found: tuple[StoredResponse, Standing], now: float, *, detail: str) -> Answer:
    """Answer with what is stored although it is stale, by age or by a soft purge, and say why that may be."""
    stored, standing = found
    left = min(freshness.remaining(stored, now), -freshness.stale_for(stored, standing, now))
    status = CacheStatus(hit=True, ttl=math.floor(left), detail=detail)
    return from_store(visit, stored, status, Outcome.STALE, now)


def from_store(visit: Visit, stored: StoredResponse, status: CacheStatus, outcome: Outcome, now: float) -> Answer:
    """Answer with a stored response: the body is here, so conditions and ranges are answered from it."""
    return _served(visit, stored, status, outcome, now, freshness.remaining(stored, now))


def _served(  # noqa: PLR0913, PLR0917 - on the way of every hit: no value is made for it
    visit: Visit, stored: StoredResponse, status: CacheStatus, outcome: Outcome, now: float, left: float
) -> Answer:
    """Answer as ``from_store``, with so many seconds of freshness ``left``."""
    age = freshness.current_age(stored, now)
    facts = Facts(
        route=visit.route.name,
        namespace=visit.namespace,
        outcome=outcome,
        ttl=left,
        age=age,
        seconds_saved=0.0 if outcome is Outcome.REVALIDATED else stored.fetch_seconds,
    )
    headers = _dressed(visit, stored.headers, stored.status, _WRITTEN_ANEW, age, ((b"Age", b"%d" % age),))
    response = Response(stored.status, signed(headers, visit.request, status, outcome), stored.reason)
    return of_bytes(visit.request, Answer(response, stored.body, facts), response_time=stored.response_time, now=now)


def of_bytes(request: Request, answer: Answer, *, response_time: float, now: float) -> Answer:
    """Apply conditions, ranges and HEAD to an answer whose whole body is at hand."""
    response, body = answer.response, answer.body
    assert isinstance(body, bytes)
    asked = request.headers
    if not asked.has_any(_ABOUT_WHAT_IS_HERE):
        return answer if request.method != b"HEAD" else _without_body(answer, body)
    if is_not_modified(request, response, response_time):
        return not_modified(answer)
    if response.status == 200 and b"range" in request.headers:
        match ranges.select(request, response.headers, len(body), now=now):
            case ranges.Parts() as parts:
                boundary = secrets.token_hex(12).encode()
                return with_part(answer, ranges.partial(response.headers, body, parts, boundary))
            case ranges.Unsatisfiable():
                return with_part(answer, ranges.unsatisfiable(response.headers, len(body)))
            case ranges.Whole():
                pass
    return answer if request.method != b"HEAD" else _without_body(answer, body)


def _without_body(answer: Answer, body: bytes) -> Answer:
    sized = answer.response.headers.with_field(b"Content-Length", b"%d" % len(body))
    return replace(answer, response=replace(answer.response, headers=sized), body=b"")


def with_part(answer: Answer, rendered: tuple[int, Headers, bytes]) -> Answer:
    """Return an answer with another status, other fields and another body."""
    status, headers, body = rendered
    return replace(answer, response=Response(status, headers), body=body)


def is_not_modified(request: Request, response: Response, response_time: float) -> bool:
    """Say whether the client has this already, by its own conditions (RFC 9110 section 13.2.2)."""
    condition = validation.evaluate(request, response.status, response.headers, response_time=response_time)
    return condition is validation.Condition.NOT_MODIFIED


def not_modified(answer: Answer) -> Answer:
    """Return the 304 for an answer."""
    return replace(answer, response=Response(304, validation.not_modified(answer.response.headers)), body=b"")


def dressed(visit: Visit, response: Response, status: CacheStatus, outcome: Outcome, *, age: float = 0.0) -> Headers:
    """Return a response's fields as the client of a cached route gets them."""
    headers = _dressed(visit, response.headers, response.status, _NOTHING, age, ())
    return signed(headers, visit.request, status, outcome)


def _dressed(  # noqa: PLR0913, PLR0917 - of a response; on the way of every hit: no value is made for it
    visit: Visit, headers: Headers, status: int, anew: frozenset[bytes], age: float, added: tuple[Field, ...]
) -> Headers:
    """Return a response's fields but those ``anew``, with those ``added``, as its client gets them, yet unsigned."""
    strips = visit.route.set_cookie == "strip"
    headers = forwarding.to_client(headers, without=anew | _COOKIE if strips else anew)
    headers = downstream.for_client(headers.plus(added), visit.route, status=status, age=age)
    if visit.book.cors is not None:
        headers = cors.decorated(headers, visit.request, visit.book.cors)
    return headers


def signed(headers: Headers, request: Request, status: CacheStatus, outcome: Outcome) -> Headers:
    """Add what every answer carries: Cache-Status, X-Cache-Status, the request's id."""
    names = [name.lower() for name, _ in headers.lines]
    lines = list(headers.lines)
    if b"x-cache-status" in names:
        lines = [line for line in lines if line[0].lower() != b"x-cache-status"]
    lines += ((b"Cache-Status", status.render()), (b"X-Cache-Status", x_cache_status(outcome.value)))
    if b"x-request-id" not in names and request.request_id:
        lines.append((b"X-Request-ID", request.request_id))
    return Headers(lines)


def own(answer: Answer, call: Call, outcome: Outcome, *, detail: str) -> Answer:
    """Sign an answer of our own; where the sidecar speaks CORS, its errors do too."""
    headers = answer.response.headers
    if call.book.cors is not None:
        headers = cors.decorated(headers, call.request, call.book.cors)
    headers = signed(headers, call.request, CacheStatus(detail=detail), outcome)
    response = replace(answer.response, headers=headers)
    return replace(answer, response=response, facts=Facts(call.route, call.namespace, outcome, detail))


def undressed(request: Request | None, response: Response) -> Response:
    """Sign an answer that the front makes before the pipeline was asked."""
    status = CacheStatus(detail="refused")
    headers = response.headers.plus([(b"X-Cache-Status", x_cache_status(Outcome.REFUSED.value))])
    if request is not None and request.request_id:
        headers = headers.with_field(b"X-Request-ID", request.request_id)
    return replace(response, headers=appended(headers, status))
