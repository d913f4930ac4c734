"""A file operation as a value: what will be done, what stands in its way, what it costs (spec: files F1–F3).

Nothing here touches a disk. `planning`, `sequences`, `renaming`, `trashing` and `undo` make plans,
`executing` runs just what they say, the command line prints them and the screen shows them. Paths are
absolute, as `os.fsdecode` gives them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA_VERSION = 1


class Operation(StrEnum):
    """What a person asked for."""

    COPY = "copy"
    MOVE = "move"
    RENAME = "rename"
    RENUMBER = "renumber"
    VERSION_UP = "version-up"
    MKDIR = "mkdir"
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"
    UNDO = "undo"


class StepKind(StrEnum):
    """The smallest things that are done and journalled. Each has an inverse, but for DELETE (F12)."""

    MKDIR = "mkdir"  # make `destination`; inverse RMDIR
    RMDIR = "rmdir"  # remove `source`, an empty directory; inverse MKDIR
    COPY = "copy"  # bytes of the file `source` to `destination`; inverse TRASH
    SYMLINK = "symlink"  # the symbolic link `source` again at `destination`; inverse TRASH
    FIFO = "fifo"  # a FIFO like `source` at `destination`, never opened; inverse TRASH
    HARDLINK = "hardlink"  # `destination` is one more name of step `link_of`'s destination; inverse TRASH
    REMOVE = "remove"  # a moved file's source, its own destination being complete (F6)
    RENAME = "rename"  # `source` to `destination` on one device, a whole directory too; inverse RENAME
    TRASH = "trash"  # `source` into its volume's trash; inverse RESTORE
    RESTORE = "restore"  # `source`, a path inside a trash, back to `destination`; inverse TRASH
    DELETE = "delete"  # `source` for good


class ItemKind(StrEnum):
    """What a person sees as one thing."""

    FILE = "file"
    DIRECTORY = "directory"
    SEQUENCE = "sequence"
    SYMLINK = "symlink"
    FIFO = "fifo"
    OTHER = "other"  # sockets and devices: shown, never opened, never copied


class Policy(StrEnum):
    """What to do where a destination exists (F3)."""

    FAIL = "fail"
    OVERWRITE = "overwrite"
    SKIP = "skip"
    KEEP_BOTH = "keep-both"
    NEWER = "newer"
    SIZE_DIFFERS = "size-differs"
    CONTENT_DIFFERS = "content-differs"
    MERGE = "merge"


class Verify(StrEnum):
    """What proves a copy (F7)."""

    SIZE = "size"
    SOURCE = "source"
    BOTH = "both"


class ConflictKind(StrEnum):
    """How a destination is taken."""

    FILE = "file"
    SEQUENCE = "sequence"
    DIRECTORY = "directory"  # a directory meets a directory
    KIND = "kind"  # a directory meets something else, or the other way round


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a file from another one that took its name: stays through a rename, not through a change."""

    device: int
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a conflict as a dialog shows it: size in bytes, date, frame range, health (F3)."""

    path: str
    kind: ItemKind
    size: int
    mtime_ns: int
    count: int = 1
    frames: str = ""
    health: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A destination that is taken, both sides, and the answer that the plan was made with."""

    item: int
    kind: ConflictKind
    source: Side
    destination: Side
    answer: Policy = Policy.FAIL

    @property
    def settled(self) -> bool:
        """Whether an answer was given that lets the plan run."""
        return self.answer is not Policy.FAIL


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to conflicts: one for all, and others for single destinations (by destination path)."""

    for_all: Policy = Policy.FAIL
    each: Mapping[str, Policy] = field(default_factory=dict)

    def to(self, destination: str) -> Policy:
        """The answer that holds for `destination`."""
        return self.each.get(destination, self.for_all)


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands against a plan (F2). `fatal`: the plan does not run; else that one step will fail."""

    code: str
    path: str
    message: str
    remedy: str = ""
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class SpaceNeed:
    """Bytes that a plan writes to one device, what is free there and what other jobs have reserved of it."""

    device: int
    path: str
    needed: int
    free: int
    reserved: int


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One file, directory or sequence of the request. `size` in bytes and `count` in files include
    all below.
    """

    number: int
    kind: ItemKind
    source: str
    destination: str
    size: int
    count: int
    frames: str = ""
    skipped: str = ""  # why nothing is done with it: the answer to its conflict, or a protection


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `size` in bytes; `was` is the source's identity when planned, None for what has none.

    `replaces` is what stands at the destination and is to give way. `link_of` is the number of the COPY step
    whose destination a HARDLINK shares, or whose source a REMOVE removes. `mode` is of the directory that a
    MKDIR makes or an RMDIR removes.
    """

    number: int
    item: int
    kind: StepKind
    source: str = ""
    destination: str = ""
    size: int = 0
    was: Identity | None = None
    replaces: Identity | None = None
    link_of: int = -1
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan is carried out."""

    verify: Verify = Verify.SOURCE
    on_conflict: Policy = Policy.FAIL  # for what appears between plan and step (F3)
    fail_fast: bool = False  # stop at the first failing item (F17)
    durable: bool = True  # fsync files and directories before anything counts as done (F4)
    keep_replaced: bool = True  # what is overwritten goes to the trash, so that undo brings it back
    mhl: bool = False  # make the next ASC MHL generation from the copy's own hashes (F19)
    fallback_trash: bool = (
        False  # the answer to: no trash on this volume, use `.kassettui-trash` there? (F11)
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation does, in order. Equal plans do the same."""

    operation: Operation
    title: str
    items: tuple[PlanItem, ...]
    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    space: tuple[SpaceNeed, ...] = ()
    options: Options = Options()
    reverts: int | None = None  # the journal's id of the job that this undoes or redoes
    undo_of: int | None = None  # the same for an undo, None for a redo

    @property
    def total_bytes(self) -> int:
        """Bytes that will be written (a rename writes none)."""
        return sum(step.size for step in self.steps if step.kind is StepKind.COPY)

    @property
    def total_items(self) -> int:
        """Steps that a person counts: everything but a move's clean-up."""
        return sum(step.kind not in {StepKind.REMOVE, StepKind.RMDIR} for step in self.steps)

    @property
    def open_conflicts(self) -> tuple[Conflict, ...]:
        """Conflicts without an answer; a plan that has any does not run."""
        return tuple(conflict for conflict in self.conflicts if not conflict.settled)

    @property
    def fatal_problems(self) -> tuple[Problem, ...]:
        """What forbids the plan."""
        return tuple(problem for problem in self.problems if problem.fatal)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What will go wrong for single steps only."""
        return tuple(problem for problem in self.problems if not problem.fatal)

    @property
    def runnable(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.open_conflicts and not self.fatal_problems

    def counts(self) -> dict[str, int]:
        """Steps by kind."""
        return dict(Counter(str(step.kind) for step in self.steps))

    def steps_of(self, item: int) -> Iterator[Step]:
        """The steps of one item, in order."""
        return (step for step in self.steps if step.item == item)
