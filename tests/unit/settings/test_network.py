from __future__ import annotations

import pytest

from proxy.settings import network


@pytest.mark.parametrize(
    "text", ["0.0.0.0:8080", "127.0.0.1:0", "localhost:80", "[::]:8080", "unix:/run/app.sock", "a-b.example:65535"]
)
def test_listen_addresses(text):
    assert network.listen_address(text) == text


@pytest.mark.parametrize(
    "text",
    ["8080", ":8080", "host", "host:", "host:x", "host:65536", "::1:80", "[::g]:1", "unix:app.sock", "a b:1", "-:1"],
)
def test_what_nothing_can_listen_on(text):
    with pytest.raises(ValueError, match=r"^$"):
        network.listen_address(text)


@pytest.mark.parametrize(
    ("text", "octets"),
    [("API.Example", b"api.example"), ("a:8443", b"a:8443"), ("[::1]", b"[::1]"), ("[::1]:80", b"[::1]:80")],
)
def test_authorities_are_lowered(text, octets):
    assert network.authority(text) == octets


@pytest.mark.parametrize("text", ["a/b", "http://a", "a:b", "", "a:", "*.example"])
def test_what_is_no_authority(text):
    with pytest.raises(ValueError, match=r"^$"):
        network.authority(text)


def test_networks():
    assert str(network.network("10.0.0.0/8")) == "10.0.0.0/8"
    assert str(network.network("::1")) == "::1/128"
    with pytest.raises(ValueError, match=r"10\.1\.0\.0/8 has host bits set: did you mean 10\.0\.0\.0/8\?"):
        network.network("10.1.0.0/8")
    with pytest.raises(ValueError, match=r"^$"):
        network.network("ten")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://app/", "http://app"),
        ("https://app", "https://app"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
    ],
)
def test_backends(text, url):
    assert network.backend_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:8000",
        "http://",
        "ftp://a",
        "http://u:p@a",
        "http://a:x",
        "http://a?b",
        "unix:app.sock",
        "http://[::1",
        "http://a b",
    ],
)
def test_what_is_no_backend(text):
    with pytest.raises(ValueError, match=r"^$"):
        network.backend_url(text)


def test_a_backend_has_no_path():
    with pytest.raises(ValueError, match="expected no path"):
        network.backend_url("http://a/api")


@pytest.mark.parametrize(
    "text",
    [
        "memory://",
        "embedded://",
        "redis://127.0.0.1:6379/0",
        "redis://u:p@h",
        "rediss://h:1/2?ssl_ca_certs=/ca.pem",
        "unix:///run/redis.sock?db=1",
        "unix://:p@/run/redis.sock",
        "redis+sentinel://h1,h2:26379/mymaster/0",
        "redis+sentinel://u:p@h1/mymaster",
        "redis+cluster://h1,h2",
    ],
)
def test_stores(text):
    assert network.store_url(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redis", r"^$"),
        ("http://h", r"^$"),
        ("redis://", r"^$"),
        ("redis://h:x", r"^$"),
        ("unix://run", r"^$"),
        ("redis://[::1", r"^$"),
        ("memory://x", "expected nothing after"),
        ("redis://h/one", "expected a database number"),
        ("redis://h?databse=1", 'unknown option "databse"'),
        ("redis+sentinel://h1", "expected the name of the monitored primary"),
        ("redis+sentinel://h1/m/x", "expected a database number"),
        ("redis+cluster://", "expected servers"),
        ("redis+cluster://h1,/", "expected servers"),
        ("redis+cluster://h1/0", "a cluster has one database"),
    ],
)
def test_what_is_no_store(text, words):
    with pytest.raises(ValueError, match=words):
        network.store_url(text)


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("redis://h/0", "redis://:p%2F%40@h/0"),
        ("redis://me@h/0", "redis://me:p%2F%40@h/0"),
        ("unix:///run/s", "unix://:p%2F%40@/run/s"),
    ],
)
def test_a_password_that_came_apart_is_put_in(url, complete):
    assert network.with_password(url, "p/@") == complete
    assert network.store_url(complete) == complete


@pytest.mark.parametrize("url", ["memory://", "redis://u:p@h"])
def test_a_password_without_a_place(url):
    with pytest.raises(ValueError, match="password"):
        network.with_password(url, "x")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:s3@h/0", "redis://u:<hidden>@h/0"),
        ("redis://:s3@cret@h/0", "redis://:<hidden>@h/0"),
        ("redis://h/0", "redis://h/0"),
        ("memory://", "memory://"),
    ],
)
def test_a_shown_url_has_no_password(url, shown):
    assert network.without_password(url) == shown
