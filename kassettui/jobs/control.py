"""The token that a running task and its owner share: stop, stand, go on, how far, what was odd (F15).

A work calls `checkpoint` wherever it can stop (between items, between blocks: every 100 ms at the latest) and
`progress` as it goes; its owner calls `cancel`, `pause`, `resume` from any thread, a signal handler included.
It serves a plain function in the foreground as well as a job in a queue.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import Interrupted
from kassettui.jobs.speed import Speed
from kassettui.jobs.state import JobState, Progress, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WARNINGS_KEPT: Final = 100
"""Warnings kept word for word; the rest are counted."""


class Cancelled(Interrupted):
    """The work stopped because it was asked to; raised by `Control.checkpoint`, not to be swallowed."""

    def __init__(self, message: str = "Cancelled.", *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)


class Control:
    """One task's switches and gauges.

    `on_change` is called, outside every lock, when there is something new to read: once, until `read` was
    called again, however much changes; and at each change of state.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        state: JobState = JobState.RUNNING,
    ) -> None:
        # Reentrant, so that a signal handler may cancel while the main thread is inside.
        self._condition = threading.Condition(threading.RLock())
        self._clock = clock
        self._on_change = on_change
        self._told = False
        self._state = state
        self._halt = False  # cancel or pause was asked: the one thing that a checkpoint looks at
        self._cancel = False
        self._pause = False
        self._workers = 1
        self._standing = 0
        self._at_cancel: list[Callable[[], None]] = []
        self._items = 0
        self._items_total: int | None = None
        self._bytes = 0
        self._bytes_before = 0
        self._bytes_total: int | None = None
        self._current = ""
        self._phase = ""
        self._warnings: list[str] = []
        self._warning_count = 0
        self._speed = Speed(clock())

    # -- for the work ---------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """A place where the work can stop: raises `Cancelled`, stands while paused, else costs nothing."""
        if self._halt:
            self._stand()

    @property
    def cancelled(self) -> bool:
        """Whether a cancel was asked for; for loops that clean up themselves instead of raising."""
        return self._cancel

    def progress(
        self,
        *,
        items: int | None = None,
        bytes: int | None = None,  # noqa: A002 (the field's word)
        current: str | None = None,
        total_items: int | None = None,
        total_bytes: int | None = None,
        phase: str | None = None,
    ) -> None:
        """What is done so far, in absolute figures; what is left out stays as it is.

        A new `phase` begins from nothing: counts at 0, totals unknown, speed afresh.
        """
        if phase is not None and phase != self._phase:
            self._begin_phase(phase)
        if total_items is not None:
            self._items_total = total_items
        if total_bytes is not None:
            self._bytes_total = total_bytes
        if current is not None:
            self._current = current
        if items is not None:
            self._items = items
        if bytes is not None:
            self._bytes = bytes
        self._note()

    def advance(self, items: int = 0, bytes: int = 0, *, current: str | None = None) -> None:  # noqa: A002
        """Add to what is done; for works of several threads, where no one knows the sum."""
        with self._condition:
            self._items += items
            self._bytes += bytes
        if current is not None:
            self._current = current
        self._note()

    def warn(self, message: str) -> None:
        """Something odd that does not stop the work; a work with warnings ends as `done_with_warnings`."""
        with self._condition:
            self._warning_count += 1
            if len(self._warnings) < WARNINGS_KEPT:
                self._warnings.append(message)
        self._tell()

    def wait(self, seconds: float) -> None:
        """Sleep, cancellable: a checkpoint that lasts (back-off, debounce)."""
        until = self._clock() + seconds
        while True:
            self.checkpoint()
            with self._condition:
                left = until - self._clock()
                if left <= 0:
                    return
                if not self._halt:
                    self._condition.wait(left)

    @contextmanager
    def at_cancel(self, action: Callable[[], None]) -> Iterator[None]:
        """While inside, a cancel also calls `action`: to wake or kill what a checkpoint cannot reach.

        `action` runs on the cancelling thread, once, and at once where the cancel came before. It is quick.
        """
        with self._condition:
            late = self._cancel
            if not late:
                self._at_cancel.append(action)
        if late:
            action()
        try:
            yield
        finally:
            with self._condition:
                if action in self._at_cancel:
                    self._at_cancel.remove(action)

    @contextmanager
    def another_worker(self) -> Iterator[None]:
        """A further thread of the same work: `paused` is said only when all of them stand at a checkpoint."""
        with self._condition:
            self._workers += 1
        try:
            yield
        finally:
            with self._condition:
                self._workers -= 1
            self._settle()

    @contextmanager
    def waiting_for_workers(self) -> Iterator[None]:
        """While inside, the calling thread only waits for others: it does not count as one at work."""
        with self._condition:
            self._workers -= 1
        self._settle()
        try:
            yield
        finally:
            with self._condition:
                self._workers += 1

    # -- for its owner --------------------------------------------------------------------------------------

    @property
    def state(self) -> JobState:
        """Where the task stands now."""
        return self._state

    def cancel(self) -> None:
        """Ask the work to stop at its next checkpoint; nothing when it has ended or was asked before."""
        with self._condition:
            if self._cancel or self._state.ended:
                return
            self._cancel = self._halt = True
            self._state = step(self._state, JobState.CANCELLING)
            actions = tuple(self._at_cancel)
            self._at_cancel.clear()
            self._condition.notify_all()
        for action in actions:
            action()
        self._tell(always=True)

    def pause(self) -> None:
        """Ask the work to stand at its next checkpoint; nothing unless it runs."""
        with self._condition:
            if self._state is not JobState.RUNNING:
                return
            self._pause = self._halt = True
            self._state = step(self._state, JobState.PAUSING)
            self._condition.notify_all()
        self._tell(always=True)
        self._settle()

    def resume(self) -> None:
        """Let the work go on; nothing unless it pauses."""
        with self._condition:
            if not self._pause or self._cancel or self._state.ended:
                return
            self._step(JobState.RUNNING)
        self._tell(always=True)

    def turn(self, to: JobState) -> None:
        """Take a step that is the owner's: begin, wait in a queue, end. IllegalTransition otherwise."""
        with self._condition:
            self._step(to)
        self._tell(always=True)

    def read(self) -> Progress:
        """How far the work is, now."""
        self._told = False
        now = self._clock()
        with self._condition:
            items, done = self._items, self._bytes
            items_total, bytes_total = self._items_total, self._bytes_total
            warnings, count = tuple(self._warnings), self._warning_count
            rates = self._speed.rates(now, items, done)
        items_speed, bytes_speed = rates if rates is not None else (None, None)
        by_bytes = bool(done or bytes_total)
        return Progress(
            items_done=items,
            items_total=items_total,
            bytes_done=done,
            bytes_total=bytes_total,
            current=self._current,
            phase=self._phase,
            speed=bytes_speed if by_bytes else items_speed,
            items_speed=items_speed,
            eta=_eta(done, bytes_total, bytes_speed)
            if bytes_total
            else _eta(items, items_total, items_speed),
            warnings=warnings,
            warning_count=count,
        )

    @property
    def bytes_worked(self) -> int:
        """Bytes over all phases."""
        return self._bytes_before + self._bytes

    # -- inside ---------------------------------------------------------------------------------------------

    def _step(self, to: JobState) -> None:
        self._state = step(self._state, to)
        if to is JobState.RUNNING:
            self._pause = self._halt = False  # no pause outlives it; a cancel never leads here
            self._speed.restart(self._clock(), self._items, self._bytes)
        self._condition.notify_all()

    def _begin_phase(self, phase: str) -> None:
        with self._condition:
            self._phase = phase
            self._bytes_before += self._bytes
            self._items = self._bytes = 0
            self._items_total = self._bytes_total = None
            self._current = ""
            self._speed.restart(self._clock(), 0, 0)

    def _note(self) -> None:
        now = self._clock()
        if now >= self._speed.due:
            with self._condition:
                self._speed.note(now, self._items, self._bytes)
        if not self._told:
            self._tell()

    def _tell(self, *, always: bool = False) -> None:
        if self._on_change is None or (self._told and not always):
            return
        self._told = True
        self._on_change()

    def _settle(self) -> None:
        """`pausing` becomes `paused` once every worker stands."""
        with self._condition:
            settled = self._state is JobState.PAUSING and 0 < self._workers <= self._standing
            if settled:
                self._state = step(self._state, JobState.PAUSED)
        if settled:
            self._tell(always=True)

    def _stand(self) -> None:
        with self._condition:
            if self._cancel:
                raise Cancelled
            self._standing += 1
        try:
            self._settle()
            with self._condition:
                while self._pause and not self._cancel:
                    self._condition.wait()
        finally:
            with self._condition:
                self._standing -= 1
        if self._cancel:
            raise Cancelled


def _eta(done: int, total: int | None, speed: float | None) -> float | None:
    if total is None or not speed:
        return None
    return max(0, total - done) / speed
