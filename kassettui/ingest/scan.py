"""The fast walk over a tree: what every directory holds, grouped, with size and time of every file.

One listing a directory and one stat a file, none for what is ignored; nothing is opened but directories and
their ignore files, and none outside the scopes (I3). What cannot be read comes as an error (I21).
"""

from __future__ import annotations

import math
import os
import resource
import time
from typing import TYPE_CHECKING, Final, Protocol

from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.listing import ScannedDirectory, grouped
from kassettui.ingest.readers import Readers
from kassettui.ingest.reading import SLICE, Reader, ReaderOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.ingest.listing import Read, Visit

__all__ = ["MOST_THREADS", "ScannedDirectory", "Stoppable", "scan"]

MOST_THREADS: Final = 16
"""More do not pay: Python itself takes a few microseconds a file."""

MOST_PROCESSES: Final = 3
"""Beside this one; more would wait for who takes their directories."""

_CALLS_TO_LIST: Final = 3  # open, fstat, one getdents
_SLOW_CALL: Final = 30e-6  # seconds of waiting a call: a local disk in the cache waits for none
_SLOW_SHARE: Final = 3.0  # waiting over working
_WAITING_CALLS: Final = 0.3  # of all calls
_WINDOW: Final = 0.03  # seconds of reading between two judgements
_LARGE_TREE: Final = 0.04  # seconds of reading before processes pay, with so many directories to be read
_MANY: Final = 24


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
    `threads` None means what the measured latency makes worth while: up to 16 threads on a slow mount, on a
    fast disk one and, for a large tree, a few processes. Neither results nor their order depend on it.
    Raises OSError when the root cannot be opened, and whatever `control.checkpoint` raises.
    """
    reader = Reader(root, ReaderOptions(follow_symlinks, recursive, all_files))
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
    """One thread reads until more hands pay; then these do, in the same order."""

    def __init__(self, reader: Reader, threads: int | None, control: Stoppable | None) -> None:
        self._reader = reader
        self._checkpoint = control.checkpoint if control is not None else _go_on
        self._pace = _Pace(MOST_THREADS if threads is None else threads)
        self._processes = min(MOST_PROCESSES, len(os.sched_getaffinity(0)) - 1) if threads is None else 0
        self._readers: Readers | None = None
        self._waits = False  # the mount is slow: others read, and this thread stays free to stop
        if threads is not None and threads > 1:
            self._call([], threads=threads)

    def below(self, first: Visit) -> Iterator[ScannedDirectory]:
        """`first` and everything below it."""
        pending = [first]
        if self._readers is not None:
            self._readers.add(pending)
        while pending:
            self._checkpoint()
            visit = pending.pop()
            read = self._read(visit, pending) if self._readers is None else None
            if read is None:
                read = self._taken(visit)
            elif self._processes and len(pending) >= _MANY and self._pace.total >= _LARGE_TREE:
                self._call([*pending, *read[1]], processes=self._processes)
            yield read[0]
            pending.extend(reversed(read[1]))

    def close(self) -> None:
        """Stop the readers and let the root go."""
        if self._readers is None:
            self._reader.close()
        else:
            self._readers.close()

    def _call(self, pending: Sequence[Visit], threads: int = 0, processes: int = 0) -> None:
        """Have more hands from now on, for all that is to be read."""
        if self._readers is None:
            self._readers = Readers(self._reader)
            self._readers.add(pending)
        self._waits = threads > 0
        self._readers.hire(threads, processes)

    def _taken(self, visit: Visit) -> Read:
        assert self._readers is not None
        aid = None if self._waits else lambda task: self._read(task, ())
        return self._readers.take(visit, self._checkpoint, aid)

    def _read(self, visit: Visit, pending: Sequence[Visit]) -> Read | None:
        """Read one directory here. None when that is slow: others do the rest of it, and all of `pending`."""
        self._pace.begin()
        reading = self._reader.begin(visit)
        left = len(reading.listing.names)
        adopted = False
        try:
            for number in range(len(reading.slices)):
                self._reader.measure(reading, number)
                reading.left -= 1
                threads = self._pace.threads(min(SLICE, left) + (0 if number else _CALLS_TO_LIST))
                left -= SLICE
                if threads > 1 and not self._waits:
                    self._call(pending, threads=threads)
                    assert self._readers is not None
                    adopted = True
                    self._readers.adopt(reading, number + 1)
                    return None
                self._checkpoint()
                self._pace.begin()
            return grouped(visit, self._reader.listed(reading))
        finally:
            if not adopted:
                reading.close()


class _Pace:
    """Judges whether more threads would pay: whether the time goes into waiting for the file system.

    A thread that waits gives the processor up; one that merely stands in line for a busy one is put off it.
    """

    def __init__(self, most: int) -> None:
        self.total = 0.0
        self._most = most
        self._calls = 0
        self._wall = self._work = 0.0
        self._wall_begun = self._work_begun = 0.0
        self._given_up = _times_given_up()

    def begin(self) -> None:
        """A stretch of reading begins."""
        self._wall_begun, self._work_begun = time.perf_counter(), time.thread_time()

    def threads(self, calls: int) -> int:
        """How many threads would pay, by the stretch that ends now with so many calls and those before it."""
        spent = time.perf_counter() - self._wall_begun
        self.total += spent
        self._wall += spent
        self._work += time.thread_time() - self._work_begun
        self._calls += calls
        return 1 if self._wall < _WINDOW else self._judged()

    def _judged(self) -> int:
        given_up = _times_given_up()
        waited = self._wall - self._work
        share = waited / max(self._work, 1e-9)
        slow = (
            waited > _SLOW_CALL * self._calls
            and share > _SLOW_SHARE
            and given_up - self._given_up > _WAITING_CALLS * self._calls
        )
        self._calls, self._wall, self._work, self._given_up = 0, 0.0, 0.0, given_up
        return min(self._most, 1 + math.ceil(share)) if slow else 1


def _times_given_up() -> int:
    """How often this thread has given the processor up to wait."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _go_on() -> None:
    """No control, no stop."""
