from ipaddress import ip_network

import pytest

from proxy.front.forwarded import MOST_HOPS, believed, is_trusted, scheme_of
from proxy.message.headers import Headers

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def lines(*values):
    return Headers([(b"X-Forwarded-For", value) for value in values])


@pytest.mark.parametrize(
    ("peer", "values", "expected"),
    [
        pytest.param("192.0.2.1", [b"1.1.1.1"], ("192.0.2.1",), id="nobody's word"),
        pytest.param("127.0.0.1", [], ("127.0.0.1",), id="nothing said"),
        pytest.param("127.0.0.1", [b"1.1.1.1"], ("1.1.1.1", "127.0.0.1"), id="one client"),
        pytest.param(
            "127.0.0.1",
            [b"6.6.6.6, 1.1.1.1, 10.0.0.1"],
            ("1.1.1.1", "10.0.0.1", "127.0.0.1"),
            id="what a client wrote is not believed",
        ),
        pytest.param(
            "127.0.0.1",
            [b"6.6.6.6, 1.1.1.1", b"10.0.0.1"],
            ("1.1.1.1", "10.0.0.1", "127.0.0.1"),
            id="over several lines",
        ),
        pytest.param(
            "127.0.0.1", [b"10.0.0.2, 10.0.0.1"], ("10.0.0.2", "10.0.0.1", "127.0.0.1"), id="trusted all the way"
        ),
        pytest.param(
            "127.0.0.1", [b"1.1.1.1, unknown, 10.0.0.1"], ("10.0.0.1", "127.0.0.1"), id="no address ends the walk"
        ),
        pytest.param("127.0.0.1", [b"1.1.1.1:4711"], ("1.1.1.1", "127.0.0.1"), id="with a port"),
        pytest.param("127.0.0.1", [b'"[2001:db8::1]:4711"'], ("2001:db8::1", "127.0.0.1"), id="IPv6 with a port"),
        pytest.param("127.0.0.1", [b"2001:db8::1"], ("2001:db8::1", "127.0.0.1"), id="bare IPv6"),
        pytest.param(
            "::ffff:127.0.0.1", [b"::ffff:1.1.1.1"], ("1.1.1.1", "::ffff:127.0.0.1"), id="IPv4 in IPv6 clothes"
        ),
        pytest.param("fd00::1", [b"1.1.1.1"], ("1.1.1.1", "fd00::1"), id="a trusted IPv6 peer"),
        pytest.param("", [b"1.1.1.1"], ("1.1.1.1",), id="a unix socket"),
        pytest.param("", [], (), id="a unix socket, nothing said"),
        pytest.param("127.0.0.1", [b"\xff\xfe"], ("127.0.0.1",), id="nonsense"),
    ],
)
def test_the_chain_is_believed_as_far_as_proxies_vouch_for_it(peer, values, expected):
    assert believed(peer, lines(*values), TRUSTED, trusted=is_trusted(peer, TRUSTED)) == expected


def test_the_walk_ends_after_more_hops_than_anybody_has():
    sent = [f"10.0.{hop // 250}.{hop % 250}" for hop in range(3000)]
    chain = believed("127.0.0.1", lines(", ".join(sent).encode()), TRUSTED, trusted=True)
    assert chain == (*sent[-MOST_HOPS:], "127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "values", "expected"),
    [
        pytest.param("127.0.0.1", [b"https"], b"https", id="trusted"),
        pytest.param("127.0.0.1", [b"HTTPS"], b"https", id="in capitals"),
        pytest.param("127.0.0.1", [b"https, http"], b"http", id="the last word counts"),
        pytest.param("127.0.0.1", [b"wss"], b"http", id="another scheme"),
        pytest.param("127.0.0.1", [b""], b"http", id="nothing"),
        pytest.param("192.0.2.1", [b"https"], b"http", id="not trusted"),
        pytest.param("", [b"https"], b"https", id="a unix socket"),
    ],
)
def test_the_scheme_is_a_trusted_peers(peer, values, expected):
    headers = Headers([(b"X-Forwarded-Proto", value) for value in values])
    assert scheme_of(headers, trusted=is_trusted(peer, TRUSTED)) == expected


def test_what_is_no_address_is_not_trusted():
    assert not is_trusted("nonsense", TRUSTED)
