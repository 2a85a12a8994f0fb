from dataclasses import replace

import pytest
from admincontrol import HEALTHY

from proxy.admin.health import document


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        pytest.param({}, "healthy", "all is well", id="all is well"),
        pytest.param({"upstream_answers": None}, "healthy", "all is well", id="nobody asked the backend yet"),
        pytest.param({"enabled": False}, "healthy", "caching is turned off", id="turned off on purpose"),
        pytest.param({"store_latency": None}, "degraded", "does not answer", id="store silent"),
        pytest.param({"breaker_open": True}, "degraded", "left alone", id="breaker open"),
        pytest.param({"store_latency": 0.02}, "degraded", "20.0 ms", id="store slow"),
        pytest.param({"upstream_answers": False}, "degraded", "backend", id="backend silent, the store serves"),
        pytest.param({"config_reload_ok": False}, "degraded", "reload", id="reload refused"),
        pytest.param({"ready": False}, "unhealthy", "not accepting", id="draining"),
        pytest.param({"workers_down": 1}, "degraded", "1 worker is being started again", id="a worker has died"),
        pytest.param({"workers_down": 3}, "degraded", "3 workers are being", id="several have"),
        pytest.param({"store_refuses": True}, "degraded", "is it full", id="a full store"),
        pytest.param(
            {"upstream_answers": False, "store_latency": None}, "unhealthy", "backend", id="nothing to serve from"
        ),
        pytest.param(
            {"upstream_answers": False, "breaker_open": True}, "unhealthy", "backend", id="nor with an open breaker"
        ),
    ],
)
def test_the_worst_trouble_decides_and_each_is_named(changes, status, message):
    said = document(replace(HEALTHY, **changes))
    assert said["status"] == status
    assert said["healthy"] is (status != "unhealthy")
    assert message in said["message"]


def test_the_documents_shape():
    assert document(HEALTHY) == {
        "status": "healthy",
        "healthy": True,
        "latency_ms": 0.4,
        "hit_rate": 91.2,
        "store": {"kind": "redis", "status": "up", "breaker": "closed"},
        "upstream": {"status": "up"},
        "enabled": True,
        "message": "all is well",
    }


def test_no_latency_without_an_answer():
    assert document(replace(HEALTHY, store_latency=None))["latency_ms"] is None
