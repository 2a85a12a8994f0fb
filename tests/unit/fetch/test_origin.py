import pytest

from proxy.fetch.origin import is_event_stream
from proxy.message.headers import Headers
from proxy.message.response import Response


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param(b"text/event-stream", True, id="as it is"),
        pytest.param(b"Text/Event-Stream ; charset=utf-8", True, id="with a parameter, in any case"),
        pytest.param(b"text/event-streams", False, id="a longer name"),
        pytest.param(b"application/json", False, id="another"),
        pytest.param(None, False, id="none"),
    ],
)
def test_an_event_stream_is_known_by_its_media_type(content_type, expected):
    headers = Headers() if content_type is None else Headers([(b"Content-Type", content_type)])
    assert is_event_stream(Response(200, headers)) is expected
