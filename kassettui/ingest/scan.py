"""The fast walk over a tree: what every directory holds, grouped, with size and time of every file.

One listing a directory and one stat a file, none for what is ignored; nothing is opened but directories and
their ignore files, and none outside the scopes (I3). What cannot be read comes as an error (I21).
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final, Protocol

from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.readers import Readers
from kassettui.ingest.reading import SLICE, Reader, ScannedDirectory, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.ingest.readers import Read

__all__ = ["MOST_THREADS", "ScannedDirectory", "Stoppable", "scan"]

MOST_THREADS: Final = 16
"""More do not pay: Python itself takes a few microseconds a file."""

_SLOW_CALL: Final = 30e-6  # seconds of waiting a call: a local disk in the cache waits for none
_SLOW_SHARE: Final = 3.0  # waiting over working: below it a busy machine looks like a slow disk
_WINDOW: Final = 0.03  # seconds of reading between two judgements


class Stoppable(Protocol):
    """What a scan needs of a Control."""

    def checkpoint(self) -> None:
        """Raise to stop the scan."""


def scan(
    root: str,
    *,
    scopes: Sequence[str] = ("",),
    ignore: IgnoreRules | None = None,
    follow_symlinks: bool = False,
    recursive: bool = True,
    all_files: bool = False,
    threads: int | None = None,
    control: Stoppable | None = None,
) -> Iterator[ScannedDirectory]:
    """Every directory of `scopes` (relative to `root`, normal), each before what is in it, siblings by name.

    `recursive` False stays in the scopes themselves. `all_files` also looks at files that are no media.
    `threads` None means: as many as the measured latency makes worth while, 1 on a local disk, up to 16 on a
    slow mount; neither results nor their order depend on it. Raises OSError when the root cannot be opened,
    and whatever `control.checkpoint` raises.
    """
    reader = Reader(root, follow_symlinks=follow_symlinks, all_files=all_files, recursive=recursive)
    walk = _Walk(reader, threads, control)
    try:
        for scope in _apart(scopes):
            first = reader.first(scope, ignore or IgnoreRules())
            if isinstance(first, ScannedDirectory):
                yield first
            else:
                yield from walk.below(first)
    finally:
        walk.close()


def _apart(scopes: Sequence[str]) -> list[str]:
    """The scopes in the order of a walk, without those inside others."""
    kept: list[str] = []
    for scope in sorted(set(scopes), key=lambda scope: scope.replace("/", "\0")):
        if not any(above in ("", scope) or scope.startswith(f"{above}/") for above in kept[-1:]):
            kept.append(scope)
    return kept


class _Walk:
    """One thread reads until the waiting outweighs the work; then several readers do, in the same order."""

    def __init__(self, reader: Reader, threads: int | None, control: Stoppable | None) -> None:
        self._reader = reader
        self._checkpoint = control.checkpoint if control is not None else _go_on
        self._pace = _Pace(MOST_THREADS if threads is None else threads)
        self._readers = Readers(reader, threads) if threads is not None and threads > 1 else None

    def below(self, first: Visit) -> Iterator[ScannedDirectory]:
        """`first` and everything below it."""
        pending = [first]
        if self._readers is not None:
            self._readers.add(pending)
        while pending:
            self._checkpoint()
            visit = pending.pop()
            if self._readers is None:
                scanned, below = self._read(visit, pending)
            else:
                scanned, below = self._readers.take(visit, self._checkpoint)
            yield scanned
            pending.extend(reversed(below))

    def close(self) -> None:
        """Stop the readers and let the root go."""
        if self._readers is None:
            self._reader.close()
        else:
            self._readers.close()

    def _read(self, visit: Visit, pending: list[Visit]) -> Read:
        """Read one directory here; if that is slow, call readers for the rest of it and of all."""
        self._pace.begin()
        reading = self._reader.begin(visit)
        try:
            for number in range(len(reading.slices)):
                self._reader.measure(reading, number)
                reading.left -= 1
                threads = self._pace.threads(SLICE if reading.left else len(reading.names) % SLICE + 3)
                if threads > 1:
                    self._readers = Readers(self._reader, threads)
                    self._readers.add(pending)
                    self._readers.adopt(reading, number + 1)
                    return self._readers.take(visit, self._checkpoint)
                self._checkpoint()
                self._pace.begin()
            return self._reader.finish(reading)
        except BaseException:
            if self._readers is None:
                reading.close()
            raise


class _Pace:
    """Judges from wall and processor time whether more threads would pay."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls = 0
        self._wall = self._work = 0.0
        self._wall_begun = self._work_begun = 0.0

    def begin(self) -> None:
        """A stretch of reading begins."""
        self._wall_begun, self._work_begun = time.perf_counter(), time.thread_time()

    def threads(self, calls: int) -> int:
        """How many threads would pay, by the stretch that ends now with so many calls and those before it."""
        self._wall += time.perf_counter() - self._wall_begun
        self._work += time.thread_time() - self._work_begun
        self._calls += calls
        if self._wall < _WINDOW:
            return 1
        waited = self._wall - self._work
        share = waited / max(self._work, 1e-9)
        slow = waited > _SLOW_CALL * self._calls and share > _SLOW_SHARE
        self._calls, self._wall, self._work = 0, 0.0, 0.0
        return min(self._most, 1 + math.ceil(share)) if slow else 1


def _go_on() -> None:
    """No control, no stop."""
