"""Reading a JSON body: bounded in size and time, and strict where leniency would lose part of an order."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import orjson
from aiohttp import web

from proxy.admin.problems import Problem

if TYPE_CHECKING:
    from aiohttp.web import Request

MOST_BYTES: Final = 1 << 20
MOST_SECONDS: Final = 10.0


async def read_json(request: Request, most: int = MOST_BYTES, instead: str = "") -> Any:
    """Return the JSON value of a body of ``most`` bytes at most; ``instead`` tells what to do with a larger one.

    Raises Problem 400, 408, 413 or (by aiohttp, as a 413 too) HTTPRequestEntityTooLarge.
    """
    if (request.content_length or 0) > most:
        raise _too_large(request.content_length or 0, most, instead)
    try:
        async with asyncio.timeout(MOST_SECONDS):
            body = await request.read()
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {MOST_SECONDS:.0f} s") from None
    except (ConnectionError, web.RequestPayloadError):
        raise Problem(400, "the body broke off") from None
    if len(body) > most:
        raise _too_large(len(body), most, instead)
    # Not orjson: of {"tags": ["a"], "tags": ["b"]} it would keep the second and say nothing of the first.
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_without_repetition)
    except RecursionError:
        raise Problem(400, "the body is not JSON: nested too deep") from None
    except UnicodeDecodeError:
        raise Problem(400, "the body is not JSON: not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError as error:
        raise Problem(400, f"the body is refused: {error}") from None


def _too_large(size: int, most: int, instead: str) -> Problem:
    return Problem(413, f"expected a body of at most {most >> 10} KiB, got {size} bytes; {instead or 'send less'}")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return document


def json_answer(document: Any, status: int = 200) -> web.Response:
    """Return a JSON answer that nobody keeps."""
    return web.Response(
        status=status,
        body=orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
