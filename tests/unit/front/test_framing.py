import pytest

from proxy.front import framing
from proxy.message.errors import MessageError
from proxy.message.headers import Headers
from proxy.message.response import Response


class Noon:
    def date(self):
        return b"noon"


OURS = [
    (b"Content-Length", b"99"),
    (b"transfer-ENCODING", b"gzip"),
    (b"Connection", b"X-A"),
    (b"Keep-Alive", b"5"),
    (b"Upgrade", b"h2"),
    (b"Trailer", b"X-T"),
    (b"TE", b"x"),
    (b"Proxy-Connection", b"y"),
]


def frame(status=200, fields=(), method=b"GET", version=(1, 1), length=5, keep=True):
    framed = framing.framed(
        Response(status, Headers(fields)), method=method, version=version, length=length, keep=keep, clock=Noon()
    )
    line, *lines = framed.head[:-4].split(b"\r\n")
    assert line.startswith(b"HTTP/1.1 %d " % status)
    return set(lines), framed[1:]


@pytest.mark.parametrize(
    ("asked", "lines", "rest"),
    [
        pytest.param({}, {b"Content-Length: 5"}, (True, False, True), id="known length"),
        pytest.param({"length": 0}, {b"Content-Length: 0"}, (True, False, True), id="length 0"),
        pytest.param(
            {"length": None}, {b"Trailer: X-T", b"Transfer-Encoding: chunked"}, (True, True, True), id="unknown length"
        ),
        pytest.param({"keep": False}, {b"Content-Length: 5", b"Connection: close"}, (True, False, False), id="closing"),
        pytest.param(
            {"version": (1, 0)}, {b"Content-Length: 5", b"Connection: keep-alive"}, (True, False, True), id="HTTP/1.0"
        ),
        pytest.param(
            {"version": (1, 0), "keep": False},
            {b"Content-Length: 5", b"Connection: close"},
            (True, False, False),
            id="HTTP/1.0, closing",
        ),
        pytest.param(
            {"version": (1, 0), "length": None},
            {b"Connection: close"},
            (True, False, False),
            id="HTTP/1.0, unknown length",
        ),
        pytest.param({"method": b"HEAD"}, {b"Content-Length: 99"}, (False, False, True), id="HEAD"),
        pytest.param(
            {"method": b"HEAD", "length": None},
            {b"Content-Length: 99"},
            (False, False, True),
            id="HEAD, unknown length",
        ),
        pytest.param({"status": 304, "length": 0}, {b"Content-Length: 99"}, (False, False, True), id="304"),
        pytest.param({"status": 204, "length": 0}, set(), (False, False, True), id="204"),
    ],
)
def test_framing_is_ours_alone(asked, lines, rest):
    got = frame(fields=[*OURS, (b"X-A", b"1")], **asked)
    assert got == (lines | {b"X-A: 1", b"Date: noon"}, rest)


def test_head_states_the_length_of_a_body_it_does_not_send():
    assert frame(method=b"HEAD") == ({b"Content-Length: 5", b"Date: noon"}, (False, False, True))
    assert frame(method=b"HEAD", length=0)[0] == {b"Date: noon"}


def test_a_date_is_kept():
    assert frame(fields=[(b"dAtE", b"then")])[0] == {b"dAtE: then", b"Content-Length: 5"}


def test_switching_is_this_hops_own():
    head = framing.switched(Response(101, Headers(OURS)), Noon())
    assert head == b"HTTP/1.1 101 Switching Protocols\r\nDate: noon\r\nUpgrade: h2\r\nConnection: upgrade\r\n\r\n"


def test_interim_heads_lose_hop_by_hop_fields():
    assert (
        framing.interim(Response(103, Headers([*OURS, (b"Link", b"x")]), b"E")) == b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n"
    )


def test_a_value_that_splits_is_refused():
    with pytest.raises(MessageError):
        frame(fields=[(b"X", b"a\nb")])


def test_the_clock_tells_the_time_in_http():
    date = framing.Clock().date()
    assert len(date) == 29
    assert date.endswith(b" GMT")
