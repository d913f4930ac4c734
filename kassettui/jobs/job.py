"""One long task as others hold it: its result, its picture, its switches. Made by `Jobs.submit`."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from kassettui.jobs.control import Control
from kassettui.jobs.state import JobState, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Owner(Protocol):
    """Who runs jobs: `Jobs`."""

    def cancel(self, job: Job[T]) -> None:
        """As `Jobs.cancel`."""

    def pause(self, job: Job[T]) -> None:
        """As `Jobs.pause`."""

    def resume(self, job: Job[T]) -> None:
        """As `Jobs.resume`."""

    def noticed(self, job: Job[T]) -> None:
        """There is something new to read about the job."""


class Job(Generic[T]):
    """A handle, safe on any thread. Closing a pane or losing the handle stops nothing."""

    def __init__(
        self,
        owner: Owner,
        *,
        job_id: str,
        kind: str,
        title: str,
        work: Callable[[Control], T],
        again: Callable[[Control], T],
        queue: str,
        priority: int,
        retry_of: str = "",
    ) -> None:
        self.id = job_id
        self.kind = kind
        self.title = title
        self.queue = queue
        self.retry_of = retry_of
        self.future: Future[T] = Future()
        """Done when the job ended: for `concurrent.futures.wait`, `asyncio.wrap_future`, callbacks."""
        # Nobody ends the future but the owner: `Future.cancel` has no effect, `cancel` below has.
        self.future.set_running_or_notify_cancel()
        self._owner = owner
        # For the owner alone, under its lock.
        self.work = work
        self.again = again
        self.priority = priority
        self.control = Control(on_change=self._changed, state=JobState.QUEUED)
        self.begun = False
        self.holds_place = False
        self.error: BaseException | None = None
        self.queued_at = time.time()
        self.started_at: float | None = None
        self.finished_at: float | None = None

    def result(self, timeout: float | None = None) -> T:
        """What the work returned; raises what it raised, `Cancelled`, or TimeoutError (seconds)."""
        return self.future.result(timeout)

    @property
    def state(self) -> JobState:
        """Where the job stands now."""
        return self.control.state

    def cancel(self) -> None:
        """Ask it to stop. It is `cancelled` when it did, `cancelling` until then."""
        self._owner.cancel(self)

    def pause(self) -> None:
        """Ask it to stand; a job that has not begun is held back."""
        self._owner.pause(self)

    def resume(self) -> None:
        """Let it go on, when its queue has a place for it."""
        self._owner.resume(self)

    def snapshot(self) -> Snapshot:
        """The job as a value, now."""
        state = self.control.state
        progress = self.control.read()
        error = self.error
        moving = state in {JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING}
        return Snapshot(
            job_id=self.id,
            kind=self.kind,
            title=self.title,
            state=state,
            queue=self.queue,
            priority=self.priority,
            items_done=progress.items_done,
            items_total=progress.items_total,
            bytes_done=progress.bytes_done,
            bytes_total=progress.bytes_total,
            current=progress.current,
            speed=progress.speed if moving else None,
            items_speed=progress.items_speed if moving else None,
            eta=progress.eta if moving else None,
            phase=progress.phase,
            warnings=progress.warnings,
            warning_count=progress.warning_count,
            error="" if error is None else str(error) or type(error).__name__,
            retry_of=self.retry_of,
            queued_at=self.queued_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
        )

    def _changed(self) -> None:
        self._owner.noticed(self)
