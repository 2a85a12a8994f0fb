import pytest

from proxy.admin.guard import carries, is_asked_for, is_ours, is_same_origin


@pytest.mark.parametrize(
    ("host", "names", "reached", "said"),
    [
        pytest.param("localhost:9091", (), "127.0.0.1", True, id="localhost"),
        pytest.param("127.0.0.1", (), "127.0.0.1", True, id="without a port"),
        pytest.param("127.8.8.8:1", (), "127.0.0.1", True, id="all of 127"),
        pytest.param("[::1]:9091", (), "::1", True, id="IPv6 loopback"),
        pytest.param("10.0.0.5:9091", (), "10.0.0.5", True, id="the address that was reached"),
        pytest.param("10.0.0.5:9091", (), "::ffff:10.0.0.5", True, id="the same, mapped"),
        pytest.param("[fd00::5]:9091", (), "fd00:0::5", True, id="the same, spelled differently"),
        pytest.param("sapwood:9091", ("sapwood",), "10.0.0.5", True, id="a name of ours"),
        pytest.param("SAPWOOD:9091", ("sapwood:9091",), "10.0.0.5", True, id="a name of ours with its port"),
        pytest.param("10.0.0.6:9091", (), "10.0.0.5", False, id="another address"),
        pytest.param("evil.example", (), "127.0.0.1", False, id="a rebound name"),
        pytest.param("localhost.evil.example", (), "127.0.0.1", False, id="a name that begins like ours"),
        pytest.param("127.0.0.1.evil.example", (), "127.0.0.1", False, id="a name that begins like an address"),
        pytest.param("evil.example#127.0.0.1", (), "127.0.0.1", False, id="an address in a fragment"),
        pytest.param("evil@localhost", (), "127.0.0.1", False, id="user information"),
        pytest.param("localhost:99999999", (), "127.0.0.1", False, id="no port"),
        pytest.param("", (), "127.0.0.1", False, id="empty"),
        pytest.param("", ("",), "", False, id="empty everywhere"),
    ],
)
def test_a_host_field_means_this_listener_or_not(host, names, reached, said):
    assert is_ours(host, names, reached) is said


@pytest.mark.parametrize(
    ("origin", "host", "said"),
    [
        ("http://127.0.0.1:9091", "127.0.0.1:9091", True),
        ("HTTPS://Localhost:9091", "localhost:9091", True),
        ("http://127.0.0.1", "127.0.0.1:9091", False),
        ("http://evil.example", "127.0.0.1:9091", False),
        ("http://127.0.0.1:3000", "127.0.0.1:9091", False),
        ("null", "null", False),
        ("http://", "", False),
    ],
)
def test_an_origin_is_this_very_host_or_foreign(origin, host, said):
    assert is_same_origin(origin, host) is said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(["Bearer t0ken"], True, id="the token"),
        pytest.param(["bearer  t0ken"], True, id="scheme in any case"),
        pytest.param([], False, id="none"),
        pytest.param(["Bearer"], False, id="no token"),
        pytest.param(["Bearer t0ke"], False, id="too short"),
        pytest.param(["Bearer t0kens"], False, id="too long"),
        pytest.param(["Basic t0ken"], False, id="another scheme"),
        pytest.param(["t0ken"], False, id="no scheme"),
        pytest.param(["Bearer t0ken", "Bearer other"], False, id="two of them"),
        pytest.param(["Bearer t\xf6ken"], False, id="not ASCII"),
        pytest.param(["Bearer t\udcf6ken"], False, id="no UTF-8"),
    ],
)
def test_only_the_one_token_is_taken(fields, said):
    assert carries(fields, "t0ken") is said


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        pytest.param({}, "/events", True, id="no browser"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, "/events", True, id="our own page"),
        pytest.param({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, "/stats", True, id="typed in"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "/", True, id="a link to the page"
        ),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "/stats", False, id="a link to data"
        ),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "/", False, id="an image"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "/events", False, id="a stream"),
        pytest.param({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, "/stats", False, id="another port"),
        pytest.param({"Sec-Fetch-Site": "Cross-Site"}, "/stats", False, id="in another case"),
    ],
)
def test_a_browser_asks_for_our_page_or_at_its_users_wish(fields, path, said):
    assert is_asked_for(fields, path) is said
