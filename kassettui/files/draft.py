"""A plan while it is made: steps, items, conflicts and problems as they are found (spec: files F1–F3)."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kassettui.files import naming, preflight, trash, volumes
from kassettui.files.conflicts import Verdict, verdict
from kassettui.files.directories import Directories
from kassettui.files.plan import (
    Answers,
    Conflict,
    ConflictKind,
    Identity,
    ItemKind,
    Operation,
    Options,
    Plan,
    PlanItem,
    Policy,
    Problem,
    Side,
    Step,
    StepKind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.listing import Entry

_COPY_OF: Final = {
    ItemKind.FILE: StepKind.COPY,
    ItemKind.SYMLINK: StepKind.SYMLINK,
    ItemKind.FIFO: StepKind.FIFO,
}


def identity_of(facts: os.stat_result) -> Identity:
    """A file's identity from its facts."""
    return Identity(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def identity(entry: Entry) -> Identity:
    """An entry's identity."""
    return Identity(entry.device, entry.inode, entry.size, entry.mtime_ns)


class Draft:
    """Collects one plan. `begin` opens an item, `end` closes it; steps in between are its."""

    def __init__(
        self,
        operation: Operation,
        answers: Answers,
        options: Options,
        *,
        first_number: int = 0,
        item: int = 0,
    ) -> None:
        self.operation = operation
        self.answers = answers
        self.options = replace(options, on_conflict=answers.for_all)
        self.directories = Directories()
        self.problems: list[Problem] = []
        self._first_number = first_number
        self._first_item = item
        self._items: list[PlanItem] = []
        self._steps: list[Step] = []
        self._conflicts: list[Conflict] = []
        self._taken: dict[str, str] = {}  # destination → source
        self._first_names: dict[
            tuple[int, int], int
        ] = {}  # hard-linked files: the step that copies the bytes
        self._removals: list[Step] = []
        self._emptied: list[Step] = []
        self._needs: defaultdict[str, int] = defaultdict(int)
        self._size = self._count = self._before = 0

    # -- items ----------------------------------------------------------------------------------------------

    @property
    def item(self) -> int:
        """The number of the item at hand."""
        return self._first_item + len(self._items)

    def begin(self) -> None:
        """The steps of the next item follow. What was added since the last `end` is its, too."""
        self._size = self._count = 0

    def end(self, entry: Entry, destination: str, skipped: str = "", *, steps_follow: bool = False) -> None:
        """Close the item: its removals come last. `steps_follow`: its steps are added later, by
        its number.
        """
        self.take_removals()
        if not skipped and not steps_follow and len(self._steps) == self._before:
            skipped = "nothing to do"
        self._before = len(self._steps)
        self._items.append(
            PlanItem(
                self.item,
                entry.kind,
                entry.path,
                destination,
                self._size or entry.size,
                self._count or entry.count,
                entry.frames,
                skipped,
            )
        )

    @property
    def _next(self) -> int:
        return self._first_number + len(self._steps)

    def add(
        self,
        kind: StepKind,
        source: str = "",
        destination: str = "",
        *,
        size: int = 0,
        was: Identity | None = None,
        replaces: bool = False,
        link_of: int = -1,
        mode: int = 0,
        item: int | None = None,
    ) -> int:
        """One more step of the item at hand, or of `item`; its number."""
        number = self._next
        found = self.directories.find(destination) if replaces else None
        there = None if found is None else identity_of(found)
        of = self.item if item is None else item
        self._steps.append(Step(number, of, kind, source, destination, size, was, there, link_of, mode))
        if kind not in {StepKind.MKDIR, StepKind.RMDIR, StepKind.REMOVE}:
            self._count += 1
            self._size += size
        return number

    def remove_later(self, source: str, was: Identity | None, copied_by: int) -> None:
        """A moved file's source, gone once the item is complete."""
        self._removals.append(Step(0, self.item, StepKind.REMOVE, source, "", 0, was, link_of=copied_by))

    def remove_directory_later(self, source: str, mode: int) -> None:
        """A moved directory, once it is empty."""
        self._emptied.append(Step(0, self.item, StepKind.RMDIR, source, mode=mode))

    def take_removals(self) -> None:
        """Put what was noted for later at the end of the steps: files, then directories, deepest first."""
        for removal in (*self._removals, *reversed(self._emptied)):
            self._steps.append(replace(removal, number=self._next))
        self._removals.clear()
        self._emptied.clear()

    def lstat(self, directory: str, name: str) -> os.stat_result:
        """The facts of `name` in `directory`."""
        return os.lstat(name, dir_fd=self.directories.fd(directory))

    def make_missing(self, directory: str, made: set[str] | None = None) -> None:
        """Steps for the directories on the way to `directory`, itself included, that are not there nor in
        `made`.

        They belong to the item at hand, or to the next one.
        """
        made = set() if made is None else made
        missing = []
        while directory not in made and not os.path.lexists(directory):
            missing.append(directory)
            directory = os.path.dirname(directory)
        for path in reversed(missing):
            made.add(path)
            self.add(StepKind.MKDIR, "", path, mode=0o777 & ~volumes.umask())

    def count(self, files: int) -> None:
        """How many files the item at hand is, where its steps do not tell."""
        self._count = files

    # -- files ----------------------------------------------------------------------------------------------

    def copy(self, entry: Entry, path: str, *, replaces: bool = False) -> None:
        """The step that makes one file, link or FIFO again at `path`; for a move also the one that removes
        it.
        """
        kind = _COPY_OF.get(entry.kind)
        if kind is None:
            message = f"{entry.path} is a socket or a device, which is never copied."
            self.problems.append(Problem("not_copied", entry.path, message, fatal=False))
            return
        self._taken.setdefault(path, entry.path)
        was = identity(entry)
        shared = entry.links > 1 and kind is StepKind.COPY
        first = self._first_names.get((entry.device, entry.inode), -1) if shared else -1
        if first >= 0:
            number = self.add(StepKind.HARDLINK, entry.path, path, was=was, replaces=replaces, link_of=first)
        else:
            self._needs[os.path.dirname(path)] += entry.size
            number = self.add(kind, entry.path, path, size=entry.size, was=was, replaces=replaces)
            if shared:
                self._first_names[entry.device, entry.inode] = number
        if self.operation in {Operation.MOVE, Operation.UNDO}:
            self.remove_later(entry.path, was, number)

    def claim(self, source: str, destination: str) -> bool:
        """Note that `destination` is for `source`; False, with a problem, when it is another one's already
        (F2).
        """
        other = self._taken.setdefault(destination, source)
        if other == source:
            return True
        message = f"Both {other} and {source} would become {destination}."
        self.problems.append(Problem("collision", destination, message))
        return False

    def is_taken(self, destination: str) -> bool:
        """Whether something stands at `destination`, or will."""
        return destination in self._taken or self.directories.find(destination) is not None

    def free_beside(self, path: str) -> str:
        """A free path beside the taken `path` (F3, keep both)."""
        directory, name = os.path.split(path)
        paths = (os.path.join(directory, other) for other in naming.numbered(name))
        return next(other for other in paths if not self.is_taken(other))

    # -- conflicts ------------------------------------------------------------------------------------------

    def settle(
        self, kind: ConflictKind, source: Side, other: Side, key: str, same: Callable[[], bool]
    ) -> Verdict:
        """What the answers say about a taken destination; the conflict is noted. `key` names it in the
        answers.

        A directory without an answer is planned on as if it were merged, so that all conflicts show at once.
        """
        policy = self.answers.to(key)
        asked = key in self.answers.each
        answer = verdict(policy, kind, source, other, same, asked=asked)
        if answer is Verdict.MERGE and not asked:
            return answer  # a matter of course under an answer for all; nothing to show
        self.note(kind, source, other, Policy.FAIL if answer is Verdict.FAIL else policy)
        if answer is Verdict.FAIL and kind is ConflictKind.DIRECTORY:
            return Verdict.MERGE
        return answer

    def note(
        self, kind: ConflictKind, source: Side, other: Side, answer: Policy, item: int | None = None
    ) -> None:
        """A conflict, and the answer that the plan was made with."""
        of = self.item if item is None else item
        self._conflicts.append(Conflict(of, kind, source, other, answer))

    # -- the end --------------------------------------------------------------------------------------------

    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._steps)

    def _without_trash(self) -> list[Problem]:
        """Where something is to give way and there is no trash to keep it in (F11)."""
        problems = []
        places = {os.path.dirname(step.destination) for step in self._steps if step.replaces is not None}
        for place in sorted(places) if self.options.keep_replaced else ():
            try:
                trash.can_for(os.path.join(place, "."), fallback=self.options.fallback_trash)
            except trash.NoTrash as error:
                remedy = "--fallback-trash keeps what is replaced there, --discard-replaced does not keep it."
                problems.append(Problem(error.code, place, error.message, remedy))
        return problems

    def plan(self, title: str, reserved: Callable[[int], int]) -> Plan:
        """The finished value."""
        self.problems += self._without_trash()
        folding = {
            place: volumes.folds_case(place) for place in {os.path.dirname(path) for path in self._taken}
        }
        folded = {path: source for path, source in self._taken.items() if folding[os.path.dirname(path)]}
        self.problems += preflight.one_each(folded)
        needs, lacking = preflight.space(self._needs, reserved)
        self.directories.close()
        return Plan(
            self.operation,
            title,
            tuple(self._items),
            tuple(self._steps),
            tuple(self._conflicts),
            (*self.problems, *lacking),
            tuple(needs),
            self.options,
        )
