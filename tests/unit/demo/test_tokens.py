import base64
import json

import pytest

from proxy.demo.tokens import sign, subject_of

SECRET = b"s" * 32


def test_a_token_speaks_for_its_subject_for_a_day():
    token = sign("alice", 1000.0, SECRET)
    assert subject_of(token, 1000.0, SECRET) == "alice"
    assert subject_of(token, 1000.0 + 24 * 3600 - 1, SECRET) == "alice"
    assert subject_of(token, 1000.0 + 24 * 3600, SECRET) is None


def test_its_claims_can_be_read_by_whoever_reads_claims():
    payload = sign("alice", 1000.0, SECRET).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["sub"], claims["exp"]) == ("alice", 1000 + 24 * 3600)


def test_each_login_has_its_own():
    assert sign("alice", 1000.0, SECRET) != sign("alice", 1000.0, SECRET)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="none"),
        pytest.param("abc", id="no token at all"),
        pytest.param("a.b.c", id="three of nothing"),
        pytest.param("ä.ö.ü", id="no ASCII"),
        pytest.param(sign("alice", 1000.0, b"other"), id="signed by somebody else"),
        pytest.param(sign("alice", 1000.0, SECRET)[:-2], id="a signature cut short"),
    ],
)
def test_what_is_no_token_speaks_for_nobody(token):
    assert subject_of(token, 1000.0, SECRET) is None
