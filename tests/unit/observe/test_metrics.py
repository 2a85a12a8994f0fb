import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.observe.counters import Counters
from proxy.observe.events import (
    BreakerMoved,
    LifetimeAdapted,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    StoreAnswered,
    WarmerRan,
)
from proxy.observe.gauges import Gauges
from proxy.observe.metrics import Metrics


def served(route="plan", outcome=Outcome.HIT_REDIS, status=200, seconds=0.002, namespace="a", saved=0.0):
    return RequestServed(
        route,
        outcome,
        "GET",
        "/secret/path",
        status,
        seconds,
        10,
        "id",
        "::1",
        namespace=namespace,
        seconds_saved=saved,
    )


def scraped(counters, gauges=None):
    body, content_type = Metrics(counters, lambda: gauges or Gauges()).render()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


FULL = Gauges(
    upstream_in_flight=3,
    memory_bytes=1024,
    memory_entries=2,
    memory_evictions=7,
    purge_mirror_lag=0.05,
    purge_selectors=9,
    redis_memory_ratio=0.5,
    redis_evictions=4,
    config_reload_ok=False,
    config_hash="abc",
)


def test_every_metric_that_the_interface_names_is_there_with_its_labels():
    counters = Counters(lambda: 0.0)
    for event in (
        served(saved=0.3),
        OriginAnswered("plan", 200, 0.3),
        StoreAnswered("load", 0.001),
        Purged("api", "soft", ("tag:a",), "e:1"),
        LifetimeAdapted("plan", "", "hot"),
        WarmerRan("plans", "order", {"warmed": 3, "failed": 1}, 2.0),
    ):
        counters.tell(event)
    families = text_string_to_metric_families(Metrics(counters, lambda: FULL).render()[0].decode())
    labels = {
        family.name: {label for sample in family.samples for label in sample.labels} - {"le"} for family in families
    }
    assert labels == {
        "sapwood_requests": {"route", "outcome", "code"},
        "sapwood_request_seconds": {"route", "outcome"},
        "sapwood_adaptive_ttl": {"route", "step"},
        "sapwood_upstream_requests": {"route", "code"},
        "sapwood_upstream_seconds": set(),
        "sapwood_upstream_in_flight": set(),
        "sapwood_upstream_seconds_saved": {"route"},
        "sapwood_store_seconds": {"operation"},
        "sapwood_store_errors": {"operation"},
        "sapwood_store_up": set(),
        "sapwood_breaker_open": set(),
        "sapwood_memory_bytes": set(),
        "sapwood_memory_entries": set(),
        "sapwood_memory_evictions": set(),
        "sapwood_purges": {"kind", "mode"},
        "sapwood_purge_mirror_lag_seconds": set(),
        "sapwood_purge_selectors": set(),
        "sapwood_warm": {"warmer", "result"},
        "sapwood_warm_seconds": {"warmer", "result"},
        "sapwood_redis_memory_ratio": set(),
        "sapwood_redis_evictions": set(),
        "sapwood_config_reload_ok": set(),
        "sapwood_config_info": {"hash"},
    }


def test_counts_times_and_gauges_are_exact():
    counters = Counters(lambda: 0.0)
    for event in (
        served(saved=0.3),
        served(saved=0.3, namespace="b"),
        served(status=404, seconds=40.0),
        OriginAnswered("plan", 0, 30.0, "timeout"),
        StoreAnswered("load", 0.001),
        StoreAnswered("load", 0.001, "broken"),
        BreakerMoved(is_open=True),
        Purged("api", "soft", ("tag:a",), "e:1"),
        WarmerRan("plans", "order", {"warmed": 3, "failed": 1}, 2.0),
    ):
        counters.tell(event)
    found = scraped(counters, FULL)
    hit = (("outcome", "hit_redis"), ("route", "plan"))
    assert found["sapwood_requests_total", ("code", "2xx"), *hit] == 2
    assert found["sapwood_requests_total", ("code", "4xx"), *hit] == 1
    assert found["sapwood_request_seconds_bucket", ("le", "0.001"), *hit] == 0
    assert found["sapwood_request_seconds_bucket", ("le", "0.0025"), *hit] == 2
    assert found["sapwood_request_seconds_bucket", ("le", "30.0"), *hit] == 2
    assert found["sapwood_request_seconds_bucket", ("le", "+Inf"), *hit] == 3
    assert found["sapwood_request_seconds_count", *hit] == 3
    assert found["sapwood_request_seconds_sum", *hit] == pytest.approx(40.004)
    assert found["sapwood_upstream_seconds_saved_total", ("route", "plan")] == pytest.approx(0.6)
    assert found["sapwood_upstream_requests_total", ("code", "none"), ("route", "plan")] == 1
    assert found["sapwood_upstream_seconds_count",] == 1
    assert found["sapwood_store_errors_total", ("operation", "load")] == 1
    assert found["sapwood_store_up",] == 0
    assert found["sapwood_breaker_open",] == 1
    assert found["sapwood_purges_total", ("kind", "api"), ("mode", "soft")] == 1
    assert found["sapwood_memory_evictions_total",] == 7
    assert found["sapwood_redis_evictions_total",] == 4
    assert found["sapwood_config_reload_ok",] == 0
    assert found["sapwood_config_info", ("hash", "abc")] == 1


