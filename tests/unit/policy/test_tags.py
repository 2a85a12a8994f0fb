import pytest

from proxy.message.headers import Headers
from proxy.policy.tags import MOST_BYTES, groups_invalidated, tags_of


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(b"Surrogate-Key", b"a  b\tc")], ("a", "b", "c"), id="Surrogate-Key: spaces"),
        pytest.param([(b"Cache-Tag", b"a, b c ,,d")], ("a", "b c", "d"), id="Cache-Tag: commas"),
        pytest.param([(b"xkey", b"a b,c, d")], ("a", "b", "c", "d"), id="xkey: both"),
        pytest.param([(b"Cache-Groups", b'"a", "b c";x=1')], ("a", "b c"), id="Cache-Groups: strings"),
        pytest.param(
            [(b"Cache-Groups", b'"a",'), (b"Cache-Tag", b"b")], ("b",), id="Cache-Groups that cannot be parsed"
        ),
        pytest.param([(b"Cache-Groups", b'"", "a"')], ("a",), id="a group without a name"),
        pytest.param([(b"Surrogate-Key", b"a"), (b"surrogate-key", b"b")], ("a", "b"), id="several lines"),
        pytest.param([(b"xkey", b"a"), (b"Cache-Tag", b"a"), (b"Surrogate-Key", b"b a")], ("b", "a"), id="each once"),
        pytest.param([(b"Surrogate-Key", b"Plan plan")], ("Plan", "plan"), id="tags have a case"),
        pytest.param(
            [(b"Surrogate-Key", "caf\u00e9".encode() + b" \xff")], ("caf\u00e9", "\udcff"), id="octets beyond ASCII"
        ),
    ],
)
def test_the_tags_of_a_response(lines, expected):
    assert tags_of(Headers(lines), 128) == expected


def test_a_response_with_more_tags_than_can_be_kept_is_not_to_be_stored():
    def tagged(count):
        return Headers([(b"Surrogate-Key", b" ".join(b"t%d" % number for number in range(count)))])

    assert len(tags_of(tagged(128), 128)) == 128
    assert tags_of(tagged(129), 128) is None
    assert tags_of(Headers([(b"Surrogate-Key", b"a " * 1000)]), 1) == ("a",)


@pytest.mark.parametrize(
    ("name", "value"), [(b"Cache-Tag", b"%b"), (b"Cache-Groups", b'"%b"')], ids=["Cache-Tag", "Cache-Groups"]
)
def test_a_tag_that_is_too_long_is_not_left_out(name, value):
    assert tags_of(Headers([(name, value % (b"x" * MOST_BYTES))]), 8) == ("x" * MOST_BYTES,)
    assert tags_of(Headers([(name, value % (b"x" * (MOST_BYTES + 1)))]), 8) is None


def test_as_many_groups_as_the_law_asks_for():
    groups = [b"%032d" % number for number in range(32)]  # RFC 9875 section 2
    headers = Headers([(b"Cache-Groups", b", ".join(b'"%b"' % group for group in groups))])
    assert tags_of(headers, 128) == tuple(group.decode() for group in groups)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(b"Cache-Group-Invalidation", b'"a", "b", "a"')], ("a", "b"), id="each once"),
        pytest.param([(b"Cache-Group-Invalidation", b"a b")], (), id="no list of strings"),
        pytest.param([(b"Cache-Groups", b'"a"')], (), id="the response's own groups"),
    ],
)
def test_the_groups_that_a_write_made_outdated(lines, expected):
    assert groups_invalidated(Headers(lines)) == expected
