"""A file judged: its mistakes, its doubts, and whether the rules do what its own tests expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxy.policy.verdicts import Keep
from proxy.settings import trial
from proxy.settings.kinds import show_duration
from proxy.settings.loading import load_settings
from proxy.settings.mistakes import Mistakes, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxy.settings.cases import Case, ExpectedPurges
    from proxy.settings.mistakes import Caution, Mistake
    from proxy.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test's: ``failures`` are sentences, none if it passed."""

    place: Place
    path: str
    title: str
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What ``sapwood check`` says of one file. With mistakes, its tests were not run."""

    source: str
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Caution, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def failed(self) -> list[Verdict]:
        """The tests that did not pass."""
        return [verdict for verdict in self.verdicts if verdict.failures]

    @property
    def ok(self) -> bool:
        """No mistake and no failed test; warnings do not count."""
        return not self.mistakes and not self.failed

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "file": self.source,
            "ok": self.ok,
            "mistakes": [_addressed(one) for one in self.mistakes],
            "warnings": [_addressed(one) for one in self.warnings],
            "tests": [
                {
                    "line": verdict.place.line,
                    "column": verdict.place.column,
                    "path": verdict.path,
                    "request": verdict.title,
                    "ok": not verdict.failures,
                    "failures": list(verdict.failures),
                }
                for verdict in self.verdicts
            ],
        }

    def as_text(self) -> str:
        """Return it as lines for people, the last one its sum."""
        lines = [str(mistake) for mistake in self.mistakes]
        lines += [_warning_line(one) for one in self.warnings]
        for verdict in self.failed:
            lines += [f"{verdict.place}: {verdict.path}: {verdict.title}: {failure}" for failure in verdict.failures]
        return "\n".join([*lines, f"{self.source}: {self._sum()}"])

    def _sum(self) -> str:
        parts = [_counted(len(self.mistakes), "mistake")] if self.mistakes else []
        parts += [_counted(len(self.warnings), "warning")] if self.warnings else []
        if self.failed:
            parts.append(f"{len(self.failed)} of {_counted(len(self.verdicts), 'test')} failed")
        elif self.verdicts:
            parts.append(f"{_counted(len(self.verdicts), 'test')} passed")
        return ", ".join(parts if self.mistakes or self.failed else ["ok", *parts])


def _addressed(one: Mistake) -> dict[str, Any]:
    return {"source": one.source, "line": one.line, "column": one.column, "path": one.path, "message": one.message}


def _warning_line(one: Caution) -> str:
    place = Place(one.source, one.line, one.column)
    return f"{place}: warning: {one.path}: {one.message}" if one.path else f"{place}: warning: {one.message}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def check_text(text: str, source: str, environ: Mapping[str, str]) -> Report:
    """Judge one file. Mounted secrets need not be there."""
    try:
        settings = load_settings(text, source=source, environ=environ, secrets_needed=False)
    except Mistakes as found:
        return Report(source, mistakes=found.mistakes)
    return Report(source, warnings=settings.warnings, verdicts=tuple(run_tests(settings)))


def run_tests(settings: Settings) -> Iterator[Verdict]:
    """Run a configuration's own tests."""
    for case in settings.tests:
        yield Verdict(case.place, case.path, f"{case.method} {case.url}", tuple(_failures(settings, case)))


def _failures(settings: Settings, case: Case) -> Iterator[str]:
    expect = case.expect
    request = trial.request_of(settings, case.method, case.url, case.headers)
    tried = trial.try_request(settings, request)
    decision = trial.try_response(settings, tried, case.response)
    tags = trial.tags_for(settings, tried, case.response)
    kept = decision if isinstance(decision, Keep) and tags is not None else None
    why = tried.why or ("too-many-tags" if tags is None else getattr(decision, "reason", ""))
    if expect.route is not None and expect.route != tried.route_name:
        yield f'expected route "{expect.route}", got "{tried.route_name}"'
    if expect.passes and not tried.passes:
        yield f"expected outcome pass, but {tried.taken_by}"
    if expect.stored is not None and expect.stored != (kept is not None):
        yield f"expected stored: {str(expect.stored).lower()}, but it is {f'not stored ({why})' if why else 'stored'}"
    if expect.ttl is not None and (kept is None or kept.freshness.lifetime != expect.ttl):
        got = f"not stored ({why})" if kept is None else show_duration(kept.freshness.lifetime)
        yield f"expected ttl {show_duration(expect.ttl)}, got {got}"
    if expect.key is not None:
        logical = tried.key.logical if tried.key is not None else None
        if logical != expect.key:
            yield f'expected key "{expect.key}", got {_quoted(logical, tried.why)}'
    if expect.tags is not None and (tried.key is None or tags != expect.tags):
        yield f"expected tags {_listed(expect.tags)}, got {_listed(tags or ()) if tried.key else f'none ({tried.why})'}"
    if expect.purges is not None:
        purged = {name for purge in trial.purges_of(settings, tried, case.response) for name in purge.selectors}
        yield from _purge_failures(expect.purges, purged)


def _quoted(logical: str | None, why: str) -> str:
    if logical is not None:
        return f'"{logical}"'
    return f"none ({why})" if why else "none: the route has no id"


def _listed(names: Any) -> str:
    return f"[{', '.join(sorted(names))}]"


def _purge_failures(expected: ExpectedPurges, purged: set[str]) -> Iterator[str]:
    if not expected.by_kind and not expected.everything:
        if purged:
            yield f"expected no purge, got {_listed(purged)}"
        return
    if expected.everything != ("all" in purged):
        yield f"expected purges of everything: {str(expected.everything).lower()}, got {_listed(purged)}"
    for kind, prefix, wanted in expected.by_kind:
        got = {name.removeprefix(prefix) for name in purged if name.startswith(prefix)}
        if got != wanted:
            yield f"expected purges of {kind} {_listed(wanted)}, got {_listed(got)}"
