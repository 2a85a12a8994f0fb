"""Requests that no cached route serves: forwarded as they came, answered as the backend answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.fetch.origin import Outgoing, Reply
from proxy.message.cachestatus import CacheStatus
from proxy.message.errors import OriginError
from proxy.observe.events import OriginAnswered, Outcome
from proxy.pipeline.render import signed
from proxy.pipeline.reply import Answer, Facts
from proxy.policy import forwarding
from proxy.policy.plan import Forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.parts import Parts
    from proxy.policy.forwarding import Forwarding


async def send_through(
    parts: Parts,
    rules: Forwarding,
    request: Request,
    body: Body | None,
    interim: Callable[[Response], None] | None,
    *,
    route: str,
) -> Reply:
    """Forward a request and return the backend's reply. Raises OriginError."""
    target, headers = forwarding.passed_through(request, rules)
    outgoing = Outgoing(
        method=request.method,
        target=target,
        headers=headers,
        body=body,
        upgrade=request.upgrade,
        expect_continue=expects_continue(request),
    )
    began = asyncio.get_running_loop().time()
    try:
        reply = await parts.origin.send(outgoing, interim)
    except OriginError as error:
        seconds = asyncio.get_running_loop().time() - began
        parts.observer.tell(OriginAnswered(route, 0, seconds, str(error.status)))
        raise
    parts.observer.tell(OriginAnswered(route, reply.response.status, asyncio.get_running_loop().time() - began))
    return reply


def expects_continue(request: Request) -> bool:
    """Does the client wait for 100 before it sends its content (RFC 9110 section 10.1.1)?"""
    expect = request.headers.get(b"expect")
    return expect is not None and expect.lower() == b"100-continue" and request.version >= (1, 1)


def passed(request: Request, reply: Reply, *, route: str, namespace: str, forward: Forward, detail: str) -> Answer:
    """Answer with what the backend said; only hop-by-hop and cache-control fields meant for us are left out."""
    response = reply.response
    status = CacheStatus(fwd=forward.value, fwd_status=response.status, detail=detail)
    headers = signed(forwarding.to_client(response.headers), request, status, Outcome.BYPASS)
    facts = Facts(route=route, namespace=namespace, outcome=Outcome.BYPASS, detail=detail)
    return Answer(replace(response, headers=headers), reply.tunnel or reply.body, facts)
