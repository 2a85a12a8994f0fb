"""``store`` and ``memory``: where responses are kept, and the connection to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.backplane.options import BackplaneOptions
from proxy.fetch.options import FlightOptions
from proxy.settings import network
from proxy.settings.kinds import DURATION, POSITIVE_DURATION, POSITIVE_SIZE, SIZE, by, choice, loose, whole
from proxy.settings.secrets import HIDDEN, read_secret
from proxy.store.options import LARGEST_DICTIONARY, DictionaryOptions, StoreOptions

if TYPE_CHECKING:
    from proxy.settings.rooms import Limits
    from proxy.settings.sections import Section

STORE: Final = by(
    network.store_url,
    'a URL like "memory://", "embedded://", "redis://127.0.0.1:6379/0", "rediss://..." or "unix:///run/redis.sock"',
    network.without_password,
)

MEMORY: Final = "memory://"
_SOMEWHERE: Final = "redis://localhost"


def read_store(top: Section, limits: Limits) -> tuple[BackplaneOptions | None, StoreOptions, FlightOptions]:
    """Read ``store`` and ``memory``; no backplane where the store is ``memory://``."""
    said, memory = top.section("store"), top.section("memory")
    url = _store_url(said)
    if url.startswith(("redis+sentinel:", "redis+cluster:")):
        said.mistake(
            "url", f"{url.partition('://')[0]}:// is not built yet: name one server with redis:// or rediss://"
        )
    if said.one("read_from", choice("primary", "replica"), "primary") == "replica":
        said.mistake("read_from", "reading from replicas is not built yet: only primary")
    max_body = said.one("max_body", POSITIVE_SIZE, 8 << 20)
    backplane = BackplaneOptions(
        url=url,
        max_connections=said.one("max_connections", whole(1), 50),
        connect_timeout=said.one("connect_timeout", POSITIVE_DURATION, 2.0),
        timeout=said.one("timeout", POSITIVE_DURATION, 2.0),
        health_check_interval=said.one("health_check_interval", DURATION, 30.0),
    )
    store = StoreOptions(
        max_body=max_body,
        compress_above=said.one("compress_above", SIZE, 1 << 10),
        memory_size=_memory_size(memory, url, max_body),
        max_lag=memory.one("max_lag", DURATION, 0.25),
        on_store_failure=memory.one("on_store_failure", choice("stale", "pass"), "stale"),
        dictionary=_read_dictionary(said.section("dictionary")),
    )
    said.close()
    memory.close()
    flights = FlightOptions(waiters=limits.waiters, collecting=limits.collecting, max_body=max_body)
    return (None if url == MEMORY else backplane), store, flights


def _read_dictionary(said: Section) -> DictionaryOptions:
    options = DictionaryOptions(
        size=said.one("size", SIZE, 128 << 10),
        samples=said.one("samples", POSITIVE_SIZE, 4 << 20),
        every=said.one("every", POSITIVE_DURATION, 3600.0),
    )
    if options.size > LARGEST_DICTIONARY:
        said.mistake(
            "size", f"larger than {LARGEST_DICTIONARY >> 10}KiB, which is the most that a replica takes from another"
        )
    said.close()
    return options


def _store_url(said: Section) -> str:
    given = read_secret(said, "url")
    url = MEMORY if given is None else _SOMEWHERE  # where it cannot be read, or is wrong: any shared store
    if given is not None and given != HIDDEN:
        node = loose(given, said.place_of("url" if said.has("url") else "url_file"), _without_secrets(given))
        for valid in said.convert(node, said.path_of("url"), STORE):
            url = valid
    password = read_secret(said, "password")
    if password is not None:
        try:
            url = network.with_password(url, password)
        except ValueError as error:
            said.mistake("password" if said.has("password") else "password_file", str(error))
    said.shown["url"] = network.without_password(url)
    return url


def _without_secrets(url: str) -> str:
    shown = network.without_password(url)
    return HIDDEN if shown == url and "@" in url else shown  # too wrong to say what of it is the password


def _memory_size(said: Section, url: str, max_body: int) -> int:
    size = said.one("max_size", SIZE, 64 << 20)
    if url == MEMORY and size < max_body:
        # In front of a shared store a response that does not fit is only not hot.
        said.mistake(
            "max_size", f"smaller than store.max_body ({max_body} bytes), so the largest response would never fit"
        )
    return size
