"""The way back: a plan that undoes a job, made from its journal (spec: files F12).

Every step that was done has an inverse; together, in reverse order, they are a plan like any other,
journalled and itself undoable: that is redo. All conditions are looked at before: a thing that is not what
the job left, or a place that is taken meanwhile, and nothing is done.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import Refused
from kassettui.core.text import safe
from kassettui.files.draft import Draft
from kassettui.files.listing import Entry, entry_of
from kassettui.files.outcomes import StepState
from kassettui.files.plan import Answers, ItemKind, Operation, Options, PlanItem, StepKind
from kassettui.files.recording import items_of, outcome_of, step_of
from kassettui.files.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.files.outcomes import Outcome
    from kassettui.files.plan import Identity, Plan, Step
    from kassettui.library.journal import Entry as JournalEntry
    from kassettui.library.journal import StepRow

_COPIES: Final = frozenset({StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO, StepKind.HARDLINK})
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done, with its outcome."""

    step: Step
    outcome: Outcome

    @property
    def made(self) -> str:
        """The path of what the step made, "" for one that only took away."""
        return self.outcome.destination if self.outcome.identity is not None else ""


def undo_plan(
    entry: JournalEntry, rows: Sequence[StepRow], options: Options, reserved: Callable[[int], int]
) -> Plan:
    """The plan that undoes `entry`. Raises Refused, with the reasons, when its conditions do not hold."""
    done = [Done(step_of(row), outcome_of(row)) for row in rows if row.state == StepState.DONE]
    if not done or not entry.undoable or entry.undone_at is not None:
        raise Refused(f"“{safe(entry.title)}” cannot be undone.")
    items = items_of(entry, rows)
    redo = entry.undo_of is not None
    title = f"{'Redo' if redo else 'Undo'}: {entry.title.removeprefix('Undo: ').removeprefix('Redo: ')}"
    draft = Draft(Operation.UNDO, Answers(), options)
    try:
        _check(draft, done, entry.title)
        _Undoing(draft, done, items).draft_all()
    finally:
        draft.directories.close()
    plan = draft.plan(title, reserved)
    return replace(plan, reverts=entry.id, undo_of=None if redo else entry.id)


# -- conditions ---------------------------------------------------------------------------------------------


def _check(draft: Draft, done: Sequence[Done], title: str) -> None:
    """Raise Refused unless everything is as the job left it, and every place to go back to is free."""
    made_at = {each.made: number for number, each in enumerate(done) if each.made}
    moved_at = {each.step.source: number for number, each in enumerate(done) if each.step.source}
    reasons = []
    for number, each in enumerate(done):
        moved_on = moved_at.get(each.made, -1) > number
        reason = "" if moved_on else _changed(draft, each)
        if not reason and each.step.source not in made_at:
            reason = _taken(draft, each, done)
        if reason:
            reasons.append(reason)
    if reasons:
        more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise Refused(
            f"“{safe(title)}” cannot be undone: {'; '.join(map(safe, reasons[:_SHOWN]))}{more}.",
            remedy="Nothing was changed.",
        )


def _changed(draft: Draft, each: Done) -> str:
    """Why what the step made is not there, or not what it made; "" when all is well."""
    for path, made in ((each.made, each.outcome.identity), (each.outcome.replaced, None)):
        if not path:
            continue
        found = draft.directories.find(path)
        if found is None:
            return f"{path} is gone"
        if made is not None and not _is_same(found, made):
            return f"{path} has changed"
    return ""


def _is_same(found: os.stat_result, made: Identity) -> bool:
    """A directory changes with what is in it; anything else must be just what was made."""
    if stat.S_ISDIR(found.st_mode):
        return (found.st_dev, found.st_ino) == (made.device, made.inode)
    return (found.st_ino, found.st_size, found.st_mtime_ns) == (made.inode, made.size, made.mtime_ns)


def _taken(draft: Draft, each: Done, done: Sequence[Done]) -> str:
    """Why a step's thing cannot go back to where it was; "" when it can, or does not need to."""
    step = each.step
    if step.kind not in {StepKind.RENAME, StepKind.TRASH, StepKind.RMDIR, StepKind.REMOVE}:
        return ""
    if draft.directories.find(step.source) is not None:
        return f"{step.source} is taken"
    parent = os.path.dirname(step.source)
    comes_back = any(
        other.step.source == parent or parent.startswith(other.step.source + "/")
        for other in done
        if other.step.kind in {StepKind.RMDIR, StepKind.RENAME, StepKind.TRASH}
    )
    return "" if comes_back or os.path.isdir(parent) else f"{parent} is gone"


# -- steps --------------------------------------------------------------------------------------------------


