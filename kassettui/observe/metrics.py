"""What is counted while we work (L13): typed, cheap to add to, and exposed through prometheus_client.

Adding is a lock and a sum (below a microsecond); prometheus_client, 50 ms to import, is loaded when somebody
asks for its text format. Nothing is global: one `Metrics` a workspace, passed down.

Counts outlive the process through `dump` and `merge`: who closes the library stores the dump in its settings
table (in the same transaction: read, `merge`, write), so that `kassettui metrics` shows what an import did.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeGuard

from kassettui.observe.meters import SIZES, Counter, Distribution, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DUMP_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A level that is read off something else when asked for (assets by state, the library's size)."""

    name: str
    """Without the prefix `kassettui_`."""
    help: str
    values: Mapping[str, float]
    """By value of the label; the one value under "" where there is no label."""
    label: str = ""


class Metrics:
    """Everything that is counted. Times are seconds."""

    def __init__(self) -> None:
        self.writes_queued = Counter("library_writes_queued", "Writes handed to the operator")
        self.writes_done = Counter("library_writes_done", "Writes committed")
        self.writes_failed = Counter("library_writes_failed", "Writes that raised or whose commit failed")
        self.write_retries = Counter("library_write_retries", "Transactions tried again: busy or locked")
        self.write_batch = Histogram("library_write_batch_size", "Writes in one transaction", SIZES)
        self.write_queue_depth = Gauge("library_write_queue_depth", "Writes that wait for the operator")
        self.write_wait = Histogram("library_write_wait_seconds", "From queued to begun")
        self.write_run = Histogram("library_write_run_seconds", "From BEGIN to COMMIT")
        self.reads = Counter("library_reads", "Reads")
        self.read_run = Histogram("library_read_run_seconds", "One read")
        self.migrations = Counter("library_migrations", "Schema steps", label="direction")
        self.import_runs = Counter("import_runs", "Imports by how they ended", label="status")
        self.import_items = Counter("import_items", "Items of imports by decision", label="decision")
        self.enrichments = Counter("enrichments", "Assets enriched, by outcome", label="outcome")
        self.thumbnails = Counter("thumbnails", "Thumbnails made, hit, failed", label="outcome")
        self.decode_run = Histogram("decode_seconds", "One request to a decoder", label="task")
        self.decoders_replaced = Counter("decoders_replaced", "Decoder processes replaced", label="reason")
        self.cache_hits = Counter("cache_hits", "Answers from a cache in memory", label="cache")
        self.cache_misses = Counter("cache_misses", "Questions that a cache had to pass on", label="cache")
        self.jobs_ended = Counter("jobs", "Jobs by how they ended", label="state")
        self.jobs_running = Gauge("jobs_running", "Jobs that run now")
        self.job_bytes = Counter("job_bytes", "Bytes that jobs worked on", label="kind")

    def counters(self) -> Iterator[Counter]:
        """Every counter, in the order above."""
        return (metric for metric in self._all() if isinstance(metric, Counter))

    def gauges(self) -> Iterator[Gauge]:
        """Every gauge."""
        return (metric for metric in self._all() if isinstance(metric, Gauge))

    def histograms(self) -> Iterator[Histogram]:
        """Every histogram."""
        return (metric for metric in self._all() if isinstance(metric, Histogram))

    def _all(self) -> Iterator[object]:
        return iter(vars(self).values())

    # -- outliving the process ------------------------------------------------------------------------------

    def dump(self) -> dict[str, object]:
        """Counters and histograms as plain JSON values, for `merge`; empty ones and gauges are left out."""
        return {
            "version": _DUMP_VERSION,
            "counters": {counter.name: values for counter in self.counters() if (values := counter.values())},
            "histograms": {
                histogram.name: {label: [total, counts] for label, (total, counts) in cells.items()}
                for histogram in self.histograms()
                if (cells := histogram.cells())
            },
        }

    def merge(self, dump: object) -> None:
        """Add what an earlier `dump` counted. What is not ours, or not sound, is left out."""
        if not isinstance(dump, dict) or dump.get("version") != _DUMP_VERSION:
            return
        counters = _table(dump.get("counters"))
        for counter in self.counters():
            for label, value in _table(counters.get(counter.name)).items():
                if _is_count(value):
                    counter.add(value, label)
        histograms = _table(dump.get("histograms"))
        for histogram in self.histograms():
            for label, cells in _table(histograms.get(histogram.name)).items():
                match cells:
                    case [total, list(counts)] if _is_count(total) and _are_counts(counts):
                        histogram.include(label, total, counts)

    # -- shown ----------------------------------------------------------------------------------------------

    def snapshot(self, readings: Iterable[Reading] = ()) -> dict[str, object]:
        """All figures as JSON values by name: numbers, `{label: number}`, `{count, sum, p50, p99}`."""
        shown: dict[str, object] = {}
        for counter in self.counters():
            shown[counter.name] = counter.values() if counter.label else counter.value()
        for gauge in self.gauges():
            shown[gauge.name] = gauge.value
        for histogram in self.histograms():
            spread = {label: _as_json(one) for label, one in histogram.distributions().items()}
            shown[histogram.name] = spread if histogram.label else spread.get("", _as_json(_NOTHING))
        for reading in readings:
            shown[reading.name] = dict(reading.values) if reading.label else reading.values.get("", 0)
        return shown

    def exposition(self, readings: Iterable[Reading] = ()) -> str:
        """The figures in Prometheus's text format."""
        from kassettui.observe.exposition import exposition

        return exposition(self, tuple(readings))

    def write_textfile(self, path: str, readings: Iterable[Reading] = ()) -> None:
        """`exposition` into `path` for node_exporter's textfile collector: whole or not at all.

        Readable by everyone (0644), unlike what else we write: the exporter is another user, and only counts
        are in it. Raises OSError.
        """
        import tempfile

        text = self.exposition(readings).encode("utf-8")
        directory, name = os.path.split(os.path.abspath(path))
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=f".{name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


_NOTHING: Final = Distribution(0, 0.0, 0.0, 0.0)


def _as_json(spread: Distribution) -> dict[str, float]:
    return {"count": spread.count, "sum": spread.sum, "p50": spread.p50, "p99": spread.p99}


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str)}


def _is_count(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _are_counts(values: list[object]) -> TypeGuard[list[int]]:
    return all(isinstance(value, int) and _is_count(value) for value in values)
