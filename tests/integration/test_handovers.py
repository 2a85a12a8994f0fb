"""``PUT /entries`` over real sockets: what is taken in, what each verdict is answered with, what a body may cost."""

import asyncio
import io

import pytest
from admincontrol import FakeControl

from proxy.admin import handovers
from proxy.fetch.spool import Budget
from proxy.message.selectors import Seq
from proxy.message.stored import Freshness, LifetimeSource
from proxy.pipeline.handover import NoPlace, Outrun, Taken, Unfit, Unheard
from proxy.policy.verdicts import DiscardReason
from proxy.purge.options import PurgeOptions

WHERE = "/entries?url=/plans/7&seq=k3f9:1000"
TAKEN = Taken(
    seq=Seq("k3f9", 1001),
    route="plan",
    logical="plans:v1:7",
    digests=("0" * 32,),
    freshness=Freshness(3600.0, LifetimeSource.ROUTE),
    selectors=("all", "tag:plans"),
    replaced=False,
)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def control():
    return FakeControl(verdict=TAKEN)


async def test_a_response_is_handed_on_with_its_own_fields_alone(api, control):
    fields = {**JSON, "Surrogate-Key": "plans", "Authorization": "Bearer x", "X-Request-ID": "r-9", "traceparent": "00"}
    status, receipt, _ = await api.ask("PUT", WHERE, data=b'{"a": 1}', headers=fields)
    assert status == 201
    assert receipt == {
        "seq": "k3f9:1001", "url": "/plans/7", "route": "plan", "logical_key": "plans:v1:7",
        "keys": ["cache:response:" + "0" * 32], "bytes": 8, "lifetime": 3600.0, "lifetime_from": "route",
        "selectors": ["all", "tag:plans"], "replaced": False,
    }  # fmt: skip
    ((url, offer),) = control.offers
    assert (url, offer.body, offer.since, offer.request_id) == ("/plans/7", b'{"a": 1}', Seq("k3f9", 1000), "r-9")
    assert offer.response.headers.names() == {b"content-type", b"surrogate-key"}


@pytest.mark.parametrize(
    ("verdict", "status", "members"),
    [
        pytest.param(Outrun(Seq("k3f9", 1002)), 409, {"seq": "k3f9:1000", "position": "k3f9:1002"}, id="outrun"),
        pytest.param(Unheard(Seq("k3f9", 900)), 400, {"seq": "k3f9:1000", "position": "k3f9:900"}, id="unheard"),
        pytest.param(Unfit(DiscardReason.NO_STORE), 422, {"reason": "no-store"}, id="unfit"),
        pytest.param(NoPlace("no route takes it"), 422, {}, id="no place"),
    ],
)
async def test_a_refusal_says_why(api, control, verdict, status, members):
    control.verdict = verdict
    answered, problem, fields = await api.ask("PUT", WHERE, data=b"x", headers=JSON)
    assert answered == status == problem["status"]
    assert fields["Content-Type"].startswith("application/problem+json")
    assert members.items() <= problem.items()
    assert "nothing was stored" in problem["detail"] or "purge instead" in problem["detail"]


@pytest.mark.parametrize(
    ("target", "fields", "status", "says"),
    [
        pytest.param("/entries?seq=a:1", JSON, 400, "url: expected", id="no url"),
        pytest.param("/entries?url=/a&url=/b&seq=a:1", JSON, 400, "url: expected one", id="two urls"),
        pytest.param("/entries?url=nowhere&seq=a:1", JSON, 400, "url: expected a URL", id="what is no url"),
        pytest.param("/entries?url=/a", JSON, 400, "GET /purge", id="no seq"),
        pytest.param("/entries?url=/a&seq=a:1&seq=a:2", JSON, 400, "seq: expected one", id="two seqs"),
        pytest.param("/entries?url=/a&seq=12", JSON, 400, "seq: expected a sequence", id="what is no seq"),
        pytest.param(WHERE, {**JSON, "Content-Range": "bytes 0-1/2"}, 400, "Content-Range", id="a part"),
        pytest.param(WHERE, {**JSON, "Content-Encoding": "gzip"}, 415, "as it is", id="a coding"),
        pytest.param(
            WHERE, {"Content-Type": "application/x-www-form-urlencoded"}, 415, "for requests", id="curl's own"
        ),
    ],
)
async def test_what_is_no_hand_over_is_refused(api, control, target, fields, status, says):
    answered, problem, _ = await api.ask("PUT", target, data=b"x", headers=fields)
    assert (answered, says in problem["detail"]) == (status, True), problem
    assert control.offers == []


