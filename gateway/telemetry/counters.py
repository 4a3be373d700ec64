"""Counters without `_created` series, which prometheus_client adds unless it is told not to for the whole process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class Count:
    """The count under one set of labels. Not for several threads."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self) -> None:
        self.value += 1


class Counters(Collector):
    """All counts of one metric; `name` without `_total`."""

    def __init__(self, name: str, what: str, labels: Sequence[str]) -> None:
        self._name = name
        self._what = what
        self._labels = labels
        self._counts: dict[tuple[str, ...], Count] = {}

    def labels(self, *values: str) -> Count:
        """The count under these labels, in the order of `labels`."""
        return self._counts.setdefault(values, Count())

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._what, labels=self._labels)
        for values, count in list(self._counts.items()):  # other threads may add one
            family.add_metric(values, count.value)
        yield family
