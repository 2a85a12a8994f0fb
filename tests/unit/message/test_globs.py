import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.globs import LONGEST, Glob, checked, family_of


@pytest.mark.parametrize(
    ("glob", "key", "hit"),
    [
        pytest.param("plans:*", "plans:v1:7", True, id="a namespace"),
        pytest.param("plans:*", "plans:", True, id="a star may stand for nothing"),
        pytest.param("plans:*", "plan:v1:7", False, id="another namespace"),
        pytest.param("profile:*:user_4", "profile:v1:user_4", True, id="any version"),
        pytest.param("profile:*:user_4", "profile:v1:user_45", False, id="the end is the end"),
        pytest.param("profile:*:user_4", "profile:v1:x:user_4", True, id="a star crosses colons"),
        pytest.param("a:*b*c", "a:xbxbxc", True, id="several stars"),
        pytest.param("a:*b*c", "a:xcxb", False, id="pieces in their order"),
        pytest.param("a:*aa", "a:a", False, id="what ends it is not what began it"),
        pytest.param("a:*b*b", "a:b", False, id="one letter is not two"),
        pytest.param("a:**b", "a:b", True, id="two stars are one"),
        pytest.param("a:?[b]*", "a:?[b]c", True, id="no other wildcard"),
        pytest.param("a:?[b]*", "a:xbc", False, id="no other wildcard means itself alone"),
        pytest.param("a:b", "a:b", True, id="no star at all"),
        pytest.param("a:b", "a:bc", False, id="no star matches no more"),
    ],
)
def test_what_a_glob_matches(glob, key, hit):
    assert Glob.of(glob).matches(key) is hit


@given(st.text("ab:*", max_size=12), st.text("ab:", max_size=20))
def test_as_the_textbook_does(glob, key):
    """The same verdict as the standard library's, which goes back and forth to find it."""
    expected = re.fullmatch(fnmatch.translate(glob), key) is not None
    assert Glob.of(glob).matches(key) is expected


def test_no_pattern_takes_long():
    """What makes a backtracking matcher run for hours."""
    glob, key = Glob.of("a:" + "*a" * 120 + "b"), "a:" + "a" * 8000
    assert not glob.matches(key)


@pytest.mark.parametrize(
    ("text", "family"),
    [("plans:v1:7", "plans"), ("plans:*", "plans"), ("plans", None), ("*:7", None), (":7", None), ("pl*:7", None)],
)
def test_the_namespace_of_a_key_or_a_glob(text, family):
    assert family_of(text) == family


@pytest.mark.parametrize("text", ["plans:*", "profile:*:user_4", "p:" + "*" * (LONGEST - 2)])
def test_what_may_be_purged_by(text):
    assert checked(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("*", "too wide", id="everything"),
        pytest.param("*:7", "too wide", id="any namespace"),
        pytest.param("pl*:7", "too wide", id="a namespace that is not whole"),
        pytest.param("plans*", 'begins with a namespace and ":"', id="no namespace"),
        pytest.param(":*", "too wide", id="an empty namespace"),
        pytest.param("plans:v1:7", '"keys" takes a whole logical key', id="a key"),
        pytest.param("é:" + "*" * (LONGEST - 2), "at most 256 bytes, got 257", id="bytes, not characters"),
    ],
)
def test_what_may_not_is_told_what_would_be_right(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        checked(text)
