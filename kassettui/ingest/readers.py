"""Several threads that read directories ahead of one who takes them in order: for slow mounts (spec: B2).

They are daemons: a thread stuck on a dead mount never keeps the process from leaving, and who stops the scan
does not wait for it.
"""

from __future__ import annotations

import heapq
import threading
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kassettui.ingest.reading import Reader, Reading, ScannedDirectory, Visit

_MOST_DIRECTORIES: Final = 4096  # read and not yet taken
_MOST_FILES: Final = 200_000
_LOOK_UP: Final = 0.05  # seconds between two looks at the control while waiting
_FAREWELL: Final = 0.2  # seconds that closing waits for threads that are not stuck

Read = tuple["ScannedDirectory", "list[Visit]"]
"""A directory, and what is to be visited below it."""


class Readers:
    """A pool of threads over one reader. What comes first in the walk is read first.

    Large directories are measured slice by slice, by as many threads as are free.
    """

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader = reader
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._arrived = threading.Condition(lock)
        self._queue: list[tuple[str, int]] = []  # a heap: place in the walk, number of the task
        self._tasks: dict[int, Callable[[], None]] = {}
        self._numbers = count()
        self._done: dict[str, Read] = {}
        self._open: set[Reading] = set()
        self._files_ahead = 0
        self._wanted = ""
        self._stopping = False
        self._failed: BaseException | None = None
        self._alive = size
        self._threads = [
            threading.Thread(target=self._help, name=f"scan-{number}", daemon=True) for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, visits: Iterable[Visit]) -> None:
        """Have these read, and everything below them."""
        with self._work:
            for visit in visits:
                self._push(visit.order, partial(self._begin, visit))

    def adopt(self, reading: Reading, begun: int) -> None:
        """Have a directory finished whose slices before `begun` are measured."""
        order = reading.visit.order
        with self._work:
            self._open.add(reading)
            for number in range(begun, len(reading.slices)):
                self._push(order, partial(self._measure, reading, number))
        if not reading.left:
            self._finish(reading)

    def take(self, visit: Visit, checkpoint: Callable[[], None]) -> Read:
        """What was read of one directory; waits for it, looking at `checkpoint` meanwhile."""
        key = visit.path
        while True:
            with self._arrived:
                if key not in self._done and self._failed is None:
                    self._wanted = visit.order
                    if self._full:
                        self._work.notify_all()
                    self._arrived.wait(_LOOK_UP)
                if self._failed is not None:
                    raise self._failed
                read = self._done.pop(key, None)
                if read is not None:
                    if self._full:
                        self._work.notify_all()
                    self._files_ahead -= len(read[0].sizes)
                    return read
            checkpoint()

    def close(self) -> None:
        """Stop; threads that are stuck are left behind, and the last of all lets the directories go."""
        with self._work:
            self._stopping = True
            self._queue.clear()
            self._tasks.clear()
            self._work.notify_all()
        until = time.monotonic() + _FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    # -- in the threads -------------------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        return len(self._done) >= _MOST_DIRECTORIES or self._files_ahead >= _MOST_FILES

    def _push(self, order: str, task: Callable[[], None]) -> None:
        number = next(self._numbers)
        self._tasks[number] = task
        heapq.heappush(self._queue, (order, number))
        self._work.notify()

    def _help(self) -> None:
        try:
            while (task := self._next()) is not None:
                task()
        except BaseException as error:  # noqa: BLE001 (raised again where the scan is read)
            with self._arrived:
                self._failed = error
                self._stopping = True
                self._arrived.notify_all()
                self._work.notify_all()
        with self._work:
            self._alive -= 1
            last = not self._alive
        if last:
            for reading in self._open:
                reading.close()
            self._reader.close()

    def _next(self) -> Callable[[], None] | None:
        """The first task in the order of the walk, None when it is over."""
        with self._work:
            while not self._stopping:
                if self._queue and (not self._full or self._queue[0][0] <= self._wanted):
                    return self._tasks.pop(heapq.heappop(self._queue)[1])
                self._work.wait()
        return None

    def _begin(self, visit: Visit) -> None:
        reading = self._reader.begin(visit)
        if len(reading.slices) > 1:
            self.adopt(reading, 0)
            return
        if reading.slices:
            self._reader.measure(reading, 0)
        self._finish(reading)

    def _measure(self, reading: Reading, number: int) -> None:
        self._reader.measure(reading, number)
        with self._work:
            reading.left -= 1
            left = reading.left
        if not left:
            self._finish(reading)

    def _finish(self, reading: Reading) -> None:
        read = self._reader.finish(reading)
        self.add(read[1])
        with self._arrived:
            self._open.discard(reading)
            self._done[reading.visit.path] = read
            self._files_ahead += len(read[0].sizes)
            if reading.visit.order == self._wanted:
                self._arrived.notify()
