"""Two sidecars on one real Valkey: what one keeps the other has, what one purges neither serves.

Every hit asks Redis here (``memory.max_size: 0``), so a purge holds everywhere with its acknowledgement; ``test_receipts`` is
about hot tiers that trust their mirrors.
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from contextlib import asynccontextmanager, closing

import pytest
from backends import Backend, Client
from prometheus_client.parser import text_string_to_metric_families
from servers import Valkey, free_port, until
from sidecar import Sidecar

RULES = """
version: 1
service: replicas
upstream: {url: http://127.0.0.1:1}
log: {hits: 0%}
memory: {max_size: 0}
defaults: {ttl: 1h, stale_while_revalidate: 1h, stale_if_error: 1h}
namespaces:
  plans: {version: v1, ttl: 1h}
  profiles: {version: v1, ttl: 1h}
routes:
  - {name: plan, match: "GET /plans/{id}", namespace: plans, id: "{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}", plans]}
  - {name: own, match: "GET /own/{what}", namespace: profiles, scope: credential, private: store, cookies: ignore, user: "{jwt.sub}"}
  - {name: tagged, match: GET /tagged/**, authorization: ignore, cookies: ignore}
invalidate:
  - after: PUT /plans/{id}
    tags: ["plan:{id}"]
"""
ROUNDS = 150


class Origin:
    """Counts what is asked for; a body says which target, whose, and at which ``version`` of the data."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.version = 0
        self.extra = b""
        self.gate: asyncio.Event | None = None
        self.waiting = asyncio.Event()

    async def __call__(self, head: bytes) -> bytes:
        line, *fields = head.split(b"\r\n")
        _, target, _ = line.split()
        self.asked.append(target)
        whose = next((field for field in fields if field.lower().startswith(b"authorization:")), b"nobody")
        body = b"%d %s %s" % (self.version, target, whose)  # the data as they were when the request came
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), self.extra, body)


class Pair:
    """Two sidecars in front of one backend."""

    def __init__(self, origin: Origin, valkey: Valkey, a: Sidecar, b: Sidecar) -> None:
        self.origin, self.valkey, self.a, self.b = origin, valkey, a, b

    async def ask(self, sidecar: Sidecar, target: str, *fields: str, method: str = "GET"):
        """Return what X-Cache-Status says, the version of the data, and the body."""
        async with Client(sidecar.port) as client:
            status, lines, body = await client.ask(target, *fields, method=method)
        assert status == 200
        return lines[b"x-cache-status"].decode(), int(body.split()[0]), body

    async def purge(self, sidecar: Sidecar, **order: object) -> dict:
        status, receipt = await asyncio.to_thread(sidecar.admin, "POST", "/purge", order)
        assert status == 200, receipt
        return receipt

    async def get(self, sidecar: Sidecar, path: str):
        status, document = await asyncio.to_thread(sidecar.admin, "GET", path)
        assert status == 200, document
        return document

    async def stores_again(self, sidecar: Sidecar, target: str) -> None:
        """Ask until it is a hit: a flushed ledger is begun anew by the next look at it."""
        async with asyncio.timeout(20):
            while (await self.ask(sidecar, target))[0] != "HIT":
                pass


@pytest.fixture(scope="module")
def sidecars():
    """Two sidecars and their Valkey, which tests leave running; the backend's port is each test's to listen on."""
    port = free_port()
    with closing(Valkey(port=True)) as valkey:
        store, upstream = valkey.start().url, f"http://127.0.0.1:{port}"
        with Sidecar(RULES, upstream=upstream, store=store) as a, Sidecar(RULES, upstream=upstream, store=store) as b:
            yield valkey, a, b, port


@pytest.fixture
async def pair(sidecars):
    valkey, a, b, port = sidecars
    origin = Origin()
    async with Backend(origin, port) as backend:
        pair = Pair(origin, valkey, a, b)
        assert backend.port == port
        await pair.purge(a, all=True)
        for sidecar in (a, b):
            await asyncio.to_thread(sidecar.admin, "POST", "/stats/reset")
        for sidecar in (a, b):  # each hears of the other's reset before anything is counted
            await asyncio.to_thread(sidecar.admin, "GET", "/stats")
        yield pair


@asynccontextmanager
async def a_pair(valkey: Valkey):
    origin, store = Origin(), valkey.url
    async with Backend(origin) as backend:
        with (
            Sidecar(RULES, upstream=backend.url, store=store) as a,
            Sidecar(RULES, upstream=backend.url, store=store) as b,
        ):
            yield Pair(origin, valkey, a, b)


@pytest.fixture
async def own_pair(own_valkey):
    """With a Valkey that the test may flush and kill."""
    async with a_pair(own_valkey) as pair:
        yield pair


def token(subject: str) -> str:
    parts = ({"alg": "none"}, {"sub": subject})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return f"Authorization: Bearer {'.'.join(texts)}.c2ln"


async def test_what_one_stored_the_other_has(pair):
    first = await pair.ask(pair.a, "/plans/7")
    second = await pair.ask(pair.b, "/plans/7")
    assert (first[0], second[0]) == ("MISS", "HIT")
    assert first[2] == second[2]
    assert pair.origin.asked == [b"/plans/7"]


async def test_a_purge_through_one_holds_at_the_other_at_once(pair):
    """Many rounds, and readers who never stop: none sees older data than the last acknowledged purge."""
    acknowledged, over, read, hits = 0, False, 0, 0
    too_old = []

    async def reader(sidecar: Sidecar) -> None:
        nonlocal read, hits
        async with Client(sidecar.port) as client:
            while not over:
                at_least = acknowledged
                _, lines, body = await client.ask("/plans/7")
                read += 1
                hits += lines[b"x-cache-status"] == b"HIT"
                if int(body.split()[0]) < at_least:
                    too_old.append((at_least, body))

    readers = [asyncio.create_task(reader(sidecar)) for sidecar in (pair.a, pair.b, pair.b)]
    for number in range(ROUNDS):
        pair.origin.version += 1
        await pair.purge((pair.a, pair.b)[number % 2], tags=["plan:7"])
        acknowledged = pair.origin.version
        seen = read
        await until(lambda seen=seen: read >= seen + 3)
    over = True
    await asyncio.gather(*readers)
    assert not too_old
    assert hits > ROUNDS, "or nothing was to be purged"


@pytest.mark.parametrize(
    ("order", "gone"),
    [
        pytest.param({"tags": ["plan:7"]}, {"/plans/7?page=1", "/plans/7"}, id="a tag"),
        pytest.param({"tags": ["from-the-backend"]}, {"/tagged/x"}, id="a tag that the backend gave"),
        pytest.param({"keys": ["plans:v1:8"]}, {"/plans/8"}, id="a logical key"),
        pytest.param({"patterns": ["plans:*"]}, {"/plans/7", "/plans/7?page=1", "/plans/8"}, id="a pattern"),
        pytest.param({"patterns": ["plans:*:7"]}, {"/plans/7", "/plans/7?page=1"}, id="a pattern in any version"),
        pytest.param({"patterns": ["plan:*", "plans:v2:*"]}, set(), id="patterns that nothing fits"),
        pytest.param({"urls": ["/plans/7"]}, {"/plans/7"}, id="a URL"),
        pytest.param({"urls": ["http://any.example/plans/7?page=1"]}, {"/plans/7?page=1"}, id="a URL with a query"),
        pytest.param({"urls": ["/plans/7?*"]}, {"/plans/7", "/plans/7?page=1"}, id="a URL with every query"),
        pytest.param({"paths": ["/plans/7"]}, {"/plans/7", "/plans/7?page=1"}, id="a path"),
        pytest.param({"users": ["ann"]}, {"/own/data"}, id="a user"),
        pytest.param({"namespaces": ["plans"]}, {"/plans/7", "/plans/7?page=1", "/plans/8"}, id="a namespace"),
        pytest.param({"routes": ["tagged"]}, {"/tagged/x"}, id="a route"),
        pytest.param(
            {"all": True}, {"/plans/7", "/plans/7?page=1", "/plans/8", "/own/data", "/tagged/x"}, id="everything"
        ),
        pytest.param({"tags": ["plan:9"], "users": ["bob"]}, set(), id="what nothing has"),
    ],
)
async def test_each_kind_of_selector_takes_what_it_names(pair, order, gone):
    pair.origin.extra = b"Surrogate-Key: from-the-backend\r\n"
    targets = ["/plans/7", "/plans/7?page=1", "/plans/8", "/own/data", "/tagged/x"]
    for target in targets:
        pair.origin.extra = b"Surrogate-Key: from-the-backend other\r\n" if target == "/tagged/x" else b""
        assert (await pair.ask(pair.a, target, token("ann")))[0] == "MISS"
    await pair.purge(pair.a, **order)
    outcomes = {target: (await pair.ask(pair.b, target, token("ann")))[0] for target in targets}
    assert outcomes == {target: "MISS" if target in gone else "HIT" for target in targets}


@pytest.mark.parametrize("order", [{"urls": ["{}"]}, {"paths": ["{}"]}], ids=["a URL", "a path"])
@pytest.mark.parametrize(
    ("target", "extra", "askers"),
    [
        pytest.param("/plans/7", b"Vary: Accept-Language\r\n", ["Accept-Language: en", "Accept-Language: de"], id="variants"),
        pytest.param("/own/data", b"Cache-Control: private, max-age=600\r\n", ["ann", "bob"], id="credentials' copies"),
    ],
)  # fmt: skip
async def test_all_variants_and_all_scopes_are_taken(pair, order, target, extra, askers):
    pair.origin.extra = extra
    fields = [token(name) if name.isalpha() else name for name in askers]
    for expected in ("MISS", "HIT"):
        assert [(await pair.ask(pair.a, target, field))[0] for field in fields] == [expected] * 2
    await pair.purge(pair.b, **{kind: [value.format(target) for value in values] for kind, values in order.items()})
    assert [(await pair.ask(pair.a, target, field))[0] for field in fields] == ["MISS"] * 2


async def test_limits_are_told_with_their_numbers_and_nothing_is_purged(pair):
    await pair.ask(pair.a, "/plans/7")
    for order, status, said in (
        ({"tags": [f"t{n}" for n in range(1000)] + ["plans"]}, 422, "at most 1000 selectors (purge.max_selectors_per_call), got 1001"),
        ({"tags": ["plans", "x" * (256 << 10)]}, 413, "at most 256 KiB"),
        ({"tags": ["plans", "x" * 8193]}, 422, "tags[1]: expected at most 8192 characters, got 8193"),
        ({"tags": ["plans"], "patterns": ["*:7"]}, 422, "patterns[0]: too wide"),
    ):  # fmt: skip
        code, problem = await asyncio.to_thread(pair.a.admin, "POST", "/purge", order)
        assert (code, problem["status"]) == (status, status)
        assert said in problem["detail"]
    assert (await pair.ask(pair.a, "/plans/7"))[0] == "HIT"


async def test_the_purge_method_takes_one_url(pair):
    await pair.ask(pair.a, "/plans/7?page=1")
    status, receipt = await asyncio.to_thread(pair.a.admin, "PURGE", "/plans/7?page=1")
    assert (status, receipt["selectors"]) == (200, 1)
    assert (await pair.ask(pair.b, "/plans/7?page=1"))[0] == "MISS"


async def test_another_version_of_a_namespace_has_entries_of_its_own(pair):
    """As at a deployment: the new version fetches anew, the old one, where it still runs, keeps its own."""
    for target in ("/plans/7", "/tagged/x"):
        await pair.ask(pair.a, target)
    pair.origin.version = 1
    old = pair.a.rules.read_text()
    try:
        pair.a.rules.write_text(old.replace("plans: {version: v1", "plans: {version: v2"))
        status, said = await asyncio.to_thread(pair.a.admin, "POST", "/reload")
        assert (status, said["reloaded"]) == (200, True)
        assert (await pair.ask(pair.a, "/plans/7"))[:2] == ("MISS", 1)
        assert (await pair.ask(pair.a, "/plans/7"))[:2] == ("HIT", 1)
        assert (await pair.ask(pair.a, "/tagged/x"))[:2] == ("HIT", 0), "of no namespace"
        assert (await pair.ask(pair.b, "/plans/7"))[:2] == ("HIT", 0), "still at v1"

        pair.origin.version = 2
        await pair.purge(pair.a, keys=["plans:v1:7"])
        assert (await pair.ask(pair.a, "/plans/7"))[:2] == ("HIT", 1)
        await pair.purge(pair.b, patterns=["plans:*:7"])
        assert [(await pair.ask(sidecar, "/plans/7"))[:2] for sidecar in (pair.a, pair.b)] == [("MISS", 2)] * 2
    finally:
        pair.a.rules.write_text(old)
        await asyncio.to_thread(pair.a.admin, "POST", "/reload")


async def test_a_write_through_one_holds_at_the_other(pair):
    for number in range(1, 30):
        await pair.ask(pair.b, "/plans/7")
        assert (await pair.ask(pair.b, "/plans/7"))[0] == "HIT"
        pair.origin.version = number
        assert (await pair.ask(pair.a, "/plans/7", method="PUT"))[0] == "BYPASS"
        assert (await pair.ask(pair.b, "/plans/7"))[:2] == ("MISS", number)


async def test_what_is_purged_softly_is_stale_and_refreshed(pair):
    await pair.ask(pair.a, "/plans/7")
    pair.origin.version, pair.origin.gate = 1, asyncio.Event()
    receipt = await pair.purge(pair.a, tags=["plans"], mode="soft")
    assert receipt["mode"] == "soft"
    assert (await pair.ask(pair.b, "/plans/7"))[:2] == ("STALE", 0)
    pair.origin.gate.set()
    async with asyncio.timeout(20):
        while (seen := await pair.ask(pair.b, "/plans/7"))[0] != "HIT":
            assert seen[:2] == ("STALE", 0)
    assert seen[1] == 1
    assert pair.origin.asked == [b"/plans/7"] * 2


async def test_what_must_be_validated_is_not_stale_after_a_soft_purge(pair):
    pair.origin.extra = b"Cache-Control: max-age=600, must-revalidate\r\n"
    await pair.ask(pair.a, "/plans/7")
    pair.origin.version = 1
    await pair.purge(pair.a, tags=["plans"], mode="soft")
    assert (await pair.ask(pair.b, "/plans/7"))[1] == 1


async def test_two_users_never_see_each_others(pair):
    pair.origin.extra = b"Cache-Control: private, max-age=600\r\n"
    users = [token(name) for name in ("ann", "bob", "eve")]
    for sidecar, outcome in ((pair.a, "MISS"), (pair.b, "HIT"), (pair.a, "HIT")):
        for user in users:
            seen, _, body = await pair.ask(sidecar, "/own/data", user)
            assert seen == outcome
            assert body.decode().lower().endswith(user.lower()), "the token that the backend was asked with"
    await pair.purge(pair.b, users=["bob"])
    assert [(await pair.ask(pair.a, "/own/data", user))[0] for user in users] == ["HIT", "MISS", "HIT"]
    nobody = [await pair.ask(pair.a, "/own/data") for _ in range(2)]
    assert all(body.endswith(b"nobody") and seen in {"MISS", "BYPASS"} for seen, _, body in nobody)


async def test_a_receipt_leads_to_what_each_replica_has_seen(pair):
    receipt = await pair.purge(pair.a, tags=["x", "y", "x"], routes=["plan"])
    assert {name: receipt[name] for name in ("mode", "selectors", "effective")} == {
        "mode": "hard", "selectors": 3, "effective": True,
    }  # fmt: skip
    for sidecar in (pair.a, pair.b):
        async with asyncio.timeout(20):  # each confirms in the look after the one that told it
            while (seen := await pair.get(sidecar, f"/purge/{receipt['seq']}"))["replicas"]["confirmed"] < 2:
                assert seen["effective"], "nobody trusts a mirror here"
        assert seen == {
            "seq": receipt["seq"], "position": receipt["seq"],
            "replicas": {"live": 2, "confirmed": 2}, "effective": True,
        }  # fmt: skip
        assert (await pair.get(sidecar, "/purge")) == {"seq": receipt["seq"]}
    later = await pair.purge(pair.b, all=True)
    epoch, number = receipt["seq"].split(":")
    assert later["seq"].split(":")[0] == epoch
    assert int(later["seq"].split(":")[1]) > int(number)


async def test_a_lost_ledger_brings_nothing_back_and_is_begun_anew(own_pair):
    pair = own_pair
    await pair.ask(pair.a, "/plans/7")
    old = (await pair.get(pair.a, "/purge"))["seq"]
    kept = pair.valkey.command("KEYS", "cache:response:*")
    assert kept == b"*1"
    pair.valkey.command("DEL", "cache:purge:{replicas}:seq", "cache:purge:{replicas}:selectors")
    pair.origin.version = 1
    for sidecar in (pair.a, pair.b):  # the entry is still there; that it was not purged is not known any more
        assert (await pair.ask(sidecar, "/plans/7"))[1] == 1
        await pair.stores_again(sidecar, "/plans/7")
    assert (await pair.get(pair.b, "/purge"))["seq"].split(":")[0] != old.split(":")[0]
    status, gone = await asyncio.to_thread(pair.a.admin, "GET", f"/purge/{old}")
    assert (status, gone["status"]) == (410, 410)


async def test_nothing_in_flight_survives_a_flush_and_a_purge(own_pair):
    """The fetch set out before the flush, the purge came after it, the answer last: it is nobody's but the leader's."""
    pair = own_pair
    for round_ in range(5):
        target = f"/plans/{round_}"
        pair.origin.gate, pair.origin.version = asyncio.Event(), round_ * 2
        pair.origin.waiting.clear()
        slow = asyncio.create_task(pair.ask(pair.a, target))
        await pair.origin.waiting.wait()
        pair.valkey.command("FLUSHALL")
        await pair.purge(pair.b, tags=["plans"])
        pair.origin.version += 1
        pair.origin.gate.set()
        assert (await slow)[:2] == ("MISS", round_ * 2)
        for sidecar in (pair.b, pair.a):
            assert (await pair.ask(sidecar, target))[1] == round_ * 2 + 1
        for sidecar in (pair.b, pair.a):
            await pair.stores_again(sidecar, target)


async def test_statistics_and_health_say_what_happened(pair):
    for target in ("/plans/1", "/plans/1", "/plans/1", "/elsewhere"):
        await pair.ask(pair.a, target)
    await pair.ask(pair.b, "/plans/1")
    stats = await pair.get(pair.a, "/stats")
    expected = {"total_requests": 4, "cache_hits": 2, "cache_misses": 1, "bypass": 1, "errors": 0, "hit_rate": 66.67}
    own = stats["replica"]
    assert {name: own[name] for name in expected} == expected
    route = own["routes"]["plan"]
    assert (route["requests"], route["hits"], route["misses"], route["avg_ttl"]) == (3, 2, 1, 3600.0)
    assert own["namespaces"]["plans"]["hits"] == 2
    assert own["stored_bytes"] > 0
    assert stats["connected_clients"] >= 2
    assert stats["redis_keyspace_hits"] > 0
    assert stats["used_memory_human"][-1] in "KM"
    other = (await pair.get(pair.b, "/stats"))["replica"]
    assert (other["cache_hits"], other["cache_misses"]) == (1, 0)
    health = await pair.get(pair.a, "/health")
    assert (health["status"], health["healthy"], health["hit_rate"]) == ("healthy", True, 66.67)
    assert health["store"] == {"kind": "redis", "status": "up", "breaker": "closed"}
    assert health["upstream"] == {"status": "up"}
    assert 0 < health["latency_ms"] < 1000
    await asyncio.to_thread(pair.a.admin, "POST", "/stats/reset")
    assert (await pair.get(pair.a, "/stats"))["replica"]["total_requests"] == 0


async def test_without_redis_health_is_degraded_and_a_purge_says_so(own_pair):
    pair = own_pair
    await pair.ask(pair.a, "/plans/1")
    pair.valkey.kill()
    assert (await pair.ask(pair.a, "/plans/1"))[0] in {"MISS", "BYPASS"}
    health = await pair.get(pair.a, "/health")
    assert (health["status"], health["healthy"], health["store"]["status"]) == ("degraded", True, "down")
    assert (await pair.get(pair.a, "/stats"))["connected_clients"] is None
    status, problem = await asyncio.to_thread(pair.a.admin, "POST", "/purge", {"all": True})
    assert (status, problem["status"]) == (503, 503)
    assert metrics(pair.a)["sapwood_store_up"] == {"": 0.0}


ALWAYS = {
    "sapwood_requests_total", "sapwood_request_seconds_bucket", "sapwood_request_seconds_sum",
    "sapwood_request_seconds_count", "sapwood_upstream_requests_total", "sapwood_upstream_seconds_bucket",
    "sapwood_upstream_seconds_sum", "sapwood_upstream_seconds_count", "sapwood_upstream_in_flight",
    "sapwood_upstream_seconds_saved_total", "sapwood_store_up", "sapwood_breaker_open", "sapwood_memory_bytes",
    "sapwood_memory_entries", "sapwood_memory_evictions_total", "sapwood_purges_total", "sapwood_purge_selectors",
    "sapwood_config_reload_ok", "sapwood_config_info",
}  # fmt: skip
WITH_REDIS = ALWAYS | {
    "sapwood_store_seconds_bucket", "sapwood_store_seconds_sum", "sapwood_store_seconds_count",
    "sapwood_store_errors_total", "sapwood_purge_mirror_lag_seconds", "sapwood_purge_mirror_looks_total", "sapwood_redis_memory_ratio",
    "sapwood_redis_evictions_total",
}  # fmt: skip


def metrics(sidecar: Sidecar) -> dict[str, dict[str, float]]:
    """Scrape; return each sample's value by its name and its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    samples: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = " ".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            samples.setdefault(sample.name, {})[labels] = sample.value
    return samples


async def test_metrics_have_their_names_and_their_numbers():
    with closing(Valkey("--maxmemory", "64mb", port=True)) as valkey:
        async with a_pair(valkey.start()) as pair:
            for target in ("/plans/1", "/plans/1", "/elsewhere"):
                await pair.ask(pair.a, target)
            await pair.purge(pair.a, tags=["plans", "x"])
            async with asyncio.timeout(20):  # the first scrape asks Redis for its memory, a later one has the answer
                while "sapwood_redis_memory_ratio" not in (seen := await asyncio.to_thread(metrics, pair.a)):
                    pass
    assert set(seen) == WITH_REDIS
    assert seen["sapwood_requests_total"] == {
        "code=2xx outcome=miss route=plan": 1.0,
        "code=2xx outcome=hit_redis route=plan": 1.0,
        "code=2xx outcome=bypass route=none": 1.0,
    }
    assert seen["sapwood_upstream_requests_total"] == {"code=2xx route=plan": 1.0, "code=2xx route=none": 1.0}
    assert seen["sapwood_upstream_in_flight"] == {"": 0.0}
    assert seen["sapwood_purges_total"] == {"kind=api mode=hard": 1.0}
    assert seen["sapwood_purge_selectors"] == {"": 2.0}
    looks = seen["sapwood_purge_mirror_looks_total"]
    assert looks["result=answered"] >= 1
    assert (looks["result=reloaded"], looks["result=healed"], looks["result=reconnected"]) == (1.0, 0.0, 0.0)
    assert 0 <= seen["sapwood_purge_mirror_lag_seconds"][""] < 10
    assert 0 < seen["sapwood_redis_memory_ratio"][""] < 1
    assert seen["sapwood_store_up"] == {"": 1.0}
    assert seen["sapwood_memory_entries"] == {"": 0.0}
    assert list(seen["sapwood_config_info"].values()) == [1.0]


async def test_metrics_of_a_store_in_memory():
    async with Backend(Origin()) as backend:
        rules = RULES.replace("memory: {max_size: 0}", "")
        with Sidecar(rules, upstream=backend.url, store="memory://") as sidecar:
            async with Client(sidecar.port) as client:
                for target in ("/plans/1", "/plans/1", "/plans/2"):
                    await client.ask(target)
            await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"tags": ["x"]})
            seen = await asyncio.to_thread(metrics, sidecar)
    assert set(seen) == ALWAYS
    assert seen["sapwood_requests_total"] == {
        "code=2xx outcome=miss route=plan": 2.0,
        "code=2xx outcome=hit_memory route=plan": 1.0,
    }
    assert seen["sapwood_memory_entries"] == {"": 2.0}
    assert seen["sapwood_memory_bytes"][""] > 0
    assert seen["sapwood_purge_selectors"] == {"": 1.0}
