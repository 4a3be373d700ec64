"""Metrics that are counted elsewhere, and read when somebody scrapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Read = Callable[[], float]


class WatchedCounter(Collector):
    """A counter without labels, or with one whose values are the keys of `reads`; `name` is without `_total`."""

    def __init__(self, name: str, what: str, reads: Read | Mapping[str, Read], label: str = "") -> None:
        self._name = name
        self._what = what
        self._labels: Sequence[str] = [label] if label else []
        self._reads = {(): reads} if callable(reads) else {(value,): read for value, read in reads.items()}

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._what, labels=self._labels)
        for values, read in self._reads.items():
            family.add_metric(values, read())
        yield family


class WatchedGauge(Collector):
    """A gauge without labels. One that has no value yet (None) is left out."""

    def __init__(self, name: str, what: str, read: Callable[[], float | None]) -> None:
        self._name = name
        self._what = what
        self._read = read

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._what)
        value = self._read()
        if value is not None:
            family.add_metric((), value)
        yield family


class Constant(Collector):
    """A gauge of 1 whose labels are the information."""

    def __init__(self, name: str, what: str, labels: Mapping[str, str]) -> None:
        self._name = name
        self._what = what
        self._labels = dict(labels)

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._what, labels=list(self._labels))
        family.add_metric(list(self._labels.values()), 1)
        yield family
