"""The lines to try, and what each of them claims: one table, printed as curl commands and played by ``guide``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from proxy.demo.catalogue import PASSWORD, id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

API: Final = "/api/v1"
PLAN: Final = id_of("plan-0")
ALICE: Final = id_of("alice@demo.example")


@dataclass(frozen=True, slots=True)
class Step:
    """One line. ``cached``, ``status``, ``shows`` and ``hides`` are what it claims; the last two are of the body.

    ``user``: whose token it carries. ``login``: whose token its answer holds.
    """

    sidecar: Literal["A", "B"]
    path: str
    cached: Literal["hit", "miss", "pass"]
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    user: str = ""
    login: str = ""
    status: int = 200
    shows: str = ""
    hides: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Some steps that show one thing."""

    title: str
    steps: tuple[Step, ...]


def _login(user: str) -> Step:
    body = {"email": f"{user}@demo.example", "password": PASSWORD}
    return Step("A", f"{API}/auth/login", "pass", "POST", body, login=user, shows="access_token")


_CATALOG: Final = f"{API}/plans/catalog?zip_code=78701"
_WITH_MORE: Final = f"{API}/plans/catalog?utm_source=mail&zip_code=78701"
_PLAN: Final = f"{API}/plans/{PLAN}"
_PREFERENCES: Final = f"{API}/users/preferences"
_ACCOUNT: Final = f"{API}/auth/me"
_RECOMMENDATIONS: Final = f"{API}/recommendations/user/{ALICE}"
_OLD: Final = '"rate_cents_per_kwh": 9.5,'
_NEW: Final = '"rate_cents_per_kwh": 7.25,'

CHAPTERS: Final = (
    Chapter(
        "A miss takes the backend's 300 ms, a hit a few; the two sidecars share one store",
        (
            Step("A", _CATALOG, "miss", shows=_OLD),
            Step("A", _CATALOG, "hit", shows=_OLD),
            Step("B", _CATALOG, "hit", shows=_OLD),
            Step("B", _WITH_MORE, "hit", shows=_OLD),  # what is not keyed makes no difference
            Step("A", _PLAN, "miss", shows=_OLD),
            Step("B", _PLAN, "hit", shows=_OLD),
        ),
    ),
    Chapter(
        "A write that passes through one sidecar invalidates on both",
        (
            _login("admin"),
            Step("A", f"{API}/admin/plans/{PLAN}", "pass", "PUT", {"rate_cents_per_kwh": 7.25}, "admin", shows=_NEW),
            Step("B", _PLAN, "miss", shows=_NEW),
            Step("A", _PLAN, "hit", shows=_NEW),
            Step("A", _CATALOG, "miss", shows=_NEW, hides=_OLD),
            Step("B", _CATALOG, "hit", shows=_NEW, hides=_OLD),
        ),
    ),
    Chapter(
        "Two users never see each other's data, and nobody's without a token",
        (
            _login("alice"),
            _login("bob"),
            Step("A", _PREFERENCES, "miss", user="alice", shows="Alice", hides="Bob"),
            Step("B", _PREFERENCES, "hit", user="alice", shows="Alice", hides="Bob"),
            Step("A", _PREFERENCES, "miss", user="bob", shows="Bob", hides="Alice"),
            Step("B", _PREFERENCES, "hit", user="bob", shows="Bob", hides="Alice"),
            Step("A", _PREFERENCES, "pass", status=401, hides="user"),
            Step("A", _RECOMMENDATIONS, "miss", user="alice", shows=ALICE),
            Step("B", _RECOMMENDATIONS, "hit", user="alice", shows=ALICE),
            Step("B", _RECOMMENDATIONS, "miss", user="bob", status=403, hides=ALICE),
            Step("A", _ACCOUNT, "miss", user="bob", shows="Bob"),
        ),
    ),
    Chapter(
        "A user's own write ends that user's copies, on both, and nobody else's",
        (
            Step("B", _PREFERENCES, "pass", "POST", {"budget": 65}, "alice", shows='"budget": 65'),
            Step("A", _PREFERENCES, "miss", user="alice", shows='"budget": 65'),
            Step("B", _PREFERENCES, "hit", user="alice", shows='"budget": 65'),
            Step("A", _RECOMMENDATIONS, "miss", user="alice", shows=ALICE),
            Step("B", _ACCOUNT, "hit", user="bob", shows="Bob"),
        ),
    ),
)


def as_curl(step: Step, url: Callable[[str], str]) -> str:
    """Return the step as a line for a POSIX shell; ``url`` gives a sidecar's base URL."""
    words = ["curl -s" if step.login else r"curl -si -w '\n%{time_total} s\n'"]
    if step.method not in {"GET", "POST"}:
        words.append(f"-X {step.method}")
    if step.user:
        words.append(f'-H "Authorization: Bearer ${step.user.upper()}"')
    if step.body is not None:
        words.append(f"-H 'Content-Type: application/json' -d '{json.dumps(step.body)}'")
    words.append(f"'{url(step.sidecar)}{step.path}'")
    line = " ".join(words)
    return f"""{step.login.upper()}=$({line} | cut -d'"' -f4)""" if step.login else line
