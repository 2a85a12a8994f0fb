"""What a response head must be: as strict as with requests, since what is kept is handed to everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.wire.heads import response_fields
from proxy.wire.trailers import BARE_LF, FIELD_LINE

if TYPE_CHECKING:
    from proxy.wire.limits import WireLimits

_RESPONSE: Final = re.compile(
    # The space before an absent reason is often absent too, as with servers that predate RFC 9112 section 4.
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*+))?\r\n((?:" + FIELD_LINE + rb")*+)\r\n"
)
_BEGINNING: Final = b"HTTP/1."


def check_unfinished(data: bytes, start: int, limits: WireLimits) -> None:
    """Refuse what no further byte can mend. Raises MessageError."""
    if len(data) - start > limits.head:
        raise MessageError("response head too large")
    if not _BEGINNING.startswith(data[start : start + len(_BEGINNING)]):
        raise MessageError("malformed status line")
    if BARE_LF.search(data, start):
        raise MessageError("bare line feed in a response head")


def read_head(head: bytes, limits: WireLimits) -> Response:
    """Read one response head, from its first byte to its empty line. Raises MessageError."""
    if len(head) > limits.head:
        raise MessageError("response head too large")
    found = _RESPONSE.fullmatch(head)
    if found is None:
        raise MessageError("malformed response head")
    minor, status, reason, block = found.groups()
    if block.count(b"\r\n") > limits.fields:
        raise MessageError("too many response fields")
    return Response(int(status), Headers(response_fields(head)), reason or b"", (1, int(minor)))
