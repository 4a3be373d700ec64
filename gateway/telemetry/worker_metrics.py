"""Adds up the metrics of several processes.

Counters and histograms are added, and those of a process that has ended still count, so that no sum ever falls.
Gauges are of the processes that run; `GAUGES` has the rules of those that are not added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

Rule = Callable[[float, float], float]


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One value of a metric."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Family(msgspec.Struct, frozen=True, array_like=True):
    """One metric with all its values; `name` and `kind` as in Prometheus' text format."""

    name: str
    kind: str
    text: str
    samples: tuple[Sample, ...]


Snapshot = tuple[Family, ...]
"""All metrics of a process at one moment."""
GAUGE: Final = "gauge"
GAUGES: Final[Mapping[str, Rule]] = {
    "connection_gateway_breaker_state": max,
    "connection_gateway_build_info": max,
    "connection_gateway_config_last_reload_success_timestamp_seconds": min,
    "connection_gateway_config_last_reload_successful": min,
    "connection_gateway_draining": max,
    "connection_gateway_event_loop_lag_seconds": max,
    "connection_gateway_shared_following": min,
    "connection_gateway_shared_up": min,
    "connection_gateway_throttled": max,
    "process_start_time_seconds": min,
}
"""How two values of a gauge become one, where they are not added."""
ADDED: Final = frozenset(
    {
        "connection_gateway_cache_entries",
        "connection_gateway_cache_max_entries",
        "connection_gateway_calls_active",
        "connection_gateway_calls_queued",
        "connection_gateway_connections",
        "connection_gateway_list_cache_entries",
        "connection_gateway_max_calls",
        "connection_gateway_max_concurrency",
        "connection_gateway_max_streams",
        "connection_gateway_max_waiting",
        "connection_gateway_requests_in_work",
        "connection_gateway_streams",
        "connection_gateway_tasks",
        "connection_gateway_waiting",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
    }
)
"""All other gauges. A test shows that each gauge is in one of the two."""


def total(running: Iterable[Snapshot], ended: Snapshot = ()) -> Snapshot:
    """The metrics of all: of processes that run, and what `lasting` kept of those that have ended."""
    return _combined([*running, ended])


def lasting(ended: Iterable[Snapshot]) -> Snapshot:
    """What stays of processes that have ended."""
    return tuple(family for family in _combined(ended) if family.kind != GAUGE)


def _combined(snapshots: Iterable[Snapshot]) -> Snapshot:
    first: dict[str, Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for snapshot in snapshots:
        for family in snapshot:
            first.setdefault(family.name, family)
            found = values.setdefault(family.name, {})
            rule = GAUGES.get(family.name, _add)
            for sample in family.samples:
                key = sample.name, sample.labels
                found[key] = rule(found[key], sample.value) if key in found else sample.value
    return tuple(
        Family(name, family.kind, family.text, tuple(Sample(*key, value) for key, value in values[name].items()))
        for name, family in first.items()
    )


def _add(one: float, other: float) -> float:
    return one + other
