import pytest

from proxy.policy.handover import one_copy_missing, response_of
from proxy.policy.rules import Credentials, Route


def test_of_a_call_s_fields_only_those_of_a_response_are_taken():
    response = response_of(
        [
            (b"Host", b"127.0.0.1:9091"),
            (b"Authorization", b"Bearer of-the-admin-port"),
            (b"User-Agent", b"python-httpx/0.28"),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", b"gzip"),
            (b"Connection", b"keep-alive"),
            (b"Content-Length", b"12"),
            (b"Cookie", b"a=b"),
            (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            (b"X-Request-ID", b"r-1"),
            (b"content-type", b"application/json"),
            (b"ETag", b'"7"'),
            (b"Surrogate-Key", b"plans plan:7"),
            (b"Set-Cookie", b"a=b"),
            (b"Set-Cookie", b"c=d"),
        ]
    )
    assert response.status == 200
    assert list(response.headers) == [
        (b"content-type", b"application/json"),
        (b"ETag", b'"7"'),
        (b"Surrogate-Key", b"plans plan:7"),
        (b"Set-Cookie", b"a=b"),
        (b"Set-Cookie", b"c=d"),
    ]


@pytest.mark.parametrize(
    ("route", "says"),
    [
        pytest.param(Route("r"), "", id="one copy"),
        pytest.param(Route("r", cookies=Credentials.IGNORE), "", id="cookies ignored"),
        pytest.param(Route("r", cookies=()), "", id="no cookies named"),
        pytest.param(Route("r", scope="credential"), "per credential", id="per credential"),
        pytest.param(Route("r", key_headers=(b"x-tenant", b"x-plan")), "per value of x-tenant, x-plan", id="per field"),
        pytest.param(Route("r", cookies=(b"region",)), "per value of its cookies", id="per cookie"),
    ],
)
def test_whether_a_url_names_one_copy(route, says):
    why = one_copy_missing(route)
    assert (says in why) if says else why == ""
