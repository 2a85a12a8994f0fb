"""A service as the admin listener sees it, without the service; the listener around it, and commands that call it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from proxy.admin.health import HealthFacts
from proxy.admin.options import AdminOptions
from proxy.admin.server import Admin
from proxy.cli import main
from proxy.fetch.spool import Budget
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.observe.options import LogOptions
from proxy.observe.pulse import Pulse
from proxy.pipeline.handover import NoPlace
from proxy.policy.rules import IMPLICIT_ROUTE, Match, Route, RuleBook
from proxy.policy.templates import PathTemplate
from proxy.popularity.counts import Estimate
from proxy.purge.options import PurgeOptions
from proxy.purge.replicas import Replicas

GET = frozenset({b"GET", b"HEAD"})

BOOK = RuleBook(
    service="api",
    routes=(
        Route("catalog", (Match(GET, PathTemplate.parse("/plans/catalog")),), key_query=(b"page", b"zip")),
        Route("plan", (Match(GET, PathTemplate.parse("/plans/{plan_id}")),), key_query=()),
    ),
)
OPEN_BOOK = RuleBook(service="api", implicit=IMPLICIT_ROUTE)

BEGINNING = Seq("k3f9", 1000)

HEALTHY = HealthFacts(
    ready=True,
    store_kind="redis",
    store_latency=0.0004,
    breaker_open=False,
    upstream_answers=True,
    config_reload_ok=True,
    hit_rate=91.2,
)


@dataclass
class AMistake:
    source: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self):
        return f"{self.source}:{self.line}:{self.column}: {self.path}: {self.message}"


@dataclass
class FakeControl:
    book: RuleBook = BOOK
    seq: Seq = BEGINNING
    purges: list = field(default_factory=list)
    store_is_down: bool = False
    mistakes: list = field(default_factory=list)
    facts: HealthFacts = HEALTHY
    is_alive: bool = True
    is_ready: bool = True
    resets: int = 0
    bug: Exception | None = None
    seen: list = field(default_factory=lambda: [Replicas(3, 3, 0.0, 5.0)])  # one after the other; the last for ever
    asked: list = field(default_factory=list)
    refreshed: list = field(default_factory=list)
    pulses: list = field(default_factory=lambda: [Pulse({})])  # one after the other; the last for ever
    offers: list = field(default_factory=list)
    verdict: object = NoPlace("no route takes it")
    max_body: int = 1 << 21
    budget: Budget = field(default_factory=lambda: Budget(1 << 22))
    purge_limits: PurgeOptions = field(default_factory=PurgeOptions)
    log_options: LogOptions = field(default_factory=LogOptions)
    warmers: tuple = ("plans", "lists")
    warm_orders: list = field(default_factory=list)
    warm_answers: list = field(default_factory=list)  # how the job stands, one answer after the other
    is_busy: bool = False

    def _ask_store(self):
        if self.bug is not None:
            raise self.bug
        if self.store_is_down:
            raise StoreError("redis://:hunter2@cache timed out")

    async def purge(self, selectors, *, soft, request_id):
        self._ask_store()
        self.purges.append((tuple(selectors), soft, request_id))
        self.seq = Seq(self.seq.epoch, self.seq.n + 1)
        return self.seq

    async def would_hit(self, selectors):
        return Estimate(12, 340, ("/plans/7", "/plans/catalog?page=1"))

    async def refresh(self, selectors, most):
        self.refreshed.append((tuple(selectors), most))
        return min(most, 12)

    async def replicas(self, seq):
        self._ask_store()
        self.asked.append(seq)
        return self.seen[min(len(self.asked), len(self.seen)) - 1]

    async def position(self):
        self._ask_store()
        return self.seq

    async def reload(self):
        return self.mistakes

    def config(self):
        return {"hash": "abc123", "config": {"admin": {"token": "[hidden]"}}}

    async def health(self):
        return self.facts

    async def stats(self):
        line = {"requests": 9, "hits": 8, "hit_rate": 88.89, "avg_ttl": 60.0, "last_accessed": None}
        return {
            "total_requests": 9,
            "hit_rate": 88.89,
            "enabled": True,
            "resets": self.resets,
            "routes": {"catalog": line},
            "namespaces": {"plans[red]": line},
        }

    async def pulse(self):
        if self.bug is not None:
            raise self.bug
        return self.pulses[0] if len(self.pulses) == 1 else self.pulses.pop(0)

    async def recent_purges(self):
        self._ask_store()
        return [{"seq": str(self.seq), "mode": "hard", "selectors": ["tag:<b>plans</b>"], "count": 1}]

    async def followers(self):
        self._ask_store()
        return [{"name": "me", "is_this": True, "looked": 0.05, "current": True}]

    async def reset_stats(self):
        self.resets += 1

    async def entries(self, url):
        self._ask_store()
        if not url.startswith("/"):
            raise ValueError('expected a URL like "/a/b"')
        return [{"status": 200, "stored_bytes": 12}]

    async def hand_over(self, url, offer):
        self._ask_store()
        if not url.startswith("/"):
            raise ValueError('expected a URL like "/a/b"')
        self.offers.append((url, offer))
        return self.verdict

    def explain(self, method, url, headers):
        if not url.startswith("/"):
            raise ValueError('expected a URL like "/a/b"')
        return {"method": method, "url": url, "fields": [name for name, _ in headers], "route": "catalog"}

    async def use_log(self, options):
        self.log_options = options

    async def warm(self, order):
        if any(not url.startswith("/plans") for url in order.urls):
            raise ValueError(f'no route serves "{order.urls[0]}"')
        self.warm_orders.append(order)
        return (
            None
            if self.is_busy
            else (self.warm_answers[0] if self.warm_answers else {"id": "j1", "state": "done", "runs": []})
        )

    async def warming(self):
        if len(self.warm_answers) > 1:
            self.warm_answers.pop(0)
        return {"warmers": {}, "jobs": self.warm_answers[:1]}

    def alive(self):
        return self.is_alive

    def ready(self):
        return self.is_ready

    async def metrics(self):
        return b"# TYPE sapwood_store_up gauge\nsapwood_store_up 1.0\n", "text/plain; version=1.0.0; charset=utf-8"


class Remembers:
    def __init__(self):
        self.events = []

    def tell(self, event):
        self.events.append(event)


class Api:
    """A running admin listener and a client of it."""

    def __init__(self, admin, session, observer):
        self.admin = admin
        self.session = session
        self.observer = observer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.admin.port}"

    @property
    def probes_url(self):
        return f"http://127.0.0.1:{self.admin.probes_port}"

    async def ask(self, method, target, *, at=None, **options):
        """Return status, document (text where it is no JSON) and fields; the target goes out as given."""
        url = aiohttp.client.URL(f"{at or self.url}{target}", encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **options) as answer:
            is_json = answer.content_type.endswith("json")
            return answer.status, await (answer.json(content_type=None) if is_json else answer.text()), answer.headers


@asynccontextmanager
async def serving(control, **options):
    given = AdminOptions(**{"listen": "127.0.0.1:0", "probes_listen": "127.0.0.1:0", **options})
    observer = Remembers()
    admin = Admin(given, control, observer)
    await admin.start()
    unix = given.listen.removeprefix("unix:") if given.listen.startswith("unix:") else None
    connector = aiohttp.UnixConnector(unix) if unix else aiohttp.TCPConnector()
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            yield Api(admin, session, observer)
    finally:
        await admin.stop()


async def sapwood(*arguments):
    """Run a command as a person would, while the listener goes on in this loop."""
    return await asyncio.to_thread(main, list(arguments))
