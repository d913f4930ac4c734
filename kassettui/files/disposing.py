"""Plans to throw away, bring back, delete for good; and to make a directory (spec: files F2, F11)."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from kassettui.files import preflight, trash, volumes
from kassettui.files.conflicts import Verdict, kind_of_conflict
from kassettui.files.draft import Draft, identity
from kassettui.files.listing import Entry, entry_of
from kassettui.files.plan import Answers, ItemKind, Operation, Options, Problem, StepKind
from kassettui.files.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kassettui.files.plan import Identity, Plan
    from kassettui.files.trash import Trashed

_NO_ANSWERS = Answers()
_DEFAULTS = Options()


def _none(_: int) -> int:
    return 0


def trash_plan(
    entries: Sequence[Entry],
    *,
    title: str,
    options: Options = _DEFAULTS,
    protected: Mapping[str, str] | None = None,
) -> Plan:
    """The plan that throws `entries` into their volumes' trash. `protected`: path → why it stays."""
    draft = Draft(Operation.TRASH, _NO_ANSWERS, options)
    for entry in entries:
        draft.begin()
        skipped = (protected or {}).get(entry.path, "")
        if not skipped:
            draft.problems += preflight.source_directory(entry.directory) + _without_trash(entry, options)
            for path, was in _members(draft, entry):
                draft.add(StepKind.TRASH, path, was=was)
        draft.end(entry, "", skipped)
    return draft.plan(title, _none)


def _without_trash(entry: Entry, options: Options) -> list[Problem]:
    try:
        trash.can_for(entry.path, fallback=options.fallback_trash)
    except trash.NoTrash as error:
        return [Problem(error.code, entry.path, error.message, error.remedy)]
    return []


def delete_plan(
    entries: Sequence[Entry],
    *,
    title: str,
    options: Options = _DEFAULTS,
    protected: Mapping[str, str] | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Plan:
    """The plan that deletes `entries` for good; counts and bytes are of all below, for the question (F11)."""
    draft = Draft(Operation.DELETE, _NO_ANSWERS, options)
    for entry in entries:
        draft.begin()
        skipped = (protected or {}).get(entry.path, "")
        counted = entry
        if not skipped:
            draft.problems += preflight.source_directory(entry.directory)
            for path, was in _members(draft, entry):
                draft.add(StepKind.DELETE, path, was=was)
            counted, files = measured(entry, checkpoint)
            draft.count(files)
        draft.end(counted, "", skipped)
    return draft.plan(title, _none)


def measured(entry: Entry, checkpoint: Callable[[], None] = lambda: None) -> tuple[Entry, int]:
    """(the entry with the bytes of all below it, how many files that is). Hard links count once."""
    if entry.kind is not ItemKind.DIRECTORY:
        return entry, entry.count
    size, files = 0, 0
    seen: set[tuple[int, int]] = set()
    for found in walk(entry.path, checkpoint):
        facts = found.facts
        if facts is None or stat.S_ISDIR(facts.st_mode):
            continue
        files += 1
        if facts.st_nlink > 1:
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
        size += facts.st_size
    return replace(entry, size=size), files


def _members(draft: Draft, entry: Entry) -> list[tuple[str, Identity]]:
    """(path, identity) of every file that an entry is."""
    if entry.group is None:
        return [(entry.path, identity(entry))]
    paths = [os.path.join(entry.directory, name) for name in entry.members()]
    return [(path, identity(entry_of(path, draft.directories.lstat(path)))) for path in paths]


def restore_plan(
    things: Sequence[Trashed],
    *,
    title: str,
    to: str = "",
    answers: Answers = _NO_ANSWERS,
    options: Options = _DEFAULTS,
) -> Plan:
    """The plan that brings `things` back to where they were, or into the directory `to`."""
    draft = Draft(Operation.RESTORE, answers, options)
    made: set[str] = set()
    for thing in things:
        draft.begin()
        destination = os.path.join(to, os.path.basename(thing.original)) if to else thing.original
        parent = os.path.dirname(destination)
        draft.problems += preflight.destination_directory(parent)
        if parent not in made:
            draft.make_missing(parent, made)
        entry = entry_of(thing.path, draft.directories.lstat(thing.path))
        skipped, destination, replaces = _place(draft, entry, destination)
        if not skipped and draft.claim(entry.path, destination):
            draft.add(StepKind.RESTORE, entry.path, destination, was=identity(entry), replaces=replaces)
        draft.end(entry, destination, skipped)
    return draft.plan(title, _none)


def _place(draft: Draft, entry: Entry, destination: str) -> tuple[str, str, bool]:
    """(why it stays in the trash, where it goes, whether it replaces what is there)."""
    found = draft.directories.find(destination)
    if found is None:
        return "", destination, False
    other = entry_of(destination, found)
    kind = kind_of_conflict(entry.kind, other.kind)
    answer = draft.settle(kind, entry.side(), other.side(), destination, lambda: False)
    if answer is Verdict.RENAME:
        return "", draft.free_beside(destination), False
    if answer is Verdict.REPLACE:
        return "", destination, True
    return "the destination exists", destination, False


def mkdir_plan(paths: Sequence[str], *, title: str, parents: bool = False) -> Plan:
    """The plan that makes directories, with their missing parents if `parents`."""
    draft = Draft(Operation.MKDIR, _NO_ANSWERS, _DEFAULTS)
    made: set[str] = set()
    for given in paths:
        path = os.path.abspath(given)
        draft.begin()
        parent = os.path.dirname(path)
        if os.path.lexists(path):
            draft.problems.append(Problem("exists", path, f"{path} exists already."))
        elif not parents and not os.path.isdir(parent) and parent not in made:
            message = f"There is no directory {parent}."
            draft.problems.append(Problem("no_directory", parent, message, "Make it too, with --parents."))
        else:
            draft.problems += preflight.destination_directory(parent)
            volume, limit = volumes.volume_of(parent), volumes.name_limit(parent)
            draft.problems += preflight.name(path, limit, volume)
            draft.make_missing(path, made)
        draft.end(Entry(path, ItemKind.DIRECTORY), path)
    return draft.plan(title, _none)
