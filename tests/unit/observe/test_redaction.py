import orjson
import pytest

from proxy.observe.redaction import HIDDEN, LONGEST, are_harmless, harmless, harmless_text, without_query

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("/api/v1/plans/7", "/api/v1/plans/7", id="a plain path stays"),
        pytest.param("a\r\nb", "a\\x0d\\x0ab", id="no second line"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="no terminal commands"),
        pytest.param("a\u2028b\u202eb", "a\\u2028b\\u202eb", id="no Unicode line ends or turned text"),
        pytest.param("a\udcffb", "a\\udcffb", id="octets that are no UTF-8"),
        pytest.param("Ümlaut", "Ümlaut", id="letters stay"),
        pytest.param("x Bearer abcdef123 y", f"x Bearer {HIDDEN} y", id="a bearer token"),
        pytest.param("basic+dXNlcjpwdw==", f"basic {HIDDEN}", id="basic credentials, form-encoded"),
        pytest.param("/login/Bearer%20abcdef123", f"/login/Bearer {HIDDEN}", id="percent-encoded"),
        pytest.param(f"/reset/{JWT}", f"/reset/{HIDDEN}", id="a JWT in a path"),
        pytest.param("redis://:hunter2@h:1/0", f"redis://{HIDDEN}@h:1/0", id="a password in a URL"),
        pytest.param("basic idea", "basic idea", id="a word is no credential"),
    ],
)
def test_text_is_made_harmless(text, shown):
    assert harmless_text(text) == shown


@pytest.mark.parametrize(
    ("text", "is_harmless"),
    [
        pytest.param("/api/v1/plans/7", True, id="a plain path"),
        pytest.param("Ümlaut", True, id="letters"),
        pytest.param("a\r\nb", False, id="a second line"),
        pytest.param("a\u2028b", False, id="a Unicode line end"),
        pytest.param("x Bearer abcdef123 y", False, id="a bearer token"),
        pytest.param(f"/reset/{JWT}", False, id="a JWT in a path"),
        pytest.param("redis://:hunter2@h:1/0", False, id="a password in a URL"),
        pytest.param("x" * (LONGEST + 1), False, id="too long"),
    ],
)
def test_texts_that_would_stay_as_they_are_are_told_in_one_look(text, is_harmless):
    assert (harmless_text(text) == text) is is_harmless
    for texts in ([text], ["GET", text], [text, "10.0.0.1"]):
        assert are_harmless(texts) is is_harmless
    assert are_harmless([])


def test_text_is_bounded_even_if_escaping_makes_it_longer():
    assert len(harmless_text("a" * 10_000)) == LONGEST + 3
    assert len(harmless_text("\n" * 500)) == LONGEST + 3


def test_a_token_across_the_cut_is_not_shown_in_half():
    assert "eyJ" not in harmless_text("a" * (LONGEST - 20) + JWT)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "anything", HIDDEN),
        ("cookie", ["a"], HIDDEN),
        ("query", "zip=1", HIDDEN),
        ("status", 200, 200),
        ("ttl", None, None),
        ("aborted", True, True),
        ("seconds", 0.5, 0.5),
        ("selectors", ("tag:a\n", "tag:b"), ["tag:a\\x0a", "tag:b"]),
        ("body", b"secret", "<bytes>"),
        ("error", ValueError("secret"), "<ValueError>"),
    ],
)
def test_fields_are_made_harmless_by_name_and_kind(name, value, shown):
    assert harmless(name, value) == shown


def test_long_lists_are_cut_and_say_so():
    shown = harmless("selectors", [f"tag:{number}" for number in range(30)])
    assert len(shown) == 21
    assert shown[-1] == "and 10 more"


@pytest.mark.parametrize("text", [chr(point) for point in (*range(0x20), 0x7F, 0x85, 0x2028, 0xD800, 0xDFFF, 0x10FFFF)])
def test_whatever_it_was_it_can_be_written_on_one_line(text):
    line = orjson.dumps({"x": harmless("x", f"a{text}b")}).decode()
    assert len(line.splitlines()) == 1


def test_a_query_leaves_only_a_mark():
    assert without_query("url:/plans?zip=1") == "url:/plans?..."
    assert without_query("path:/plans") == "path:/plans"
