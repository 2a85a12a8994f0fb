"""One request as it was understood."""

import pytest

from proxy.message.headers import EMPTY
from proxy.message.request import Request


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        pytest.param(b"/a", b"/a", None, id="no query"),
        pytest.param(b"/a?", b"/a", b"", id="an empty query"),
        pytest.param(b"/a?b=1?c", b"/a", b"b=1?c", id="a second question mark"),
        pytest.param(b"*", b"*", None, id="the server itself"),
    ],
)
def test_path_and_query(target, path, query):
    request = Request(b"GET", target, EMPTY, b"a.example")
    assert (request.path, request.query) == (path, query)
