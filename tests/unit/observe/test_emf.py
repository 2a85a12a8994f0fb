"""Lines that CloudWatch's own rules accept."""

import io

import jsonschema
import orjson
import pytest

from proxy.observe.emf import EmfSender, document
from proxy.observe.intervals import Datum
from proxy.observe.linewriter import LineWriter
from proxy.observe.options import CloudWatchOptions

# "Embedded metric format JSON schema", from the specification that CloudWatch publishes for agents.
SCHEMA = {
    "type": "object",
    "title": "Root Node",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "title": "Metadata",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "title": "The Timestamp Schema", "examples": [1565375354953]},
                "CloudWatchMetrics": {
                    "type": "array",
                    "title": "MetricDirectives",
                    "items": {
                        "type": "object",
                        "title": "MetricDirective",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {
                                "type": "string",
                                "title": "CloudWatch Metrics Namespace",
                                "examples": ["MyApp"],
                                "pattern": "^(.*)$",
                                "minLength": 1,
                                "maxLength": 1024,
                            },
                            "Dimensions": {
                                "type": "array",
                                "title": "The Dimensions Schema",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "title": "DimensionSet",
                                    "minItems": 0,
                                    "maxItems": 30,
                                    "items": {
                                        "type": "string",
                                        "title": "DimensionReference",
                                        "examples": ["Operation"],
                                        "pattern": "^(.*)$",
                                        "minLength": 1,
                                        "maxLength": 250,
                                    },
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "title": "MetricDefinitions",
                                "items": {
                                    "type": "object",
                                    "title": "MetricDefinition",
                                    "required": ["Name"],
                                    "minItems": 1,
                                    "maxItems": 100,
                                    "properties": {
                                        "Name": {
                                            "type": "string",
                                            "title": "MetricName",
                                            "examples": ["ProcessingLatency"],
                                            "pattern": "^(.*)$",
                                            "minLength": 1,
                                            "maxLength": 1024,
                                        },
                                        "Unit": {
                                            "type": "string",
                                            "title": "MetricUnit",
                                            "examples": ["Milliseconds"],
                                            "pattern": "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|Percent|Count|Bytes\\/Second|Kilobytes\\/Second|Megabytes\\/Second|Gigabytes\\/Second|Terabytes\\/Second|Bits\\/Second|Kilobits\\/Second|Megabits\\/Second|Gigabits\\/Second|Terabits\\/Second|Count\\/Second|None)$",
                                        },
                                        "StorageResolution": {
                                            "type": "integer",
                                            "title": "StorageResolution",
                                            "examples": [60],
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}

OPTIONS = CloudWatchOptions(dimensions=(("Service", "api"), ("Pod", "api-7")))
DATA = (Datum("HitRate", "Percent", 91.2, 1_790_000_000.25), Datum("Latency", "Milliseconds", 0.4, 1_790_000_000.25))


@pytest.mark.parametrize(
    "options", [pytest.param(OPTIONS, id="two dimensions"), pytest.param(CloudWatchOptions(), id="no dimension")]
)
def test_cloudwatchs_schema_accepts_the_line(options):
    line = orjson.loads(orjson.dumps(document(options, DATA, DATA[0].at)))
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(line, SCHEMA)


def test_what_the_line_names_is_at_its_root_numbers_as_numbers_dimensions_as_text():
    line = document(OPTIONS, DATA, DATA[0].at)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "TreeBeard/Cache"
    assert [line[name] for name in directive["Dimensions"][0]] == ["api", "api-7"]
    assert [(metric["Name"], metric["Unit"], line[metric["Name"]]) for metric in directive["Metrics"]] == [
        ("HitRate", "Percent", 91.2),
        ("Latency", "Milliseconds", 0.4),
    ]
    assert line["_aws"]["Timestamp"] == 1_790_000_000_250
    assert line["event"] == "metrics"


async def test_each_interval_has_its_line():
    stream = io.BytesIO()
    writer = LineWriter(stream)
    await EmfSender(OPTIONS, writer).send((*DATA, Datum("HitRate", "Percent", 50.0, 1_790_000_060.0)))
    writer.close()
    lines = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["HitRate"] for line in lines] == [91.2, 50.0]
    assert "Latency" not in lines[1]
