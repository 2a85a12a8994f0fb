"""PutMetricData as moto's server, which is no AWS but speaks as it does, takes it."""

from __future__ import annotations

import asyncio
import importlib.util
from datetime import UTC, datetime, timedelta

import pytest
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from proxy.observe import putting
from proxy.observe.intervals import Datum
from proxy.observe.options import CloudWatchOptions
from proxy.observe.putting import ExportError, PutSender

NOW = datetime.now(UTC).replace(microsecond=0)
OPTIONS = CloudWatchOptions("put", region="eu-central-1", dimensions=(("Service", "api"),))


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch, aws):
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "") if name != "AWS_PROFILE" else monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def data(*values, name="HitRate", unit="Percent"):
    return [Datum(name, unit, value, (NOW - timedelta(minutes=n)).timestamp()) for n, value in enumerate(values)]


async def recorded(metric, statistic="Average"):
    """What CloudWatch shows of a metric, newest first."""
    async with get_session().create_client("cloudwatch", region_name="eu-central-1") as client:
        reply = await client.get_metric_statistics(
            Namespace="TreeBeard/Cache",
            MetricName=metric,
            Dimensions=[{"Name": "Service", "Value": "api"}],
            StartTime=NOW - timedelta(hours=48),
            EndTime=NOW + timedelta(hours=1),
            Period=60,
            Statistics=[statistic],
        )
    points = sorted(reply["Datapoints"], key=lambda point: point["Timestamp"], reverse=True)
    return [(point[statistic], point["Unit"]) for point in points]


async def test_cloudwatch_has_what_was_put():
    await PutSender(OPTIONS).send([*data(91.25, 88.0), *data(4.5, name="Latency", unit="Milliseconds")])
    assert await recorded("HitRate") == [(91.25, "Percent"), (88.0, "Percent")]
    assert await recorded("Latency") == [(4.5, "Milliseconds")]


async def test_more_than_one_call_can_take_goes_in_several(monkeypatch):
    monkeypatch.setattr(putting, "MOST_AT_ONCE", 3)
    await PutSender(OPTIONS).send(data(*range(8), name="Errors", unit="Count"))
    assert [value for value, _ in await recorded("Errors", "Sum")] == [float(n) for n in range(8)]


async def test_the_loop_goes_on_meanwhile():
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await PutSender(OPTIONS).send(data(1.0, name="Meanwhile"))
    turning.cancel()
    assert turns > 10


async def test_nobody_there_is_said_without_a_secret(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(ExportError) as failed:
        await PutSender(OPTIONS).send(data(1.0))
    assert str(failed.value) == "EndpointConnectionError"


async def test_a_refusal_is_said_by_its_code(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ExportError, match="NoCredentialsError"):
        await PutSender(OPTIONS).send(data(1.0))

    class Refused(Exception):  # noqa: N818 - as botocore has it
        response = {"Error": {"Code": "AccessDenied", "Message": "hunter2"}}  # noqa: RUF012 - as botocore has it

    assert putting._said(Refused("hunter2")) == "Refused AccessDenied"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install .sapwood\[cloudwatch\]"):
        PutSender(OPTIONS)
