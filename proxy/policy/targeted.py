"""Which field is the policy: ``Surrogate-Control``, ``CDN-Cache-Control``, or ``Cache-Control`` (RFC 9213 section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import cachecontrol
from proxy.message.values import value

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers

_TARGETED: Final = frozenset({b"surrogate-control", b"cdn-cache-control"})

# ``Surrogate-Control`` often says nothing but content="ESI/1.0": then it does not set a ``private`` beside it aside.
_SPEAKS_OF_CACHING: Final = (b"max-age", b"s-maxage", b"no-store", b"no-cache", b"private", b"must-revalidate")


@value(frozen=True, slots=True)
class Policy:
    """The directives in force; with ``targeted`` neither ``Cache-Control`` nor ``Expires`` counts."""

    directives: CacheControl
    targeted: bool = False


SILENT: Final = Policy(cachecontrol.NO_DIRECTIVES)
"""What a response says that says nothing."""


def governing(headers: Headers) -> Policy:
    """Return the whole policy of a response: the first valid targeted field, else ``Cache-Control``."""
    if not headers.has_any(_TARGETED):
        return Policy(cachecontrol.parse(headers.get_all(b"cache-control"))) if b"cache-control" in headers else SILENT
    surrogate = cachecontrol.parse(headers.get_all(b"surrogate-control"))
    if any(name in surrogate for name in _SPEAKS_OF_CACHING):
        return Policy(surrogate, targeted=True)
    cdn = cachecontrol.targeted(headers.get_all(b"cdn-cache-control"))
    if cdn is not None:
        return Policy(cdn, targeted=True)
    return Policy(cachecontrol.parse(headers.get_all(b"cache-control")))
