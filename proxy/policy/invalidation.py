"""What a write purges: its rules, the URIs it names (RFC 9111 section 4.4), the groups its answer names (RFC 9875)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urljoin, urlsplit

from proxy.message import selectors
from proxy.message.selectors import octets_of, text_of
from proxy.message.values import value
from proxy.policy.admission import METHOD_OVERRIDES
from proxy.policy.paths import normalised
from proxy.policy.tags import groups_invalidated
from proxy.policy.urls import canonical_url, url_selectors
from proxy.policy.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.policy.rules import RuleBook, WriteRule
    from proxy.policy.values import ValueTemplate

SAFE_METHODS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PROPFIND", b"REPORT", b"SEARCH", b"QUERY"})
"""Those that IANA lists as safe; any other changes something, as far as is known (RFC 9111 section 4.4)."""

_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400
_SUCCESS: Final = 200
_DEFAULT_PORTS: Final = (b":80", b":443")


@value(frozen=True, slots=True)
class Purge:
    """Selectors to purge together; ``on_store_failure`` as the write's rule says."""

    selectors: tuple[str, ...]
    soft: bool = False
    on_store_failure: Literal["pass", "refuse"] = "pass"


def is_unsafe(request: Request) -> bool:
    """Say whether this may change something, also by a method that it names in an override field."""
    return not SAFE_METHODS.issuperset(_methods(request))


def may_purge(request: Request, book: RuleBook) -> bool:
    """Say before the answer is known whether it may purge: then it is carried to its head, whoever leaves."""
    if not is_unsafe(request):
        return False
    if any(book.serving(path) for path in _spellings(request.path)):
        return True
    return any(book.writes_for(method, request.path) for method in _methods(request))


def purges_for(request: Request, response: Response | None, book: RuleBook) -> list[Purge]:
    """Return what a request purges once its response head is there; None: there was none, and it may have happened.

    2xx, 3xx and 5xx purge: a write may have been made before it failed. Groups are purged whatever the status.
    """
    if not is_unsafe(request):
        return []
    groups = groups_invalidated(response.headers) if response is not None else ()
    names = [selectors.tag(group) for group in groups]
    purges: list[Purge] = []
    if response is None or _has_happened(response):
        names += _uris_changed(request, response, book)
        for method in _methods(request):
            for rule, variables in book.writes_for(method, request.path):
                chosen = _selected(rule, _values(request, variables), book)
                purges.append(Purge(tuple(dict.fromkeys(chosen)), rule.soft, rule.on_store_failure))
    if names:
        purges.insert(0, Purge(tuple(dict.fromkeys(names))))
    return [purge for purge in dict.fromkeys(purges) if purge.selectors]


def purge_of(rule: WriteRule, book: RuleBook) -> Purge:
    """Return what a rule without values purges: one that follows the clock and no write."""
    return Purge(tuple(dict.fromkeys(_selected(rule, Values({}), book))), rule.soft)


def _has_happened(response: Response) -> bool:
    return _SUCCESS <= response.status < _CLIENT_ERROR or response.status >= _SERVER_ERROR


def _methods(request: Request) -> tuple[bytes, ...]:
    """Return the request's method and those it asks a backend to take it for."""
    if not request.headers.has_any(METHOD_OVERRIDES):
        return (request.method,)
    spelled = sorted(METHOD_OVERRIDES & request.headers.names())
    # Of several lines a backend may believe any.
    named = [method.upper() for name in spelled for method in request.headers.get_all(name) if method]
    return tuple(dict.fromkeys([request.method, *named]))


def _spellings(path: bytes) -> tuple[bytes, ...]:
    # The backend may read another spelling as the path that is cached.
    return tuple(dict.fromkeys((path, normalised(path))))


def _uris_changed(request: Request, response: Response | None, book: RuleBook) -> Iterator[str]:
    """Name the target URI, Location and Content-Location, on the same host, as far as cached routes serve them."""
    targets = [request.target]
    if response is not None:
        for name in (b"location", b"content-location"):
            targets += [_resolved(value, request) for value in response.headers.get_all(name)]
    failed = response is not None and response.status >= _SERVER_ERROR
    for target in targets:
        raw, mark, query = target.partition(b"?")
        for path in _spellings(raw) if raw.startswith(b"/") else ():
            # The implicit route is RFC 9111 alone: there, an error invalidates nothing.
            yield from url_selectors(book, path, query if mark else None, declared_only=failed)


def _resolved(reference: bytes, request: Request) -> bytes:
    """Return the target that a reference names, empty if it is none or on another host (RFC 9111 section 4.4)."""
    base = f"http://{text_of(request.authority)}{text_of(request.target)}"
    try:
        url = urlsplit(urljoin(base, text_of(reference)))
    except ValueError:
        return b""  # a backend that sends nonsense names nothing
    if url.scheme not in {"http", "https"} or _host(octets_of(url.netloc)) != _host(request.authority):
        return b""
    return octets_of(url.path or "/") + (b"?" + octets_of(url.query) if url.query else b"")


def _host(authority: bytes) -> bytes:
    # TLS ends before this hop: the backend's own URLs may have either scheme.
    authority = authority.lower()
    for port in _DEFAULT_PORTS:
        authority = authority.removesuffix(port)
    return authority


def _values(request: Request, variables: dict[str, str]) -> Values:
    """Return what a write rule's templates may use: all of its own request, for it is about nobody else's."""
    headers = request.headers
    return Values(variables, request.query, headers, None, headers.get(b"authorization"))


def _selected(rule: WriteRule, values: Values, book: RuleBook) -> Iterator[str]:
    """Name what a rule purges; where a value is absent the name is left out."""
    if rule.everything:
        yield selectors.EVERYTHING
    yield from map(selectors.route, rule.routes)
    yield from map(selectors.namespace, rule.namespaces)
    yield from map(selectors.pattern, rule.patterns)
    yield from map(selectors.tag, _rendered(rule.tags, values))
    yield from map(selectors.logical_key, _rendered(rule.keys, values))
    yield from map(selectors.user, _rendered(rule.users, values))
    for template in rule.paths:
        if path := template.render_url(values):
            yield selectors.path(text_of(normalised(octets_of(path))))
    for template in rule.urls:
        yield from _url_selectors(template.render_url(values), book)


def _url_selectors(url: str | None, book: RuleBook) -> list[str]:
    try:
        return canonical_url(book, url) if url is not None else []
    except ValueError:
        return []  # a value made it a path under which nothing is ever kept


def _rendered(templates: tuple[ValueTemplate, ...], values: Values) -> Iterator[str]:
    return (name for template in templates if (name := template.render(values)) is not None)
