"""What several processes measured becomes one exposition."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from gateway.health import BreakerState
from gateway.server.server import Server
from gateway.shared.metrics import SharedMetrics
from gateway.telemetry.exposition import snapshot_of, text_of
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.worker_metrics import ADDED, GAUGE, GAUGES, Snapshot, lasting, total
from tests.gateways import Gateway


def values(snapshot: Snapshot) -> dict[str, float]:
    """By name and the values of its labels."""
    return {
        ",".join((sample.name, *(value for _, value in sample.labels))): sample.value
        for family in snapshot
        for sample in family.samples
    }


def measured(requests: int, in_work: int = 0) -> Snapshot:
    metrics = Metrics()
    metrics.watch_admission(lambda: in_work, 100)
    for _ in range(requests):
        metrics.request("GET", "/v1/me", 200, None, 0.02)
    return metrics.snapshot()


COUNT = "http_server_request_duration_seconds_count,GET,/v1/me,,200,"


def test_counts_and_buckets_are_added() -> None:
    found = values(total([measured(2), measured(3)]))
    assert found[COUNT] == 5
    assert found["http_server_request_duration_seconds_bucket,GET,/v1/me,,200,,0.01"] == 0
    assert found["http_server_request_duration_seconds_bucket,GET,/v1/me,,200,,0.025"] == 5


def test_gauges_are_added_unless_they_have_a_rule() -> None:
    found = values(total([measured(0, in_work=2), measured(0, in_work=3)]))
    assert found["connection_gateway_requests_in_work"] == 5
    assert found["process_start_time_seconds"] == values(measured(0))["process_start_time_seconds"]


def test_what_has_ended_still_counts_but_does_nothing_any_more() -> None:
    ended = lasting([lasting([measured(2, in_work=1)]), measured(3, in_work=1)])
    found = values(total([measured(1, in_work=4)], ended))
    assert found[COUNT] == 6
    assert found["connection_gateway_requests_in_work"] == 4


def test_an_open_breaker_of_one_worker_is_seen() -> None:
    """Both states are 1 then: that of the others too."""

    def of(state: BreakerState) -> Snapshot:
        metrics = Metrics()
        metrics.of("acme").watch(
            breaker=lambda: state,
            throttled=lambda: False,
            waiting=lambda: 0,
            active=lambda: 0,
            queued=lambda: 0,
            max_waiting=1,
            max_calls=1,
        )
        return metrics.snapshot()

    found = values(total([of(BreakerState.OPEN), of(BreakerState.CLOSED), of(BreakerState.CLOSED)]))
    states = {each: found[f"connection_gateway_breaker_state,acme,{each}"] for each in BreakerState}
    assert states == {BreakerState.OPEN: 1, BreakerState.HALF_OPEN: 0, BreakerState.CLOSED: 1}


async def test_every_gauge_has_been_thought_of(gateway: Gateway) -> None:
    registry = gateway.app.state.metrics.registry
    SharedMetrics(registry)
    Server(gateway.app, gateway.app.state.snapshots.current.settings.server, gateway.log)  # which has some of its own
    gauges = {each.name for each in snapshot_of(registry) if each.kind == GAUGE}
    assert gauges == {*GAUGES, *ADDED}


async def test_one_alone_is_told_as_if_it_were_not_added_up(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    metrics = gateway.app.state.metrics
    snapshot = metrics.snapshot()
    added = {each.name: each for each in text_string_to_metric_families(text_of(total([snapshot])).decode())}
    alone = {each.name: each for each in text_string_to_metric_families((await metrics.text()).decode())}
    assert list(added) == list(alone)
    for name, family in alone.items():
        if not name.startswith("process_"):
            assert added[name] == family
