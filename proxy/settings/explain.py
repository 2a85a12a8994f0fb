"""What the rules say of a request, without asking store or backend: for people, and as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from proxy.message import selectors
from proxy.message.response import Response
from proxy.policy import forwarding, material, queries
from proxy.policy.adaptive import Step, lifetime
from proxy.policy.verdicts import Keep
from proxy.settings import trial
from proxy.settings.kinds import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.policy.adaptive import Adaptive
    from proxy.policy.rules import Route
    from proxy.settings.settings import Settings
    from proxy.settings.trial import Trial

#: Why a request passes through, in words.
_REASONS: Final = {
    "write": "it changes something: passed through, and what it purges follows",
    "preflight": "a browser's preflight, from cors; the backend is not asked",
    "no-route": "no route takes it",
    "cache-off": "the cache is switched off",
    "disabled": "the route is switched off",
    "method": "only GET and HEAD are cached",
    "body": "a request with a body is not cached",
    "upgrade": "an upgrade is not cached",
    "path-not-normal": "the path is not in normal form, so it might be another spelling of some other path",
    "method-override": "it has a field by which backends take it for another method or path",
    "field-name": "it has a field with _ in its name, which some backends read as another field",
    "connection": "Connection names a field that is then not forwarded",
    "authorization": "it has a credential, and the route says nothing of authorization",
    "cookie": "it has cookies, and the route says nothing of cookies",
    "no-credential": "the route keeps a copy per credential, and it has none",
    "no-id": "a value in the route's id is absent",
}
_OUTCOMES: Final = {"pass": "passes through", "answered": "answered here"}
#: Fields that are the sidecar's own to write, so they are never the client's to lose.
_OWN: Final = frozenset(
    {b"host", b"via", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"}
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything in words that are ours or the request's; credentials and cookies only as digests and names.

    ``ttl`` and ``ttl_from`` are what a backend that says nothing gets for a 200, ``adaptive`` how that follows the traffic. ``purges`` are those of a 2xx answer.
    """

    method: str
    target: str
    route: str
    passed_over: tuple[tuple[str, str], ...]
    why: str
    logical_key: str | None
    digest: str | None
    key_parts: tuple[tuple[str, str], ...]
    ttl: float | None
    ttl_from: str
    adaptive: Adaptive | None
    stale_while_revalidate: float
    stale_if_error: float
    tags: tuple[str, ...]
    selectors: tuple[str, ...]
    forwarded_target: str
    forwarded: tuple[str, ...]
    not_forwarded: tuple[str, ...]
    purges: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """``cache``, ``pass``, or ``answered`` for a preflight."""
        if not self.why:
            return "cache"
        return "answered" if self.why == trial.PREFLIGHT else "pass"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data; durations in seconds."""
        return {
            "request": {"method": self.method, "target": self.target},
            "route": self.route,
            "passed_over": [{"route": name, "because": because} for name, because in self.passed_over],
            "outcome": self.outcome,
            "reason": self.why,
            "logical_key": self.logical_key,
            "digest": self.digest,
            "key": [{"part": part, "value": value} for part, value in self.key_parts],
            "ttl": self.ttl,
            "ttl_from": self.ttl_from,
            "adaptive": self._adaptive(),
            "stale_while_revalidate": self.stale_while_revalidate,
            "stale_if_error": self.stale_if_error,
            "tags": list(self.tags),
            "selectors": list(self.selectors),
            "forwarded": {"target": self.forwarded_target, "fields": list(self.forwarded)},
            "not_forwarded": list(self.not_forwarded),
            "purges": list(self.purges),
        }

    def as_text(self) -> str:
        """Return it as lines for people."""
        rows = [("request", f"{self.method} {self.target}")]
        rows += [("", f"not {name}: {because}") for name, because in self.passed_over]
        rows.append(("route", self.route))
        if self.why:
            rows.append(("outcome", f"{_OUTCOMES[self.outcome]} ({self.why}): {_REASONS.get(self.why, self.why)}"))
        else:
            if self.method == "HEAD":
                rows.append(("outcome", "answered from what a GET has stored, else passed through"))
            rows += [
                ("logical key", self.logical_key or "none: the route has no id"),
                ("kept under", f"cache:response:{self.digest}"),
                *(
                    ("key material" if number == 0 else "", f"{part}: {value}")
                    for number, (part, value) in enumerate(self.key_parts)
                ),
                ("ttl", self._lifetime()),
                ("tags", ", ".join(self.tags) or "none"),
                ("selectors", ", ".join(self.selectors)),
            ]
        if self.outcome != "answered":
            rows += [
                ("forwarded", f"{self.method if self.why else 'GET'} {self.forwarded_target}"),
                ("", ", ".join(self.forwarded)),
                ("not forwarded", ", ".join(self.not_forwarded) or "nothing is held back"),
            ]
        if self.purges:
            rows.append(("purges", ", ".join(self.purges)))
        return "\n".join(f"{label:<14} {value}".rstrip() for label, value in rows)

    def _lifetime(self) -> str:
        if self.ttl is None:
            return f"what the backend says, else not stored ({self.ttl_from})"
        windows = f"stale {show_duration(self.stale_while_revalidate)} while revalidating, {show_duration(self.stale_if_error)} on errors"
        return f"{show_duration(self.ttl)} from {self.ttl_from}; {''.join(self._steps())}{windows}"

    def _adaptive(self) -> dict[str, Any] | None:
        """Return what each step of a ttl that follows the traffic means, in seconds."""
        if self.adaptive is None or self.ttl is None:
            return None
        follows, means = self.adaptive, partial(lifetime, self.ttl, self.adaptive)
        return {
            "window": follows.window,
            "hot": follows.hot and {"above": follows.hot.reads, "ttl": means(Step.HOT)},
            "cold": follows.cold and {"below": follows.cold.reads, "ttl": means(Step.COLD)},
        }

    def _steps(self) -> Iterator[str]:
        if (follows := self._adaptive()) is not None:
            for step, bound in (("hot", "above"), ("cold", "below")):
                if said := follows[step]:
                    yield f"{show_duration(said['ttl'])} {bound} {said[bound]} reads in {show_duration(follows['window'])}; "


def explain(settings: Settings, method: str, url: str, headers: Iterable[tuple[str, str]]) -> Explanation:
    """Explain one request. Raises ValueError with what is wrong of the URL."""
    request = trial.request_of(settings, method, url, headers)
    if request.method == b"HEAD":  # it reads what a GET has stored
        request = replace(request, method=b"GET")
    tried = trial.try_request(settings, request)
    book, key = settings.book, tried.key
    purges = trial.purges_of(settings, tried, Response(200))
    target, fields = _forwarded(settings, tried)
    ttl, source, windows = _lifetime(settings, tried)
    tag = selectors.tag("")
    return Explanation(
        method=method,
        target=selectors.text_of(request.target),
        route=tried.route_name,
        passed_over=tuple((route.name, because) for route, because in book.explain(request.method, request.path)),
        why=tried.why,
        logical_key=key.logical if key else None,
        digest=key.cache.digest if key else None,
        key_parts=tuple(material.parts_of(key.cache.material)) if key else (),
        ttl=ttl,
        ttl_from=source,
        adaptive=tried.matched.route.adaptive if tried.matched is not None and ttl is not None else None,
        stale_while_revalidate=windows[0],
        stale_if_error=windows[1],
        tags=tuple(name.removeprefix(tag) for name in key.selectors if name.startswith(tag)) if key else (),
        selectors=key.selectors if key else (),
        forwarded_target=selectors.text_of(target),
        forwarded=tuple(name.decode("latin-1") for name, _ in fields),
        not_forwarded=_held_back(tried, target, {name.lower() for name, _ in fields}),
        purges=tuple(name for purge in purges for name in purge.selectors),
    )


def _forwarded(settings: Settings, tried: Trial) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    options = trial.forwarding_of(settings)
    if tried.key is None or tried.matched is None:
        target, fields = forwarding.passed_through(tried.request, options)
    else:
        has_cors = settings.book.cors is not None
        fetched = forwarding.as_fetched(tried.request, tried.matched.route, cors=has_cors)
        target, fields = forwarding.fetch_for(tried.request, fetched, tried.key, options)
    return target, fields.lines


def _held_back(tried: Trial, target: bytes, forwarded: set[bytes]) -> tuple[str, ...]:
    request = tried.request
    kept = {queries.name_of(piece) for piece in (target.partition(b"?")[2]).split(b"&")}
    names = dict.fromkeys(queries.name_of(piece) for piece in (request.query or b"").split(b"&") if piece)
    held = [f"?{selectors.text_of(name)}" for name in names if name not in kept]
    fields = dict.fromkeys(name for name, _ in request.headers if name.lower() not in forwarded | _OWN)
    return (*held, *(name.decode("latin-1") for name in fields))


def _lifetime(settings: Settings, tried: Trial) -> tuple[float | None, str, tuple[float, float]]:
    decision = trial.try_response(settings, tried, Response(200))
    if tried.matched is None or decision is None:
        return None, "", (0.0, 0.0)
    said_at = settings.ttl_from.get(tried.route_name, "RFC 9111 alone")
    if not isinstance(decision, Keep):
        return None, said_at, (0.0, 0.0)
    given = decision.freshness
    windows = (given.stale_while_revalidate, given.stale_if_error)
    return given.lifetime, _with_override(tried.matched.route, said_at), windows


def _with_override(route: Route, said_at: str) -> str:
    if route.override:
        return f"{said_at}, in the place of what the backend says"
    return f"{said_at}, where the backend says nothing"
