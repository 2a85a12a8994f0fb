import pytest

from proxy.message.headers import Headers
from proxy.policy.downstream import POSITIVE, for_client
from proxy.policy.rules import Downstream, Route

YEAR = Downstream(31536000, immutable=True)
MINUTE, HOUR = Downstream(60), Downstream(3600)
TARGETED = Downstream(3600, targeted=True)
CC, CDN = b"Cache-Control", b"CDN-Cache-Control"


def sent(lines, status=200, age=0.0, **settings):
    return list(for_client(Headers(lines), Route(name="r", **settings), status=status, age=age))


@pytest.mark.parametrize(
    ("settings", "age", "before", "after"),
    [
        pytest.param({}, 5, [(CC, b"max-age=9")], [(CC, b"max-age=9")], id="without settings the backend's word stays"),
        pytest.param({}, 5, [], [], id="and its silence"),
        pytest.param({"browser": MINUTE}, 0, [], [(CC, b"max-age=60")], id="a browser's lifetime"),
        pytest.param({"browser": MINUTE}, 5.9, [], [(CC, b"max-age=65")], id="the age is added"),
        pytest.param(
            {"browser": MINUTE}, 5, [(b"Age", b"7")], [(b"Age", b"7"), (CC, b"max-age=67")], id="the age that is sent"
        ),
        pytest.param(
            {"browser": MINUTE}, 5, [(b"Age", b"x")], [(b"Age", b"x"), (CC, b"max-age=65")], id="an age that is none"
        ),
        pytest.param({"browser": YEAR}, 0, [], [(CC, b"max-age=31536000, immutable")], id="immutable"),
        pytest.param(
            {"browser": MINUTE},
            0,
            [(CC, b"public, max-age=9, s-maxage=8, must-revalidate"), (b"Expires", b"x"), (b"Pragma", b"y")],
            [(CC, b"max-age=60, must-revalidate")],
            id="the backend's lifetime is replaced, its restrictions stay",
        ),
        pytest.param({"cdn": HOUR}, 5, [], [(CC, b"s-maxage=3605")], id="a CDN's lifetime"),
        pytest.param(
            {"cdn": HOUR},
            0,
            [(CC, b'max-age=9, S-MaxAge=8, x="a, b"')],
            [(CC, b'max-age=9, x="a, b", s-maxage=3600')],
            id="beside the backend's",
        ),
        pytest.param({"cdn": HOUR, "browser": MINUTE}, 5, [], [(CC, b"max-age=65, s-maxage=3605")], id="both"),
        pytest.param(
            {"cdn": TARGETED, "browser": MINUTE},
            5,
            [(CDN, b"max-age=1")],
            [(CC, b"max-age=65"), (CDN, b"max-age=3605")],
            id="both, in fields of their own",
        ),
        pytest.param(
            {"cdn": TARGETED},
            0,
            [(CC, b"max-age=9")],
            [(CC, b"max-age=9"), (CDN, b"max-age=3600")],
            id="CDN-Cache-Control",
        ),
    ],
)
def test_lifetimes_for_those_after_us(settings, age, before, after):
    assert sent(before, age=age, **settings) == after


@pytest.mark.parametrize("directive", [b"no-store", b"no-cache", b"private", b'no-cache="x"', b"max-age=9, private"])
def test_what_the_backend_forbids_stays_forbidden(directive):
    assert sent([(CC, directive)], browser=YEAR, cdn=HOUR) == [(CC, directive)]


@pytest.mark.parametrize("status", [201, 302, 307, 404, 410, 500, 503])
def test_nobody_means_to_keep_a_failure_for_a_year(status):
    assert status not in POSITIVE
    assert sent([], status=status, browser=YEAR, cdn=HOUR) == []


@pytest.mark.parametrize(
    ("settings", "status", "before", "after"),
    [
        pytest.param({}, 200, [], [(CC, b"private, no-cache")], id="a silent backend"),
        pytest.param({}, 404, [], [(CC, b"private, no-cache")], id="a silent backend's 404"),
        pytest.param({}, 200, [(CC, b"max-age=9")], [(CC, b"max-age=9")], id="a backend that speaks"),
        pytest.param({}, 200, [(b"Expires", b"x")], [(b"Expires", b"x")], id="a backend that speaks HTTP/1.0"),
        pytest.param({"browser": MINUTE}, 200, [], [(CC, b"private, max-age=60")], id="only for the one browser"),
        pytest.param({"browser": MINUTE}, 404, [], [(CC, b"private, no-cache")], id="not for its failures"),
        pytest.param(
            {"browser": MINUTE}, 200, [(CC, b"private")], [(CC, b"private, max-age=60")], id="private means this one"
        ),
        pytest.param({"browser": MINUTE}, 200, [(CC, b"public")], [(CC, b"private, max-age=60")], id="never public"),
        pytest.param({"cdn": HOUR}, 200, [], [(CC, b"private, no-cache")], id="never for a CDN"),
        pytest.param({"cdn": TARGETED, "browser": MINUTE}, 200, [], [(CC, b"private, max-age=60")], id="in no field"),
    ],
)
def test_what_belongs_to_one_credential(settings, status, before, after):
    assert sent(before, status=status, scope="credential", **settings) == after
