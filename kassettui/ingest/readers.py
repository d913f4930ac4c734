"""Several hands that read directories ahead of one who takes them in order (spec: B1, B2).

On a slow mount the hands are threads: they wait together. On a fast disk they are processes, each with a
thread here that feeds it, and who takes the directories reads some as well. The threads are daemons: one that
is stuck on a dead mount never keeps the process from leaving, and who stops the scan does not wait for it.
"""

from __future__ import annotations

import heapq
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Final

from kassettui.ingest.listing import Visit, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kassettui.ingest.listing import Read
    from kassettui.ingest.reader_process import ReaderProcess
    from kassettui.ingest.reading import Reader, Reading

_MOST_DIRECTORIES: Final = 1024  # read and not yet taken
_MOST_FILES: Final = 50_000
_AT_ONCE: Final = 16  # directories that a process is asked for together
_LOOK_UP: Final = 0.05  # seconds between two looks at the control while waiting
_FAREWELL: Final = 0.2  # seconds that closing waits for threads that are not stuck

Task = Visit | tuple["Reading", int]
"""A directory to be read, or a slice of one to be measured."""


class Readers:
    """The hands over one reader. What comes first in the walk is read first."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._arrived = threading.Condition(lock)
        self._queue: list[tuple[str, int]] = []  # a heap: place in the walk, number of the task
        self._tasks: dict[int, Task] = {}
        self._numbers = count()
        self._done: dict[str, Read] = {}
        self._open: set[Reading] = set()
        self._files_ahead = 0
        self._wanted = ""
        self._closed = self._stopping = False
        self._failed: BaseException | None = None
        self._alive = 0
        self._threads: list[threading.Thread] = []
        self._processes: list[ReaderProcess] = []

    def hire(self, threads: int = 0, processes: int = 0) -> None:
        """Have more hands, from now on."""
        hired = [threading.Thread(target=self._live, args=(self._help,), daemon=True) for _ in range(threads)]
        hired += [
            threading.Thread(target=self._live, args=(self._feed,), daemon=True) for _ in range(processes)
        ]
        with self._work:
            self._alive += len(hired)
        self._threads += hired
        for number, thread in enumerate(hired):
            thread.name = f"scan-{number}"
            thread.start()

    def add(self, visits: Iterable[Visit]) -> None:
        """Have these read, and everything below them."""
        with self._work:
            for visit in visits:
                self._push(visit.order, visit)

    def adopt(self, reading: Reading, begun: int) -> None:
        """Have a directory finished whose slices before `begun` are measured."""
        with self._work:
            self._open.add(reading)
            for number in range(begun, len(reading.slices)):
                self._push(reading.visit.order, (reading, number))
        if not reading.left:
            self._finish(reading)

    def take(
        self, visit: Visit, checkpoint: Callable[[], None], aid: Callable[[Visit], Read | None] | None
    ) -> Read:
        """What was read of one directory; waits for it, looking at `checkpoint` meanwhile.

        Who has `aid` does not wait but reads what is to be read; None from it means that others will.
        """
        while True:
            task: Task | None = None
            with self._arrived:
                if self._failed is not None:
                    raise self._failed
                read = self._done.pop(visit.path, None)
                if read is not None:
                    if self._full:
                        self._work.notify_all()
                    self._files_ahead -= len(read[0].sizes)
                    return read
                self._wanted = visit.order
                if self._full:
                    self._work.notify_all()
                if aid is not None:
                    task = self._pop()
                if task is None:
                    self._arrived.wait(_LOOK_UP)
            if aid is not None and isinstance(task, Visit):
                read = aid(task)
                if read is not None:
                    self._deliver(task, read)
            elif task is not None:
                self._run(task)
            checkpoint()

    def close(self) -> None:
        """Stop; threads that are stuck are left behind, and the last of all lets the directories go."""
        with self._work:
            self._stopping = self._closed = True
            self._queue.clear()
            self._tasks.clear()
            self._work.notify_all()
            processes = list(self._processes)
            alone = not self._alive
        for process in processes:
            process.end()
        if alone:
            self._let_go()
        until = time.monotonic() + _FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    # -- in the threads -------------------------------------------------------------------------------------

    def _live(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (raised again where the scan is read)
            with self._arrived:
                self._failed = error
                self._stopping = True
                self._arrived.notify_all()
                self._work.notify_all()
        with self._work:
            self._alive -= 1
            last = self._closed and not self._alive
        if last:
            self._let_go()

    def _help(self) -> None:
        while tasks := self._next(1):
            self._run(tasks[0])

    def _feed(self) -> None:
        """Have a process list directories, and group them here; without one the others do it."""
        from kassettui.ingest.reader_process import ReaderProcess

        try:
            process = ReaderProcess(self._reader)
        except OSError:
            return
        with self._work:
            self._processes.append(process)
            if self._stopping:
                process.end()
        visits: list[Visit] = []
        try:
            while tasks := self._next(_AT_ONCE):
                visits = [task for task in tasks if isinstance(task, Visit)]
                for task in tasks:
                    if not isinstance(task, Visit):
                        self._run(task)
                for visit, listing in zip(visits, process.list_directories(visits), strict=True):
                    self._deliver(visit, grouped(visit, listing))
        except (OSError, EOFError):
            self.add(visits)
        finally:
            process.end()
            process.reap()

    def _next(self, most: int) -> list[Task]:
        """The first tasks in the order of the walk, none when it is over. Half of them is left to others."""
        with self._work:
            while not self._stopping:
                tasks: list[Task] = []
                share = min(most, len(self._queue) // 2 + 1)
                while len(tasks) < share and (task := self._pop()) is not None:
                    tasks.append(task)
                if tasks:
                    return tasks
                self._work.wait()
        return []

    def _run(self, task: Task) -> None:
        if isinstance(task, Visit):
            reading = self._reader.begin(task)
            if len(reading.slices) > 1:
                self.adopt(reading, 0)
                return
            if reading.slices:
                self._reader.measure(reading, 0)
            self._finish(reading)
            return
        reading, number = task
        self._reader.measure(reading, number)
        with self._work:
            reading.left -= 1
            left = reading.left
        if not left:
            self._finish(reading)

    def _finish(self, reading: Reading) -> None:
        listing = self._reader.listed(reading)
        with self._work:
            self._open.discard(reading)
        self._deliver(reading.visit, grouped(reading.visit, listing))

    def _deliver(self, visit: Visit, read: Read) -> None:
        order = visit.order
        with self._arrived:
            for below in read[1]:
                self._push(below.order, below)
            self._done[visit.path] = read
            self._files_ahead += len(read[0].sizes)
            if order == self._wanted:
                self._arrived.notify()

    # -- holding the lock -----------------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        return len(self._done) >= _MOST_DIRECTORIES or self._files_ahead >= _MOST_FILES

    def _push(self, order: str, task: Task) -> None:
        if not self._stopping:
            number = next(self._numbers)
            self._tasks[number] = task
            heapq.heappush(self._queue, (order, number))
            self._work.notify()

    def _pop(self) -> Task | None:
        if self._queue and (not self._full or self._queue[0][0] <= self._wanted):
            return self._tasks.pop(heapq.heappop(self._queue)[1])
        return None

    def _let_go(self) -> None:
        for reading in self._open:
            reading.close()
        self._reader.close()
