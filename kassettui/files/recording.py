"""From a job's steps to the journal's rows and back; outcomes are written in batches, off the job's way
(F16).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from kassettui.files import trash
from kassettui.files.outcomes import Moved, Outcome, StepState
from kassettui.files.plan import Identity, ItemKind, Operation, PlanItem, Step, StepKind
from kassettui.library import following, journal
from kassettui.library.journal import StepRow
from kassettui.library.work import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from kassettui.files.plan import Plan
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.journal import Entry
    from kassettui.library.library import Library

_EVERY: Final = 0.5  # seconds between two writes
_AT_MOST: Final = 2_000  # outcomes that wait for one
_WOVEN: Final = frozenset({Operation.RENAME, Operation.RENUMBER, Operation.UNDO})
_COUNTED: Final = frozenset({StepState.DONE, StepState.SKIPPED})


def microseconds() -> int:
    """Now, as the library counts."""
    return time.time_ns() // 1_000


def row_of(step: Step) -> StepRow:
    """A planned step as a row."""
    return StepRow(
        step.number,
        str(step.kind),
        source=step.source or None,
        destination=step.destination or None,
        bytes=step.size,
        before=_details(step, None),
    )


def step_of(row: StepRow) -> Step:
    """A row as the step that was planned; for a step that is done, its destination is where the
    thing went.
    """
    details = row.before
    return Step(
        row.number,
        details.get("item", 0),
        StepKind(row.kind),
        row.source or "",
        details.get("planned") or row.destination or "",
        row.bytes or 0,
        _identity(details.get("was")),
        _identity(details.get("replaces")),
        details.get("link_of", -1),
        details.get("mode", 0),
    )


def outcome_of(row: StepRow) -> Outcome:
    """How a step ended, from its row."""
    return Outcome(
        row.number,
        StepState(row.state),
        row.destination or "",
        _identity(row.before.get("made")),
        row.content_hash,
        row.before.get("replaced", ""),
        row.error or "",
    )


def recorded(step: Step, outcome: Outcome) -> StepRow:
    """A step with its outcome as a row."""
    made = outcome.identity
    return StepRow(
        step.number,
        str(step.kind),
        str(outcome.state),
        step.source or None,
        outcome.destination or step.destination or None,
        bytes=step.size,
        size=made.size if made else None,
        mtime_ns=made.mtime_ns if made else None,
        content_hash=outcome.hash,
        before=_details(step, outcome),
        error=outcome.error or None,
    )


def items_request(plan: Plan) -> list[list[Any]]:
    """What the journal keeps of a plan's items: all that their steps do not say themselves."""
    return [
        [item.number, str(item.kind), item.source, item.destination, item.frames]
        for item in plan.items
        if not item.skipped and (item.kind is not ItemKind.FILE or plan.operation in _WOVEN)
    ]


def items_of(entry: Entry, rows: Sequence[StepRow]) -> dict[int, PlanItem]:
    """The items of a job, by number; a single file's from its first step."""
    items = {
        number: PlanItem(number, ItemKind(kind), source, destination, 0, 0, frames)
        for number, kind, source, destination, frames in entry.request.get("items", ())
    }
    for row in rows:
        number = row.before.get("item", 0)
        if number not in items:
            items[number] = PlanItem(
                number, ItemKind.FILE, row.source or "", row.destination or "", row.bytes or 0, 1
            )
    return items


def _details(step: Step, outcome: Outcome | None) -> Mapping[str, Any]:
    """What the columns do not say: kept small, for there is one a step."""
    details: dict[str, Any] = {"item": step.item}
    if step.was is not None:
        details["was"] = _listed(step.was)
    if step.replaces is not None:
        details["replaces"] = _listed(step.replaces)
    if step.link_of >= 0:
        details["link_of"] = step.link_of
    if step.mode:
        details["mode"] = step.mode
    if outcome is not None:
        if outcome.destination not in {"", step.destination}:
            details["planned"] = step.destination
        if outcome.identity is not None:
            details["made"] = _listed(outcome.identity)
        if outcome.replaced:
            details["replaced"] = outcome.replaced
    return details


def _listed(identity: Identity) -> list[int]:
    return [identity.device, identity.inode, identity.size, identity.mtime_ns]


def _identity(listed: Sequence[int] | None) -> Identity | None:
    return None if listed is None else Identity(*listed)


class JournalRecorder:
    """The Recorder of a job in the journal. Outcomes wait in memory for at most half a second."""

    def __init__(self, library: Library, job: int, steps: Sequence[Step]) -> None:
        self._library = library
        self._job = job
        self._lock = threading.Lock()
        self._steps = {step.number: step for step in steps}
        self._waiting: dict[int, Outcome] = {}
        self._ended: dict[int, StepState] = {}
        self._moves: list[tuple[Moved, ...]] = []  # what belongs together is simultaneous
        self._trashes: set[str] = set()
        self._written = time.monotonic()
        self._futures: list[Future[None]] = []

    def record(self, outcome: Outcome) -> None:
        """As Recorder: noted now, written with others."""
        with self._lock:
            self._waiting[outcome.number] = outcome
            due = len(self._waiting) >= _AT_MOST or time.monotonic() - self._written >= _EVERY
        self._note_trash(outcome)
        if due:
            self._write()

    def _note_trash(self, outcome: Outcome) -> None:
        """Remember a fallback trash that was used: nothing else leads there (F11)."""
        for path in (outcome.replaced, outcome.destination):
            if f"/{trash.FALLBACK}/files/" in path:
                self._trashes.add(trash.can_of(path).root)

    def add(self, steps: Sequence[Step]) -> None:
        """As Recorder."""
        self._steps.update((step.number, step) for step in steps)
        self._library.write(journal.add_steps, self._job, [row_of(step) for step in steps], full=True)

    def moved(self, moves: Iterable[Moved]) -> None:
        """As Recorder: the library follows in the transaction that says what was done."""
        with self._lock:
            self._moves.append(tuple(moves))
        self._write()

    def flush(self) -> None:
        """As Recorder."""
        self._write()
        futures, self._futures = self._futures, []
        for future in futures:
            future.result()

    def _write(self) -> None:
        with self._lock:
            outcomes, self._waiting = list(self._waiting.values()), {}
            moves, self._moves = self._moves, []
            trashes, self._trashes = self._trashes, set()
            self._written = time.monotonic()
            self._ended.update((outcome.number, outcome.state) for outcome in outcomes)
            rows = [recorded(self._steps[outcome.number], outcome) for outcome in outcomes]
            done, done_bytes = self._sums()
        if not rows and not moves:
            return
        self._futures = [future for future in self._futures if not future.done() or future.exception()]
        self._futures.append(
            self._library.operator.schedule_write(
                _write_all, self._job, rows, moves, sorted(trashes), done, done_bytes, priority=Priority.LOW
            )
        )

    def _sums(self) -> tuple[int, int]:
        done = [number for number, state in self._ended.items() if state in _COUNTED]
        return len(done), sum(self._steps[number].size for number in done)


def _write_all(
    db: LibraryDatabase,
    job: int,
    rows: Sequence[StepRow],
    moves: Sequence[Sequence[Moved]],
    trashes: Sequence[str],
    done: int,
    done_bytes: int,
) -> None:
    """One transaction: what was done, and what the library follows."""
    at = microseconds()
    journal.record(db, job, rows, done, done_bytes, at)
    for together in moves:
        following.follow(
            db, [following.Move(move.source, move.destination, move.directory) for move in together], at
        )
    for root in trashes:
        journal.remember_fallback_trash(db, root, at)
