"""Metrics as lines in CloudWatch's embedded metric format: whoever collects the logs makes metrics of them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import orjson

from proxy.observe.stats import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.observe.intervals import Datum
    from proxy.observe.linewriter import LineWriter
    from proxy.observe.options import CloudWatchOptions


class EmfSender:
    """Writes a line for each interval."""

    def __init__(self, options: CloudWatchOptions, writer: LineWriter) -> None:
        self._options = options
        self._writer = writer

    async def send(self, data: Sequence[Datum]) -> None:
        """Queue the lines; never fails, never waits."""
        for at, of_interval in groupby(data, key=attrgetter("at")):
            self._writer.write(orjson.dumps(document(self._options, tuple(of_interval), at)))


def document(options: CloudWatchOptions, data: Sequence[Datum], at: float) -> dict[str, Any]:
    """Return one interval's line: also a line of our log, with its time, level and event."""
    return {
        "_aws": {
            "Timestamp": int(at * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": options.namespace,
                    "Dimensions": [[name for name, _ in options.dimensions]],
                    "Metrics": [{"Name": datum.name, "Unit": datum.unit} for datum in data],
                }
            ],
        },
        "time": moment(at),
        "level": "info",
        "event": "metrics",
        **dict(options.dimensions),
        **{datum.name: datum.value for datum in data},
    }
