"""Running a plan: unit after unit, every step told to the recorder and the control (spec: files
F1, F15–F17).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import Refused
from kassettui.files.copying import CopyUnit, Unit
from kassettui.files.directories import Directories
from kassettui.files.metadata import Oddities
from kassettui.files.outcomes import Moved, Outcome, Result, StepState
from kassettui.files.plan import ItemKind, Operation, StepKind
from kassettui.files.planning import copies_instead
from kassettui.files.rearranging import CrossDevice, Rearranging
from kassettui.files.sealing import Copied, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kassettui.files.failures import StepFailed, StepFailure
    from kassettui.files.outcomes import Recorder
    from kassettui.files.plan import Identity, Plan, PlanItem, Step
    from kassettui.jobs.control import Control

_COPIES: Final = frozenset(
    {StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO, StepKind.HARDLINK, StepKind.REMOVE}
)
_WHOLE_PLAN: Final = frozenset({Operation.RENAME, Operation.RENUMBER, Operation.UNDO})
_SILENT: Final = frozenset({StepKind.REMOVE, StepKind.RMDIR})
_MOVES: Final = frozenset(
    {StepKind.RENAME, StepKind.REMOVE, StepKind.TRASH, StepKind.RESTORE, StepKind.DELETE}
)
_LOOSE: Final = 2_000  # steps of single files that make one unit: a move removes its sources in such portions


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an interrupted job had done: by step number, where each thing is and which file was copied."""

    made: Mapping[int, str] = field(default_factory=dict)
    copied: Mapping[int, Identity] = field(default_factory=dict)
    hashes: Mapping[str, Copied] = field(default_factory=dict)
    next_number: int = 0


class FailFast(Exception):
    """A step failed and `--fail-fast` was asked for (F17)."""


