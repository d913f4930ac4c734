"""The door to file operations: plan, run or submit, resume, undo (spec: files; flow "File operation" in the
design).

A plan is a value and costs nothing; `run` carries it out in the calling thread, `submit` as a job in the
queue of its destination device. Either way it is journalled in the library before the first step, and the
library follows.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, Final, Self

from kassettui.core.errors import DamageFound, KassettuiError, PartialFailure, Refused
from kassettui.core.text import safe
from kassettui.files import liveness, volumes
from kassettui.files.execution import Execution
from kassettui.files.outcomes import Result, StepState
from kassettui.files.plan import Operation, Options, Plan, Policy, StepKind, Verify
from kassettui.files.plans import Plans
from kassettui.files.recording import (
    JournalRecorder,
    items_of,
    items_request,
    microseconds,
    recorded,
    row_of,
    step_of,
)
from kassettui.files.recovery import Recovery
from kassettui.files.resuming import resumed
from kassettui.files.staging import temporary_name
from kassettui.files.undo import undo_plan
from kassettui.jobs.control import Cancelled
from kassettui.jobs.queues import device_queue
from kassettui.jobs.reservations import Reservations
from kassettui.jobs.state import JobState
from kassettui.library import changes, journal
from kassettui.library.stamps import new_uuid
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from kassettui.jobs.control import Control
    from kassettui.jobs.job import Job
    from kassettui.jobs.queues import Jobs
    from kassettui.jobs.reservations import Reservation
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.journal import Entry, StepRow
    from kassettui.library.library import Library

_log = log.get("files")


class _Room:
    """Free space that a plan's bytes are promised; a context manager. Bytes that are written are
    not promised.
    """

    def __init__(self, reservations: Reservations, plan: Plan) -> None:
        """Raises NotEnoughSpace when it went to others since the plan."""
        self._held: list[Reservation] = []
        try:
            for need in plan.space:
                free = volumes.free_bytes(need.path)
                self._held.append(reservations.reserve(need.device, need.needed, free=free))
        except BaseException:
            self.close()
            raise

    def written(self, count: int) -> None:
        """So many bytes went to a disk."""
        for held in self._held:
            if held.left:
                held.written(count)
                return

    def close(self) -> None:
        """Give back what is left."""
        for held in self._held:
            held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class StepsFailed(PartialFailure):
    """A job of which some steps failed and others are done (F17); `result` tells which."""

    def __init__(self, message: str, *, remedy: str = "", result: Result) -> None:
        super().__init__(message, remedy=remedy)
        self.result = result


class NothingDone(KassettuiError):
    """A job of which every step failed."""

    def __init__(self, message: str, *, remedy: str = "", result: Result) -> None:
        super().__init__(message, remedy=remedy)
        self.result = result


class CopyDamaged(DamageFound):
    """What was written is not what was read (F7)."""

    def __init__(self, message: str, *, remedy: str = "", result: Result) -> None:
        super().__init__(message, remedy=remedy)
        self.result = result


def result_of(job: Job[Result]) -> Result:
    """The result of an ended job, with its failures; raises what it raised otherwise, Cancelled too."""
    try:
        return job.result()
    except (StepsFailed, NothingDone, CopyDamaged) as error:
        return error.result


def failure_of(result: Result) -> KassettuiError | None:
    """The error that a result with failures amounts to; None for one without."""
    if not result.failures:
        return None
    first, more = result.failures[0], len(result.failures) - 1
    message = first.message + (f" {more} more failed." if more else "")
    if any(failure.damage for failure in result.failures):
        advice = "Check the disk, the cable and the memory before trying again."
        return CopyDamaged(message, remedy=advice, result=result)
    remedy = f"kassettui jobs retry {result.job} does again what failed."
    if result.items_done or result.items_skipped:
        return StepsFailed(message, remedy=remedy, result=result)
    return NothingDone(message, result=result)


class FileOperations:
    """Runs plans over one library. One for a workspace; safe on any thread."""

    def __init__(
        self, library: Library, jobs: Jobs | None = None, reservations: Reservations | None = None
    ) -> None:
        self.library = library
        self._jobs = jobs
        self.reservations = reservations if reservations is not None else Reservations()
        self.plans = Plans(library, self.reservations)
        """Makes what `run` and `submit` take."""

    @property
    def jobs(self) -> Jobs:
        """The queues that `submit` uses."""
        assert self._jobs is not None
        return self._jobs

    # -- running --------------------------------------------------------------------------------------------

    def run(self, plan: Plan, control: Control) -> Result:
        """Carry a plan out in this thread. Failing steps are in the result (`failure_of`).

        Raises Refused for a plan that does not run, Cancelled, and what the library raises.
        """
        with self._reserve(plan) as room:
            return self._run(plan, control, _new_id(), room)

    def submit(self, plan: Plan, *, priority: int = 0) -> Job[Result]:
        """Queue a plan behind what is written to the same device (F5); room is reserved from now on.

        The job raises what `failure_of` makes of failures; a retry does what is left to do.
        """
        job_id = _new_id()
        room = self._reserve(plan)
        try:
            job = self.jobs.submit(
                str(plan.operation),
                plan.title,
                lambda control: _checked(self._run(plan, control, job_id, room)),
                queue=device_queue(_written_to(plan)),
                priority=priority,
                again=lambda control: _checked(self.resume(job_id, control)),
                job_id=job_id,
            )
        except BaseException:
            room.close()
            raise
        job.future.add_done_callback(lambda _: room.close())
        return job

    def _reserve(self, plan: Plan) -> _Room:
        """Room for what a plan writes. Raises Refused for one that does not run, or when it is
        gone meanwhile.
        """
        if not plan.runnable:
            reasons = [problem.message for problem in plan.fatal_problems]
            reasons += [f"{conflict.destination.path} exists already." for conflict in plan.open_conflicts]
            raise Refused(" ".join(map(safe, reasons[:5])), remedy=_remedy(plan))
        return _Room(self.reservations, plan)

    def _run(self, plan: Plan, control: Control, job_id: str, room: _Room) -> Result:
        entry = journal.NewEntry(
            job_id,
            str(plan.operation),
            plan.title,
            _request(plan),
            liveness.host(),
            os.getpid(),
            plan.total_items,
            plan.total_bytes,
            plan.undo_of,
        )
        rows = [row_of(step) for step in plan.steps]
        number = self.library.write(journal.begin, entry, rows, microseconds(), full=True)
        recorder = JournalRecorder(self.library, number, plan.steps)
        return self._execute(number, Execution(plan, job_id, control, recorder, written=room.written))

    def _execute(self, number: int, execution: Execution) -> Result:
        """Run, and write down how it ended whatever way it does."""
        state, error = JobState.FAILED, ""
        warnings: tuple[str, ...] = ()
        try:
            result = execution.run()
            warnings = result.warnings
            failure = failure_of(result)
            error = failure.message if failure is not None else ""
            if failure is None:
                state = JobState.DONE_WITH_WARNINGS if warnings else JobState.DONE
        except Cancelled:
            state = JobState.CANCELLED
            raise
        except BaseException as raised:
            error = str(raised) or type(raised).__name__
            raise
        finally:
            self._end(number, state, error, warnings)
        return result

    def _end(self, number: int, state: JobState, error: str, warnings: Sequence[str]) -> None:
        counts = self.library.read(journal.step_counts, number)
        deleted = self.library.read(journal.entry, number).kind == Operation.DELETE
        undoable = bool(counts.get(StepState.DONE)) and not deleted

        def end(db: LibraryDatabase) -> None:
            journal.end(
                db,
                number,
                str(state),
                undoable=undoable,
                error=error or None,
                warnings=warnings,
                at=microseconds(),
            )

        self.library.write(end, full=True)

    # -- after an interruption ------------------------------------------------------------------------------

    def history(self, limit: int = 30) -> list[Entry]:
        """The last jobs of the journal, newest first; changes of rows are not among them."""
        return self.library.read(journal.jobs, limit)

    def find(self, job: str) -> Entry:
        """A job by its id or a unique beginning of it. Raises NotFound, Ambiguous."""
        return self.library.read(journal.find, job)

    def steps_of(self, entry: Entry) -> list[StepRow]:
        """Every step of a job as the journal has it."""
        return self.library.read(journal.steps, entry.id)

    def state_of(self, entry: Entry) -> str:
        """The job's state for a person: `interrupted` where its process ended before it did."""
        return entry.state if entry.finished_at is not None or _alive(entry) else "interrupted"

    def is_here(self, entry: Entry) -> bool:
        """Whether a job ran, or runs, on this machine."""
        return entry.host == liveness.host()

    def remove_leftovers(self) -> list[str]:
        """Temps that ended jobs could not remove (the disk was away, say); what was removed."""
        removed = []
        for entry in self.library.read(journal.entries, journal.KEPT):
            if entry.finished_at is None or entry.undone_at is not None or not entry.error:
                continue
            for row in self.library.read(journal.steps, entry.id, ("pending", "failed", "running")):
                path = os.path.join(
                    os.path.dirname(row.destination or ""), temporary_name(entry.uuid, row.number)
                )
                if row.kind in _COPY_KINDS and os.path.lexists(path):
                    os.unlink(path)
                    removed.append(path)
        return removed

    def interrupted(self) -> list[Entry]:
        """Jobs that were at work when their process ended: to be resumed, undone or cleaned up."""
        return [entry for entry in self.library.read(_unfinished) if not _alive(entry)]

    def settle(self, entry: Entry) -> Entry:
        """Find out how far an interrupted job came, and clean up after it. Its entry as it stands then.

        Raises Refused while it is at work.
        """
        if entry.finished_at is not None:
            return entry
        if _alive(entry):
            raise Refused(f"“{safe(entry.title)}” is at work.", remedy=f"kassettui jobs cancel {entry.uuid}")
        rows = self.library.read(journal.steps, entry.id)
        pending = [step_of(row) for row in rows if row.state in {StepState.PENDING, StepState.RUNNING}]
        done = [step_of(row) for row in rows if row.state == StepState.DONE]
        woven = entry.kind in _WHOLE and not any(row.kind in _COPY_KINDS for row in rows)
        recovery = Recovery(entry.uuid, _options(entry), items_of(entry, rows), woven=woven)
        outcomes = recovery.settle(pending, done)
        steps = {step.number: step for step in pending}
        ended = [recorded(steps[outcome.number], outcome) for outcome in outcomes]
        sizes = sum(step.size for step in (*done, *(steps[row.number] for row in ended)))
        self.library.write(
            journal.record, entry.id, ended, len(done) + len(ended), sizes, microseconds(), full=True
        )
        complete = len(ended) == len(pending) and all(row.state != StepState.FAILED for row in rows)
        if complete and not _options(entry).mhl:
            self._end(entry.id, JobState.DONE, "", ())
        else:
            self._end(entry.id, JobState.FAILED, "It was interrupted.", ())
        _log.info("interrupted job settled", job=entry.uuid, done=len(done), found=len(ended))
        return self.library.read(journal.entry, entry.id)

    def resume(self, job: str, control: Control) -> Result:
        """Go on with an interrupted, cancelled or failed job, given by its id or the beginning of it (F8).

        Steps that are done are trusted by size and time, with `verify both` by hash. Raises NotFound,
        Ambiguous, Refused when there is nothing left to do.
        """
        found = self.library.read(journal.find, job)
        entry = self.settle(found)
        rows = self.library.read(journal.steps, entry.id)
        if entry.undone_at is not None:
            raise Refused(f"“{safe(entry.title)}” was undone.")
        plan, earlier = resumed(entry, rows, _options(entry), control)
        if not plan.steps and entry.state != JobState.FAILED:
            if found.finished_at is None:
                return Result(entry.uuid, 0, 0, 0)  # only its end had not been written down
            raise Refused(f"“{safe(entry.title)}” is complete: there is nothing left to do.")
        process = liveness.this_process()
        self.library.write(
            journal.again, entry.id, liveness.host(), os.getpid(), process, microseconds(), full=True
        )
        recorder = JournalRecorder(self.library, entry.id, plan.steps)
        return self._execute(entry.id, Execution(plan, entry.uuid, control, recorder, earlier=earlier))

    def submit_again(self, job: str) -> Job[Result]:
        """Queue `resume` of a job, given by its id or the beginning of it. Raises as `resume` does."""
        entry = self.library.read(journal.find, job)
        rows = self.library.read(journal.steps, entry.id)
        path = next((row.destination or row.source for row in rows), None) or "/"
        return self.jobs.submit(
            entry.kind,
            entry.title,
            lambda control: _checked(self.resume(entry.uuid, control)),
            queue=device_queue(path),
            job_id=entry.uuid,
        )

    # -- undo -----------------------------------------------------------------------------------------------

    def undo_stack(self, limit: int = 50) -> list[Entry]:
        """What can be undone, the next one first: file jobs, and changes of tags, ratings, folders, best."""
        return self.library.read(journal.undo_stack, limit)

    def redo_stack(self, limit: int = 50) -> list[Entry]:
        """What can be redone, the next one first."""
        return self.library.read(journal.redo_stack, limit)

    def undo_plan(self, entry: Entry, *, fallback_trash: bool = False) -> Plan | None:
        """The plan that undoes, or redoes, `entry`; None for a change of rows, which has none.

        Raises Refused, with the reasons, where that is not possible any more.
        """
        entry = self.settle(entry)
        rows = self.library.read(journal.steps, entry.id)
        if any(row.kind == "row" for row in rows):
            return None
        options = Options(verify=_options(entry).verify, fallback_trash=fallback_trash)
        return undo_plan(entry, rows, options, self.reservations.reserved)

    def undo_rows(self, entry: Entry) -> None:
        """Undo, or redo, a change of rows. Raises Refused when those rows have changed since."""
        self.library.write(changes.revert_changes, entry.id, new_uuid(), microseconds())


