"""What waits for the writer: units of work with their futures, in order of priority.

Nothing here touches a database.
"""

from __future__ import annotations

import heapq
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from kassettui.core.errors import LibraryClosed

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = tuple[Callable[..., Any], tuple[Any, ...]]

T = TypeVar("T")


class Priority(IntEnum):
    """Which write goes first. Within one priority the order is that of scheduling."""

    HIGH = 0
    """A person waits for it on a screen."""
    NORMAL = 10
    LOW = 20
    """Results of enrichers, journals: whenever there is room."""


class WriteFuture(Future[T]):
    """A write's outcome: it succeeds only after COMMIT. Waiting for it inside the writer's thread raises."""

    def __init__(self, in_writer: Callable[[], bool]) -> None:
        super().__init__()
        self._in_writer = in_writer

    def result(self, timeout: float | None = None) -> T:
        """What the write returned; raises what it raised, or TimeoutError after `timeout` seconds."""
        self._refuse_deadlock()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the write raised, or None."""
        self._refuse_deadlock()
        return super().exception(timeout)

    def _refuse_deadlock(self) -> None:
        if not self.done() and self._in_writer():
            raise RuntimeError(
                "A unit of work that waits for another write waits for ever; call the function with its db."
            )


@dataclass(slots=True, eq=False)
class Job:
    """Calls that succeed or fail together, with one future each."""

    calls: tuple[Call, ...]
    futures: tuple[WriteFuture[Any], ...]
    priority: Priority = Priority.NORMAL
    full: bool = False
    """Whether its transaction is synchronous=FULL."""
    exclusive: bool = False
    """Whether it runs alone and owns its transactions (migration, VACUUM)."""
    queued_at: float = field(default_factory=time.monotonic)
    results: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    begun: bool = False

    def begin(self) -> bool:
        """Mark it as running, once; False when it was cancelled while it waited."""
        if self.begun:
            return True
        if any(future.cancelled() for future in self.futures):
            self.cancel()
            return False
        self.begun = all(future.set_running_or_notify_cancel() for future in self.futures)
        if not self.begun:
            self.fail(LibraryClosed("A write of the same batch was cancelled."))
        return self.begun

    def cancel(self) -> None:
        """Cancel what has not begun."""
        for future in self.futures:
            future.cancel()
            future.set_running_or_notify_cancel()

    def succeed(self) -> None:
        """Hand out the results, or the error that its savepoint met."""
        if self.error is not None:
            self.fail(self.error)
            return
        for future, result in zip(self.futures, self.results, strict=True):
            future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Hand `error` to everyone who waits."""
        for future in self.futures:
            if not future.done():
                future.set_exception(error)


class JobQueue:
    """Jobs by priority, then by age. Closing refuses new ones; what is queued can still be taken."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Job]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job: Job) -> int:
        """Queue `job`; returns how many wait now. Raises LibraryClosed after close."""
        with self._changed:
            if self._closed:
                raise LibraryClosed("The library is closed.")
            heapq.heappush(self._heap, (job.priority, next(self._order), job))
            self._changed.notify()
            return len(self._heap)

    def take(self, timeout: float | None = None) -> Job | None:
        """The next job. None after `timeout` seconds without one, or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._heap or self._closed, timeout)
            return heapq.heappop(self._heap)[2] if self._heap else None

    def take_alike(self, full: bool) -> Job | None:
        """The next job if it is there now and may share a transaction that is (not) synchronous=FULL."""
        with self._changed:
            if not self._heap:
                return None
            job = self._heap[0][2]
            if job.exclusive or job.full is not full:
                return None
            return heapq.heappop(self._heap)[2]

    def waiting(self) -> list[Job]:
        """What is queued now."""
        with self._changed:
            return [job for _, _, job in self._heap]

    def close(self) -> None:
        """Refuse new jobs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def empty_out(self) -> list[Job]:
        """Take everything that still waits."""
        with self._changed:
            jobs = [job for _, _, job in self._heap]
            self._heap.clear()
            return jobs

    @property
    def closed(self) -> bool:
        """Whether new jobs are refused."""
        return self._closed

    def __len__(self) -> int:
        return len(self._heap)
