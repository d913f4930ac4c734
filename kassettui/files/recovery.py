"""After a kill or a crash: what of a job was done, found out from the disk, and what it left (spec: files F4,
F8).

The journal's outcomes lag by up to half a second, so each step without one is looked at. A step is done when
its destination is what the plan said it would be; files are told apart by inode, size and time. A sequence of
which any frame got its final name was staged whole before: its other frames get theirs now, so that it is
never seen in part. Temps are removed, what gave way to a copy that never came goes back to its place.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from kassettui.files import metadata, trash
from kassettui.files.directories import Directories
from kassettui.files.draft import identity_of
from kassettui.files.failures import StepFailed
from kassettui.files.outcomes import Outcome, StepState
from kassettui.files.plan import Identity, ItemKind, StepKind
from kassettui.files.publishing import Skipped, aside_name, bring_back, publish
from kassettui.files.staging import Staged, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kassettui.files.plan import Options, PlanItem, Step

_COPIES: Final = frozenset({StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO, StepKind.HARDLINK})


class Recovery:
    """Looks at the open steps of one job whose process is gone."""

    def __init__(self, job: str, options: Options, items: Mapping[int, PlanItem], *, woven: bool) -> None:
        """`woven`: the steps of all items are one row of renames, done one after the other or taken back."""
        self._job = job
        self._woven = woven
        self._trash: dict[str, dict[str, list[trash.Trashed]]] = {}  # by can, by original path
        self._options = options
        self._items = items
        self._directories = Directories()

    def settle(self, pending: Sequence[Step], done: Sequence[Step]) -> list[Outcome]:
        """The outcomes of those of the `pending` steps that were done after all; the disk is left clean.

        `done` are the steps whose outcome the journal has. What is not in the answer was not done.
        """
        with self._directories:
            found = self._names(pending)
            copies = [step for step in pending if step.kind in _COPIES]
            published = {step.number for step in copies if self._is_published(step)}
            begun = {step.item for step in done if step.kind in _COPIES}
            begun |= {step.item for step in copies if step.number in published}
            for step in copies:
                if step.number not in published and step.item in begun and self._publish_now(step):
                    published.add(step.number)
            for step in copies:
                self._clean(step)
                if step.number in published:
                    found[step.number] = self._copied(step)
            self._removals(pending, found)
            if copies or begun:
                self._finish_directories([*done, *(step for step in pending if step.number in found)])
            return [found[number] for number in sorted(found)]

    # -- renames and the like -------------------------------------------------------------------------------

    def _names(self, pending: Sequence[Step]) -> dict[int, Outcome]:
        """Steps that only move names. An item's run one by one: the first that was not done ends its search,
        whatever a later one looks like (hard links look alike).
        """
        found: dict[int, Outcome] = {}
        order = [step for step in pending if step.kind not in _COPIES | {StepKind.REMOVE}]
        stopped: set[int] = set()
        for position, step in enumerate(order):
            group = 0 if self._woven else step.item
            if group in stopped:
                continue
            outcome = self._name_outcome(step, order[position + 1 :])
            if outcome is not None:
                found[step.number] = outcome
            elif step.kind in {StepKind.RENAME, StepKind.TRASH, StepKind.RESTORE}:
                stopped.add(group)
        return found

    def _name_outcome(self, step: Step, later: Sequence[Step]) -> Outcome | None:
        match step.kind:
            case StepKind.RENAME:
                return self._renamed(step, later)
            case StepKind.TRASH:
                return self._trashed(step)
            case StepKind.RESTORE:
                return self._restored(step)
            case StepKind.MKDIR:
                facts = self._directories.find(step.destination)
                if facts is None or not stat.S_ISDIR(facts.st_mode):
                    return None
                return Outcome(step.number, StepState.DONE, step.destination, identity_of(facts))
            case _:  # RMDIR, DELETE
                gone = self._directories.find(step.source) is None
                return Outcome(step.number, StepState.DONE) if gone else None

    def _renamed(self, step: Step, later: Sequence[Step]) -> Outcome | None:
        here = self._directories.find(step.destination)
        if here is not None and _is(here, step.was):
            replaced = self._thrown(step.destination, step.replaces) if step.replaces else ""
            made = identity_of(here)
            return Outcome(step.number, StepState.DONE, step.destination, made, None, replaced)
        source = self._directories.find(step.source)
        if here is None and (source is None or not _is(source, step.was)):
            # A name of a cycle that was only there on the way.
            moved_on = next((each for each in later if each.source == step.destination), None)
            if moved_on is not None and self._renamed(moved_on, ()) is not None:
                return Outcome(step.number, StepState.DONE, step.destination, step.was)
        if here is None and step.replaces and (kept := self._thrown(step.destination, step.replaces)):
            bring_back(kept, step.destination, self._directories)
        return None

    def _trashed(self, step: Step) -> Outcome | None:
        still = self._directories.find(step.source)
        kept = self._thrown(step.source, step.was)
        if still is not None and _is(still, step.was):
            return None
        if not kept:
            return None
        return Outcome(step.number, StepState.DONE, kept, identity_of(self._directories.lstat(kept)))

    def _restored(self, step: Step) -> Outcome | None:
        here = self._directories.find(step.destination)
        if here is None or not _is(here, step.was):
            return None
        if self._directories.find(step.source) is None:
            trash.forget_info(step.source)
        replaced = self._thrown(step.destination, step.replaces) if step.replaces else ""
        return Outcome(step.number, StepState.DONE, step.destination, identity_of(here), None, replaced)

    def _thrown(self, path: str, was: Identity | None) -> str:
        """Where the thing that stood at `path` lies in the trash, "" when it does not; broken
        entries are mended.
        """
        if was is None:
            return ""
        try:
            can = trash.can_for(path, fallback=self._options.fallback_trash)
        except trash.NoTrash:
            return ""
        if can.root not in self._trash:
            by_path = self._trash[can.root] = {}
            for thing in trash.entries(can):
                by_path.setdefault(thing.original, []).append(thing)
        for thing in self._trash[can.root].get(trash.original_of(can, path), ()):
            facts = self._directories.find(thing.path)
            if facts is None:
                trash.forget_info(thing.path)  # reserved, but nothing was put there
            elif _is(facts, was):
                return thing.path
        return ""

    # -- copies ---------------------------------------------------------------------------------------------

    def _temporary(self, step: Step) -> str:
        return os.path.join(os.path.dirname(step.destination), temporary_name(self._job, step.number))

    def _is_published(self, step: Step) -> bool:
        """Whether the copy stands under its final name."""
        here = self._directories.find(step.destination)
        if here is None or self._directories.find(self._temporary(step)) is not None:
            return False
        if step.replaces is not None and here.st_ino == step.replaces.inode:
            return False
        if step.kind in {StepKind.COPY, StepKind.HARDLINK}:
            return step.was is not None and _alike(here, step.was)
        return stat.S_ISLNK(here.st_mode) or stat.S_ISFIFO(here.st_mode)

    def _publish_now(self, step: Step) -> bool:
        """Give a frame of a sequence that is seen in part its final name; False where that cannot be."""
        item = self._items.get(step.item)
        if item is None or item.kind is not ItemKind.SEQUENCE:
            return False
        temporary = self._temporary(step)
        facts = self._directories.find(temporary)
        if facts is None or step.was is None or not _alike(facts, step.was):
            return False
        self._drop_second_name(step)
        try:
            publish(Staged(step, os.path.basename(temporary), facts), self._options, self._directories)
        except (StepFailed, Skipped):
            return False
        self._trash.clear()
        return True

    def _drop_second_name(self, step: Step) -> None:
        """What stands at the destination and in the trash as well was about to give way, and did not."""
        here = self._directories.find(step.destination)
        if step.replaces is None or here is None or here.st_ino != step.replaces.inode:
            return
        if kept := self._thrown(step.destination, step.replaces):
            os.unlink(kept)
            trash.forget_info(kept)

    def _clean(self, step: Step) -> None:
        """No temp stays, and what had to give way for nothing is back."""
        temporary = self._temporary(step)
        if self._directories.find(temporary) is not None:
            os.unlink(temporary)
        here = self._directories.find(step.destination)
        aside = os.path.join(os.path.dirname(step.destination), aside_name(os.path.basename(temporary)))
        if self._directories.find(aside) is not None:
            if here is None:
                bring_back(aside, step.destination, self._directories)
            else:
                os.unlink(aside)
        if here is None and (kept := self._thrown(step.destination, step.replaces)):
            bring_back(kept, step.destination, self._directories)
        self._drop_second_name(step)

    def _copied(self, step: Step) -> Outcome:
        facts = self._directories.lstat(step.destination)
        replaced = self._thrown(step.destination, step.replaces) if step.replaces else ""
        return Outcome(step.number, StepState.DONE, step.destination, identity_of(facts), None, replaced)

    def _finish_directories(self, made: Iterable[Step]) -> None:
        """Modes and times of directories that a copy made: it sets them when all in them is there."""
        oddities = metadata.Oddities()
        for step in sorted(made, key=lambda step: step.destination, reverse=True):
            if step.kind is not StepKind.MKDIR or self._directories.find(step.destination) is None:
                continue
            target = self._directories.fd(step.destination)
            if step.source and self._directories.find(step.source) is not None:
                source = self._directories.fd(step.source)
                metadata.keep(source, target, os.fstat(source), step.destination, oddities)
            elif step.mode:
                os.fchmod(target, stat.S_IMODE(step.mode))

    def _removals(self, pending: Sequence[Step], found: dict[int, Outcome]) -> None:
        """Sources of a move that are gone: theirs was the last step of their item."""
        for step in pending:
            if step.kind is StepKind.REMOVE and self._directories.find(step.source) is None:
                found[step.number] = Outcome(step.number, StepState.DONE)


def _is(facts: os.stat_result, was: Identity | None) -> bool:
    """Whether this is the very file; a directory's size and time change with what is in it."""
    if was is None or (facts.st_dev, facts.st_ino) != (was.device, was.inode):
        return False
    return stat.S_ISDIR(facts.st_mode) or (facts.st_size, facts.st_mtime_ns) == (was.size, was.mtime_ns)


def _alike(facts: os.stat_result, was: Identity) -> bool:
    """Whether this is a copy of the file: size and time, which a copy keeps as well as its file
    system can.
    """
    coarse = 2_000_000_000
    return facts.st_size == was.size and abs(facts.st_mtime_ns - was.mtime_ns) <= coarse
