from dataclasses import replace

import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy.admission import UnkeyedReason, unusable, withheld
from proxy.policy.rules import Credentials, Route, RuleBook

BOOK = RuleBook("svc")
ROUTE = Route(name="r")
GET = Request(b"GET", b"/a", Headers(), b"host")


def headers(*lines):
    return Headers(tuple(line.encode().split(b": ", 1)) for line in lines)


@pytest.mark.parametrize(
    ("request_", "route", "book", "reason"),
    [
        pytest.param(GET, ROUTE, BOOK, None, id="an ordinary GET"),
        pytest.param(replace(GET, method=b"HEAD"), ROUTE, BOOK, None, id="an ordinary HEAD"),
        pytest.param(GET, ROUTE, RuleBook("svc", enabled=False), UnkeyedReason.CACHE_OFF, id="the cache is off"),
        pytest.param(GET, Route(name="r", enabled=False), BOOK, UnkeyedReason.DISABLED, id="the route is off"),
        pytest.param(replace(GET, method=b"POST"), ROUTE, BOOK, UnkeyedReason.METHOD, id="a write"),
        pytest.param(replace(GET, has_body=True), ROUTE, BOOK, UnkeyedReason.BODY, id="a GET with content"),
        pytest.param(replace(GET, upgrade=True), ROUTE, BOOK, UnkeyedReason.UPGRADE, id="an upgrade"),
        pytest.param(replace(GET, target=b"/a/../b?x"), ROUTE, BOOK, UnkeyedReason.PATH_NOT_NORMAL, id="dot segments"),
        pytest.param(replace(GET, target=b"*"), ROUTE, BOOK, UnkeyedReason.PATH_NOT_NORMAL, id="the whole server"),
        pytest.param(replace(GET, target=b"/a?x=/../y"), ROUTE, BOOK, None, id="dots in a query"),
    ],
)
def test_requests_without_a_key_whoever_sends_them(request_, route, book, reason):
    assert unusable(request_, route, book) is reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("X-HTTP-Method-Override: DELETE", UnkeyedReason.METHOD_OVERRIDE, id="another method"),
        pytest.param("X-HTTP-Method: DELETE", UnkeyedReason.METHOD_OVERRIDE, id="another method, the second spelling"),
        pytest.param(
            "X-Method-Override: DELETE", UnkeyedReason.METHOD_OVERRIDE, id="another method, the third spelling"
        ),
        pytest.param(
            "X_HTTP-Method_Override: DELETE", UnkeyedReason.METHOD_OVERRIDE, id="another method, as CGI reads it"
        ),
        pytest.param("X_Rewrite_URL: /admin", UnkeyedReason.METHOD_OVERRIDE, id="another path, as CGI reads it"),
        pytest.param("X-Original-URL: /admin", UnkeyedReason.METHOD_OVERRIDE, id="another path"),
        pytest.param("X-Rewrite-URL: /admin", UnkeyedReason.METHOD_OVERRIDE, id="another path, the second spelling"),
        pytest.param("Connection: close, X-Tenant", UnkeyedReason.CONNECTION, id="a field that would not be forwarded"),
        pytest.param(
            "Connection: authorization", UnkeyedReason.CONNECTION, id="a credential that would not be forwarded"
        ),
        pytest.param("Connection: Keep-Alive", None, id="a connection that stays"),
        pytest.param("Connection: keep-alive, , TE", None, id="fields of this hop"),
        pytest.param("Connection: ", None, id="nothing"),
    ],
)
@pytest.mark.parametrize("implicit", [False, True], ids=["declared", "implicit"])
def test_fields_that_make_it_another_request(line, reason, implicit):
    request = replace(GET, headers=headers(line))
    assert unusable(request, Route(name="r", implicit=implicit), BOOK) is reason


@pytest.mark.parametrize(
    ("implicit", "reason"),
    [
        pytest.param(True, UnkeyedReason.FIELD_NAME, id="implicit: all is forwarded, Vary would not see it"),
        pytest.param(False, None, id="declared: it is not forwarded"),
    ],
)
def test_a_name_that_a_backend_may_read_as_another(implicit, reason):
    request = replace(GET, headers=headers("Accept_Language: xx"))
    assert unusable(request, Route(name="r", implicit=implicit), BOOK) is reason


IGNORE, UNSET = Credentials.IGNORE, Credentials.UNSET
TOKEN, BASIC, COOKIE, API = "Authorization: Bearer a", "Authorization: ", "Cookie: a=1", "X-Api-Key: k"


@pytest.mark.parametrize(
    ("settings", "lines", "keyed", "reason"),
    [
        pytest.param({}, [], (), None, id="nobody in particular"),
        pytest.param({}, [TOKEN], (), UnkeyedReason.AUTHORIZATION, id="a token, and nothing is said of it"),
        pytest.param({}, [BASIC], (), UnkeyedReason.AUTHORIZATION, id="an empty credential is one"),
        pytest.param({}, [TOKEN], (b"authorization",), None, id="a token that is keyed by value"),
        pytest.param({"authorization": IGNORE}, [TOKEN], (), None, id="a token that is ignored"),
        pytest.param({}, [COOKIE], (), UnkeyedReason.COOKIE, id="a cookie, and nothing is said of it"),
        pytest.param({}, [COOKIE], (b"cookie",), None, id="cookies that are keyed by value"),
        pytest.param({"cookies": IGNORE}, [COOKIE], (), None, id="a cookie that is ignored"),
        pytest.param({"cookies": (b"lang",)}, [COOKIE], (), None, id="cookies of which some are keyed"),
        pytest.param(
            {"authorization": IGNORE}, [TOKEN, COOKIE], (), UnkeyedReason.COOKIE, id="ignoring one is not ignoring both"
        ),
        pytest.param(
            {"credential_headers": (b"x-api-key",)}, [API], (), UnkeyedReason.AUTHORIZATION, id="another credential"
        ),
        pytest.param({"scope": "credential"}, [], (), UnkeyedReason.NO_CREDENTIAL, id="own data, and nobody asks"),
        pytest.param(
            {"scope": "credential"}, [BASIC], (), UnkeyedReason.NO_CREDENTIAL, id="own data, and an empty credential"
        ),
        pytest.param({"scope": "credential"}, [TOKEN], (), None, id="own data"),
        pytest.param(
            {"scope": "credential"}, [TOKEN, COOKIE], (), UnkeyedReason.COOKIE, id="own data with a cookie beside"
        ),
        pytest.param(
            {"scope": "credential", "credential_headers": (b"x-api-key",)},
            [API, TOKEN],
            (),
            UnkeyedReason.AUTHORIZATION,
            id="own data by one credential, and another beside",
        ),
        pytest.param(
            {"scope": "credential", "credential_headers": (b"x-api-key",)},
            [TOKEN],
            (),
            UnkeyedReason.NO_CREDENTIAL,
            id="the wrong one",
        ),
        pytest.param(
            {"scope": "credential", "credential_headers": (b"cookie",)}, [COOKIE], (), None, id="own data by cookies"
        ),
        pytest.param(
            {"credential_headers": (b"cookie",)}, [COOKIE], (), UnkeyedReason.COOKIE, id="cookies as another credential"
        ),
    ],
)
def test_credentials_that_a_declared_route_was_not_told_about(settings, lines, keyed, reason):
    assert withheld(headers(*lines), Route(name="r", **settings), keyed) is reason
