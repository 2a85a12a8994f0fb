"""Digests of settings: one per route, so that entries made under other rules are never found, and one of the whole."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Raised whenever a release gives the same settings another meaning for what is stored.
_MEANING: Final = 1

#: What decides only how an entry is served, so that changing it must not empty the cache.
_SERVING_ONLY: Final = frozenset({"enabled", "on_store_failure", "client_control", "browser", "cdn"})


def fingerprint_of(shown: Mapping[str, Any], *, has_cors: bool) -> str:
    """Digest a route with every default resolved. With ``cors`` an entry has no CORS fields, without it keyed ones."""
    material = {key: value for key, value in shown.items() if key not in _SERVING_ONLY}
    return _digest([_MEANING, has_cors, material])


def fingerprint_of_all(shown: Mapping[str, Any]) -> str:
    """Digest the running configuration as it is shown: without secrets, since a digest of a short one gives it away."""
    return _digest([_MEANING, shown])


def _digest(material: Any) -> str:
    text = json.dumps(material, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
