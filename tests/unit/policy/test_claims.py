import base64

import orjson
import pytest

from proxy.policy.claims import MOST_BYTES, claim, claims_of, expiry


def token(payload):
    octets = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return b"Bearer aaa." + base64.urlsafe_b64encode(octets).rstrip(b"=") + b".sig"


def test_claims_are_read_whatever_the_scheme_s_case():
    assert claims_of(token({"sub": "u1", "x": [1]})) == {"sub": "u1", "x": [1]}
    assert claims_of(token({"sub": "u1"}).replace(b"Bearer ", b"bearer  ")) == {"sub": "u1"}


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="no field"),
        pytest.param(b"", id="empty"),
        pytest.param(b"Bearer", id="no token"),
        pytest.param(b"Bearer opaque", id="an opaque token"),
        pytest.param(b"Basic aaa.e30.bbb", id="another scheme"),
        pytest.param(b"Bearer a.b.c.d.e", id="an encrypted token"),
        pytest.param(b"Bearer a.!!.c", id="not base64"),
        pytest.param(b"Bearer a.e30+.c", id="base64 of the wrong alphabet"),
        pytest.param(b"Bearer a.eeeee.c", id="base64 of a wrong length"),
        pytest.param(token(b"{"), id="not JSON"),
        pytest.param(token(b"\xff"), id="not text"),
        pytest.param(token(b"[1]"), id="JSON that is no object"),
        pytest.param(token({"sub": "x" * MOST_BYTES}), id="too long"),
    ],
)
def test_what_is_no_token_has_no_claims(authorization):
    assert claims_of(authorization) == {}
    assert claim(authorization, "sub") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("u1", "u1"), (7, "7"), (True, None), (1.5, None), (None, None), (["u1"], None), ({"a": 1}, None)],
)
def test_only_text_and_whole_numbers_name_somebody(value, expected):
    assert claim(token({"sub": value}), "sub") == expected


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        pytest.param([], None, id="no credential"),
        pytest.param([b"Bearer opaque"], None, id="an opaque token"),
        pytest.param([token({"sub": "u1"})], None, id="no end"),
        pytest.param([token({"exp": 2000})], 2000.0, id="an end"),
        pytest.param([token({"exp": 1999.5})], 1999.5, id="an end within a second"),
        pytest.param([token({"exp": 3000}), token({"exp": 2000})], 2000.0, id="the earliest of two"),
        pytest.param([token({"exp": True})], None, id="no number"),
        pytest.param([token({"exp": "2000"})], None, id="text"),
        pytest.param([token(b'{"exp":1e999}')], None, id="not finite"),
    ],
)
def test_the_end_of_a_credential(credentials, expected):
    assert expiry(credentials) == expected
