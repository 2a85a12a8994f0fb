import base64

import orjson
import pytest

from proxy.message.headers import Headers
from proxy.policy.values import MOST_BYTES, Values, ValueTemplate, Variable, bounded

KNOWN = {"plan_id", "query.zip_code", "header.x-tenant", "jwt.*"}


def bearer(**claims):
    return b"Bearer e30." + base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=") + b".sig"


VALUES = Values(
    path={"plan_id": "a%20b", "plain": "7"},
    query=b"zip_code=7+8%2F9&empty=&evil=1/../2?x%23#y",
    headers=Headers([(b"X-Tenant", b"acme"), (b"X-Tenant", b"b"), (b"X-Secret", b"s")]),
    readable=(b"x-tenant",),
    token=bearer(sub="u/1", admin=True, n=5),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plans", "plans", id="a constant"),
        pytest.param("plan:{plan_id}", "plan:a b", id="a path variable is decoded"),
        pytest.param("{plan_id}{query.zip_code}", "a b7 8/9", id="a query value is decoded as a form does"),
        pytest.param("t:{header.X-Tenant}!", "t:acme, b!", id="a header in any case"),
        pytest.param("{header.x-secret}", None, id="a header that is not readable"),
        pytest.param("{jwt.sub}", "u/1", id="a claim"),
        pytest.param("{jwt.n}", "5", id="a number as claim"),
        pytest.param("{jwt.admin}", None, id="a claim that is no text"),
        pytest.param("{jwt.nothing}", None, id="no such claim"),
        pytest.param("a{query.empty}b", None, id="an empty value is an absent one"),
        pytest.param("a{query.absent}b", None, id="an absent value"),
        pytest.param("{absent}", None, id="an absent path variable"),
    ],
)
def test_a_template_filled(text, expected):
    known = {"plan_id", "absent", "query.*", "header.*", "jwt.*"}
    assert ValueTemplate.parse(text, known).render(VALUES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/plans/{plan_id}", "/plans/a%20b", id="a path variable as it was sent"),
        pytest.param("/p?zip={query.zip_code}", "/p?zip=7+8%2F9", id="a query value as it was sent"),
        pytest.param("/p/{query.evil}", "/p/1%2F..%2F2%3Fx%23%23y", id="a query value adds no structure"),
        pytest.param("/u/{jwt.sub}", "/u/u%2F1", id="a claim adds no structure"),
        pytest.param("/t/{header.x-tenant}", "/t/acme%2C%20b", id="a header is encoded"),
        pytest.param("/t/{header.x-secret}", None, id="a header that is not readable"),
    ],
)
def test_a_url_filled(text, expected):
    known = {"plan_id", "query.*", "header.*", "jwt.*"}
    assert ValueTemplate.parse(text, known).render_url(VALUES) == expected


def test_where_no_header_is_named_readable_all_are():
    values = Values({}, headers=Headers([(b"A", b"1")]))
    assert ValueTemplate.parse("{header.a}", {"header.*"}).render(values) == "1"


@pytest.mark.parametrize(
    ("text", "known", "words"),
    [
        pytest.param("", KNOWN, "expected text", id="empty"),
        pytest.param(
            "{plan}", KNOWN, "{plan} is not known here; known are {header.x-tenant}, {jwt.*}, {plan_id}", id="unknown"
        ),
        pytest.param("{query.zip}", KNOWN, "{query.zip} is not known here", id="a query name that is not keyed"),
        pytest.param("{header.cookie}", KNOWN, "{header.cookie} is not known", id="a header that is not keyed"),
        pytest.param("{cookie.a}", KNOWN, "{cookie.a} is not known", id="no such source"),
        pytest.param("{query.}", KNOWN, "{query.} is not known", id="a source without a name"),
        pytest.param("{jwt.*}", {"plan_id"}, "{jwt.*} is not known", id="claims are not known everywhere"),
        pytest.param("{x", KNOWN, "a brace without its other half", id="an open brace"),
        pytest.param("x}", KNOWN, "a brace without its other half", id="a closing brace"),
        pytest.param("a{}", KNOWN, "names no value", id="an empty name"),
        pytest.param("{x}", (), "no values are known here", id="nothing is known"),
    ],
)
def test_a_mistake_says_what_is_known(text, known, words):
    with pytest.raises(ValueError) as mistake:  # noqa: PT011 - the words are compared below, braces and all
        ValueTemplate.parse(text, known)
    assert words in str(mistake.value)


def test_a_template_knows_its_variables():
    template = ValueTemplate.parse("{plan_id}:{jwt.sub}", KNOWN)
    assert template.variables == (Variable("path", "plan_id"), Variable("jwt", "sub"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("a\nb\x00", "a%0Ab%00", id="control characters are escaped"),
        pytest.param("\u2028", "%E2%80%A8", id="a line separator is escaped"),
        pytest.param("\udcff", "\udcff", id="undecodable octets stay"),
        pytest.param("x" * MOST_BYTES, "x" * MOST_BYTES, id="as long as may be"),
        pytest.param("\u20ac" * 70, "\u20ac" * 70, id="few characters of many bytes"),
    ],
)
def test_what_users_write_is_bounded(value, expected):
    assert bounded(value) == expected


@pytest.mark.parametrize("value", ["x" * (MOST_BYTES + 1), "\u20ac" * 100], ids=["ASCII", "three bytes each"])
def test_a_long_value_is_replaced_by_its_digest_not_left_out(value):
    assert bounded(value).startswith("sha256-")
    assert bounded(value) == bounded(value) != bounded(value + "x")
    assert len(bounded(value)) <= MOST_BYTES
