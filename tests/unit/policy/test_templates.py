import pytest

from proxy.policy.templates import PathTemplate

UUID = b"123e4567-e89b-12d3-a456-426614174000"

MATCHES = [
    pytest.param("/", b"/", {}, id="the root"),
    pytest.param("/a/b", b"/a/b", {}, id="literals"),
    pytest.param("/a/", b"/a/", {}, id="a trailing slash"),
    pytest.param("/plans/{id}", b"/plans/7", {"id": "7"}, id="a variable"),
    pytest.param("/{a}/x/{b}", b"/1/x/2", {"a": "1", "b": "2"}, id="two variables"),
    pytest.param("/plans/{id}", b"/plans/a%20b", {"id": "a%20b"}, id="a variable stays as it was sent"),
    pytest.param("/plans/{id}", b"/plans/\xff", {"id": "\udcff"}, id="octets that are no text"),
    pytest.param("/plans/{id:uuid}", b"/plans/" + UUID, {"id": UUID.decode()}, id="a uuid"),
    pytest.param("/plans/{id:uuid}", b"/plans/" + UUID.upper(), {"id": UUID.decode()}, id="a uuid has one case"),
    pytest.param("/plans/{id:int}", b"/plans/42", {"id": "42"}, id="an int"),
    pytest.param("/plans/{id:int}", b"/plans/0042", {"id": "42"}, id="an int without leading zeros"),
    pytest.param("/plans/{id:int}", b"/plans/00", {"id": "0"}, id="an int that is zero"),
    pytest.param("/static/**", b"/static/a", {}, id="one segment of the rest"),
    pytest.param("/static/**", b"/static/a/b/c", {}, id="many segments of the rest"),
    pytest.param("/static/**", b"/static/", {}, id="the rest is an empty segment"),
    pytest.param("/{x}/**", b"/a/b", {"x": "a"}, id="a variable before the rest"),
    pytest.param("/**", b"/", {}, id="everything: the root"),
    pytest.param("/**", b"/a/b", {}, id="everything"),
    pytest.param("/caf\u00e9", b"/caf%C3%A9", {}, id="a literal as people write it"),
    pytest.param("/caf%c3%a9", b"/caf%C3%A9", {}, id="a literal with lower-case escapes"),
    pytest.param("/%7Euser", b"/~user", {}, id="a literal with an escape too many"),
    pytest.param("/100%", b"/100%25", {}, id="a literal percent sign"),
    pytest.param("/a b", b"/a%20b", {}, id="a literal space"),
    pytest.param("/v1.0", b"/v1.0", {}, id="a dot is no pattern"),
]

NO_MATCHES = [
    pytest.param("/a/b", b"/a/c", 'segment 2 is "c", not "b"', id="another literal"),
    pytest.param("/v1.0", b"/v1x0", 'segment 1 is "v1x0", not "v1.0"', id="a dot is a dot"),
    pytest.param("/plans/{id}", b"/plans/", 'segment 2 is "", not "{id}"', id="an empty variable"),
    pytest.param("/plans/{id}", b"/plans/1/2", "has 3 segments, not 2", id="a variable takes one segment"),
    pytest.param("/plans/{id}", b"/plans", "has 1 segments, not 2", id="too short"),
    pytest.param("/plans/{id:uuid}", b"/plans/7", 'segment 2 is "7", not "{id:uuid}"', id="no uuid"),
    pytest.param("/plans/{id:int}", b"/plans/x", 'segment 2 is "x", not "{id:int}"', id="no int"),
    pytest.param(
        "/plans/{id:int}", "/plans/\u0663".encode(), 'segment 2 is "\u0663", not "{id:int}"', id="no ASCII int"
    ),
    pytest.param("/static/**", b"/static", "has 1 segments, not 2 or more", id="the rest needs its slash"),
    pytest.param("/static/**", b"/statics/a", 'segment 1 is "statics", not "static"', id="whole segments"),
    pytest.param("/a", b"/a/", "has 2 segments, not 1", id="a slash more"),
]

