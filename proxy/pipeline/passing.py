"""Requests that no cached route serves: forwarded as they came, answered as the backend answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.fetch.origin import Outgoing, Reply
from proxy.fetch.whole import Whole
from proxy.message.cachestatus import CacheStatus
from proxy.message.errors import OriginError
from proxy.message.response import Response
from proxy.observe.events import OriginAnswered, Outcome
from proxy.pipeline.render import signed
from proxy.pipeline.reply import Answer, Facts
from proxy.policy import cors, forwarding

if TYPE_CHECKING:
    from proxy.message.body import Body, Tunnel
    from proxy.message.request import Request
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Call
    from proxy.policy.plan import Forward


SMALL_BODY: Final = 64 * 1024
"""Bytes: what the front holds of a body anyway. Most writes of an API are smaller, and none holds a place half-sent."""


async def send_through(parts: Parts, call: Call) -> Reply:
    """Forward a request and return the backend's reply. Raises OriginError, and what reading its body raises."""
    request, body = call.request, call.body
    waits = expects_continue(request)
    if body is not None and not waits and is_small(body):
        body = await arrived(body)
    target, headers = forwarding.passed_through(request, call.forwarding)
    outgoing = Outgoing(
        method=request.method,
        target=target,
        headers=headers,
        body=body,
        upgrade=request.upgrade,
        expect_continue=waits,
        is_upload=body is not None and not isinstance(body, Whole),
    )
    began = asyncio.get_running_loop().time()
    try:
        reply = await parts.origin.send(outgoing, call.interim)
    except OriginError as error:
        seconds = asyncio.get_running_loop().time() - began
        parts.observer.tell(OriginAnswered(call.route, 0, seconds, str(error.status)))
        raise
    parts.observer.tell(OriginAnswered(call.route, reply.response.status, asyncio.get_running_loop().time() - began))
    return reply


def is_small(body: Body) -> bool:
    """Say whether a body is so small that it is better waited for before the backend is troubled with it."""
    return body.length is not None and body.length <= SMALL_BODY


async def arrived(body: Body) -> Whole:
    """Return a body once all of it is here. Raises what reading it raises."""
    pieces = []
    while data := await body.read():
        pieces.append(data)
    return Whole(b"".join(pieces), body.trailers)


def expects_continue(request: Request) -> bool:
    """Say whether the client waits for 100 before it sends its content (RFC 9110 section 10.1.1)."""
    expect = request.headers.get(b"expect")
    return expect is not None and expect.lower() == b"100-continue" and request.version >= (1, 1)


def passed(call: Call, reply: Reply, *, forward: Forward, detail: str) -> Answer:
    """Answer with what the backend said; only hop-by-hop fields and those meant for caches are left out."""
    response = reply.response
    status = CacheStatus(fwd=forward.value, fwd_status=response.status, detail=detail)
    headers = forwarding.to_client(response.headers, upgraded=reply.tunnel is not None)
    if call.book.cors is not None and call.matched is not None:
        headers = cors.decorated(headers, call.request, call.book.cors)  # on cached routes it speaks for the backend
    facts = Facts(route=call.route, namespace=call.namespace, outcome=Outcome.BYPASS, detail=detail)
    signed_headers = signed(headers, call.request, status, Outcome.BYPASS)
    answer = Response(response.status, signed_headers, response.reason, response.version)
    return Answer(answer, content_of(reply), facts)


def content_of(reply: Reply) -> bytes | Body | Tunnel:
    """Return what follows a reply's head: all of it where it is here, so that it leaves with the head in one write."""
    return reply.whole if reply.whole is not None else reply.tunnel or reply.body
