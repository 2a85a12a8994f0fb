"""The sections that are not rules, each read into its room's options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.admin.options import AdminOptions, may_go_without_token, parse_listen
from proxy.fetch.options import OriginOptions
from proxy.front.options import FrontOptions
from proxy.observe.options import LogOptions
from proxy.purge.options import PurgeOptions
from proxy.settings import network
from proxy.settings.kinds import DURATION, PERCENTAGE, POSITIVE_DURATION, POSITIVE_SIZE, by, choice, whole
from proxy.settings.secrets import read_secret
from proxy.wire.limits import WireLimits

if TYPE_CHECKING:
    from proxy.settings.sections import Section

LISTEN: Final = by(network.listen_address, 'an address like "0.0.0.0:8080", "[::]:8080" or "unix:/run/sapwood.sock"')
AUTHORITY: Final = by(network.authority, 'a host like "api.example" or "api.example:8443"', bytes.decode)
NETWORK: Final = by(network.network, 'an address or a network like "10.0.0.0/8"', str)
BACKEND: Final = by(network.backend_url, 'a URL like "http://127.0.0.1:8000" or "unix:/run/app.sock"')
_NOWHERE: Final = "http://127.0.0.1:8000"  # stands in for a url that is missing or wrong, which is a mistake anyway


@dataclass(frozen=True, slots=True)
class Limits:
    """The ``limits`` section, to be handed out to the rooms that keep them."""

    wire: WireLimits
    connections: int
    pipelined: int
    waiters: int
    variants: int
    tags: int
    collecting: int
    tunnels: int
    unsent: int
    head_timeout: float
    body_timeout: float
    write_timeout: float
    keep_alive: float


def read_limits(top: Section) -> Limits:
    """Read ``limits``."""
    said = top.section("limits")
    limits = Limits(
        wire=WireLimits(
            head=said.one("head", POSITIVE_SIZE, 32 << 10),
            fields=said.one("fields", whole(1), 100),
            target=said.one("target", POSITIVE_SIZE, 8 << 10),
        ),
        connections=said.one("connections", whole(1), 15000),  # 2.9 KiB each when idle; below 20,000 files a process
        pipelined=said.one("pipelined", whole(1), 64),
        waiters=said.one("waiters", whole(1), 1000),
        variants=said.one("variants", whole(1), 64),
        tags=said.one("tags", whole(1), 128),
        collecting=said.one("collecting", POSITIVE_SIZE, 64 << 20),
        tunnels=said.one("tunnels", whole(), 1000),
        unsent=said.one("unsent", POSITIVE_SIZE, 256 << 10),
        head_timeout=said.one("head_timeout", POSITIVE_DURATION, 10.0),
        body_timeout=said.one("body_timeout", POSITIVE_DURATION, 30.0),
        write_timeout=said.one("write_timeout", POSITIVE_DURATION, 30.0),
        keep_alive=said.one("keep_alive", POSITIVE_DURATION, 75.0),  # as nginx: longer than load balancers' 60 s
    )
    if limits.wire.target > limits.wire.head:
        said.mistake("target", "larger than limits.head, which the target is part of")
    said.close()
    return limits


def read_front(top: Section, limits: Limits) -> FrontOptions:
    """Read what the traffic listener needs."""
    return FrontOptions(
        listen=top.one("listen", LISTEN, "0.0.0.0:8080"),
        hosts=frozenset(top.many("hosts", AUTHORITY)) or None,
        trusted_proxies=top.many("trusted_proxies", NETWORK, (network.network("127.0.0.0/8"),)),
        wire=limits.wire,
        connections=limits.connections,
        pipelined=limits.pipelined,
        tunnels=limits.tunnels,
        unsent=limits.unsent,
        head_timeout=limits.head_timeout,
        body_timeout=limits.body_timeout,
        write_timeout=limits.write_timeout,
        keep_alive=limits.keep_alive,
    )


def read_origin(top: Section, limits: Limits) -> OriginOptions:
    """Read ``upstream``."""
    said = top.section("upstream")
    if not said.has("url"):
        message = f"missing: expected {BACKEND.expects}; in the file, as SAPWOOD_UPSTREAM__URL or --upstream"
        said.mistake("url", message)
    host = said.one("host", AUTHORITY, b"client")
    options = OriginOptions(
        url=said.one("url", BACKEND, _NOWHERE),
        connect_timeout=said.one("connect_timeout", POSITIVE_DURATION, 2.0),
        timeout=said.one("timeout", POSITIVE_DURATION, 30.0),
        idle_timeout=said.one("idle_timeout", POSITIVE_DURATION, 300.0),
        host=None if host == b"client" else host,
        max_connections=said.one("max_connections", whole(1), 100),
        max_concurrent=said.one("max_concurrent", whole(1), 64),
        queue_timeout=said.one("queue_timeout", DURATION, 5.0),
        wire=limits.wire,
    )
    said.close()
    return options


def read_purge(top: Section) -> PurgeOptions:
    """Read ``purge``."""
    said = top.section("purge")
    options = PurgeOptions(
        max_selectors=said.one("max_selectors", whole(1), 200_000),  # 36 MB of Python dict, 12 MB in Redis
        wait_at_most=said.one("wait_at_most", DURATION, 0.25),
        max_selectors_per_call=said.one("max_selectors_per_call", whole(1), 1000),
        max_calls_per_second=said.one("max_calls_per_second", whole(1), 200),
        refresh_at_once=said.one("refresh_at_once", whole(1), 8),
    )
    said.close()
    return options


def read_admin(top: Section, front: FrontOptions) -> AdminOptions:
    """Read ``admin`` and ``probes``, which need addresses of their own."""
    said, probes = top.section("admin"), top.section("probes")
    options = AdminOptions(
        listen=said.one("listen", LISTEN, "127.0.0.1:9091"),
        token=read_secret(said, "token"),
        probes_listen=probes.maybe("listen", LISTEN),
        hosts=tuple(name.decode() for name in said.many("hosts", AUTHORITY)),
        streams=said.one("streams", whole(1), 16),
    )
    token_given = said.has("token") or said.has("token_file")
    if not token_given and not may_go_without_token(parse_listen(options.listen)):
        said.mistake(
            "listen",
            f"{options.listen} can be reached from elsewhere: give a token_file, or listen on 127.0.0.1 or unix:",
        )
    for one, address, others in (
        (said, options.listen, (front.listen,)),
        (probes, options.probes_listen, (front.listen, options.listen)),
    ):
        if address and address in others and not address.endswith(":0"):
            one.mistake("listen", f"{address} is taken by another listener of this file")
    said.close()
    probes.close()
    return options


def read_log(top: Section) -> LogOptions:
    """Read ``log``."""
    said = top.section("log")
    options = LogOptions(
        format=said.one("format", choice("json", "console"), "json"),
        level=said.one("level", choice("debug", "info", "warning", "error"), "info"),
        hits=said.one("hits", PERCENTAGE, 0.01),
        waiting=said.one("waiting", whole(1), 10_000),
    )
    said.close()
    return options
