"""What a long task can be, what may follow what, and the picture of it that others get (F15).

Here live values and one table; who moves a task along is in `control` and `queues`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """Where a job stands. `pausing` and `cancelling` last until the work really stands or stopped."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"
    DONE_WITH_WARNINGS = "done_with_warnings"

    @property
    def ended(self) -> bool:
        """Whether nothing can follow: the work does not run and never will again under this job."""
        return not TRANSITIONS[self]


_OUTCOMES: Final = frozenset({JobState.DONE, JobState.DONE_WITH_WARNINGS, JobState.FAILED})

TRANSITIONS: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        # Paused before it began: held back. `cancelling` from here: it began, was paused, resumed, and waits
        # for a free place, so its thread has yet to stop; a job that never began is cancelled at once.
        JobState.QUEUED: frozenset(
            {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED, JobState.FAILED}
        ),
        JobState.RUNNING: _OUTCOMES | {JobState.PAUSING, JobState.CANCELLING},
        # The work may end, or be resumed, before it reached a checkpoint.
        JobState.PAUSING: _OUTCOMES | {JobState.PAUSED, JobState.RUNNING, JobState.CANCELLING},
        JobState.PAUSED: frozenset(
            {JobState.RUNNING, JobState.QUEUED, JobState.CANCELLING, JobState.CANCELLED}
        ),
        # Work that was past its last checkpoint when the cancel came is done, and says so.
        JobState.CANCELLING: _OUTCOMES | {JobState.CANCELLED},
        JobState.CANCELLED: frozenset(),
        JobState.FAILED: frozenset(),
        JobState.DONE: frozenset(),
        JobState.DONE_WITH_WARNINGS: frozenset(),
    }
)
"""Every legal step. Ended jobs stay as they ended: a retry is a new job (`Jobs.retry`)."""


class IllegalTransition(RuntimeError):
    """A step that the table does not have: a bug in whoever asked for it."""


def step(now: JobState, to: JobState) -> JobState:
    """`to`, where the table lets it follow `now`; else IllegalTransition."""
    if to not in TRANSITIONS[now]:
        raise IllegalTransition(f"a job cannot go from {now} to {to}")
    return to


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is. Counts are of the current phase; `None` totals are not known (yet)."""

    items_done: int = 0
    items_total: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    current: str = ""
    """The item at hand: outside text, to be made safe before any terminal."""
    phase: str = ""
    speed: float | None = None
    """Over the last 5 s: bytes a second where bytes are counted, else items a second."""
    items_speed: float | None = None
    """Items a second over the last 5 s."""
    eta: float | None = None
    """Seconds to go at this speed; None where the total or the speed is not known."""
    warnings: tuple[str, ...] = ()
    """The first of them (`control.WARNINGS_KEPT` at most); `warning_count` counts all."""
    warning_count: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job at one moment: a value that never changes, so it may cross any thread."""

    job_id: str
    kind: str
    title: str
    state: JobState
    queue: str
    priority: int = 0
    items_done: int = 0
    items_total: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    current: str = ""
    speed: float | None = None
    items_speed: float | None = None
    eta: float | None = None
    phase: str = ""
    warnings: tuple[str, ...] = ()
    warning_count: int = 0
    error: str = ""
    """What went wrong and what to do, in words; empty unless `failed`."""
    retry_of: str = ""
    """The job that this one does again, if any."""
    queued_at: float = 0.0
    """Seconds since the epoch, UTC, as `started_at` and `finished_at` are."""
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether this is the last snapshot of its job."""
        return self.state.ended