def test_what_nobody_knows_is_left_out_rather_than_zero():
    names = {name for name, *_ in scraped(Counters(lambda: 0.0))}
    assert not names & {"sapwood_redis_memory_ratio", "sapwood_purge_selectors", "sapwood_purge_mirror_lag_seconds"}


def test_two_services_in_one_process_do_not_meet_and_the_global_registry_stays_empty_of_us():
    one, other = Counters(lambda: 0.0), Counters(lambda: 0.0)
    one.tell(served())
    first, second = Metrics(one, Gauges), Metrics(other, Gauges)
    assert b'route="plan"' in first.render()[0]
    assert b'route="plan"' not in second.render()[0]
    assert b"sapwood" not in prometheus_client.generate_latest()


def test_building_does_not_ask_for_gauges_yet():
    def not_yet():
        raise AssertionError

    Metrics(Counters(lambda: 0.0), not_yet)


def test_no_label_holds_a_path_or_a_client_and_names_are_escaped():
    counters = Counters(lambda: 0.0)
    counters.tell(served(route='a"b\nc'))
    text = Metrics(counters, Gauges).render()[0].decode()
    assert "/secret/path" not in text
    assert 'route="a\\"b\\nc"' in text


@pytest.mark.parametrize(
    ("results", "error", "items", "result"),
    [
        pytest.param({"warmed": 3, "failed": 1, "skipped": 2}, "", {"warmed": 3, "failed": 1, "skipped": 2}, "failed", id="one failed"),
        pytest.param({"warmed": 3, "skipped": 2}, "", {"warmed": 3, "skipped": 2}, "skipped", id="not all"),
        pytest.param({"warmed": 3, "fresh": 2}, "", {"warmed": 3, "fresh": 2}, "warmed", id="well"),
        pytest.param({"fresh": 2}, "", {"fresh": 2}, "fresh", id="nothing to do"),
        pytest.param({}, "the list is not JSON", {"failed": 1}, "failed", id="not at all"),
    ],
)  # fmt: skip
def test_a_warmers_run_counts_its_items_and_its_time_by_the_worst(results, error, items, result):
    counters = Counters(lambda: 0.0)
    counters.tell(WarmerRan("plans", "schedule", results, 2.0, error))
    found = scraped(counters)
    assert {key[1][1]: value for key, value in found.items() if key[0] == "sapwood_warm_total"} == items
    assert found["sapwood_warm_seconds_sum", ("result", result), ("warmer", "plans")] == 2.0


def test_workers_are_told_of_where_there_are_any():
    alone, several = scraped(Counters(lambda: 0.0)), Gauges(workers_up=2, worker_restarts=3)
    told = {name: value for name, value in scraped(Counters(lambda: 0.0), several).items() if name not in alone}
    assert told == {("sapwood_workers_up",): 2, ("sapwood_worker_restarts_total",): 3}


def test_how_often_a_ttl_followed_the_traffic_and_how():
    counters = Counters(lambda: 0.0)
    for namespace, step in (("v1", "hot"), ("v2", "hot"), ("v2", "base")):
        counters.tell(LifetimeAdapted("plan", namespace, step))
    samples = scraped(counters)
    assert samples["sapwood_adaptive_ttl_total", ("route", "plan"), ("step", "hot")] == 2
    assert samples["sapwood_adaptive_ttl_total", ("route", "plan"), ("step", "base")] == 1
    assert ("sapwood_adaptive_ttl_total", ("route", "plan"), ("step", "cold")) not in samples
