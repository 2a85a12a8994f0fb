import pytest

from proxy.fetch.framing import framed
from proxy.fetch.origin import Outgoing
from proxy.message.headers import Headers
from tests.rawbackend import Chunks

HOST = (b"Host", b"client.example")


@pytest.mark.parametrize(
    ("request_", "added"),
    [
        pytest.param(Outgoing(b"GET", b"/", Headers([HOST])), [], id="GET says nothing"),
        pytest.param(Outgoing(b"DELETE", b"/", Headers([HOST])), [], id="DELETE says nothing"),
        pytest.param(
            Outgoing(b"POST", b"/", Headers([HOST])), [(b"Content-Length", b"0")], id="POST says that it has none"
        ),
        pytest.param(
            Outgoing(b"GET", b"/", Headers([HOST]), Chunks(length=5)), [(b"Content-Length", b"5")], id="a stated length"
        ),
        pytest.param(
            Outgoing(b"POST", b"/", Headers([HOST]), Chunks(length=0)), [(b"Content-Length", b"0")], id="an empty body"
        ),
        pytest.param(
            Outgoing(b"POST", b"/", Headers([HOST]), Chunks()),
            [(b"Transfer-Encoding", b"chunked")],
            id="no stated length",
        ),
        pytest.param(
            Outgoing(b"PUT", b"/", Headers([HOST]), Chunks(length=5), expect_continue=True),
            [(b"Expect", b"100-continue"), (b"Content-Length", b"5")],
            id="an expectation",
        ),
        pytest.param(
            Outgoing(b"GET", b"/", Headers([HOST]), upgrade=True), [(b"Connection", b"upgrade")], id="an upgrade"
        ),
    ],
)
def test_our_framing_is_added(request_, added):
    assert framed(request_, None) == [HOST, *added]


def test_the_clients_own_framing_is_replaced():
    stale = [(b"content-length", b"9"), (b"TRANSFER-ENCODING", b"gzip"), (b"Connection", b"x")]
    request = Outgoing(b"POST", b"/", Headers([HOST, *stale]), Chunks(length=5))
    assert framed(request, None) == [HOST, (b"Content-Length", b"5")]


def test_an_expectation_that_is_there_is_not_said_twice():
    fields = Headers([HOST, (b"expect", b"100-Continue")])
    request = Outgoing(b"POST", b"/", fields, Chunks(length=5), expect_continue=True)
    assert Headers(framed(request, None)).get_all(b"expect") == [b"100-Continue"]


def test_the_operators_host_replaces_the_clients():
    assert framed(Outgoing(b"GET", b"/", Headers([HOST])), b"app") == [(b"Host", b"app")]