class Execution:
    """One run of a plan, in the thread that calls `run`. `job` is the random token of its temp names."""

    def __init__(
        self,
        plan: Plan,
        job: str,
        control: Control,
        recorder: Recorder,
        *,
        earlier: Earlier | None = None,
        written: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`earlier`: what this job did before it was interrupted. `written` hears of every block."""
        self.plan = plan
        self.job = job
        self.control = control
        self.oddities = Oddities()
        self.directories = Directories()
        self.failures: list[StepFailure] = []
        self.earlier = earlier or Earlier()
        self.link_targets: dict[int, str] = dict(self.earlier.made)
        self._linked = {step.link_of for step in plan.steps if step.kind is StepKind.HARDLINK}
        self._recorder = recorder
        self._written = written
        self._next_number = max(
            self.earlier.next_number, 1 + max((step.number for step in plan.steps), default=-1)
        )
        # By item: where the first of its files lies in the trash, or the first that it replaced. One path
        # stands for all frames of a sequence: it is only used to find the asset again.
        self._trashed: dict[int, str] = {}
        self._replaced: dict[int, str] = {}
        self._hashes: dict[str, Copied] = dict(self.earlier.hashes)
        self._done = self._skipped = 0

    def run(self) -> Result:
        """Carry the plan out. Failing steps are in the result; Cancelled and library errors are raised.

        Whatever way it ends, what was recorded is committed first.
        """
        if not self.plan.runnable:
            raise Refused("This plan has open conflicts or problems.", remedy="Answer them first.")
        self.control.progress(
            phase=str(self.plan.operation),
            total_items=self.plan.total_items,
            total_bytes=self.plan.total_bytes,
        )
        try:
            for unit in self._units():
                self._do(unit)
        except FailFast:
            pass
        finally:
            self.directories.close()
            self._recorder.flush()
        generations = self._seal()
        for sentence in self.oddities.sentences():
            self.control.warn(sentence)
        return Result(
            self.job,
            self._done,
            self._skipped,
            self.control.read().bytes_done,
            tuple(self.failures),
            tuple(self.oddities.sentences()),
            generations,
        )

    def _seal(self) -> tuple[str, ...]:
        """The manifests of what was copied, when that was asked for and all of it was (F19)."""
        if not self.plan.options.mhl or self.failures:
            return ()
        return tuple(seal(self.plan.items, self._hashes, set(self.earlier.made.values()), self.control))

    # -- for the units --------------------------------------------------------------------------------------

    def pulse(self, count: int) -> None:
        """`count` bytes went over; a place to stop at."""
        self.control.advance(bytes=count)
        self._written(count)
        self.control.checkpoint()

    def begin(self, step: Step) -> None:
        """A step begins; a place to stop at."""
        self.control.checkpoint()
        self.control.progress(current=step.source or step.destination)

    def done(self, step: Step, outcome: Outcome) -> None:
        """A step is done, and on disk as far as it is durable."""
        if step.number in self._linked:
            self.link_targets[step.number] = outcome.destination
        if step.kind is StepKind.TRASH:
            self._trashed.setdefault(step.item, outcome.destination)
        if outcome.replaced and step.kind not in _COPIES:
            self._replaced.setdefault(step.item, outcome.replaced)
        if self.plan.options.mhl:
            self._note_hash(step, outcome)
        self._recorder.record(outcome)
        if step.kind not in _SILENT:
            self._done += 1
            self.control.advance(items=1)

    def _note_hash(self, step: Step, outcome: Outcome) -> None:
        made = outcome.identity
        if made is None or step.kind not in {StepKind.COPY, StepKind.HARDLINK}:
            return
        first = self._hashes.get(self.link_targets.get(step.link_of, ""))
        found = outcome.hash or (first.hash if first is not None else "")
        if found:
            self._hashes[outcome.destination] = Copied(found, made.size, made.mtime_ns)

    def skip(self, step: Step) -> None:
        """A step was left out, as the answer for all says."""
        self._recorder.record(Outcome(step.number, StepState.SKIPPED))
        if step.kind not in _SILENT:
            self._skipped += 1
            self.control.advance(items=1)

    def reverted(self, step: Step) -> None:
        """A step that was done was taken back with its unit."""
        self._recorder.record(Outcome(step.number, StepState.PENDING))
        if step.kind not in _SILENT:
            self._done -= 1
            self.control.advance(items=-1)

    def fail(self, error: StepFailed) -> None:
        """A step failed; raises FailFast when the job ends there."""
        failure = error.failure
        self.failures.append(failure)
        self._recorder.record(Outcome(failure.number, StepState.FAILED, error=failure.message))
        if self.plan.options.fail_fast:
            raise FailFast

    # -- units ----------------------------------------------------------------------------------------------

    def _units(self) -> Iterator[Unit]:
        """Steps that belong together: an item, many single files, or (renames) the whole plan."""
        plan = self.plan
        if plan.operation in _WHOLE_PLAN and not any(step.kind in _COPIES for step in plan.steps):
            yield Unit(plan.steps, atomic=True)
            return
        loose: list[Step] = []
        for item, group in itertools.groupby(plan.steps, key=lambda step: step.item):
            steps = tuple(group)
            single = plan.items[item].kind is ItemKind.FILE and all(step.kind in _COPIES for step in steps)
            if single:
                loose += steps
            if loose and (not single or len(loose) >= _LOOSE):
                yield Unit(tuple(loose), independent=True)
                loose = []
            if not single:
                yield Unit(steps, atomic=plan.items[item].kind is ItemKind.SEQUENCE)
        if loose:
            yield Unit(tuple(loose), independent=True)

    def _do(self, unit: Unit) -> None:
        self.control.checkpoint()
        if any(step.kind in _COPIES for step in unit.steps):
            whole = CopyUnit(unit, self).execute()
        else:
            try:
                whole = Rearranging(unit, self).execute()
            except CrossDevice:
                whole = self._copy_instead(unit)
        self._follow(unit, whole=whole)

    def _copy_instead(self, unit: Unit) -> bool:
        """Two devices that look like one (bind mounts, quotas): the item is copied, then removed (F6)."""
        steps = copies_instead(unit.steps, self.plan.options, self._next_number)
        self._next_number += len(steps)
        self._recorder.add(steps)
        for step in unit.steps:
            self._recorder.record(Outcome(step.number, StepState.SKIPPED))
        self._linked |= {step.link_of for step in steps if step.kind is StepKind.HARDLINK}
        return CopyUnit(Unit(steps, unit.atomic), self).execute()

    def _follow(self, unit: Unit, *, whole: bool) -> None:
        """Tell the library what has another path now; of an item that failed in parts, nothing (F13)."""
        failed = {failure.item for failure in self.failures}
        moves: list[Moved] = []
        for number in dict.fromkeys(step.item for step in unit.steps if step.kind in _MOVES):
            if whole or (unit.independent and number not in failed):
                moves += self._moves_of(self.plan.items[number])
        if moves:
            self._recorder.moved(moves)

    def _moves_of(self, item: PlanItem) -> Iterator[Moved]:
        """Where an item went, and where the thing lies whose place it took."""
        directory = item.kind is ItemKind.DIRECTORY
        if item.number in self._replaced:
            yield Moved(item.destination, self._replaced[item.number], directory)
        yield Moved(item.source, item.destination or self._trashed.get(item.number, ""), directory)
