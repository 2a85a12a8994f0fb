import pytest

from proxy.policy import rules
from proxy.policy.rules import IMPLICIT_ROUTE, Credentials, Match, Route
from proxy.policy.templates import PathTemplate


def match(methods, path):
    return Match(frozenset(methods.encode().split(b",")), PathTemplate.parse(path))


@pytest.mark.parametrize(
    ("general", "special", "expected"),
    [
        pytest.param(match("GET", "/{x}"), match("GET", "/a"), True, id="more general"),
        pytest.param(match("GET", "/a"), match("GET", "/{x}"), False, id="more special"),
        pytest.param(match("GET,POST", "/a"), match("POST", "/a"), True, id="more methods"),
        pytest.param(match("GET", "/a"), match("GET,POST", "/a"), False, id="fewer methods"),
    ],
)
def test_one_match_covers_another(general, special, expected):
    assert general.covers(special) is expected


def test_what_a_route_does_unasked_is_the_careful_thing():
    route = Route(name="r")
    assert route.authorization is route.cookies is Credentials.UNSET
    assert route.scope == "public"
    assert route.private == route.set_cookie == "refuse"
    assert route.ttl is None


def test_the_implicit_route_follows_the_client_s_directives():
    assert IMPLICIT_ROUTE.implicit
    assert IMPLICIT_ROUTE.client_control == "obey"


def test_the_rules_room_hands_out_the_book_too():
    assert set(rules.__all__) <= set(vars(rules))
