import pytest

from proxy.front.incoming import hosts_by_scheme, refusal, request_from, request_id_of
from proxy.front.options import FrontOptions
from proxy.message.headers import Headers
from proxy.wire import RequestHead

OPTIONS = FrontOptions("127.0.0.1:0")


def request(*lines, method=b"GET", peer="192.0.2.1", version=(1, 1), length=0, upgrade=False):
    head = RequestHead(method, b"/", version, Headers(lines), length, upgrade=upgrade)
    return request_from(head, peer, OPTIONS, trusted=not peer)


@pytest.mark.parametrize(
    ("host", "proto", "authority"),
    [
        pytest.param(b"API.Example", b"", b"api.example", id="lower case"),
        pytest.param(b"api.example:80", b"", b"api.example", id="the default port goes"),
        pytest.param(b"api.example:", b"", b"api.example", id="an empty port goes"),
        pytest.param(b"api.example:8080", b"", b"api.example:8080", id="another port stays"),
        pytest.param(b"api.example:443", b"", b"api.example:443", id="the other scheme's port stays"),
        pytest.param(b"api.example:443", b"https", b"api.example", id="443 of https goes"),
        pytest.param(b"[2001:DB8::1]:80", b"", b"[2001:db8::1]", id="IPv6"),
    ],
)
def test_the_authority_is_normalised(host, proto, authority):
    asked = request((b"Host", host), (b"X-Forwarded-Proto", proto), peer="")  # a unix socket is trusted
    assert asked.authority == authority


def test_everything_else_is_taken_as_it_came():
    asked = request((b"Host", b"a"), (b"X-Request-ID", b"id-1"), version=(1, 0), length=None, upgrade=True)
    assert (asked.version, asked.client, asked.forwarded_for) == ((1, 0), "192.0.2.1", b"192.0.2.1")
    assert (asked.request_id, asked.has_body, asked.upgrade) == (b"id-1", True, True)
    assert request().authority == b""


@pytest.mark.parametrize("given", [b"a", b"x" * 128, b"A-Za.z0~9_:/+=-"])
def test_a_plain_request_id_is_kept(given):
    assert request_id_of(Headers([(b"x-request-id", given)])) == given


@pytest.mark.parametrize("given", [None, b"", b"x" * 129, b"a b", b'a"b', b"a\tb", b"\xe9"])
def test_another_request_id_is_made(given):
    lines = [] if given is None else [(b"X-Request-ID", given)]
    first, second = request_id_of(Headers(lines)), request_id_of(Headers(lines))
    assert first != second
    assert len(first) == 32
    int(first, 16)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (b"close", None),
        (b"Keep-Alive, TE", None),
        (b"upgrade, HTTP2-Settings", None),
        (b"keep-alive, , Transfer-Encoding, Trailer, Proxy-Connection", None),
        (b"authorization", 400),
        (b"close, Cookie", 400),
        (b"host", 400),
        (b"content-length", 400),
        (b"x-forwarded-for", 400),
        (b"x-own", 400),
        (b"cache-control", 400),
    ],
)
def test_connection_names_hop_by_hop_fields_only(value, status):
    error = refusal(request((b"Host", b"a"), (b"Connection", value)), None)
    assert (error.status if error else None) == status


@pytest.mark.parametrize(
    ("method", "status"), [(b"PURGE", 405), (b"CONNECT", 405), (b"PUT", None), (b"TRACE", None), (b"OPTIONS", None)]
)
def test_methods_of_other_ports_are_refused(method, status):
    error = refusal(request((b"Host", b"a"), method=method), None)
    assert (error.status if error else None) == status


@pytest.mark.parametrize(
    ("host", "proto", "served"),
    [
        (b"a.example", b"", True),
        (b"A.example:80", b"", True),
        (b"b.example:8080", b"", True),
        (b"c.example", b"https", True),
        (b"c.example:443", b"", True),
        (b"c.example", b"", False),
        (b"a.example:81", b"", False),
        (b"b.example", b"", False),
        (b"x.a.example", b"", False),
        (b"a.example.", b"", False),
    ],
)
def test_only_accepted_authorities_are_served(host, proto, served):
    hosts = hosts_by_scheme(frozenset({b"a.example", b"b.example:8080", b"c.example:443"}))
    error = refusal(request((b"Host", host), (b"X-Forwarded-Proto", proto), peer=""), hosts)
    assert (error is None) is served
    assert error is None or error.status == 421


def test_without_a_list_any_authority_is_served():
    assert hosts_by_scheme(None) is None
    assert refusal(request((b"Host", b"any")), None) is None