_WHOLE: Final = frozenset({Operation.RENAME, Operation.RENUMBER, Operation.UNDO})
_COPY_KINDS: Final = frozenset({StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO, StepKind.HARDLINK})


def _new_id() -> str:
    """One id of a job everywhere: its queue, its journal entry, its temp names. Random, so nobody
    can guess these.
    """
    return secrets.token_hex(6)


def _checked(result: Result) -> Result:
    failure = failure_of(result)
    if failure is not None:
        raise failure
    return result


def _remedy(plan: Plan) -> str:
    remedies = dict.fromkeys(problem.remedy for problem in plan.fatal_problems if problem.remedy)
    if plan.open_conflicts:
        remedies["Say what to do with --on-conflict."] = None
    return " ".join(remedies)


def _written_to(plan: Plan) -> str:
    """A path on the device whose queue a plan belongs to: where its bytes go, else where its names change."""
    if plan.space:
        return plan.space[0].path
    step = plan.steps[0]
    return step.destination or step.source


def _request(plan: Plan) -> dict[str, Any]:
    """What the journal keeps of a plan beside its steps."""
    options = plan.options
    return {
        "items": items_request(plan),
        "options": {
            "verify": str(options.verify),
            "on_conflict": str(options.on_conflict),
            "fail_fast": options.fail_fast,
            "durable": options.durable,
            "keep_replaced": options.keep_replaced,
            "mhl": options.mhl,
            "fallback_trash": options.fallback_trash,
        },
        "reverts": plan.reverts,
        "process": liveness.this_process(),
    }


def _options(entry: Entry) -> Options:
    """The options that a job was begun with."""
    kept = dict(entry.request.get("options", {}))
    verify, on_conflict = Verify(kept.pop("verify", "source")), Policy(kept.pop("on_conflict", "fail"))
    return Options(verify=verify, on_conflict=on_conflict, **kept)


def _alive(entry: Entry) -> bool:
    return liveness.is_alive(entry.host, entry.pid, entry.request.get("process", {}))


def _unfinished(db: LibraryDatabase) -> list[Entry]:
    return journal.entries(db, unfinished=True)
