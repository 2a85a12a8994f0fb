"""What writing writes, reading reads back; what would read back as something else is not written."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY, Headers
from proxy.message.response import Response
from proxy.wire import (
    Data,
    End,
    Head,
    Interim,
    RequestHead,
    RequestReader,
    ResponseReader,
    WireLimits,
    chunk,
    last_chunk,
    request_head,
    response_head,
)
from proxy.wire.strictness import METHODS
from proxy.wire.trailers import FORBIDDEN

LIMITS = WireLimits()
RESERVED = {b"content-length", b"transfer-encoding", b"connection", b"host", b"upgrade", b"expect", *FORBIDDEN}
NAME = (
    st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12)
    .map(str.encode)
    .filter(lambda name: name.lower() not in RESERVED)
)
VALUE = st.lists(st.sampled_from([9, *range(32, 127), *range(128, 256)]), max_size=20).map(
    lambda octets: bytes(octets).strip(b" \t")
)
FIELDS = st.lists(st.tuples(NAME, VALUE), max_size=8)
TARGET = st.lists(st.sampled_from(sorted({*range(33, 127), *range(128, 256)} - {35})), max_size=20).map(
    lambda octets: b"/" + bytes(octets)
)
CONTENT = st.lists(st.binary(min_size=1, max_size=40), max_size=5)
CHUNKED = (b"Transfer-Encoding", b"chunked")


def cut_at(data, positions):
    edges = [0, *sorted({position % (len(data) + 1) for position in positions}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def body_of(pieces, trailers):
    return b"".join(b"".join(chunk(piece)) for piece in pieces) + last_chunk(trailers)


@given(
    st.sampled_from(sorted(METHODS - {b"CONNECT"})),
    TARGET,
    FIELDS,
    CONTENT,
    FIELDS,
    st.lists(st.integers(min_value=0), max_size=4),
)
def test_requests_read_back(method, target, fields, pieces, trailers, positions):
    headers = Headers([(b"Host", b"a"), *fields, CHUNKED])
    data = request_head(method, target, headers) + body_of(pieces, Headers(trailers))
    reader = RequestReader(LIMITS)
    head, *contents, end = [event for piece in cut_at(data * 2, positions) for event in reader.feed(piece)]
    assert head == RequestHead(method, target, (1, 1), headers, None, chunked=True)
    assert end == End(Headers(trailers))
    assert b"".join(event.data for event in contents if isinstance(event, Data)) == b"".join(pieces) * 2


@given(
    st.integers(200, 999).filter(lambda status: status not in {204, 304}),
    VALUE,
    FIELDS,
    CONTENT,
    FIELDS,
    st.lists(st.integers(min_value=0), max_size=4),
)
def test_responses_read_back(status, reason, fields, pieces, trailers, positions):
    written = Response(status, Headers(fields), reason)
    data = (
        response_head(Response(103, Headers(fields), b"E"))
        + response_head(written, [CHUNKED])
        + body_of(pieces, Headers(trailers))
    )
    reader = ResponseReader(LIMITS)
    reader.expect(b"GET")
    interim, head, *contents, end = [event for piece in cut_at(data, positions) for event in reader.feed(piece)]
    assert interim == Interim(Response(103, Headers(fields), b"E"))
    assert isinstance(head, Head)
    assert (head.response.status, head.response.headers) == (status, Headers([*fields, CHUNKED]))
    assert head.response.reason == reason or not reason
    assert b"".join(event.data for event in contents) == b"".join(pieces)
    assert end == End(Headers(trailers))


def test_a_response_is_always_of_http_1_1_and_gets_the_usual_reason():
    assert response_head(Response(404, version=(1, 0))) == b"HTTP/1.1 404 Not Found\r\n\r\n"
    assert response_head(Response(799), [(b"A", b"b")]) == b"HTTP/1.1 799 \r\nA: b\r\n\r\n"


@pytest.mark.parametrize("evil", [b"a\r\nSet-Cookie: x=1", b"a\n", b"a\r", b"\0", b"\r\n\r\n"])
def test_line_ends_are_never_written_from_a_value(evil):
    for write in (
        lambda: response_head(Response(200, Headers([(b"Location", evil)]))),
        lambda: response_head(Response(200, Headers([(evil, b"x")]))),
        lambda: response_head(Response(200, reason=evil)),
        lambda: response_head(Response(200), [(b"X", evil)]),
        lambda: request_head(b"GET", b"/" + evil, EMPTY),
        lambda: request_head(b"GET" + evil, b"/", EMPTY),
        lambda: request_head(b"GET", b"/", Headers([(b"X", evil)])),
        lambda: last_chunk(Headers([(b"X", evil)])),
    ):
        with pytest.raises(MessageError) as refused:
            write()
        assert refused.value.status == 500


@pytest.mark.parametrize("target", [b"/a b", b"/ HTTP/1.1\tx ", b" "])
def test_spaces_are_never_written_into_a_request_line(target):
    with pytest.raises(MessageError):
        request_head(b"GET", target, EMPTY)


def test_an_empty_chunk_is_not_written():
    assert chunk(b"") == []
    assert b"".join(chunk(b"x" * 26)) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert last_chunk(EMPTY) == b"0\r\n\r\n"
