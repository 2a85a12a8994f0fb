"""One response head."""

import pytest

from proxy.message.headers import EMPTY
from proxy.message.response import Response, has_no_content


@pytest.mark.parametrize(
    ("method", "status", "nothing"),
    [
        pytest.param(b"GET", 200, False, id="GET 200"),
        pytest.param(b"HEAD", 200, True, id="HEAD"),
        pytest.param(b"GET", 204, True, id="204"),
        pytest.param(b"GET", 304, True, id="304"),
        pytest.param(b"GET", 103, True, id="interim"),
        pytest.param(b"GET", 205, False, id="205"),
        pytest.param(b"CONNECT", 200, True, id="a tunnel"),
        pytest.param(b"CONNECT", 299, True, id="a tunnel by any 2xx"),
        pytest.param(b"CONNECT", 403, False, id="a tunnel refused"),
    ],
)
def test_has_no_content(method, status, nothing):
    assert has_no_content(method, status) is nothing


def test_a_bare_head():
    assert Response(200) == Response(200, EMPTY, b"", (1, 1))
