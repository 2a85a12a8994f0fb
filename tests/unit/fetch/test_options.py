import pytest

from proxy.fetch.options import Address, OriginOptions, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("http://127.0.0.1:8000", Address("127.0.0.1", 8000), id="host and port"),
        pytest.param("http://app", Address("app", 80), id="http without a port"),
        pytest.param("https://app", Address("app", 443, tls=True), id="https without a port"),
        pytest.param("https://app:8443/", Address("app", 8443, tls=True), id="a lone slash"),
        pytest.param("http://[::1]:80", Address("::1", 80), id="IPv6"),
        pytest.param("unix:/run/app.sock", Address(path="/run/app.sock"), id="unix socket"),
    ],
)
def test_an_address_is_read(url, address):
    assert parse_address(url) == address
    assert OriginOptions(url).address == address


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("127.0.0.1:8000", id="no scheme"),
        pytest.param("ftp://app", id="another scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("http://app/base", id="a path"),
        pytest.param("http://app?x", id="a query"),
        pytest.param("http://me@app", id="a user"),
        pytest.param("http://app:99999", id="no such port"),
        pytest.param("unix:app.sock", id="a relative path"),
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match=r"expected|[Pp]ort"):
        parse_address(url)
