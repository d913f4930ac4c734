"""From a plan to a job that a person can watch and stop: dry run, conflicts, questions, progress, summary.

Conflicts are asked about on a terminal, all before the first byte (F3); elsewhere the plan is refused with
their list. The work runs on a job's thread; this one tells how it goes and hears signals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import file_values, wording
from kassettui.cli.background import PATIENCE
from kassettui.cli.output import SCHEMA_VERSION
from kassettui.core.errors import ExitCode, Interrupted, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.cli.invocation import Invocation
    from kassettui.cli.progress import Progress
    from kassettui.files.operations import FileOperations
    from kassettui.files.outcomes import Result
    from kassettui.files.plan import Answers, Conflict, Plan, Policy
    from kassettui.jobs.job import Job
    from kassettui.jobs.queues import Jobs
    from kassettui.jobs.state import Snapshot

_PROGRESS_EVERY: Final = 1.0
_SHOWN: Final = 20
_CHOICES: Final = {
    "o": "overwrite",
    "s": "skip",
    "k": "keep-both",
    "n": "newer",
    "z": "size-differs",
    "c": "content-differs",
    "m": "merge",
}
_DONE: Final = object()
_STOP: Final = object()


@dataclass(frozen=True, slots=True)
class Wish:
    """How a person wants a plan to be carried out."""

    kind: str  # the `type` of its documents
    dry_run: bool = False
    yes: bool = False
    policy: Policy | None = None
    ask: bool = False  # whether it takes something away, so that it asks before
    verb: str = "done"


def carry_out(
    invocation: Invocation, files: FileOperations | None, make: Callable[[Answers], Plan], wish: Wish
) -> int:
    """Plan, settle, ask, run; the exit code. `files` None: a dry run without a library."""
    from kassettui.files.plan import Answers, Policy

    invocation.failure_type = wish.kind
    plan = make(Answers(wish.policy or Policy.FAIL))
    if not wish.dry_run and wish.policy is None and invocation.people.asks:
        answers = _asked(invocation, plan)
        if answers is not None:
            plan = make(answers)
    for problem in plan.warnings:
        invocation.people.warn(problem.message)
    if wish.dry_run:
        return _show(invocation, plan, wish)
    if not plan.runnable:
        return _refuse(invocation, plan, wish)
    for item in plan.items:
        if item.skipped:
            invocation.people.note(f"{item.source}: left alone, {item.skipped}.")
    if not plan.steps:
        return _nothing(invocation, plan, wish)
    if wish.ask and not _confirmed(invocation, plan, wish):
        return ExitCode.DONE
    assert files is not None
    began = time.monotonic()
    result = watched(invocation, files, lambda: files.submit(plan), wish.kind)
    return tell(invocation, result, plan, wish, began)


# -- before -------------------------------------------------------------------------------------------------


def _asked(invocation: Invocation, plan: Plan) -> Answers | None:
    """The answers of a person to the open conflicts; None when there are none. Raises Refused for
    a way out.
    """
    from kassettui.files.plan import Answers, Policy

    if not plan.open_conflicts or plan.fatal_problems:
        return None
    each: dict[str, Policy] = {}
    people = invocation.people
    people.note("o overwrite, s skip, k keep both, n newer only, z if size differs, c if content differs,")
    people.note(
        "m merge directories; a capital letter answers for all that follow, q leaves everything as it is."
    )
    for conflict in plan.open_conflicts:
        _show_conflict(invocation, conflict)
        answer = people.ask("[o/s/k/n/z/c/m/q] ")
        choice = _CHOICES.get(answer[:1].lower())
        if choice is None:
            raise Refused("Nothing was done.")
        if answer[:1].isupper():
            return Answers(Policy(choice), each)
        each[conflict.destination.path] = Policy(choice)
    return Answers(Policy.FAIL, each)


def _show_conflict(invocation: Invocation, conflict: Conflict) -> None:
    """Both sides (F3)."""
    people = invocation.people
    people.note(f"{conflict.destination.path} exists:")
    people.note(f"  there now    {file_values.side_words(conflict.destination)}")
    people.note(f"  would come   {file_values.side_words(conflict.source)} ({conflict.source.path})")


def _show(invocation: Invocation, plan: Plan, wish: Wish) -> int:
    """The plan, and nothing else."""
    output = invocation.output
    if invocation.flags.json or invocation.streams:
        output.document(wish.kind, {"status": "dry_run", **file_values.plan_fields(plan)})
        return ExitCode.DONE
    output.table(file_values.ITEMS, [file_values.item_fields(item) for item in plan.items])
    for conflict in plan.open_conflicts:
        _show_conflict(invocation, conflict)
    for problem in plan.fatal_problems:
        invocation.people.warn(problem.message)
    steps = wording.plural(len(plan.steps), "step")
    invocation.people.note(
        f"{plan.title}: {steps}, {wording.size(plan.total_bytes)} to write. Nothing was done."
    )
    return ExitCode.DONE


def _refuse(invocation: Invocation, plan: Plan, wish: Wish) -> int:
    """Say everything that stands in the way, at once."""
    people, conflicts = invocation.people, plan.open_conflicts
    for problem in plan.fatal_problems[:_SHOWN]:
        people.error(problem.message, problem.remedy)
    for conflict in conflicts[:_SHOWN]:
        people.error(f"{conflict.destination.path} exists already.")
    if len(conflicts) > _SHOWN:
        people.error(f"…and {len(conflicts) - _SHOWN} more exist already.")
    if conflicts:
        people.note("Say what to do with --on-conflict overwrite, skip, keep-both, newer…; nothing was done.")
    if invocation.flags.json or invocation.streams:
        code = "conflicts" if conflicts else plan.fatal_problems[0].code
        message = "Something stands in the way; nothing was done."
        fields = {"status": "error", "code": code, "message": message, "exit_code": int(ExitCode.FAILED)}
        kind = "summary" if invocation.streams else wish.kind
        invocation.output.document(kind, {**fields, **file_values.plan_fields(plan, steps=False)})
    return ExitCode.FAILED


def _nothing(invocation: Invocation, plan: Plan, wish: Wish) -> int:
    """There was nothing to do; protected things that were left alone make it a failure only if all were."""
    invocation.people.note("There is nothing to do.")
    if invocation.flags.json or invocation.streams:
        kind = "summary" if invocation.streams else wish.kind
        fields = {"status": "success", "job": None, **file_values.plan_fields(plan, steps=False)}
        invocation.output.document(kind, fields)
    protected = any(item.skipped.startswith("protected") for item in plan.items)
    return ExitCode.FAILED if protected else ExitCode.DONE


def _confirmed(invocation: Invocation, plan: Plan, wish: Wish) -> bool:
    """One question for all of it, with counts and bytes; a single thing goes to the trash unasked (F11).

    Raises Refused where nobody can be asked.
    """
    items = [item for item in plan.items if not item.skipped]
    for_good = wish.kind == "delete"
    if wish.yes or (len(items) == 1 and not for_good):
        return True
    files = wording.plural(sum(item.count for item in items), "file")
    size = wording.size(sum(item.size for item in items))
    what = items[0].source if len(items) == 1 else wording.plural(len(items), "item")
    question = (
        f"{'Delete' if for_good else 'Trash'} {what}: {files}, {size}{', for good' if for_good else ''}?"
    )
    return confirm_deletion(invocation, question, yes=False)


def confirm_deletion(invocation: Invocation, question: str, *, yes: bool) -> bool:
    """Ask before something is gone for good. Raises Refused where nobody can be asked."""
    if yes:
        return True
    if not invocation.people.asks:
        raise Refused(f"{question} Nobody can be asked.", remedy="Say so with --yes.")
    return invocation.people.confirm(question)


# -- meanwhile ----------------------------------------------------------------------------------------------


def watched(
    invocation: Invocation, files: FileOperations, submit: Callable[[], Job[Result]], title: str
) -> Result:
    """The result of a job while its progress is shown; failing steps are in it. Raises what it
    raised otherwise.
    """
    from kassettui.files.operations import result_of

    jobs = files.jobs
    with invocation.people.progress(title) as shown:
        watcher = _Watcher(invocation, shown)
        inbox: SimpleQueue[Any] = SimpleQueue()
        unsubscribe = jobs.subscribe(inbox.put)
        try:
            job = submit()
            job.future.add_done_callback(lambda _: inbox.put(_DONE))
            _listen(invocation, jobs, job, inbox, watcher)
            return result_of(job)
        finally:
            unsubscribe()


def _listen(
    invocation: Invocation, jobs: Jobs, job: Job[Result], inbox: SimpleQueue[Any], watcher: _Watcher
) -> None:
    """Pass snapshots on until the job ends; the first signal cancels it."""
    deadline: float | None = None
    with invocation.interruption.cancels(lambda: inbox.put(_STOP)):
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                message = inbox.get(timeout=left)
            except Empty:
                raise Interrupted(
                    f"Interrupted; the job {job.id} did not stop within {PATIENCE:.0f} s: left behind.",
                    remedy=f"kassettui jobs show {job.id} tells how far it came.",
                ) from None
            if message is _DONE:
                return
            if message is _STOP:
                jobs.cancel(job)
                deadline = time.monotonic() + PATIENCE
            elif message.job_id == job.id:
                watcher(message)


class _Watcher:
    """Hears the snapshots of one job and passes them on to who reads."""

    def __init__(self, invocation: Invocation, shown: Progress | None) -> None:
        self._invocation = invocation
        self._shown = shown
        self._next_line = 0.0
        self._warned = 0

    def __call__(self, snapshot: Snapshot) -> None:
        """One snapshot."""
        if self._shown is not None:
            by_bytes = bool(snapshot.bytes_total)
            self._shown.update(
                snapshot.phase,
                snapshot.bytes_done if by_bytes else snapshot.items_done,
                snapshot.bytes_total if by_bytes else snapshot.items_total,
                done_bytes=snapshot.bytes_done,
                current=snapshot.current,
            )
        for warning in snapshot.warnings[self._warned :]:
            self._invocation.people.warn(warning)
            self._line("warning", message=warning)
        self._warned = max(self._warned, len(snapshot.warnings))
        now = time.monotonic()
        if now >= self._next_line and not snapshot.ended:
            self._next_line = now + _PROGRESS_EVERY
            self._line("progress", **file_values.snapshot_fields(snapshot))

    def _line(self, kind: str, **fields: Any) -> None:
        if self._invocation.streams:
            self._invocation.output.event({"schema_version": SCHEMA_VERSION, "type": kind, **fields})


# -- after --------------------------------------------------------------------------------------------------


def tell(invocation: Invocation, result: Result, plan: Plan | None, wish: Wish, began: float) -> int:
    """How it ended: a line for people, one document for machines; the exit code."""
    from kassettui.files.operations import failure_of

    took = time.monotonic() - began
    failure = failure_of(result)
    people = invocation.people
    for failed in result.failures[:_SHOWN]:
        people.error(failed.message)
    if len(result.failures) > _SHOWN:
        people.error(
            f"…and {len(result.failures) - _SHOWN} more; kassettui jobs show {result.job} lists them."
        )
    if failure is not None and failure.remedy:
        people.note(failure.remedy)
    if invocation.flags.json or invocation.streams:
        kind = "summary" if invocation.streams else wish.kind
        invocation.output.document(kind, file_values.result_fields(result, plan, round(took * 1000)))
    elif failure is None:
        skipped = (
            f", {wording.number(result.items_skipped)} left as they were" if result.items_skipped else ""
        )
        size = f", {wording.size(result.bytes_done)}" if result.bytes_done else ""
        count = wording.plural(result.items_done, "item")
        people.note(f"{count} {wish.verb}{size} in {wording.duration(took)}{skipped} (job {result.job}).")
        for path in result.generations:
            people.note(f"ASC MHL: {path}")
    return ExitCode.DONE if failure is None else failure.exit_code
