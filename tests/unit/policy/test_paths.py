import pytest

from proxy.policy.paths import is_normal, normalised

NORMAL = [
    pytest.param(b"/", id="the root"),
    pytest.param(b"/a", id="one segment"),
    pytest.param(b"/a/", id="a trailing slash"),
    pytest.param(b"/api/v1/plans/123e4567-e89b-12d3-a456-426614174000", id="a uuid"),
    pytest.param(b"/a.b/.c/..d/e..", id="dots beside other characters"),
    pytest.param(b"/-._~!$&'()*+,;=:@", id="all that a segment may hold unescaped"),
    pytest.param(b"/caf%C3%A9", id="escaped letters beyond ASCII"),
    pytest.param(b"/100%25", id="an escaped percent sign"),
    pytest.param(b"/100%25/ab", id="an escaped percent sign before a slash"),
    pytest.param(b"/a%20b", id="an escaped space"),
    pytest.param(b"/...", id="three dots"),
    pytest.param(b"/a;x=..", id="dots in a path parameter"),
]

NOT_NORMAL = [
    pytest.param(b"", id="no path"),
    pytest.param(b"*", id="the whole server"),
    pytest.param(b"a/b", id="no leading slash"),
    pytest.param(b"/./a", id="a dot segment"),
    pytest.param(b"/a/../b", id="two dots"),
    pytest.param(b"/a/..", id="two dots at the end"),
    pytest.param(b"/.", id="a dot at the end"),
    pytest.param(b"/a/..;/b", id="two dots with a path parameter"),
    pytest.param(b"/a/.;x/b", id="a dot with a path parameter"),
    pytest.param(b"/%2E%2E/a", id="escaped dots"),
    pytest.param(b"/a%2Fb", id="an escaped slash"),
    pytest.param(b"/a%2fb", id="an escaped slash in lower case"),
    pytest.param(b"/a%5Cb", id="an escaped backslash"),
    pytest.param(b"/a\\b", id="a backslash"),
    pytest.param(b"/a%00", id="an escaped NUL"),
    pytest.param(b"/%252e", id="a double escape"),
    pytest.param(b"/%25AB", id="what decodes to an escape"),
    pytest.param(b"/caf%c3%a9", id="lower-case escapes"),
    pytest.param(b"/%41", id="an escaped letter"),
    pytest.param(b"/%7E", id="an escaped tilde"),
    pytest.param(b"/%zz", id="an escape of nothing"),
    pytest.param(b"/100%", id="a lonely percent sign"),
    pytest.param(b"/a//b", id="an empty segment"),
    pytest.param(b"//a", id="an empty first segment"),
    pytest.param(b"/a//", id="an empty last segment"),
    pytest.param(b"/caf\xc3\xa9", id="raw octets beyond ASCII"),
    pytest.param(b"/a b", id="a space"),
    pytest.param(b"/a|b", id="a bar"),
    pytest.param(b"/a#b", id="a fragment"),
    pytest.param(b"/a?b", id="a query"),
    pytest.param(b"/a\n", id="a line feed"),
]


@pytest.mark.parametrize("path", NORMAL)
def test_normal_form_may_be_a_key(path):
    assert is_normal(path)


@pytest.mark.parametrize("path", NOT_NORMAL)
def test_other_spellings_are_no_keys(path):
    assert not is_normal(path)


def test_every_octet_has_at_most_one_normal_spelling():
    unreserved = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    for octet in range(256):
        raw, escaped = b"/x" + bytes([octet]) + b"x", b"/x%%%02Xx" % octet
        if octet in unreserved:
            assert is_normal(raw)
            assert not is_normal(escaped)
        elif octet in b"\x00/\\":
            assert not is_normal(escaped)
        elif octet in b"!$&'()*+,;=:@":  # section 6.2.2.2 keeps both: reserved, so they mean different things
            assert is_normal(raw)
            assert is_normal(escaped)
        else:
            assert not is_normal(raw)
            assert is_normal(escaped)


def test_a_hostile_path_is_judged_in_time_that_grows_with_its_length():
    assert not is_normal(b"/" + b"a%25" * 50_000 + b"\\")
    assert not is_normal(b"/a" * 50_000 + b"\\")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"/a/b", b"/a/b", id="normal already"),
        pytest.param(b"/a/", b"/a/", id="a trailing slash stays"),
        pytest.param(b"/a/./b/../c", b"/a/c", id="dot segments"),
        pytest.param(b"/..;/a/.;x/b", b"/a/b", id="dot segments with parameters"),
        pytest.param(b"/a/..", b"/", id="nothing left"),
        pytest.param(b"/a/b/.", b"/a/b/", id="a dot at the end is a slash"),
        pytest.param(b"/../../a", b"/a", id="above the root"),
        pytest.param(b"//a///b", b"/a/b", id="empty segments"),
        pytest.param(b"/a\\b%5Cc%2fd", b"/a/b/c/d", id="all that is taken for a slash"),
        pytest.param(b"/%70l%61ns/%7e", b"/plans/~", id="escaped letters"),
        pytest.param(b"/caf%c3%a9", b"/caf%C3%A9", id="lower-case escapes"),
        pytest.param(b"/caf\xc3\xa9 x", b"/caf%C3%A9%20x", id="raw octets"),
        pytest.param(b"/%zz%", b"/%25zz%25", id="escapes of nothing"),
        pytest.param(b"", b"/", id="no path"),
    ],
)
def test_the_path_that_a_forgiving_backend_reads(path, expected):
    assert normalised(path) == expected


@pytest.mark.parametrize("path", NORMAL)
def test_a_normal_path_is_read_as_it_is(path):
    assert normalised(path) == path
