"""Plans for whole sequences: renumber, offset, padding, version-up (spec: files F9)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.frames import MOST_DIGITS
from kassettui.core.text import safe
from kassettui.core.versions import token_in, with_version, without_version
from kassettui.files import preflight, volumes
from kassettui.files.arranging import Rename, arranged
from kassettui.files.conflicts import kind_of_conflict
from kassettui.files.draft import Draft, identity
from kassettui.files.listing import Entry, entry_of, list_directory, sequence_side
from kassettui.files.members import Scheme, renamed
from kassettui.files.plan import Answers, ConflictKind, Operation, Options, Policy, StepKind
from kassettui.files.planning import draft_copies
from kassettui.files.targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kassettui.files.plan import Plan

_LARGEST: Final = int("9" * MOST_DIGITS)


def renumber_plan(
    entry: Entry,
    *,
    title: str,
    offset: int = 0,
    start: int | None = None,
    padding: int | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Plan:
    """The plan that gives the frames of a sequence other numbers: `offset` added, or beginning at `start`.

    Names that overlap are taken in the order in which none is stepped on. Raises InvalidInput.
    """
    group = entry.group
    if group is None:
        raise InvalidInput(f"{safe(entry.name)} is no sequence: there is nothing to renumber.")
    if start is not None:
        offset = start - group.frames[0] // 10**group.decimals
    if padding is not None and not 0 < padding <= MOST_DIGITS:
        raise InvalidInput(f"A padding is 1 to {MOST_DIGITS} digits.")
    if abs(group.frames[-1] + offset) > _LARGEST or abs(group.frames[0] + offset) > _LARGEST:
        raise InvalidInput(f"Frame numbers have at most {MOST_DIGITS} digits.")
    return names_plan(
        Operation.RENUMBER, [(entry, Scheme(group.head, group.suffix, padding, offset))], title, options
    )


def names_plan(
    operation: Operation, wanted: Sequence[tuple[Entry, Scheme | str]], title: str, options: Options
) -> Plan:
    """The plan that gives things other names where they are: all of them or none, in a safe order (F9, F10).

    A sequence's new names are a Scheme, anything else's is its name. What stands in the way is a conflict,
    unless it gets another name itself; only `overwrite` settles it.
    """
    draft = Draft(operation, Answers(options.on_conflict), options)
    renames: list[Rename] = []
    for entry, name in wanted:
        draft.begin()
        draft.problems += preflight.source_directory(entry.directory)
        item = draft.item
        found = [
            Rename(member.path, path, identity(member), item)
            for member, path in _pairs(draft, entry, name)
            if draft.claim(member.path, path)
        ]
        renames += found
        target = name.identity_name if isinstance(name, Scheme) else name
        same = all(each.source == each.destination for each in found)
        draft.end(
            entry, os.path.join(entry.directory, target), "the name stays" if same else "", steps_follow=True
        )
    taken = _in_the_way(draft, renames, [entry for entry, _ in wanted])
    folded = any(volumes.folds_case(place) for place in {os.path.dirname(each.source) for each in renames})
    for each in arranged(renames, folded=folded):
        draft.add(
            StepKind.RENAME,
            each.source,
            each.destination,
            was=each.was,
            replaces=each.destination in taken,
            item=each.item,
        )
    return draft.plan(title, lambda _: 0)


def _pairs(draft: Draft, entry: Entry, name: Scheme | str) -> list[tuple[Entry, str]]:
    """(file, new path) of everything that an entry is."""
    directory = entry.directory
    volume, limit = volumes.volume_of(directory), volumes.name_limit(directory)
    if entry.group is None or not isinstance(name, Scheme):
        assert isinstance(name, str)
        path = os.path.join(directory, name)
        draft.problems += preflight.name(path, limit, volume)
        return [(entry, path)]
    pairs = []
    for old, new in renamed(entry.group, name):
        member = entry_of(os.path.join(directory, old), draft.lstat(directory, old))
        pairs.append((member, os.path.join(directory, new)))
    longest = max((path for _, path in pairs), key=len)
    draft.problems += preflight.name(longest, limit, volume)
    return pairs


def _in_the_way(draft: Draft, renames: Sequence[Rename], entries: Sequence[Entry]) -> set[str]:
    """The destinations where something stands that stays; a conflict for each item that meets one."""
    sources = {each.source for each in renames}
    moving = {(each.was.device, each.was.inode) for each in renames}
    taken: dict[str, os.stat_result] = {}
    met: dict[int, dict[str, os.stat_result]] = {}
    for each in renames:
        if each.destination in sources or each.source == each.destination:
            continue
        found = draft.directories.find(each.destination)
        # The same file under another case, on a file system that does not tell them apart.
        if found is None or (found.st_dev, found.st_ino) in moving:
            continue
        taken[each.destination] = found
        met.setdefault(each.item, {})[each.destination] = found
    for item, there in met.items():
        entry = entries[item]
        path, found = next(iter(there.items()))
        if entry.group is not None:
            names = {os.path.basename(name): facts for name, facts in there.items()}
            other, kind = sequence_side(path, names), ConflictKind.SEQUENCE
        else:
            other = entry_of(path, found).side()
            kind = kind_of_conflict(entry.kind, other.kind)
        settled = draft.answers.to(path) is Policy.OVERWRITE and kind is not ConflictKind.DIRECTORY
        draft.note(kind, entry.side(), other, Policy.OVERWRITE if settled else Policy.FAIL, item)
    return set(taken)


def version_up_plan(
    entries: Sequence[Entry],
    *,
    title: str,
    known: Callable[[Entry], Iterable[int]] = lambda _: (),
    options: Options = Options(),  # noqa: B008
    reserved: Callable[[int], int] = lambda _: 0,
) -> Plan:
    """The plan that copies things to the next free version beside them: `comp_v012…` → `comp_v013…` (F9).

    Free is what neither the directory has nor `known` (the library's versions of an entry) knows. Raises
    InvalidInput for a name without a version.
    """
    draft = Draft(Operation.VERSION_UP, Answers(), options)
    pairs = []
    for entry in entries:
        number = next_version(entry, known(entry))
        volume, limit = volumes.volume_of(entry.directory), volumes.name_limit(entry.directory)
        target = Target(entry.directory, with_version(entry.name, number), volume, limit)
        if entry.group is not None:
            head, suffix = entry.group.head, entry.group.suffix
            if token_in(head) is not None and token_in(suffix) is None:
                target = target.under(Scheme(with_version(head, number), suffix))
            else:
                target = target.under(Scheme(head, with_version(suffix, number)))
        pairs.append((entry, target))
    draft_copies(draft, pairs)
    return draft.plan(title, reserved)


def next_version(entry: Entry, known: Iterable[int] = ()) -> int:
    """The number after the highest that is on disk beside `entry` or in `known`. Raises InvalidInput."""
    token = token_in(entry.name)
    if token is None:
        raise InvalidInput(
            f"{safe(entry.name)} has no version in its name.", remedy="A version looks like _v001."
        )
    role = without_version(entry.name)
    numbers = [token.number, *known]
    for other in list_directory(entry.directory, hidden=True).entries:
        found = token_in(other.name)
        if found is not None and without_version(other.name) == role:
            numbers.append(found.number)
    return max(numbers) + 1
