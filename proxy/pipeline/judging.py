"""From the head of an answer to what is to be kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import selectors
from proxy.message.selectors import Seq
from proxy.message.stored import StoredResponse
from proxy.message.values import value
from proxy.policy import cors, storing, tags, vary
from proxy.policy.verdicts import Discard, DiscardReason

if TYPE_CHECKING:
    from proxy.message.response import Response
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.visit import Visit

NO_SEQ: Final = Seq("", 0)


@value(frozen=True, slots=True)
class Heard:
    """A response head with the times RFC 9111 section 4.2.3 asks for, and the seconds the backend took."""

    response: Response
    request_time: float
    response_time: float
    seconds: float


@value(frozen=True, slots=True)
class Draft:
    """What will be stored once its body is whole, and for how many seconds."""

    entry: StoredResponse
    seconds: float


def drafted(visit: Visit, looked: Looked, heard: Heard, most_tags: int, body: bytes = b"") -> Draft | Discard:
    """Decide on a head: what to keep of it, with the body where that is here, or why not."""
    decision = storing.may_store(
        visit.asked, heard.response, visit.route, request_time=heard.request_time, response_time=heard.response_time
    )
    if isinstance(decision, Discard):
        return decision
    named = tags.tags_of(heard.response.headers, most_tags)
    if named is None:  # some purge could not be told of it
        return Discard(DiscardReason.TAGS)
    response = heard.response
    stored = decision.headers if visit.book.cors is None else cors.without_cors(decision.headers)
    own = visit.key.selectors
    entry = StoredResponse(
        status=response.status,
        reason=response.reason,
        headers=stored,
        body=body,
        request_time=heard.request_time,
        response_time=heard.response_time,
        initial_age=decision.initial_age,
        freshness=decision.freshness,
        selectors=tuple(dict.fromkeys([*own, *map(selectors.tag, named)])) if named else own,
        seq=looked.seq or NO_SEQ,
        vary=vary.selecting(decision.vary, visit.asked) if decision.vary else (),
        expires_with_credential=visit.key.credential_exp,
        fetch_seconds=heard.seconds,
    )
    return Draft(entry, decision.seconds)
