"""Errors as ``application/problem+json`` (RFC 9457): what was wrong, where, what to do instead; never our insides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from proxy.message.errors import SapwoodError, StoreError
from proxy.message.phrases import PHRASES
from proxy.observe.events import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler, Middleware

    from proxy.observe.events import Observer


class Problem(SapwoodError):  # noqa: N818 - the RFC's own word
    """An answer that says why not. ``members`` are extension members (RFC 9457 section 3.2)."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> web.Response:
        """Return it as an answer."""
        document = {
            "type": "about:blank",
            "title": PHRASES[self.status],
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return web.Response(
            status=self.status,
            body=orjson.dumps(document),
            headers={**self.headers, "Cache-Control": "no-store"},
            content_type="application/problem+json",
        )


def answering_problems(observer: Observer) -> Middleware:
    """Return the outermost middleware: whatever a handler raises leaves as a problem."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response()
        except StoreError:
            return Problem(503, "the store does not answer; try again", headers={"Retry-After": "1"}).response()
        except web.HTTPException as refusal:
            return _of_framework(refusal).response()
        except Exception as error:  # noqa: BLE001 - a bug of ours: told with its way through the code, answered without
            observer.tell(TaskFailed(f"admin {request.method} {_pattern(request)}", error))
            return Problem(500, "an error that nobody expected; the log has it").response()

    return answer


def _of_framework(refusal: web.HTTPException) -> Problem:
    match refusal:
        case web.HTTPNotFound():
            return Problem(404, "there is no such resource here")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(refusal.allowed_methods))
            return Problem(405, f"this resource takes {allowed}", headers={"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return Problem(413, "the body is larger than 1 MiB; send the purge in parts")
        case _:
            return Problem(refusal.status, PHRASES[refusal.status])


def _pattern(request: web.Request) -> str:
    """Return the matched route's own pattern: the path is the client's text."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"