class _Undoing:
    """Drafts the inverse of what was done."""

    def __init__(self, draft: Draft, done: Sequence[Done], items: dict[int, PlanItem]) -> None:
        self._draft = draft
        self._done = done
        self._items = items
        self._copied_from = {
            each.step.source: each.made
            for each in done
            if each.step.kind is StepKind.MKDIR and each.step.source
        }
        removed = {each.step.link_of for each in done if each.step.kind is StepKind.REMOVE}
        self._carried = {each.step.number for each in done if each.step.number in removed}

    def draft_all(self) -> None:
        """Item by item, the last first; renames of one job weave through each other and stay in
        their order.
        """
        numbers = list(dict.fromkeys(each.step.item for each in reversed(self._done)))
        if self._carried:
            for number in numbers:
                self._apart([each for each in self._done if each.step.item == number])
            return
        run: list[Done] = []
        for each in reversed(self._done):
            if run and run[-1].step.item != each.step.item:
                self._together(run)
                run = []
            run.append(each)
        self._together(run)

    def _together(self, backwards: Sequence[Done]) -> None:
        """One item's steps, last first, whose inverses only move names."""
        item = self._item_of(backwards[0])
        whole = self._whole_directory(backwards, item)
        self._draft.begin()
        if whole is not None:
            self._draft.add(StepKind.TRASH, whole.made, was=whole.outcome.identity)
        else:
            for each in backwards:
                self._name_back(each)
        self._end(item, backwards)
        self._replaced_back(item, backwards)

    def _apart(self, done: Sequence[Done]) -> None:
        """One item of a job that carried bytes: back they are carried, then what is left is taken away."""
        draft, item = self._draft, self._item_of(done[0])
        carried = [each for each in done if each.step.number in self._carried]
        if carried:
            draft.begin()
            for each in reversed(done):
                if each.step.kind is StepKind.RMDIR:
                    self._remake(each.step)
            for each in carried:
                entry = entry_of(each.made, draft.directories.lstat(each.made))
                draft.copy(entry, each.step.source)
            self._end(item, carried, carried=True)
        others = [
            each
            for each in reversed(done)
            if each not in carried and each.step.kind not in {StepKind.REMOVE, StepKind.RMDIR}
        ]
        if others:
            draft.begin()
            for each in others:
                self._name_back(each)
            self._end(item, others)
        self._replaced_back(item, done)

    def _name_back(self, each: Done) -> None:
        """The inverse of one step, where it carries no bytes."""
        draft, step, made = self._draft, each.step, each.made
        was = each.outcome.identity
        match step.kind:
            case StepKind.MKDIR:
                draft.add(StepKind.RMDIR, made, mode=draft.directories.lstat(made).st_mode)
            case StepKind.RMDIR:
                draft.add(StepKind.MKDIR, "", step.source, mode=step.mode)
            case StepKind.RENAME:
                draft.add(StepKind.RENAME, made, step.source, was=was)
            case StepKind.TRASH:
                draft.add(StepKind.RESTORE, made, step.source, was=was)
            case StepKind.COPY | StepKind.SYMLINK | StepKind.FIFO | StepKind.HARDLINK | StepKind.RESTORE:
                draft.add(StepKind.TRASH, made, was=was)
            case _:
                raise AssertionError(step.kind)

    def _remake(self, step: Step) -> None:
        """A source directory again, with what its copy at the destination kept of it."""
        copied = self._copied_from.get(step.source, "")
        self._draft.add(StepKind.MKDIR, copied, step.source, mode=step.mode)

    def _replaced_back(self, item: PlanItem, done: Sequence[Done]) -> None:
        """What the item's things took the place of, as an item of its own: its asset comes back, too."""
        replaced = [each for each in done if each.outcome.replaced]
        if not replaced:
            return
        self._draft.begin()
        for each in replaced:
            self._draft.add(StepKind.RESTORE, each.outcome.replaced, each.made)
        first = min(replaced, key=lambda each: each.step.number)
        self._draft.end(Entry(first.outcome.replaced, item.kind), item.destination)

    def _end(self, item: PlanItem, done: Sequence[Done], *, carried: bool = False) -> None:
        """Close the inverse of `item`: from where its thing is now, to where it goes."""
        first = min(done, key=lambda each: each.step.number)
        here = first.made if first.step.kind is StepKind.TRASH else item.destination
        trashed = not carried and any(each.step.kind in _COPIES | {StepKind.RESTORE} for each in done)
        self._draft.end(Entry(here, item.kind, group=None), "" if trashed else item.source)

    def _item_of(self, each: Done) -> PlanItem:
        return self._items[each.step.item]

    def _whole_directory(self, done: Sequence[Done], item: PlanItem) -> Done | None:
        """The step that made the item's directory, when all that is in it now is what the job put there.

        Such a directory goes to the trash as one.
        """
        top = next((each for each in done if each.made == item.destination), None)
        if top is None or top.step.kind is not StepKind.MKDIR or item.kind is not ItemKind.DIRECTORY:
            return None
        made = {each.made for each in done}
        if len(made) < 2 or any(each.step.kind not in _COPIES | {StepKind.MKDIR} for each in done):
            return None
        if any(each.outcome.replaced for each in done):
            return None
        found = {os.path.join(top.made, below.relative) for below in walk(top.made)}
        return top if found == made - {top.made} else None
