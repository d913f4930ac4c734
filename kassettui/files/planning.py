"""From what was asked to a plan: copy and move (spec: files F1–F3). Looks at the disk, writes nothing.

An item is what a person named; its steps are in the order in which they can be done. Whatever stands in the
way is collected, not raised, so that all of it can be shown at once.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from kassettui.files import naming, preflight, volumes
from kassettui.files.comparing import same_content
from kassettui.files.conflicts import Verdict, kind_of_conflict, verdict
from kassettui.files.draft import Draft, identity
from kassettui.files.listing import entry_of, sequence_side
from kassettui.files.members import renamed, with_head
from kassettui.files.plan import (
    Answers,
    ConflictKind,
    ItemKind,
    Operation,
    Options,
    Policy,
    Problem,
    StepKind,
)
from kassettui.files.targets import Target, targets
from kassettui.files.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kassettui.files.listing import Entry
    from kassettui.files.plan import Plan, Step

_EXISTS: Final = "the destination exists"
_COMPARING: Final = frozenset({Policy.NEWER, Policy.SIZE_DIFFERS, Policy.CONTENT_DIFFERS})


def transfer_plan(
    operation: Operation,
    entries: Sequence[Entry],
    destination: str,
    *,
    title: str,
    answers: Answers = Answers(),  # noqa: B008 (a frozen value)
    options: Options = Options(),  # noqa: B008
    reserved: Callable[[int], int] = lambda _: 0,
) -> Plan:
    """The plan that copies or moves `entries` to `destination`: into a directory, or under a new name."""
    draft = Draft(operation, answers, options)
    found, draft.problems = targets(entries, destination)
    if found:
        draft.make_missing(found[0].directory)
        draft_copies(draft, list(zip(entries, found, strict=True)))
    return draft.plan(title, reserved)


def draft_copies(draft: Draft, pairs: Sequence[tuple[Entry, Target]]) -> None:
    """Draft the items that bring each entry to its target, as copies or, for a move, as renames
    where they can.
    """
    transfer = _Transfer(draft, moving=draft.operation is Operation.MOVE)
    for entry, target in pairs:
        transfer.item(entry, target)


def copies_instead(renames: Sequence[Step], options: Options, first: int) -> tuple[Step, ...]:
    """The steps, numbered from `first`, that carry what could not be renamed across devices (F6)."""
    draft = Draft(
        Operation.MOVE, Answers(options.on_conflict), options, first_number=first, item=renames[0].item
    )
    transfer = _Transfer(draft, moving=True)
    for step in renames:
        if step.kind is StepKind.RENAME:
            entry = entry_of(step.source, draft.directories.lstat(step.source))
            transfer.carry(entry, step.destination, replaces=step.replaces is not None)
    draft.take_removals()
    draft.directories.close()
    return draft.steps()


class _Transfer:
    """Drafts the steps of single items."""

    def __init__(self, draft: Draft, moving: bool) -> None:
        self._draft = draft
        self._moving = moving

    def item(self, entry: Entry, target: Target) -> None:
        """One thing that was named."""
        draft = self._draft
        draft.begin()
        problems = _check(entry, target, self._moving)
        draft.problems += problems
        skipped = ""
        if not any(problem.fatal for problem in problems):
            by_name = self._moving and _on_one_device(entry, target)
            if entry.group is not None:
                target, skipped = self._sequence(entry, target, by_name)
            elif by_name or entry.kind is not ItemKind.DIRECTORY:
                target, skipped = self._single(entry, target, by_name)
            else:
                target, skipped = self._directory(entry, target)
        draft.end(entry, target.path, skipped)

    # -- what goes in one step ------------------------------------------------------------------------------

    def _single(self, entry: Entry, target: Target, by_name: bool) -> tuple[Target, str]:
        """A file, or a directory that is renamed; (where it goes, why it does not)."""
        answer, path = self._place(entry, target.path, by_name)
        match answer:
            case Verdict.SKIP:
                return target, _EXISTS
            case Verdict.MERGE if entry.kind is ItemKind.DIRECTORY:
                self._below(entry.path, path, by_name, merging=True)
            case Verdict.REPLACE | Verdict.RENAME | Verdict.MERGE:
                self._put(entry, path, by_name, replaces=answer is Verdict.REPLACE)
        return target.named(os.path.basename(path)), ""

    def _place(self, entry: Entry, path: str, by_name: bool) -> tuple[Verdict, str]:
        """(what to do, under which path); FAIL: nothing, a problem or conflict is noted.

        RENAME stands for any free place, MERGE for a directory that is there already.
        """
        draft = self._draft
        found = draft.directories.find(path)
        if found is None:
            return (Verdict.RENAME if draft.claim(entry.path, path) else Verdict.FAIL), path
        if (found.st_dev, found.st_ino) == (entry.device, entry.inode) and (
            by_name or draft.answers.to(path) is not Policy.KEEP_BOTH
        ):
            message = f"{entry.path} and {path} are the same file."
            draft.problems.append(Problem("same_file", entry.path, message))
            return Verdict.FAIL, path
        other = entry_of(path, found)
        kind = kind_of_conflict(entry.kind, other.kind)
        answer = draft.settle(
            kind, entry.side(), other.side(), path, lambda: same_content(entry.path, path, draft.directories)
        )
        if answer is Verdict.RENAME:
            path = draft.free_beside(path)
        if answer in {Verdict.RENAME, Verdict.REPLACE} and not draft.claim(entry.path, path):
            return Verdict.FAIL, path
        return answer, path

    def _put(self, entry: Entry, path: str, by_name: bool, *, replaces: bool) -> None:
        if by_name:
            self._draft.add(StepKind.RENAME, entry.path, path, was=identity(entry), replaces=replaces)
        else:
            self._draft.copy(entry, path, replaces=replaces)

    def carry(self, entry: Entry, path: str, *, replaces: bool) -> None:
        """The bytes of a thing that was settled before, to `path`."""
        if entry.kind is not ItemKind.DIRECTORY:
            self._draft.copy(entry, path, replaces=replaces)
            return
        self._draft.add(StepKind.MKDIR, entry.path, path, mode=entry.mode, replaces=replaces)
        self._below(entry.path, path, by_name=False, merging=False)

    # -- directories ----------------------------------------------------------------------------------------

    def _directory(self, entry: Entry, target: Target) -> tuple[Target, str]:
        """A directory and all below, to be copied."""
        answer, path = self._place(entry, target.path, by_name=False)
        if answer is Verdict.SKIP:
            return target, _EXISTS
        if answer is not Verdict.FAIL:
            if answer is not Verdict.MERGE:
                self._draft.add(
                    StepKind.MKDIR, entry.path, path, mode=entry.mode, replaces=answer is Verdict.REPLACE
                )
            self._below(entry.path, path, by_name=False, merging=answer is Verdict.MERGE)
        return target.named(os.path.basename(path)), ""

    def _below(self, source: str, destination: str, by_name: bool, *, merging: bool) -> None:
        """Everything below the directory `source`, into `destination`; `merging`: one stands there."""
        draft = self._draft
        # Where each directory goes, and whether one stands there; None: it is left out, with all below.
        places: dict[str, tuple[str, bool] | None] = {"": (destination, merging)}
        if self._moving:
            draft.remove_directory_later(source, draft.directories.lstat(source).st_mode)
        for found in walk(source):
            parent, _, name = found.relative.rpartition("/")
            place = places.get(parent)
            path = os.path.join(source, found.relative) if found.relative else source
            if found.facts is None:
                why = found.error.strerror if found.error else "unknown"
                draft.problems.append(
                    Problem("not_readable", path, f"{path} cannot be read: {why}.", fatal=False)
                )
            elif place is not None:
                entry = entry_of(path, found.facts)
                inside = self._inside(entry, os.path.join(place[0], name), place[1], by_name)
                if entry.kind is ItemKind.DIRECTORY:
                    places[found.relative] = inside
            elif found.relative not in places:
                places[found.relative] = None

    def _inside(self, entry: Entry, path: str, merging: bool, by_name: bool) -> tuple[str, bool] | None:
        """One thing below a named directory; for a directory, where it goes and whether one stands there."""
        draft = self._draft
        draft.problems += preflight.readable(entry.path, entry.mode)
        answer = Verdict.RENAME
        if merging:
            answer, path = self._place(entry, path, by_name)
            if answer in {Verdict.FAIL, Verdict.SKIP}:
                return None
        replaces = answer is Verdict.REPLACE
        if entry.kind is not ItemKind.DIRECTORY:
            self._put(entry, path, by_name, replaces=replaces)
            return None
        if by_name and answer is not Verdict.MERGE:
            self._put(entry, path, by_name, replaces=replaces)
            return None
        if answer is not Verdict.MERGE:
            draft.add(StepKind.MKDIR, entry.path, path, mode=entry.mode, replaces=replaces)
        if self._moving:
            draft.remove_directory_later(entry.path, entry.mode)
        return path, answer is Verdict.MERGE

    # -- sequences ------------------------------------------------------------------------------------------

    def _sequence(self, entry: Entry, target: Target, by_name: bool) -> tuple[Target, str]:
        """A sequence: one thing with one conflict, all frames or none (F9)."""
        draft, group, scheme = self._draft, entry.group, target.scheme
        assert group is not None
        assert scheme is not None
        pairs = list(renamed(group, scheme))
        there = _standing(draft, target.directory, (new for _, new in pairs))
        left_out: set[str] = set()
        if there:
            answer, left_out = self._sequence_conflict(entry, target, pairs, there)
            if answer is Verdict.SKIP:
                return target, _EXISTS
            if answer is Verdict.FAIL:
                return target, ""
            if answer is Verdict.RENAME:
                target, pairs = self._other_head(entry, target)
                there = {}
        for old, new in pairs:
            path = os.path.join(target.directory, new)
            if new not in left_out and draft.claim(os.path.join(entry.directory, old), path):
                member = entry_of(os.path.join(entry.directory, old), draft.lstat(entry.directory, old))
                self._put(member, path, by_name, replaces=new in there)
        return target, ""

    def _sequence_conflict(
        self, entry: Entry, target: Target, pairs: Sequence[tuple[str, str]], there: dict[str, os.stat_result]
    ) -> tuple[Verdict, set[str]]:
        """(what to do with the sequence, which of the new names are left as they are)."""
        draft = self._draft
        policy = draft.answers.to(target.path)
        if entry.path == target.path and (self._moving or policy is not Policy.KEEP_BOTH):
            message = f"{entry.path} and {target.path} are the same frames."
            draft.problems.append(Problem("same_file", entry.path, message))
            return Verdict.FAIL, set()
        other = sequence_side(target.path, there)
        if policy not in _COMPARING:
            kind = ConflictKind.SEQUENCE
            return draft.settle(kind, entry.side(), other, target.path, lambda: False), set()
        draft.note(ConflictKind.SEQUENCE, entry.side(), other, policy)
        left_out = set()
        for old, new in pairs:
            if new in there:
                ours, theirs = os.path.join(entry.directory, old), os.path.join(target.directory, new)
                answer = verdict(
                    policy,
                    ConflictKind.FILE,
                    entry_of(ours, draft.lstat(entry.directory, old)).side(),
                    entry_of(theirs, there[new]).side(),
                    partial(same_content, ours, theirs, draft.directories),
                    asked=True,
                )
                if answer is Verdict.SKIP:
                    left_out.add(new)
        return Verdict.REPLACE, left_out

    def _other_head(self, entry: Entry, target: Target) -> tuple[Target, list[tuple[str, str]]]:
        """The target with a new head whose names are all free (F3, keep both)."""
        group, scheme = entry.group, target.scheme
        assert group is not None
        assert scheme is not None
        for head in naming.numbered_heads(scheme.head):
            other = target.under(with_head(scheme, head))
            pairs = list(renamed(group, with_head(scheme, head)))
            if not any(self._draft.is_taken(os.path.join(target.directory, new)) for _, new in pairs):
                return other, pairs
        raise AssertionError("numbers never end")


def _standing(draft: Draft, directory: str, names: Iterable[str]) -> dict[str, os.stat_result]:
    """Those of `names` that stand in `directory`, with their facts."""
    found = {name: draft.directories.find(os.path.join(directory, name)) for name in names}
    return {name: facts for name, facts in found.items() if facts is not None}


def _check(entry: Entry, target: Target, moving: bool) -> list[Problem]:
    """What speaks against one thing before its destination is looked at (F2)."""
    problems: list[Problem] = []
    if entry.group is not None and target.scheme is not None:
        names = [max((new for _, new in renamed(entry.group, target.scheme)), key=len)]
    else:
        names = [target.name]
    for name in names:
        problems += preflight.name(os.path.join(target.directory, name), target.limit, target.volume)
    if entry.kind is ItemKind.OTHER and not (moving and _on_one_device(entry, target)):
        message = f"{entry.path} is a socket or a device, which is never copied."
        problems.append(Problem("not_copied", entry.path, message))
    if entry.kind is ItemKind.DIRECTORY:
        problems += preflight.into_itself(entry.path, target.path)
    elif entry.group is None:
        problems += preflight.readable(entry.path, entry.mode)
    if moving:
        problems += preflight.source_directory(entry.directory)
    return problems


def _on_one_device(entry: Entry, target: Target) -> bool:
    return entry.device == os.stat(volumes.existing_parent(target.directory)).st_dev
