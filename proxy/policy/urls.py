"""A URL that somebody names, as the selectors of what is stored for it: each route has its own form of a query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.message import selectors
from proxy.message.selectors import octets_of, text_of
from proxy.policy.paths import is_normal, normalised
from proxy.policy.queries import canonical, joined

if TYPE_CHECKING:
    from proxy.policy.rules import RuleBook

_ORIGIN: Final = re.compile(rb"https?://[^/?#\s]+", re.IGNORECASE)
_FOREIGN: Final = re.compile(rb"[^!-~]")


def canonical_url(book: RuleBook, url: str) -> list[str]:
    """Return the selectors of a URL as each route that serves it knows it; of its path where the query is ``*``.

    ``url`` is ``/path?query`` or absolute, whose authority is ignored: a purge takes it on every authority. Empty
    where no route serves the path. Raises ValueError with what is wrong.
    """
    octets = octets_of(url)
    found = _ORIGIN.match(octets)
    target = octets[found.end() :] if found else octets
    if found and target[:1] in {b"", b"?"}:
        target = b"/" + target
    if not target.startswith(b"/"):
        raise ValueError(f'expected a URL like "/a/b?x=1" or "https://host/a/b?x=1", got "{url}"')
    if b"#" in target:
        raise ValueError(f'"{url}": a fragment is never sent, leave out "#" and what follows')
    path, mark, query = target.partition(b"?")
    path = path if is_normal(path) else normalised(path)
    if not is_normal(path):
        raise ValueError(f'"{url}": no cached path is spelled like this')
    if query == b"*":
        return [selectors.path(text_of(path))]
    return url_selectors(book, path, query if mark else None)


def url_selectors(book: RuleBook, path: bytes, query: bytes | None, *, declared_only: bool = False) -> list[str]:
    """Return the selectors of a target under every route that takes a GET of it."""
    # A query may have come with raw octets or with their escapes; both are kept as they were sent.
    spellings = {query, _FOREIGN.sub(_escaped, query)} if query else {query}
    names = [
        selectors.url(text_of(joined(path, spelling if route.implicit else canonical(spelling, route.key_query))))
        for spelling in spellings
        for route in (matched.route for matched in book.serving(path))
        if not (declared_only and route.implicit)
    ]
    return list(dict.fromkeys(names))


def _escaped(octet: re.Match[bytes]) -> bytes:
    return b"%%%02X" % octet[0][0]
