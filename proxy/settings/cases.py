"""``tests``: what the operator expects of a request, and of the response to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message import selectors
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.settings.fields import FIELD
from proxy.settings.kinds import BOOLEAN, DURATION, TEXT, Kind, by, choice, whole
from proxy.settings.nodes import Scalar, Sequence

if TYPE_CHECKING:
    from proxy.settings.mistakes import Place
    from proxy.settings.sections import Section

#: Each kind with what its selectors begin with.
_SELECTORS: Final = {
    "tags": selectors.tag(""),
    "keys": selectors.logical_key(""),
    "urls": selectors.url(""),
    "paths": selectors.path(""),
    "patterns": selectors.pattern(""),
    "users": selectors.user(""),
    "namespaces": selectors.namespace(""),
    "routes": selectors.route(""),
}


@dataclass(frozen=True, slots=True)
class ExpectedPurges:
    """Names by kind (``tags``, ``users``, ...) and its prefix: a kind that is named is purged exactly so, others may be.

    No kind at all: nothing is purged.
    """

    by_kind: tuple[tuple[str, str, frozenset[str]], ...]
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out; None where the test does not say."""

    route: str | None = None
    stored: bool | None = None
    ttl: float | None = None
    key: str | None = None
    tags: frozenset[str] | None = None
    passes: bool = False
    purges: ExpectedPurges | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One test: a request, the backend's answer, an expectation."""

    place: Place
    path: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    response: Response
    expect: Expectation


def read_cases(top: Section) -> list[Case]:
    """Read ``tests``. They are no part of the running configuration, so nothing of them is shown."""
    return [_read_case(said) for said in top.sections("tests", show=False)]


def _read_case(said: Section) -> Case:
    for key in ("request", "expect"):
        if not said.has(key):
            said.mistake(key, "missing: expected a mapping")
    request, response, expect = said.section("request"), said.section("response"), said.section("expect")
    case = Case(
        place=said.node.place,
        path=said.path,
        method=request.one("method", _METHOD, "GET"),
        url=request.required("url", _URL, "/") if said.has("request") else "/",
        headers=_read_headers(request),
        response=Response(
            response.one("status", whole(200), 200),
            Headers((name.encode("latin-1"), value.encode("utf-8")) for name, value in _read_headers(response)),
        ),
        expect=_read_expectation(expect),
    )
    if not expect.node.entries and said.has("expect"):
        said.mistake("expect", "expects nothing")
    for section in (request, response, expect, said):
        section.close()
    return case


def _method(text: str) -> str:
    if not (text.isascii() and text.replace("-", "").isupper()):
        raise ValueError
    return text


def _url(text: str) -> str:
    if not text.startswith(("/", "http://", "https://")) or not text.isascii() or " " in text:
        raise ValueError
    return text


_METHOD: Final = by(_method, 'a method like "GET"')
_URL: Final = by(_url, 'a path or a URL like "/plans?page=2"')
#: What stands for text in a header: numbers, and an empty value, are no mistakes there.
_VALUE: Final = Kind("text", lambda scalar: scalar.text)


def _read_headers(said: Section) -> tuple[tuple[str, str], ...]:
    inner = said.maybe_section("headers")
    lines: list[tuple[str, str]] = []
    for key, node in inner.node.entries if inner else ():
        assert inner is not None
        path = inner.path_of(key.text)
        inner.convert(key, path, FIELD)
        for value in node.items if isinstance(node, Sequence) else (node,):
            lines += [(key.text, text) for text in inner.convert(value, path, _VALUE)]
    return tuple(lines)


def _read_expectation(said: Section) -> Expectation:
    tags = frozenset(said.many("tags", TEXT)) if said.has("tags") else None
    return Expectation(
        route=said.maybe("route", TEXT),
        stored=said.maybe("stored", BOOLEAN),
        ttl=said.maybe("ttl", DURATION),
        key=said.maybe("key", TEXT),
        tags=tags,
        passes=said.maybe("outcome", choice("pass")) is not None,
        purges=_read_purges(said),
    )


def _read_purges(said: Section) -> ExpectedPurges | None:
    node = said.find("purges")
    if node is None:
        return None
    if isinstance(node, Scalar):
        said.one("purges", choice("none"), "none")
        return ExpectedPurges(())
    inner = said.section("purges")
    kinds = [
        (kind, prefix, frozenset(inner.many(kind, TEXT))) for kind, prefix in _SELECTORS.items() if inner.has(kind)
    ]
    everything = inner.one("all", BOOLEAN, False)
    inner.close()
    return ExpectedPurges(tuple(kinds), everything)
