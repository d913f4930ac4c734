"""The three kinds of meter: counter, gauge, histogram. Cheap to add to, safe from any thread.

Which meters there are, and how they are shown and stored, is in `metrics`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES: Final = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0, 100000.0)


class Counter:
    """A sum that only grows; with a `label`, one sum for each of its values."""

    __slots__ = ("_lock", "_values", "help", "label", "name")

    def __init__(self, name: str, help: str, label: str = "") -> None:  # noqa: A002 (prometheus's word)
        self.name = name
        self.help = help
        self.label = label
        self._values: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float = 1, label: str = "") -> None:
        """Count `amount` more, under the value `label` where the counter has a label."""
        with self._lock:
            self._values[label] = self._values.get(label, 0) + amount

    def value(self, label: str = "") -> float:
        """The sum so far; 0 where nothing was counted."""
        return self._values.get(label, 0)

    @property
    def total(self) -> float:
        """The sum over all values of the label."""
        return sum(self.values().values())

    def values(self) -> dict[str, float]:
        """The sums by value of the label."""
        with self._lock:
            return dict(self._values)


class Gauge:
    """A level that rises and falls: of this process and this moment, so it is never stored."""

    __slots__ = ("_lock", "_value", "help", "name")

    def __init__(self, name: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self._value: float = 0
        self._lock = threading.Lock()

    def set(self, value: float) -> None:
        """The level is `value`."""
        self._value = value

    def add(self, amount: float) -> None:
        """The level rose by `amount` (fell, where negative)."""
        with self._lock:
            self._value += amount

    @property
    def value(self) -> float:
        """The level now."""
        return self._value


@dataclass(slots=True)
class _Cells:
    """One histogram's figures: how many fell into each bucket (the last one: beyond all), and their sum."""

    counts: list[int]
    sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram says about one value of its label; `p50` and `p99` are estimates from the buckets."""

    count: int
    sum: float
    p50: float
    p99: float


class Histogram:
    """How values spread over fixed buckets; with a `label`, a spread for each of its values."""

    __slots__ = ("_cells", "_lock", "buckets", "help", "label", "name")

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002
        buckets: Sequence[float] = SECONDS,
        label: str = "",
    ) -> None:
        self.name = name
        self.help = help
        self.buckets = tuple(buckets)
        self.label = label
        self._cells: dict[str, _Cells] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, label: str = "") -> None:
        """One more `value` (seconds, or a size: the name says which)."""
        place = bisect_left(self.buckets, value)
        with self._lock:
            cells = self._cells.get(label)
            if cells is None:
                cells = self._cells[label] = _Cells([0] * (len(self.buckets) + 1))
            cells.counts[place] += 1
            cells.sum += value

    def distributions(self) -> dict[str, Distribution]:
        """Count, sum and estimated quantiles by value of the label."""
        return {
            label: Distribution(sum(counts), total, self._quantile(counts, 0.5), self._quantile(counts, 0.99))
            for label, (total, counts) in self.cells().items()
        }

    def cells(self) -> dict[str, tuple[float, list[int]]]:
        """Sum and counts (one a bucket, and one beyond) by value of the label."""
        with self._lock:
            return {label: (cells.sum, list(cells.counts)) for label, cells in self._cells.items()}

    def include(self, label: str, total: float, counts: Sequence[int]) -> None:
        """Add stored figures; those of other buckets than ours are left out."""
        if len(counts) != len(self.buckets) + 1:
            return
        with self._lock:
            cells = self._cells.setdefault(label, _Cells([0] * len(counts)))
            cells.sum += total
            cells.counts = [ours + theirs for ours, theirs in zip(cells.counts, counts, strict=True)]

    def _quantile(self, counts: Sequence[int], share: float) -> float:
        wanted = share * sum(counts)
        seen = 0
        for place, count in enumerate(counts[:-1]):
            if count and seen + count >= wanted:
                low = self.buckets[place - 1] if place else 0.0
                return low + (self.buckets[place] - low) * (wanted - seen) / count
            seen += count
        return self.buckets[-1]
