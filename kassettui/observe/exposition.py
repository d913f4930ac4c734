"""The meters in Prometheus's text format. Importing this imports prometheus_client: only when it is shown."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from kassettui.observe.metrics import Metrics, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

PREFIX: Final = "kassettui_"


def exposition(metrics: Metrics, readings: Sequence[Reading]) -> str:
    """All figures, through a registry of its own: the process's global one is never touched."""
    registry = CollectorRegistry()
    registry.register(_Figures(metrics, readings))
    return generate_latest(registry).decode("utf-8")


class _Figures(Collector):
    """Our meters as prometheus_client's metric families."""

    def __init__(self, metrics: Metrics, readings: Sequence[Reading]) -> None:
        self._metrics = metrics
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for counter in self._metrics.counters():
            family = CounterMetricFamily(PREFIX + counter.name, counter.help, labels=_names(counter.label))
            # A counter without a label is there from the start, so that its first step is a rate.
            values = counter.values() or ({} if counter.label else {"": 0})
            for label, value in sorted(values.items()):
                family.add_metric([label] if counter.label else [], value)
            yield family
        levels = [Reading(gauge.name, gauge.help, {"": gauge.value}) for gauge in self._metrics.gauges()]
        for reading in (*levels, *self._readings):
            level = GaugeMetricFamily(PREFIX + reading.name, reading.help, labels=_names(reading.label))
            for label, value in sorted(reading.values.items()):
                level.add_metric([label] if reading.label else [], value)
            yield level
        for histogram in self._metrics.histograms():
            spread = HistogramMetricFamily(
                PREFIX + histogram.name, histogram.help, labels=_names(histogram.label)
            )
            bounds = [*map(str, histogram.buckets), "+Inf"]
            for label, (total, counts) in sorted(histogram.cells().items()):
                reached = list(zip(bounds, accumulate(counts), strict=True))
                spread.add_metric([label] if histogram.label else [], reached, total)
            yield spread


def _names(label: str) -> list[str]:
    return [label] if label else []
