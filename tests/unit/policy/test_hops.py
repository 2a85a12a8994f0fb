import pytest

from proxy.message.headers import Headers
from proxy.policy.hops import CONDITIONS, FOR_CACHES, FORWARDED, HARMLESS, HOP_BY_HOP, of_this_hop

TABLES = {
    "hop": HOP_BY_HOP,
    "forwarded": FORWARDED,
    "conditions": CONDITIONS,
    "harmless": HARMLESS,
    "caches": FOR_CACHES,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables_hold_lower_case_names(table):
    assert table == {name.lower().strip() for name in table}


def test_what_is_harmless_is_nothing_that_is_left_out_elsewhere():
    assert HARMLESS.isdisjoint(HOP_BY_HOP | FORWARDED | CONDITIONS | FOR_CACHES)


@pytest.mark.parametrize(
    "name", [b"authorization", b"cookie", b"origin", b"host", b"baggage", b"x-forwarded-host", b"forwarded"]
)
def test_what_tells_users_or_sites_apart_is_not_harmless(name):
    assert name not in HARMLESS


@pytest.mark.parametrize(
    "name", [b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"]
)
def test_the_law_s_own_list_ends_here(name):
    assert name in HOP_BY_HOP  # RFC 9110 section 7.6.1


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        pytest.param((), set(), id="no Connection"),
        pytest.param(((b"Connection", b"close"),), {b"close"}, id="an option"),
        pytest.param(
            ((b"Connection", b"X-A, x-b"), (b"connection", b"X-C")), {b"x-a", b"x-b", b"x-c"}, id="over all lines"
        ),
    ],
)
def test_what_connection_names_ends_here_too(lines, more):
    assert of_this_hop(Headers(lines)) == HOP_BY_HOP | more
