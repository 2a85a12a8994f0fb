"""llhttp and our own splitting agree on every head that the guard lets through."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.wire import heads
from proxy.wire.trailers import split_lines

TOKEN = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12).map(str.encode)
VALUE = st.lists(st.sampled_from([9, *range(32, 127), *range(128, 256)]), max_size=20).map(bytes)
RESERVED = {b"content-length", b"transfer-encoding"}


@given(st.lists(st.tuples(TOKEN.filter(lambda name: name.lower() not in RESERVED), VALUE), max_size=8))
def test_both_readers_agree(fields):
    block = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    expected = [(name, value.strip(b" \t")) for name, value in fields]
    assert split_lines(block) == expected
    assert heads.request_fields(b"GET / HTTP/1.1\r\n" + block + b"\r\n") == expected
    assert heads.response_fields(b"HTTP/1.1 204 \r\n" + block + b"\r\n") == expected


def test_a_parser_that_waits_for_a_body_a_close_or_an_upgrade_is_not_used_again():
    heads._SPARE.clear()
    for line in (
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: upgrade\r\nUpgrade: x",
    ):
        heads.request_fields(b"POST / HTTP/1.1\r\n" + line + b"\r\n\r\n")
        assert heads._SPARE == []
    heads.request_fields(b"POST / HTTP/1.0\r\n\r\n")
    assert heads._SPARE == []
    heads.request_fields(b"GET / HTTP/1.1\r\n\r\n")
    (spare,) = heads._SPARE
    heads.request_fields(b"GET / HTTP/1.1\r\n\r\n")
    assert [spare] == heads._SPARE
