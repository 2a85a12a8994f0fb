"""The normal form of a path (RFC 3986 section 6.2.2): one resource has one path, one entry, one selector.

A path that could be another spelling of some other path is never cached. Beyond the RFC's own list that means: encoded
slashes, backslashes and NULs, raw backslashes and other octets no URI has, what would be an escape after one more
decoding, dot segments with path parameters (``/..;/``), and empty segments: many backends read ``//`` as ``/``.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = (
    rb"%(?:0[1-9A-F]|1[0-9A-F]"  # controls but NUL
    rb"|2[0-46-9A-C]"  # not "%" here, not the unreserved "-" and ".", never "/"
    rb"|25(?![0-9A-Fa-f]{2})"  # "%" itself, unless another escape would come out
    rb"|3[A-F]|40|5[BDE]|60|7[BCDF]"  # not digits, letters, "_" and "~", never a backslash
    rb"|[89A-F][0-9A-F])"
)
_SEGMENT: Final = rb"(?!\.{1,2}(?:[/;]|\Z))(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]++|" + _ESCAPES + rb")++"
_NORMAL: Final = re.compile(rb"(?=/)(?:/" + _SEGMENT + rb")*+/?")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_ALIEN: Final = re.compile(rb"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]|%(?![0-9A-F]{2})")
_UNDONE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + b"/\\")


def is_normal(path: bytes) -> bool:
    """Say whether this is the one spelling of its path, so that it may be a key."""
    return _NORMAL.fullmatch(path) is not None


def normalised(path: bytes) -> bytes:
    """Return the path that a forgiving backend might read: for finding what a write may have changed, never for keys.

    Escapes of unreserved octets undone, others in upper case (section 6.2.2.1 and .2), dot segments removed (6.2.2.3),
    backslashes and encoded separators taken for slashes (an ASGI backend routes on the decoded path), empty segments
    dropped, octets no URI has escaped.
    """
    path = _ESCAPE.sub(_plain_escape, path).replace(b"\\", b"/")
    path = _ALIEN.sub(lambda octet: b"%%%02X" % octet[0][0], path)
    kept: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments:
        name = segment.partition(b";")[0]
        if name == b"..":
            del kept[-1:]
        elif segment and name != b".":
            kept.append(segment)
    is_open = segments[-1] in {b"", b".", b".."} and bool(kept)
    return b"/" + b"/".join(kept) + (b"/" if is_open else b"")


def _plain_escape(escape: re.Match[bytes]) -> bytes:
    octet = int(escape[1], 16)
    return bytes([octet]) if octet in _UNDONE else escape[0].upper()
