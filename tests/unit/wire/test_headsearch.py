"""Where a head ends, in whatever pieces it comes."""

import pytest

from proxy.wire.headsearch import HeadSearch
from proxy.wire.limits import WireLimits

HEAD = b"a: 1\r\nb: 2\r\n\r\n"


@pytest.mark.parametrize("cut", range(len(HEAD)))
def test_the_end_is_found_wherever_the_head_was_cut(cut):
    asked = []
    search = HeadSearch(lambda data, at, limits: asked.append((data, at)), WireLimits())
    assert search.end(HEAD[:cut], 0) == -1
    assert asked == [(HEAD[:cut], 0)], "what is unfinished is checked"
    assert search.end(HEAD + b"rest", 0) == len(HEAD)
    assert search.end(HEAD + HEAD, len(HEAD)) == 2 * len(HEAD), "the next search begins anew"


def test_what_the_check_refuses_is_refused():
    def check(data, at, limits):
        raise ValueError("never a head")

    with pytest.raises(ValueError, match="never a head"):
        HeadSearch(check, WireLimits()).end(b"x", 0)
