"""Metrics to CloudWatch by its API, from a thread: the client's start reads megabytes of JSON and must delay nobody."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.observe.intervals import Datum
    from proxy.observe.options import CloudWatchOptions

CONNECTS_WITHIN: Final = 3
ANSWERS_WITHIN: Final = 5
"""Seconds; the end of the process may have to wait for both."""

MOST_AT_ONCE: Final = 1000
"""Metrics in one PutMetricData, by its quotas."""


class ExportError(SapwoodError):
    """Metrics could not be handed over. The text says why, in words without anybody's secrets."""


class PutSender:
    """Calls PutMetricData. Credentials and an unnamed region are botocore's to find. Raises ExportError."""

    def __init__(self, options: CloudWatchOptions) -> None:
        if importlib.util.find_spec("aiobotocore") is None:
            raise ExportError("cloudwatch.mode put needs pip install 'sapwood[cloudwatch]'; mode emf needs nothing")
        self._options = options
        self._session: Any = None

    async def send(self, data: Sequence[Datum]) -> None:
        """Hand all over in as few calls as it takes. Raises ExportError."""
        metrics = [self._metric(datum) for datum in data]
        await asyncio.to_thread(self._put, metrics)

    def _metric(self, datum: Datum) -> dict[str, Any]:
        return {
            "MetricName": datum.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self._options.dimensions],
            "Timestamp": datetime.fromtimestamp(datum.at, UTC),
            "Value": datum.value,
            "Unit": datum.unit,
        }

    def _put(self, metrics: list[dict[str, Any]]) -> None:
        try:
            asyncio.run(self._call(metrics))
        except Exception as error:
            # Whatever a foreign library raises, its text may quote a request and so a credential.
            raise ExportError(_said(error)) from error

    async def _call(self, metrics: list[dict[str, Any]]) -> None:
        config = importlib.import_module("aiobotocore.config").AioConfig(
            connect_timeout=CONNECTS_WITHIN, read_timeout=ANSWERS_WITHIN, retries={"total_max_attempts": 1}
        )
        if self._session is None:
            self._session = importlib.import_module("aiobotocore.session").get_session()
        async with self._session.create_client("cloudwatch", region_name=self._options.region, config=config) as client:
            for first in range(0, len(metrics), MOST_AT_ONCE):
                await client.put_metric_data(
                    Namespace=self._options.namespace, MetricData=metrics[first : first + MOST_AT_ONCE]
                )


def _said(error: Exception) -> str:
    """Return the error's class, and the code that AWS gives it (``AccessDenied``)."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return f"{type(error).__name__} {code}" if isinstance(code, str) else type(error).__name__
