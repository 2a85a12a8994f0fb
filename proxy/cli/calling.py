"""One call to the admin API of a running sidecar."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson

from proxy.cli.arguments import BadUsageError
from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ADMIN: Final = "http://127.0.0.1:9091"
PATIENCE: Final = 10.0  # seconds
_FAILED: Final = 400


class CallError(SapwoodError):
    """The admin API could not be reached or refused; ``str`` may have several lines."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call: ``http://host:port``, ``https://...`` or ``unix:/path``; the token goes with each call."""

    admin: str
    token: str | None = field(default=None, repr=False)

    @staticmethod
    def of(admin: str | None, token_file: str | None, environ: Mapping[str, str]) -> Target:
        """Take flags, else ``SAPWOOD_ADMIN``, ``SAPWOOD_TOKEN_FILE``, ``SAPWOOD_TOKEN``. Raises BadUsageError."""
        where = admin or environ.get("SAPWOOD_ADMIN") or DEFAULT_ADMIN
        if not where.startswith(("http://", "https://", "unix:/")):
            raise BadUsageError(f'--admin: expected "http://127.0.0.1:9091" or "unix:/path", got "{where}"')
        file = token_file or environ.get("SAPWOOD_TOKEN_FILE")
        token = _read_token(file) if file else environ.get("SAPWOOD_TOKEN") or None
        if token is not None and not (token.isascii() and token.isprintable()):
            raise BadUsageError("the token has characters that no header may carry")
        return Target(where.rstrip("/"), token)


def _read_token(file: str) -> str:
    try:
        token = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadUsageError(
            f"cannot read the token file {file}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not token:
        raise BadUsageError(f"the token file {file} is empty")
    return token


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's status and JSON value."""

    status: int
    document: Any


def call(  # noqa: PLR0913 - a call has that many parts, five of them by name
    target: Target,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: Any = None,
    fine: frozenset[int] = frozenset(),
    wait: float = 0.0,
) -> Reply:
    """Ask and return the reply. Raises CallError for no answer and for 400 upward, but for statuses in ``fine``.

    ``wait``: seconds for which the sidecar was asked not to answer.
    """
    patience = PATIENCE + wait
    try:
        reply = asyncio.run(_ask(target, method, path, query=query or {}, body=body, patience=patience))
    except TimeoutError as error:
        raise CallError(f"no answer from {target.admin} within {patience:.0f} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise CallError(f"cannot ask {target.admin}: {error}") from error
    if reply.status >= _FAILED and reply.status not in fine:
        raise CallError(_told(reply))
    return reply


async def _ask(  # noqa: PLR0913 - as ``call``
    target: Target,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | list[tuple[str, str]],
    body: Any,
    patience: float,
) -> Reply:
    unix = target.admin.removeprefix("unix:") if target.admin.startswith("unix:") else None
    connector = aiohttp.UnixConnector(unix) if unix else aiohttp.TCPConnector()
    headers = {"Accept": "application/json, application/problem+json"}
    if target.token is not None:
        headers["Authorization"] = f"Bearer {target.token}"
    async with (
        aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=patience),
            headers=headers,
        ) as session,
        session.request(
            method,
            f"{'http://localhost' if unix else target.admin}{path}",
            params=query,
            data=None if body is None else orjson.dumps(body),
            allow_redirects=False,  # the token is for this address alone
        ) as response,
    ):
        content = await response.read()
    try:
        return Reply(response.status, orjson.loads(content))
    except orjson.JSONDecodeError:
        raise ValueError(f"its answer (status {response.status}) is not that of a sidecar's admin API") from None


def _told(reply: Reply) -> str:
    """Return a problem as lines: its detail, then each mistake that it names."""
    document = reply.document if isinstance(reply.document, dict) else {}
    lines = [str(document.get("detail") or document.get("title") or f"status {reply.status}")]
    for mistake in document.get("mistakes", ()):
        said = mistake.get("text") or f"{mistake.get('where')}: {mistake.get('detail')}"
        lines.append(f"  {said}")
    return "\n".join(lines)
