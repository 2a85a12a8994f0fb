"""What the handler raises becomes a problem; what is no request, or not for us, never reaches it."""

import ipaddress
import json

import pytest
from playfront import get, post

from proxy.message.errors import MessageError, OriginError
from proxy.message.response import Response


async def test_what_the_handler_raises_becomes_a_problem(start):
    _, script, connect = await start(
        decorate=lambda request, response: Response(
            response.status, response.headers.plus([(b"X-Own", request.path if request else b"-")])
        )
    )
    errors = iter(
        [
            OriginError("no answer", 504),
            OriginError("busy", 503, retry_after=7),
            MessageError("broke", 502),
            ValueError("secret"),
        ]
    )

    @script.page(b"/")
    async def page(request, body, interim):
        raise next(errors)

    client = await connect()
    for status, title, detail in (
        (504, "Gateway Timeout", "no answer"),
        (503, "Service Unavailable", "busy"),
        (502, "Bad Gateway", "broke"),
        (500, "Internal Server Error", None),
    ):
        client.send(get(b"/"))
        got, fields, body = await client.answer()
        assert got == status
        assert fields[b"content-type"] == b"application/problem+json"
        assert fields[b"x-own"] == b"/"
        assert fields.get(b"retry-after") == (b"7" if status == 503 else None)
        problem = json.loads(body)
        assert (problem["status"], problem["title"]) == (status, title)
        assert "secret" not in problem["detail"]
        assert detail is None or problem["detail"] == detail
    assert [str(error) for _, error in script.failures] == ["secret"]
    assert [told[1] for told in script.told] == [504, 503, 502, 500]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no Host"),
        pytest.param(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, id="unknown method"),
        pytest.param(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", 414, id="long target"),
        pytest.param(get(b"/", b"X: " + b"a" * 40000), 431, id="large head"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="HTTP/2"),
        pytest.param(
            post(b"/", b"Content-Length: 1", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + get(b"/smuggled")),
            400,
            id="smuggling",
        ),
    ],
)
async def test_what_is_no_request_is_refused_after_those_before_it(start, data, status):
    refused = []
    _, script, connect = await start(on_refused=lambda *what: refused.append(what))
    client = await connect()
    client.send(get(b"/first") + data + b"x" * 100000)
    assert (await client.answer())[2] == b"/first"
    got, fields, body = await client.answer()
    assert (got, fields[b"connection"]) == (status, b"close")
    assert json.loads(body)["status"] == status
    assert await client.end() == b""
    assert [request.path for request in script.requests] == [b"/first"]
    assert [(each[0], each[2]) for each in refused] == [(status, "127.0.0.1")]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(get(b"/").replace(b"Host: a", b"Host: b"), 421, id="another authority"),
        pytest.param(get(b"/", b"Connection: Authorization"), 400, id="Connection names an end-to-end field"),
        pytest.param(
            get(b"/", b"Connection: close, x-user").replace(b"close, ", b"keep-alive, "),
            400,
            id="Connection names a field of one's own",
        ),
        pytest.param(get(b"/").replace(b"GET", b"PURGE"), 405, id="PURGE"),
        pytest.param(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405, id="CONNECT"),
    ],
)
async def test_what_is_not_served_leaves_the_connection_alone(start, data, status):
    _, script, connect = await start(hosts=frozenset({b"a:80"}))
    client = await connect()
    client.send(data + get(b"/next"))
    got, fields, _ = await client.answer()
    assert got == status
    assert (b"allow" in fields) is (status == 405)
    assert (await client.answer())[2] == b"/next"
    assert [request.path for request in script.requests] == [b"/next"]
    assert [told[1] for told in script.told] == [status, 200]


async def test_the_request_is_understood(start):
    _, script, connect = await start(
        trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"))
    )
    client = await connect()
    client.send(
        get(
            b"/a?b",
            b"X-Forwarded-For: 6.6.6.6, 203.0.113.9",
            b"X-Forwarded-For: 10.0.0.7",
            b"X-Forwarded-Proto: https",
            b"X-Request-ID: abc-1",
        ).replace(b"Host: a", b"Host: A.Example:443")
    )
    await client.answer()
    (request,) = script.requests
    assert (request.method, request.target, request.authority, request.scheme) == (
        b"GET",
        b"/a?b",
        b"a.example",
        b"https",
    )
    assert (request.client, request.forwarded_for) == ("203.0.113.9", b"203.0.113.9, 10.0.0.7, 127.0.0.1")
    assert request.request_id == b"abc-1"