MISTAKES = [
    pytest.param("plans", 'starts with "/"', id="no slash"),
    pytest.param("", 'starts with "/"', id="empty"),
    pytest.param("/plans?x=1", "key.query", id="a query"),
    pytest.param("/plans#x", "key.query", id="a fragment"),
    pytest.param("/a//b", "empty segment", id="an empty segment"),
    pytest.param("//**", "empty segment", id="an empty segment before the rest"),
    pytest.param("/a/{x}/{x}", "{x} occurs twice", id="a name twice"),
    pytest.param("/{}", "a variable name of letters", id="no name"),
    pytest.param("/{a-b}", "a variable name of letters", id="a name with a dash"),
    pytest.param("/{x:float}", "{x:uuid} or {x:int}", id="an unknown kind"),
    pytest.param("/{x:}", "{x:uuid} or {x:int}", id="an empty kind"),
    pytest.param("/admin/plans**", 'a list of "/admin/plans" and "/admin/plans/**"', id="a suffix"),
    pytest.param("/a/**/b", "only be its last segment", id="the rest in the middle"),
    pytest.param("/a/*", 'one segment is {name}, the rest is "**"', id="one star"),
    pytest.param("/a/x*y", 'one segment is {name}, the rest is "**"', id="a glob"),
    pytest.param("/a/{x}.json", "takes a whole segment", id="a variable within a segment"),
    pytest.param("/a/}x", "takes a whole segment", id="a stray brace"),
    pytest.param("/a/../b", "can never match", id="a dot segment"),
    pytest.param("/a/.", "can never match", id="a dot segment at the end"),
    pytest.param("/a%2Fb", "can never match", id="an escaped slash"),
    pytest.param("/a\\b", "can never match", id="a backslash"),
    pytest.param("/a%00", "can never match", id="a NUL"),
]

COVERS = [
    pytest.param("/a", "/a", True, id="the same literal"),
    pytest.param("/a", "/b", False, id="another literal"),
    pytest.param("/{x}", "/a", True, id="a variable takes a literal"),
    pytest.param("/{x}", "/", False, id="a variable takes no empty segment"),
    pytest.param("/a", "/{x}", False, id="a literal takes no variable"),
    pytest.param("/{x}", "/{y:int}", True, id="any takes an int"),
    pytest.param("/{x:int}", "/{y}", False, id="an int takes not any"),
    pytest.param("/{x:int}", "/{y:int}", True, id="an int takes an int"),
    pytest.param("/{x:int}", "/{y:uuid}", False, id="an int takes no uuid"),
    pytest.param("/{x:int}", "/7", True, id="an int takes a number"),
    pytest.param("/{x:int}", "/seven", False, id="an int takes no word"),
    pytest.param("/**", "/a/{x}", True, id="everything"),
    pytest.param("/a/**", "/a", False, id="below is not at"),
    pytest.param("/a/**", "/a/", True, id="below is with the slash"),
    pytest.param("/a/**", "/a/b/**", True, id="below takes further below"),
    pytest.param("/a/**", "/a/**", True, id="below takes itself"),
    pytest.param("/a/b/**", "/a/**", False, id="further below takes not below"),
    pytest.param("/a/b", "/a/**", False, id="one takes not all"),
    pytest.param("/a/b", "/a/b/c", False, id="another length"),
]


@pytest.mark.parametrize(("template", "path", "variables"), MATCHES)
def test_a_path_that_fits(template, path, variables):
    parsed = PathTemplate.parse(template)
    assert parsed.match(path) == variables
    assert parsed.names == tuple(variables)
    assert not parsed.why_not(path)


@pytest.mark.parametrize(("template", "path", "reason"), NO_MATCHES)
def test_a_path_that_does_not_fit(template, path, reason):
    parsed = PathTemplate.parse(template)
    assert parsed.match(path) is None
    assert parsed.why_not(path) == reason


@pytest.mark.parametrize(("template", "words"), MISTAKES)
def test_a_mistake_says_what_to_write_instead(template, words):
    with pytest.raises(ValueError) as mistake:  # noqa: PT011 - the words are compared below, braces and all
        PathTemplate.parse(template)
    assert words in str(mistake.value)


@pytest.mark.parametrize(("general", "special", "expected"), COVERS)
def test_one_template_covers_another(general, special, expected):
    assert PathTemplate.parse(general).covers(PathTemplate.parse(special)) is expected


def test_a_hostile_path_is_matched_in_time_that_grows_with_its_length():
    template = PathTemplate.parse("/{a}/{b}/{c}/{d}/x")
    assert template.match(b"/" + b"a" * 100_000) is None
    assert template.match(b"/a" * 100_000) is None
