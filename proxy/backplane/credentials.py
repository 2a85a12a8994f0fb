"""User and password of the store, which may change while connections come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import parse_url
from redis.credentials import CredentialProvider

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class Credentials(CredentialProvider):
    """Asked at each connecting, so that a connection that comes back logs in with the password of then."""

    def __init__(self, user: str | None, password: str | None) -> None:
        self._given = _given(user, password)

    @classmethod
    def taken_from(cls, options: MutableMapping[str, Any]) -> Credentials | None:
        """Take user and password out of the options of redis-py's connections and stand in for them."""
        user, password = options.pop("username", None), options.pop("password", None)
        if not password:
            return None
        own = options["credential_provider"] = cls(user, password)
        return own

    def use(self, url: str) -> None:
        """Take those of ``url`` from now on."""
        said = parse_url(url)
        self._given = _given(said.get("username"), said.get("password"))

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return password, or user and password: what AUTH wants."""
        return self._given

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return the same; redis-py asks here, and warns of a class that leaves it out."""
        return self._given


def _given(user: str | None, password: str | None) -> tuple[str] | tuple[str, str]:
    return (user, password or "") if user else (password or "",)
