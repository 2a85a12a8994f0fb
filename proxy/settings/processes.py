"""``workers``: how many processes, and whether there is enough to share out among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.settings.kinds import whole

if TYPE_CHECKING:
    from proxy.backplane.options import BackplaneOptions
    from proxy.fetch.options import OriginOptions
    from proxy.settings.sections import Section

MOST_WORKERS: Final = 64  # more than the cores that a sidecar gets; each is 50 MB


def read_workers(top: Section, backplane: BackplaneOptions | None, origin: OriginOptions) -> int:
    """Read ``workers``. More than one need a store that they share, and a request each that they may send."""
    workers = top.one("workers", whole(1), 1)
    if workers == 1:
        return workers
    if workers > MOST_WORKERS:
        top.mistake("workers", f"expected at most {MOST_WORKERS}, got {workers}")
    if backplane is None:
        top.mistake(
            "workers",
            f"{workers} processes need a store that they share, memory:// is each process's own: "
            'give store.url, like "redis://127.0.0.1:6379/0" or "embedded://"',
        )
    if workers >= origin.max_concurrent:
        top.mistake(
            "workers",
            f"{workers} processes need an upstream.max_concurrent of at least {workers + 1} "
            f"(one request each, and one for warming), got {origin.max_concurrent}",
        )
    return workers
