"""One line per request, per purge, per move of the breaker, per failure.

A credential, a token, a cookie or a query never comes here on purpose; what clients write (paths, request ids) is made
harmless before it becomes part of a line. What writes it is made for the first line: structlog takes its time to import,
and a service can be ready without having said a word.
"""

from __future__ import annotations

import math
import random
import sys
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from proxy.message.errors import SapwoodError
from proxy.observe.events import (
    HITS,
    BreakerMoved,
    DictionaryTrained,
    ExportFailed,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    TaskFailed,
    WarmerRan,
    WorkerEnded,
)
from proxy.observe.redaction import without_query
from proxy.observe.requestlines import as_json, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger

    from proxy.observe.events import Event
    from proxy.observe.linewriter import LineWriter
    from proxy.observe.options import LogOptions

SECONDS_BETWEEN_FAILURES: Final = 10.0  # of one kind: a dead Redis says so six times a minute, not with each request


def _succeeded(event: Event) -> bool:
    """Say whether it is part of a request, and went as it should: several of these are told with each miss."""
    match event:
        case StoreAnswered():
            return not event.failure
        case OriginAnswered():
            return event.status > 0
        case ResponseStored():
            return True
        case _:
            return False


class Logs:
    """An observer that writes lines. ``draw`` gives numbers from 0 to 1, ``clock`` monotonic seconds."""

    def __init__(
        self,
        options: LogOptions,
        writer: LineWriter,
        *,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._draw = draw
        self._clock = clock
        self._last_failure: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}
        self.use(options)

    def use(self, options: LogOptions) -> None:
        """Go on under other options, after a reload or an order."""
        self.options = options
        self.passed_over = self._gap()
        self._everything = options.level == "debug"
        self._made: FilteringBoundLogger | None = None

    @property
    def log(self) -> FilteringBoundLogger:
        """What writes lines."""
        if self._made is None:
            self._made = self._logger(self.options)
        return self._made

    def _logger(self, options: LogOptions) -> FilteringBoundLogger:
        from proxy.observe.logger import make_logger  # noqa: PLC0415 - for the first line, as above

        return make_logger(options, self._writer)

    def change(self, options: LogOptions) -> None:
        """Go on under other options, and leave a line about it whatever the level."""
        heard = self._logger(replace(options, level="info"))
        heard.info("log_changed", to_level=options.level, hits=options.hits)
        self.use(options)

    def tell(self, event: Event) -> None:
        """Write the fact down, if it is one that gets a line."""
        if self._everything or not _succeeded(event):
            self._line(event)

    def _line(self, event: Event) -> None:
        match event:
            case RequestServed():
                self._request(event)
            case Purged():
                self._purge(event)
            case WarmerRan():
                self._warmer(event)
            case DictionaryTrained():
                left = {"left": round(event.left, 4), "left_before": round(event.left_before, 4)}
                seconds = round(event.seconds, 3)
                self.log.info(
                    "dictionary_trained", dictionary=event.name, samples=event.samples, **left, seconds=seconds
                )
            case BreakerMoved():
                self._breaker(event)
            case StoreAnswered() if event.failure:
                self._failure("store_failed", event.operation, operation=event.operation, failure=event.failure)
            case OriginAnswered() if event.status == 0:
                self._failure("upstream_failed", event.route, route=event.route, failure=event.detail)
            case ExportFailed():
                self._failure("export_failed", event.to, to=event.to, failure=event.failure)
            case TaskFailed():
                self._task(event)
            case WorkerEnded():
                self.log.error("worker_ended", worker=event.index, how=event.how, restart_in=event.restart_in)
            case _ if self._everything:
                self._detail(event)
            case _:
                pass  # what succeeded is counted

    def draws(self) -> bool:
        """Say by chance whether this hit gets a line."""
        if self.passed_over:
            self.passed_over -= 1
            return False
        self.passed_over = self._gap()
        return True

    def _gap(self) -> int:
        """Draw how many hits get no line before the next one does: one number for all of them, not one for each."""
        share = self.options.hits
        if share <= 0:
            return sys.maxsize  # for good: no process lives to see so many
        return 0 if share >= 1 else int(math.log(1 - self._draw()) / math.log(1 - share))

    def _request(self, event: RequestServed) -> None:
        failed = event.outcome is Outcome.ERROR or event.status >= 500  # noqa: PLR2004 - the server's fault
        if event.outcome in HITS and not failed and not self.draws():
            return
        self.write(event)

    def write(self, event: RequestServed) -> None:
        """Write the line of a request, whatever chance says."""
        failed = event.outcome is Outcome.ERROR or event.status >= 500  # noqa: PLR2004 - as above
        if self.options.format != "json":
            (self.log.warning if failed else self.log.info)("request", **fields_of(event))
        elif self.options.level in {"debug", "info"} or (failed and self.options.level == "warning"):
            self._writer.write(as_json(event, "warning" if failed else "info"))

    def _purge(self, event: Purged) -> None:
        fields: dict[str, Any] = {
            "kind": event.kind,
            "mode": event.mode,
            "selectors": [without_query(selector) for selector in event.selectors],
            "request_id": event.request_id,
        }
        if event.failure:
            self.log.error("purge_failed", failure=event.failure, **fields)
        else:
            self.log.info("purge", seq=event.seq, **fields)

    def _warmer(self, event: WarmerRan) -> None:
        fields: dict[str, Any] = {
            "warmer": event.warmer,
            "trigger": event.trigger,
            **event.results,
            "seconds": round(event.seconds, 3),
        }
        if event.error:
            fields["failure"] = event.error
        (self.log.warning if event.result == "failed" else self.log.info)("warmed", **fields)

    def _breaker(self, event: BreakerMoved) -> None:
        if event.is_open:
            self.log.warning("breaker_opened", detail=event.detail)
        else:
            self.log.info("breaker_closed", detail=event.detail)

    def _failure(self, event: str, what: str, **fields: str) -> None:
        kind = f"{event} {what}"
        now = self._clock()
        if now - self._last_failure.get(kind, float("-inf")) < SECONDS_BETWEEN_FAILURES:
            self._suppressed[kind] = self._suppressed.get(kind, 0) + 1
            return
        self._last_failure[kind] = now
        self.log.warning(event, **fields, more_since_last_line=self._suppressed.pop(kind, 0))

    def _detail(self, event: Event) -> None:
        match event:
            case StoreAnswered():
                self.log.debug("store_answered", operation=event.operation, seconds=round(event.seconds, 6))
            case OriginAnswered():
                seconds = round(event.seconds, 6)
                self.log.debug("upstream_answered", route=event.route, status=event.status, seconds=seconds)
            case ResponseStored():
                fields = {"route": event.route, "namespace": event.namespace, "bytes": event.stored_bytes}
                self.log.debug("stored", **fields, ttl=event.ttl)
            case _:
                pass  # every other kind has its line at any level

    def _task(self, event: TaskFailed) -> None:
        # Our own errors are written to be read. A foreign one may quote a header, a body or a connection's URL, so its
        # type and its way through the code must do.
        said = str(event.error) if isinstance(event.error, SapwoodError) else ""
        frames = traceback.extract_tb(event.error.__traceback__)
        way = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        self.log.error("task_failed", task=event.name, error=type(event.error).__name__, said=said, way=way)