async def test_without_a_type_it_is_refused(api, control):
    answered, problem, _ = await api.ask("PUT", WHERE, data=b"x", skip_auto_headers=["Content-Type"])
    assert (answered, problem["detail"]) == (400, "Content-Type: expected the response's own")


async def test_a_store_that_does_not_answer_is_503(api, control):
    control.store_is_down = True
    answered, problem, fields = await api.ask("PUT", WHERE, data=b"x", headers=JSON)
    assert (answered, fields["Retry-After"]) == (503, "1")
    assert "hunter2" not in str(problem)


async def pieces(size, piece=1 << 16):
    for _ in range(size // piece):
        yield bytes(piece)


@pytest.mark.parametrize("stated", [True, False], ids=["with its length", "in chunks"])
async def test_a_body_may_be_as_large_as_one_that_is_stored(api, control, stated):
    size = 1 << 21
    data = io.BytesIO(bytes(size)) if stated else pieces(size)
    assert (await api.ask("PUT", WHERE, data=data, headers=JSON))[0] == 201
    assert len(control.offers[0][1].body) == size
    assert control.budget.taken == 0

    data = io.BytesIO(bytes(size + 1)) if stated else pieces(size + (1 << 16))
    answered, problem, _ = await api.ask("PUT", WHERE, data=data, headers=JSON)
    assert (answered, "2097152 bytes (store.max_body)" in problem["detail"]) == (413, True)
    assert len(control.offers) == 1
    assert control.budget.taken == 0


async def test_all_that_are_on_their_way_are_bounded_together(api, control):
    control.budget = Budget(100)
    answered, problem, fields = await api.ask("PUT", WHERE, data=bytes(101), headers=JSON)
    assert (answered, fields["Retry-After"]) == (503, "1")
    assert "limits.collecting" in problem["detail"]
    assert control.budget.taken == 0


async def test_a_body_that_never_ends_is_given_up(api, control, monkeypatch):
    monkeypatch.setattr(handovers, "MOST_SECONDS", 0.05)
    never = asyncio.Event()

    async def dribble():
        yield b"a"
        await never.wait()

    answered, problem, _ = await api.ask("PUT", WHERE, data=dribble(), headers=JSON)
    assert (answered, problem["detail"]) == (408, "the body did not arrive within 0 s; nothing was stored")
    assert (control.offers, control.budget.taken) == ([], 0)


async def test_a_body_that_breaks_off_stores_nothing(api, control):
    reader, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    writer.write(
        f"PUT {WHERE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 9\r\n\r\nabc".encode()
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    del reader
    status, _, _ = await api.ask("PUT", WHERE, data=b"whole", headers=JSON)
    assert status == 201
    assert [offer.body for _, offer in control.offers] == [b"whole"]
    assert control.budget.taken == 0


async def test_so_many_in_a_second_and_no_more(api, control):
    control.purge_limits = PurgeOptions(max_calls_per_second=2)
    answers = [await api.ask("PUT", WHERE, data=b"x", headers=JSON) for _ in range(6)]
    assert [status for status, _, _ in answers] == [201] * 4 + [429] * 2
    assert answers[-1][2]["Retry-After"] == "1"
    assert "purge.max_calls_per_second" in answers[-1][1]["detail"]
    assert len(control.offers) == 4


@pytest.mark.parametrize("value", [b"a\x01b", b"a\rb", b"a\x00b", b"a\r\n b", b"a\nb", b"a\x7fb"])
async def test_no_field_comes_in_that_could_not_go_out(api, control, value):
    reader, writer = await asyncio.open_connection("127.0.0.1", api.admin.port)
    head = f"PUT {WHERE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 3\r\nConnection: close\r\n"
    writer.write(head.encode() + b"ETag: " + value + b"\r\n\r\nabc")
    assert b" 400 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert control.offers == []
