"""Telling of answers that have left: a hit is counted, and told only where somebody wants to hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.observe.events import HITS, RequestServed

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.request import Request
    from proxy.observe.repeats import Repeats
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.reply import Answer


def tell(  # noqa: PLR0913 - each a fact of its own
    parts: Parts,
    repeats: Repeats | None,
    request: Request,
    answer: Answer,
    *,
    seconds: float,
    sent_bytes: int,
    aborted: bool,
) -> None:
    """Tell that an answer has left, or its client did; without ``repeats`` of each one."""
    facts = answer.facts
    say: Callable[[RequestServed], None] = parts.observer.tell
    if repeats is not None and facts.outcome in HITS:
        row = repeats.counters.row(facts.route, facts.namespace, facts.outcome)
        row.count(answer.response.status, seconds, facts.seconds_saved, parts.wall(), facts.age, facts.ttl)
        if not repeats.wants_event():
            return
        say = repeats.tell
    say(
        RequestServed(
            route=facts.route,
            outcome=facts.outcome,
            method=request.method.decode("latin-1"),
            path=request.path.decode("latin-1"),
            status=answer.response.status,
            seconds=seconds,
            sent_bytes=sent_bytes,
            request_id=request.request_id.decode("latin-1"),
            client=request.client,
            namespace=facts.namespace,
            detail=facts.detail,
            ttl=facts.ttl,
            age=facts.age,
            seconds_saved=facts.seconds_saved,
            aborted=aborted,
        )
    )
