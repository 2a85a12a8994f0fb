"""HTTP/1.1 on the wire, both sides, without any policy: bytes in, events out; values in, bytes out.

How to think about it: a head is collected to its empty line, held against one regular expression that knows what
llhttp forgives, then split by llhttp. Bodies are counted here, because httptools says neither where a message ends
nor how long a chunk extension is. So each head meets two readers, and what they disagree about is refused.

- ``limits``      how much of a head is read
- ``events``      what was read, in the past tense
- ``authority``   the host and port of a request
- ``headsearch``  where a head ends, in bytes that come in pieces
- ``heads``       one whole head to its field lines, by llhttp
- ``plain``       the quick reading of heads that frame nothing
- ``replies``     the quick reading of answers whose content has a stated length
- ``framing``     where a body ends: the law (RFC 9112 section 6)
- ``bodies``      where a body ends: the counting
- ``trailers``    fields after a body, and those that must not come there
- ``strictness``  what a request head must be
- ``statuslines`` what a response head must be
- ``requests``    the reader of a client's connection
- ``responses``   the reader of a backend's connection
- ``writing``     heads and chunks to bytes
"""

from proxy.wire.events import BrokenResponseError, Data, End, Head, Interim, Refused, RequestHead, Switched
from proxy.wire.limits import WireLimits
from proxy.wire.requests import RequestReader
from proxy.wire.responses import ResponseReader
from proxy.wire.writing import chunk, last_chunk, request_head, response_head, status_head

__all__ = [
    "BrokenResponseError",
    "Data",
    "End",
    "Head",
    "Interim",
    "Refused",
    "RequestHead",
    "RequestReader",
    "ResponseReader",
    "Switched",
    "WireLimits",
    "chunk",
    "last_chunk",
    "request_head",
    "response_head",
    "status_head",
]
