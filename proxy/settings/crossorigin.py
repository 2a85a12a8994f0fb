"""The ``cors`` section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.policy.rules import Cors
from proxy.settings.fields import FIELD, METHOD, ORIGIN
from proxy.settings.kinds import BOOLEAN, DURATION

if TYPE_CHECKING:
    from proxy.settings.sections import Section


def read_cors(top: Section) -> Cors | None:
    """Read ``cors``; None where it is left out: then ``Origin`` is keyed and the backend answers preflights."""
    said = top.maybe_section("cors")
    if said is None:
        return None
    if not said.has("origins"):
        said.mistake("origins", f"missing: expected a list, each {ORIGIN.expects}")
    cors = Cors(
        origins=said.many("origins", ORIGIN),
        methods=said.many("methods", METHOD, (b"GET", b"HEAD", b"POST")),  # what needs no preflight anyway
        headers=said.many("headers", FIELD),
        credentials=said.one("credentials", BOOLEAN, False),
        expose=said.many("expose", FIELD),
        max_age=int(said.one("max_age", DURATION, 600.0)),  # Chrome cuts at 2 h, and 10 min is what it grants to most
    )
    for key, values in (
        ("origins", cors.origins),
        ("methods", cors.methods),
        ("headers", cors.headers),
        ("expose", cors.expose),
    ):
        if cors.credentials and b"*" in values:
            said.mistake(key, 'no "*" together with credentials: true; browsers refuse it, so name each')
    said.close()
    return cors
