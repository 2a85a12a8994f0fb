import pytest

from proxy.admin.options import AdminOptions, TcpAddress, UnixAddress, is_loopback, may_go_without_token, parse_listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9091", TcpAddress("127.0.0.1", 9091)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("[::1]:9091", TcpAddress("::1", 9091)),
        ("unix:/run/sapwood.sock", UnixAddress("/run/sapwood.sock")),
    ],
)
def test_an_address_is_read_and_written_alike(text, address):
    assert parse_listen(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9091",
        ":9091",
        "host:",
        "host:http",
        "::1:9091",
        "[host]:1",
        "h:65536",
        "h:-1",
        "h:1²",
        "unix:",
        "unix:run.sock",
    ],
)
def test_what_is_no_address_is_refused_with_what_was_expected(text):
    with pytest.raises(ValueError, match="expected"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(host, said):
    assert is_loopback(host) is said


def test_only_this_machine_may_ask_without_a_token():
    assert may_go_without_token(parse_listen("unix:/run/s.sock"))
    assert may_go_without_token(parse_listen("127.0.0.1:1"))
    assert not may_go_without_token(parse_listen("0.0.0.0:1"))


def test_a_token_is_not_in_the_options_text():
    assert "hunter2" not in repr(AdminOptions(token="hunter2"))
