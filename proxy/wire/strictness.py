"""What a request head must be, one function per clause; what llhttp forgives is refused here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.headers import Headers, list_elements
from proxy.wire.authority import is_authority, normalised
from proxy.wire.events import RequestHead
from proxy.wire.framing import connection_options, persists, request_framing
from proxy.wire.heads import request_fields
from proxy.wire.plain import FRAMING, KEEPS, fields_of
from proxy.wire.trailers import BARE_LF, FIELD_LINE, split_lines

if TYPE_CHECKING:
    from proxy.wire.limits import WireLimits
    from proxy.wire.plain import FieldLines

# A target has no control byte, no space and no fragment; bytes above 127 are no URI, yet sent, and passed on as sent.
_ASKED: Final = rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++) ([!\"$-~\x80-\xff]++) HTTP/"
_LINE: Final = _ASKED + rb"1\.([01])\r\n"
_REQUEST: Final = re.compile(_LINE + rb"((?:" + FIELD_LINE + rb")*+)\r\n")
_REQUEST_LINE: Final = re.compile(_LINE)
_OTHER_VERSION: Final = re.compile(_ASKED + rb"[0-9]+\.[0-9]+\r\n")
_PLAIN_LINE: Final = re.compile(rb"([A-Z]++) (/[A-Za-z0-9\-._~!$&'()*+,;=:@/%?]*+) HTTP/1\.1")
_START: Final = re.compile(rb"\r|[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_LINE_ROOM: Final = 64  # of a request line beside its target: method, version, spaces

METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY"
    b" OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK"
    b" UNLOCK UNSUBSCRIBE".split()
)  # those that llhttp knows in HTTP/1; a test asks it for each

_WITH_ORIGIN_FORM: Final = METHODS - {b"CONNECT"}
_VERSIONS: Final = {b"0": (1, 0), b"1": (1, 1)}


def check_unfinished(data: bytes, start: int, limits: WireLimits) -> None:
    """Refuse what no further byte can mend, so that nobody waits for a head that will not be one."""
    if _START.match(data, start) is None:
        raise MessageError("malformed request line")
    if BARE_LF.search(data, start):
        raise MessageError("bare line feed")
    if data.find(b"\r\n", start) >= 0:
        _check_line(data, start, limits)
    elif len(data) - start > limits.target + _LINE_ROOM:
        raise MessageError("request target too long", 414)
    if len(data) - start > limits.head:
        raise MessageError("request head too large", 431)


def _check_line(data: bytes, start: int, limits: WireLimits) -> None:
    """Say what is wrong with a complete request line, if something is (RFC 9112 sections 2.3 and 3)."""
    if data.find(b"\r\n", start) - start > limits.target + _LINE_ROOM:
        raise MessageError("request target too long", 414)
    if _REQUEST_LINE.match(data, start) is None:
        if _OTHER_VERSION.match(data, start):
            raise MessageError("HTTP version not supported", 505)
        raise MessageError("malformed request line")


def read_head(head: bytes, limits: WireLimits, known: FieldLines | None = None) -> RequestHead:
    """Read one request head, from its first byte to its empty line. Raises MessageError.

    With ``known``, lines that were seen before are not read again, where a head has nothing that would frame a body.
    """
    if len(head) > limits.head:
        _check_line(head, 0, limits)
        raise MessageError("request head too large", 431)
    if known is not None and (plain := _plain_head(head, limits, known)) is not None:
        return plain
    found = _REQUEST.fullmatch(head)
    if found is None:
        _check_line(head, 0, limits)
        raise MessageError("malformed field line")
    method, target, minor, block = found.groups()
    version = _VERSIONS[minor]
    if len(target) > limits.target:
        raise MessageError("request target too long", 414)
    if block.count(b"\r\n") > limits.fields:
        raise MessageError("too many fields", 431)
    if method not in METHODS:
        raise MessageError("method not implemented", 501)
    if not target.isascii():  # llhttp would refuse it
        head = b"%b / HTTP/1.%b\r\n%b\r\n" % (method, minor, block)
    headers = _headers(head, block, version)
    target = _origin_target(method, target, _host(headers, version))
    length, chunked = request_framing(headers, version)
    options = connection_options(headers)
    upgrade = method == b"CONNECT" or (b"upgrade" in options and _wants_upgrade(headers, version))
    if upgrade and length != 0:
        raise MessageError("an upgrade with a body")
    expect = length != 0 and b"expect" in headers and _expects_continue(headers, version)
    return RequestHead(method, target, version, headers, length, chunked, persists(options, version), expect, upgrade)


def _plain_head(head: bytes, limits: WireLimits, known: FieldLines) -> RequestHead | None:
    """Read a head of the usual kind: HTTP/1.1, origin-form, no body, nothing that is unusual; else None."""
    lines = head[:-4].split(b"\r\n")
    found = _PLAIN_LINE.fullmatch(lines[0])
    if found is None or len(lines) - 1 > limits.fields or len(found[2]) > limits.target:
        return None
    fields = fields_of(lines, known)
    if fields is None or not FRAMING.isdisjoint(fields) or fields.get(b"connection") not in KEEPS:
        return None
    if found[1] not in _WITH_ORIGIN_FORM or not is_authority(fields.get(b"host", b"")):
        return None
    pairs = zip(lines[1:], fields.items(), strict=True)
    index: dict[bytes, tuple[bytes, ...]] = {name: (value,) for name, value in fields.items()}
    headers = Headers.read([(line[: len(name)], value) for line, (name, value) in pairs], index)
    return RequestHead(found[1], found[2], (1, 1), headers)


def _headers(head: bytes, block: bytes, version: tuple[int, int]) -> Headers:
    """Split the head with llhttp; where it refuses, say why in our words if we can."""
    try:
        return Headers(request_fields(head))
    except MessageError:
        headers = Headers(split_lines(block))
        _host(headers, version)
        request_framing(headers, version)
        raise


def _host(headers: Headers, version: tuple[int, int]) -> bytes | None:
    """Return the one valid Host; only HTTP/1.0 may come without (RFC 9112 section 3.2)."""
    hosts = headers.get_all(b"host")
    if not hosts:
        if version >= (1, 1):
            raise MessageError("no Host")
        return None
    if len(hosts) > 1:
        raise MessageError("more than one Host")
    if not is_authority(hosts[0]):
        raise MessageError("malformed Host")
    return hosts[0]


def _origin_target(method: bytes, target: bytes, host: bytes | None) -> bytes:
    """Turn a target into the form that the method asks for (RFC 9112 section 3.2)."""
    if method == b"CONNECT":
        if not is_authority(target) or b":" not in target:
            raise MessageError("malformed CONNECT target")
        return target
    if target.startswith(b"/"):
        return target
    if target == b"*":
        if method != b"OPTIONS":
            raise MessageError("only OPTIONS asks for *")
        return target
    return _from_absolute(method, target, host)


def _from_absolute(method: bytes, target: bytes, host: bytes | None) -> bytes:
    """Accept absolute-form of the authority that Host names, no other (RFC 9112 sections 3.2.2 and 3.2.4)."""
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise MessageError("malformed request target")
    scheme, authority, rest = found.groups()
    if (
        host is None
        or not is_authority(authority)
        or normalised(authority, scheme.lower()) != normalised(host, scheme.lower())
    ):
        raise MessageError("request target of another authority")
    if not rest and method == b"OPTIONS":
        return b"*"
    return rest if rest.startswith(b"/") else b"/" + rest


def _wants_upgrade(headers: Headers, version: tuple[int, int]) -> bool:
    """Say whether an upgrade is asked for that may be passed on (RFC 9110 section 7.8; HTTP/1.0 has none)."""
    protocols = [protocol.lower() for protocol in list_elements(headers, b"upgrade")]
    # h2c would be a tunnel that speaks HTTP past every rule: ignored, as a server may. Its request is an ordinary one.
    return version >= (1, 1) and bool(protocols) and b"h2c" not in protocols


def _expects_continue(headers: Headers, version: tuple[int, int]) -> bool:
    """Say whether the client waits for 100 before its body (RFC 9110 section 10.1.1; HTTP/1.0 has none)."""
    return version >= (1, 1) and b"100-continue" in [each.lower() for each in list_elements(headers, b"expect")]
