"""The names by which stored responses are purged.

A selector is text of the form ``kind:value``, with everything as plain ``all``. Values are user text: they are
hash fields and set members in Redis, never part of a key name, a pattern or a script.
"""

from __future__ import annotations

from typing import Final

from proxy.message.values import value

EVERYTHING: Final = "all"
KEY: Final = "key:"
PATTERN: Final = "pattern:"


def tag(name: str) -> str:
    """Select by tag."""
    return f"tag:{name}"


def logical_key(name: str) -> str:
    """Select by logical key, ``namespace:version:id``."""
    return f"{KEY}{name}"


def pattern(glob: str) -> str:
    """Select by a glob over logical keys (``message.globs``); no entry carries it, the ledger compares."""
    return f"{PATTERN}{glob}"


def url(canonical: str) -> str:
    """Select by canonical path and query, whatever the authority."""
    return f"url:{canonical}"


def path(name: str) -> str:
    """Select by path, whatever the query."""
    return f"path:{name}"


def user(name: str) -> str:
    """Select by user."""
    return f"user:{name}"


def namespace(name: str) -> str:
    """Select by namespace."""
    return f"ns:{name}"


def route(name: str) -> str:
    """Select by route."""
    return f"route:{name}"


def text_of(octets: bytes) -> str:
    """Return field or path bytes as selector text; undecodable bytes survive the way there and back."""
    return octets.decode("utf-8", "surrogateescape")


def octets_of(selector: str) -> bytes:
    """Return a selector's bytes, the reverse of ``text_of``."""
    return selector.encode("utf-8", "surrogateescape")


@value(frozen=True, slots=True, order=True)
class Seq:
    """A position in the purge ledger: ``<epoch>:<n>``.

    Numbers of different epochs cannot be compared: an entry of another epoch is judged as purged.
    """

    epoch: str
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.n}"

    @staticmethod
    def parse(text: str) -> Seq:
        """Read ``<epoch>:<n>``. Raises ValueError."""
        epoch, colon, number = text.rpartition(":")
        if not colon or not epoch or not number.isascii() or not number.isdigit():
            raise ValueError(f'expected a sequence like "k3f9:1790000000000000", got {text!r}')
        return Seq(epoch, int(number))


@value(frozen=True, slots=True)
class Standing:
    """What the ledger says of an entry: hard-purged since its S0, or soft-purged at a wall-clock time, or neither."""

    purged: bool = False
    soft_since: float | None = None


IN_FORCE: Final = Standing()
PURGED: Final = Standing(purged=True)
