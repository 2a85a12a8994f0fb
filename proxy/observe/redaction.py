"""What a log line may hold: no secrets, nothing that could pass for another line or steer a terminal."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST: Final = 512  # characters of one value; paths are bounded by limits.target, but eight times higher
MOST_ITEMS: Final = 20

HIDDEN: Final = "[hidden]"

# A last net under the rule that nobody passes such a thing here.
SECRET_FIELDS: Final = frozenset({
    "authorization", "cookie", "cookies", "set-cookie", "set_cookie", "proxy-authorization", "proxy_authorization",
    "token", "password", "secret", "credential", "credentials", "api_key", "x-api-key", "query",
})  # fmt: skip

_PLAIN = (bool, int, float)

_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate)(?:[\s+]|%20)+[\w.~+/=-]{6,}", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s@]*@")
_JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")

# What those three look for, as plain text: a line per miss has a dozen values, and almost none has any of these.
_SIGNS = ("bearer", "basic", "digest", "negotiate", "://", "eyj")

# C0 and C1 controls, line and paragraph separators, marks that turn the direction of text, lone surrogates.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def are_harmless(texts: list[str]) -> bool:
    """Say whether ``harmless_text`` would leave all of these as they are: one look at them instead of one at each."""
    together = " ".join(texts)
    if len(together) > LONGEST or not together.isprintable():
        return False
    low = together.lower()
    return not [sign for sign in _SIGNS if sign in low]


def harmless_text(text: str) -> str:
    """Return ``text`` on one line, without credentials, at most ``LONGEST`` characters and a mark of the cut."""
    if len(text) <= LONGEST and text.isprintable():
        low = text.lower()
        if not [sign for sign in _SIGNS if sign in low]:
            return text
    # The cut comes last: one in the middle of a token would hide it from the patterns.
    shown = _SCHEME.sub(rf"\1 {HIDDEN}", text[: 8 * LONGEST])
    shown = _JWT.sub(HIDDEN, _USERINFO.sub(f"{HIDDEN}@", shown))
    shown = _STEERING.sub(_escaped, shown)
    return shown if len(text) <= LONGEST >= len(shown) else f"{shown[:LONGEST]}..."


def _escaped(found: re.Match[str]) -> str:
    point = ord(found[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"  # noqa: PLR2004 - two digits end there


def without_query(text: str) -> str:
    """Return a path or a URL selector up to its query, of which a mark remains."""
    path, mark, _ = text.partition("?")
    return f"{path}?..." if mark else path


def harmless(name: str, value: object) -> Any:
    """Return what a log line may say as the value of a field of that name."""
    if name.lower() in SECRET_FIELDS:
        return HIDDEN
    if isinstance(value, str):
        return harmless_text(value)
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, (tuple, list)):
        shown = [harmless(name, item) for item in value[:MOST_ITEMS]]
        return shown if len(value) <= MOST_ITEMS else [*shown, f"and {len(value) - MOST_ITEMS} more"]
    # Anybody's repr may quote a header or a connection's URL.
    return f"<{type(value).__name__}>"
