"""What waits for a decoder process, most wanted first (P9). Not thread-safe: its owner locks."""

from __future__ import annotations

import heapq
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kassettui.media.decoders import Stamp
    from kassettui.media.messages import Request

T = TypeVar("T")


class Priority(IntEnum):
    """How much an answer is wanted: on the screen now, near it, some time."""

    VISIBLE = 0
    NEAR = 1
    BACKGROUND = 2


class Work(Generic[T]):
    """One decode and everybody who wants it: ticket → its priority."""

    __slots__ = ("key", "request", "running", "stamp", "tickets", "turn", "unwanted_at")

    def __init__(self, key: Hashable, request: Request, stamp: Stamp | None, turn: int) -> None:
        self.key = key
        self.request = request
        self.stamp = stamp
        self.tickets: dict[T, Priority] = {}
        self.turn = turn
        self.running = False
        self.unwanted_at: float | None = None

    @property
    def priority(self) -> Priority:
        """The most urgent asker's."""
        return min(self.tickets.values(), default=Priority.BACKGROUND)


class Waiting(Generic[T]):
    """The queue: by priority, then by who asked first. Heap entries that no longer hold are skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Work[T]]] = []
        self._works: dict[Hashable, Work[T]] = {}
        self._length = 0
        self._turn = count()
        self._entry = count()

    def __len__(self) -> int:
        """How many wait; those that are being decoded are not among them."""
        return self._length

    def add(
        self, key: Hashable, request: Request, stamp: Stamp | None, priority: Priority
    ) -> tuple[Work[T], bool]:
        """The work for `key`, and whether it is a new one. The caller puts its ticket in.

        A running work is shared too, even one that nobody wanted any more a moment ago.
        """
        work = self._works.get(key)
        if work is not None:
            work.unwanted_at = None
            if not work.running and priority < work.priority:
                self._push(work, priority)
            return work, False
        work = Work[T](key, request, stamp, next(self._turn))
        self._works[key] = work
        self._length += 1
        self._push(work, priority)
        return work, True

    def take(self) -> Work[T] | None:
        """The most urgent one, which now runs."""
        while self._heap:
            priority, _, _, work = heapq.heappop(self._heap)
            if work.running or self._works.get(work.key) is not work:
                continue
            if priority < work.priority:  # wanted less than when it was put here
                self._push(work, work.priority)
                continue
            work.running = True
            self._length -= 1
            return work
        return None

    def reorder(self, work: Work[T]) -> None:
        """Its priority changed."""
        if not work.running:
            self._push(work, work.priority)

    def discard(self, work: Work[T]) -> bool:
        """Take a work out that nobody wants; False when it runs already."""
        if work.running:
            return False
        if self._works.get(work.key) is work:
            del self._works[work.key]
            self._length -= 1
        return True

    def finish(self, work: Work[T]) -> None:
        """It was answered."""
        if self._works.get(work.key) is work:
            del self._works[work.key]

    def again(self, work: Work[T]) -> bool:
        """It was broken off: put it back if somebody wants it after all; else it is gone."""
        work.running = False
        if not work.tickets:
            self.finish(work)
            return False
        self._length += 1
        self._push(work, work.priority)
        return True

    def clear(self) -> list[Work[T]]:
        """Take everything out that waits."""
        works = [work for work in self._works.values() if not work.running]
        self._works.clear()
        self._heap.clear()
        self._length = 0
        return works

    def _push(self, work: Work[T], priority: Priority) -> None:
        heapq.heappush(self._heap, (priority, work.turn, next(self._entry), work))
