"""Between the metrics of this process and what processes tell each other of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

from gateway.telemetry.worker_metrics import Family, Sample, Snapshot


def snapshot_of(registry: CollectorRegistry) -> Snapshot:
    """All values of this moment."""
    return tuple(
        Family(
            metric.name,
            metric.type,
            metric.documentation,
            tuple(Sample(each.name, tuple(each.labels.items()), float(each.value)) for each in metric.samples),
        )
        for metric in registry.collect()
    )


def text_of(snapshot: Snapshot) -> bytes:
    """In Prometheus' text format."""
    return generate_latest(cast("CollectorRegistry", _Collected(snapshot)))


class _Collected:
    """All that `generate_latest` needs of a registry."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        for family in self._snapshot:
            metric = Metric(family.name, family.text, family.kind)
            for each in family.samples:
                metric.add_sample(each.name, dict(each.labels), each.value)
            yield metric
