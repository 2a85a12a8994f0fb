import gc

import pytest

from proxy.front.manners import MOST_PLACES, Kind, Manners, place_of
from proxy.wire.plain import FieldLines, fields_of

KIND = Kind((b"host", b"accept"), frozenset(), frozenset())


def a_head(*lines, line=b"GET /plans/7 HTTP/1.1"):
    return b"\r\n".join([line, *lines, b"", b""])


def manner_of(head, manners=None, *, trusted=False):
    fields = fields_of(head[:-4].split(b"\r\n"), FieldLines())
    return (Manners() if manners is None else manners).of(head, fields, trusted=trusted)


def asked(manner, head):
    return manner.request_id(head, head.find(b"\r\n"))


SAID = a_head(b"Host: api", b"X-Request-ID: one", b"Accept: */*")


@pytest.mark.parametrize(
    ("head", "request_id"),
    [
        pytest.param(SAID, b"one", id="the same head"),
        pytest.param(SAID.replace(b"one", b"another-0.2:3"), b"another-0.2:3", id="another id"),
        pytest.param(SAID.replace(b"/plans/7", b"/"), b"one", id="another target"),
        pytest.param(SAID.replace(b"one", b""), None, id="an empty id"),
        pytest.param(SAID.replace(b"one", b"x" * 129), None, id="an id that is too long"),
        pytest.param(SAID.replace(b"one", b"a b"), None, id="an id that is not plain"),
        pytest.param(SAID.replace(b"one", b"one\r\nAccept: x"), None, id="a field where the id is"),
        pytest.param(SAID.replace(b"one", b"one\r\n\r\nGET / HTTP/1.1\r\nX-Request-ID: one"), None, id="two heads"),
        pytest.param(SAID + SAID, None, id="the same head twice"),
        pytest.param(SAID + b"G", None, id="more behind it"),
        pytest.param(SAID[:-1], None, id="not all of it yet"),
        pytest.param(SAID.replace(b"api", b"API"), None, id="another value before the id"),
        pytest.param(SAID.replace(b"*/*", b"*"), None, id="another value behind the id"),
        pytest.param(SAID.replace(b"X-Request-ID", b"x-request-id"), None, id="another spelling"),
        pytest.param(a_head(b"Host: api", b"Accept: */*"), None, id="no id"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", None, id="no field"),
    ],
)
def test_a_head_asks_in_the_manner_of_another_or_not(head, request_id):
    assert asked(manner_of(SAID), head) == request_id


@pytest.mark.parametrize(
    ("head", "request_id"),
    [
        pytest.param(a_head(b"Host: api"), b"", id="the same fields"),
        pytest.param(a_head(b"Host: api", line=b"GET / HTTP/1.1"), b"", id="another target"),
        pytest.param(a_head(b"Host: api") * 2, None, id="the same head twice"),
        pytest.param(a_head(b"Host: api", b"X-Request-ID: one"), None, id="an id"),
        pytest.param(a_head(), None, id="no field"),
    ],
)
def test_a_head_without_an_id_asks_in_a_manner_without_one(head, request_id):
    assert asked(manner_of(a_head(b"Host: api")), head) == request_id


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"X-Request-ID:one", id="no space"),
        pytest.param(b"X-REQUEST-ID: \tone \t", id="space around it"),
        pytest.param(b"x-request-id: x", id="an id that its own name holds"),
    ],
)
def test_the_id_is_found_however_it_is_written(line):
    manner = manner_of(a_head(b"X-Request-ID-Of: one", line, b"Accept: one"))
    wanted = a_head(b"X-Request-ID-Of: one", line.replace(line.split(b":")[1].strip(b" \t"), b"two"), b"Accept: one")
    if line.endswith(b"x"):
        wanted = a_head(b"X-Request-ID-Of: one", b"x-request-id: two", b"Accept: one")
    assert asked(manner, wanted) == b"two"


def test_an_id_that_is_not_plain_is_part_of_the_manner():
    head = a_head(b"Host: api", b"X-Request-ID: a b")
    assert asked(manner_of(head), head) == b""
    assert asked(manner_of(head), head.replace(b"a b", b"a")) is None


def test_who_asks_alike_shares_a_manner_as_long_as_somebody_uses_it():
    manners = Manners()
    first = manner_of(SAID, manners)
    assert manner_of(SAID.replace(b"one", b"two"), manners) is first
    assert manner_of(SAID, manners, trusted=True) is not first
    assert manner_of(SAID.replace(b"api", b"other"), manners) is not first
    del first
    gc.collect()
    assert len(manners) == 0


def test_a_place_is_the_values_that_choose_and_a_secret_one_is_a_digest():
    fields = {b"host": b"api", b"authorization": b"Bearer one"}
    assert place_of(KIND, fields) == (b"api", None)
    kind = Kind((b"host", b"authorization", b"x-key"), frozenset({b"authorization", b"x-key"}), frozenset())
    host, secret, absent = place_of(kind, fields)
    assert (host, len(secret), absent) == (b"api", 32, None)
    assert place_of(kind, fields | {b"authorization": b"Bearer two"})[1] != secret


def test_a_manner_remembers_so_many_places_and_no_more():
    manner = manner_of(SAID)
    kinds = [Kind((b"host",), frozenset(), frozenset()) for _ in range(MOST_PLACES + 1)]
    for kind in kinds:
        manner.find(kind, {b"host": b"api"})
    assert len(manner.places) == 1
    assert manner.places[kinds[-1]] == (b"api",)
