"""One request, and perhaps the response to it, through the pure rooms: what ``check`` and ``explain`` judge.

It asks the rooms in the order of ``pipeline.answer``; nothing is sent, looked up or stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from proxy.message import selectors
from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy import cors, forwarding, invalidation, keys, storing, tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message.response import Response
    from proxy.policy.invalidation import Purge
    from proxy.policy.keys import Key
    from proxy.policy.rules import Matched
    from proxy.policy.verdicts import Discard, Keep
    from proxy.settings.settings import Settings

#: No clock here: lifetimes do not depend on it, and a test says the same every day.
NOW: Final = 1_790_000_000.0

PREFLIGHT: Final = "preflight"

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
# Everything that a target may hold as it is (RFC 3986), "%" included: what is escaped already stays so.
_TARGET: Final = "/?%:@!$&'()*+,;=-._~[]"


@dataclass(frozen=True, slots=True)
class Trial:
    """What the rules say. ``why`` is the pipeline's word for a request that passes through, empty if it has a key."""

    request: Request
    matched: Matched | None
    key: Key | None
    why: str

    @property
    def route_name(self) -> str:
        """The route as logs call it."""
        return self.matched.route.name if self.matched is not None else "none"

    @property
    def passes(self) -> bool:
        """Say whether the backend is asked as the client asked, and nothing is stored."""
        return self.key is None and self.why != PREFLIGHT

    @property
    def taken_by(self) -> str:
        """Say what keeps it from passing through."""
        return (
            "it is a preflight, which is answered here"
            if self.key is None
            else f'the route "{self.route_name}" takes it'
        )


def request_of(settings: Settings, method: str, url: str, headers: Iterable[tuple[str, str]]) -> Request:
    """Make a request as the front would hand it on. Raises ValueError with what is wrong of the URL."""
    split = urlsplit(url)
    if split.scheme not in {"", "http", "https"} or not (split.netloc or url.startswith("/")):
        raise ValueError(f'expected a path or a URL like "/plans?page=2", got "{url}"')
    lines = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers]
    scheme = split.scheme or "http"
    host = split.netloc.rpartition("@")[2] or _host(settings, lines)
    authority = host.lower().removesuffix(_DEFAULT_PORTS[scheme]).encode()
    target = quote(split.path or "/", safe=_TARGET) + (f"?{quote(split.query, safe=_TARGET)}" if "?" in url else "")
    lines = [(b"Host", authority), *(line for line in lines if line[0].lower() != b"host")]
    return Request(method.encode(), target.encode(), Headers(lines), authority, scheme.encode(), client="127.0.0.1")


def _host(settings: Settings, lines: list[tuple[bytes, bytes]]) -> str:
    for name, value in lines:
        if name.lower() == b"host":
            return value.decode("latin-1")
    return min(settings.front.hosts).decode() if settings.front.hosts else "localhost"


def try_request(settings: Settings, request: Request) -> Trial:
    """Say where a request belongs."""
    book = settings.book
    matched = book.route_for(request.method, request.path)
    if request.method not in invalidation.SAFE_METHODS and invalidation.may_purge(request, book):
        return Trial(request, matched, None, "write")
    if cors.is_answered_here(request, book):
        return Trial(request, matched, None, PREFLIGHT)
    if matched is None:
        return Trial(request, None, None, "no-route")
    key = keys.key_for(request, matched, book)
    if isinstance(key, keys.Unkeyed):
        return Trial(request, matched, None, key.reason)
    return Trial(request, matched, key, "")


def try_response(settings: Settings, trial: Trial, response: Response) -> Keep | Discard | None:
    """Judge the answer to the fetch that the request would cause; None where it passes through."""
    if trial.key is None or trial.matched is None:
        return None
    route = trial.matched.route
    fetched = forwarding.as_fetched(trial.request, route, cors=settings.book.cors is not None)
    return storing.may_store(fetched, response, route, request_time=NOW, response_time=NOW)


def tags_for(settings: Settings, trial: Trial, response: Response) -> frozenset[str] | None:
    """Return the tags under which the answer would be stored; None: too many of them to store it."""
    named = tags.tags_of(response.headers, settings.tags)
    if named is None:
        return None
    prefix = selectors.tag("")
    own = trial.key.selectors if trial.key is not None else ()
    return frozenset({*named, *(name.removeprefix(prefix) for name in own if name.startswith(prefix))})


def purges_of(settings: Settings, trial: Trial, response: Response | None) -> list[Purge]:
    """Return what the request purges once it was answered so."""
    return invalidation.purges_for(trial.request, response, settings.book)


def forwarding_of(settings: Settings) -> forwarding.Forwarding:
    """Return how requests to the backend are signed."""
    address = settings.origin.address
    authority = address.host if not address.path else "localhost"
    return forwarding.Forwarding(settings.origin.host, f"{authority}:{address.port}".removesuffix(":0").encode())
