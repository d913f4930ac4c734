"""What an ingest does with each item, and why (spec: ingest I10, I14, I15). Pure: no disk, no database."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GONE_FLOOR: Final = 20
GONE_SHARE: Final = 0.20
_NUMBER: Final = re.compile(r"-?[0-9]+")


class Decision(StrEnum):
    """Where a discovered item ends: in exactly one of these (I23)."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    SKIP = "skip"
    DUPLICATE = "duplicate"
    ERROR = "error"


class Reason(StrEnum):
    """Why."""

    NEW = "new"
    CONTENT = "content changed"
    ENRICHERS = "enrichers changed"
    UNCHANGED = "unchanged"
    SETTLED = "unchanged, no longer growing"
    TOUCHED = "touched, same content"
    FOUND_AGAIN = "found again"
    DELETED = "deleted in the library"
    MOVED = "moved"
    MOVED_AND_CHANGED = "moved with its directory, content changed"
    REGROUPED = "the same frames, grouped otherwise"
    DUPLICATE = "same identity twice"
    UNREADABLE = "could not be read"


class Known(NamedTuple):
    """How an item compares with what the library holds of it.

    `same_enrichers` is also true where nothing is to be compared: the run enriches nothing, or the asset was
    never enriched to the end; then enrichment takes it up where it stopped (I24), which is no update.
    """

    same_content: bool
    same_enrichers: bool = True
    missing: bool = False
    deleted: bool = False


def decide(known: Known | None) -> tuple[Decision, Reason]:
    """The table of I10. What a person deleted in the library stays deleted, whatever the disk says."""
    if known is None:
        return Decision.CREATE, Reason.NEW
    if known.deleted:
        return Decision.SKIP, Reason.DELETED
    if not known.same_content:
        return Decision.UPDATE, Reason.CONTENT
    if not known.same_enrichers:
        return Decision.UPDATE, Reason.ENRICHERS
    if known.missing:
        return Decision.SKIP, Reason.FOUND_AGAIN
    return Decision.SKIP, Reason.UNCHANGED


def too_many_gone(gone: int, known: int) -> bool:
    """Whether so much of a scope vanished that a person must agree first (I14)."""
    return gone > GONE_FLOOR and gone > GONE_SHARE * known


@dataclass(frozen=True, slots=True)
class Candidate:
    """One side of a possible move: `index` is the caller's, the name is without its directory."""

    index: int
    directory: str
    name: str
    signature: str


class Move(NamedTuple):
    """A vanished item that is a new one, by the index of each; `reason` says how it is known."""

    vanished: int
    new: int
    reason: Reason


def match_moves(vanished: Sequence[Candidate], new: Sequence[Candidate]) -> list[Move]:
    """Which vanished items are which new ones (I15), in the order of `vanished`.

    An item moved when name and content signature are equal and there is exactly one candidate on each side. A
    directory of which more than half matches one other moves as one: what else stood below it, and now stands
    under the same name below the other, follows, changed or not. A still that is a sequence's frame now, or a
    sequence of which one still is left, stays the same asset in its directory (I5).
    """
    if not vanished or not new:
        return []
    by_content = _by_content(new)
    pairs = _unique_pairs(vanished, by_content)
    regrouped = _regrouped(vanished, new, pairs)
    pairs |= regrouped
    moved = _moved_directories(vanished, new, by_content)
    if moved:
        taken = set(pairs.values())
        free = {
            (item.directory, item.name): position
            for position, item in enumerate(new)
            if position not in taken
        }
        for position, item in enumerate(vanished):
            if position not in pairs:
                target = _follow(item.directory, moved)
                found = None if target is None else free.pop((target, item.name), None)
                if found is not None:
                    pairs[position] = found
    return [
        Move(
            vanished[old].index,
            new[pairs[old]].index,
            _reason(vanished[old], new[pairs[old]], old in regrouped),
        )
        for old in sorted(pairs)
    ]


def _reason(old: Candidate, new: Candidate, regrouped: bool) -> Reason:
    if regrouped:
        return Reason.REGROUPED
    return Reason.MOVED if old.signature == new.signature else Reason.MOVED_AND_CHANGED


def _regrouped(
    vanished: Sequence[Candidate], new: Sequence[Candidate], pairs: dict[int, int]
) -> dict[int, int]:
    """Stills and sequences of one directory that hold the same frame, where each fits one other only."""
    here: dict[str, list[int]] = defaultdict(list)
    taken = set(pairs.values())
    for position, item in enumerate(new):
        if position not in taken:
            here[item.directory].append(position)
    fitting = [
        (old, position)
        for old, item in enumerate(vanished)
        if old not in pairs
        for position in here.get(item.directory, ())
        if _is_frame(item.name, new[position].name) or _is_frame(new[position].name, item.name)
    ]
    olds, news = Counter(old for old, _ in fitting), Counter(position for _, position in fitting)
    return {old: position for old, position in fitting if olds[old] == 1 and news[position] == 1}


def _is_frame(name: str, sequence: str) -> bool:
    """Whether a file's name is that of a frame of the sequence with this identity name."""
    head, mark, suffix = sequence.partition("#")
    if not mark or len(name) <= len(head) + len(suffix):
        return False
    if not (name.startswith(head) and name.endswith(suffix)):
        return False
    return _NUMBER.fullmatch(name, len(head), len(name) - len(suffix)) is not None


def _by_content(items: Iterable[Candidate]) -> dict[tuple[str, str], list[int]]:
    """Positions of the items by (name, signature)."""
    positions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, item in enumerate(items):
        positions[item.name, item.signature].append(position)
    return positions


def _unique_pairs(
    vanished: Sequence[Candidate], by_content: dict[tuple[str, str], list[int]]
) -> dict[int, int]:
    """Vanished position → new position where name and signature stand once on each side."""
    return {
        old[0]: by_content[content][0]
        for content, old in _by_content(vanished).items()
        if len(old) == 1 and len(by_content.get(content, ())) == 1
    }


def _moved_directories(
    vanished: Sequence[Candidate], new: Sequence[Candidate], by_content: dict[tuple[str, str], list[int]]
) -> dict[str, str]:
    """Directory → where more than half of what vanished below it stands now, if no other claims that."""
    total: Counter[str] = Counter()
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for item in vanished:
        total.update(_ancestors(item.directory))
        matches = by_content.get((item.name, item.signature), ())
        pairs = {pair for position in matches for pair in _renames(item.directory, new[position].directory)}
        for old, target in pairs:
            votes[old][target] += 1
    moved = {}
    for old, counts in votes.items():
        ranking = counts.most_common(2)
        target, count = ranking[0]
        tied = len(ranking) > 1 and ranking[1][1] == count
        if not tied and count * 2 > total[old]:
            moved[old] = target
    claims = Counter(moved.values())
    return {old: target for old, target in moved.items() if claims[target] == 1}


def _ancestors(directory: str) -> Iterator[str]:
    """`directory` and all above it, the root ("") last."""
    yield directory
    while directory:
        directory = directory.rpartition("/")[0]
        yield directory


def _renames(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The directory pairs whose renaming would turn `old` into `new`, deepest first."""
    yield old, new
    while old and new:
        old_parent, _, old_name = old.rpartition("/")
        new_parent, _, new_name = new.rpartition("/")
        if old_name != new_name:
            return
        old, new = old_parent, new_parent
        yield old, new


def _follow(directory: str, moved: dict[str, str]) -> str | None:
    """Where `directory` is now, by the deepest of its ancestors that moved."""
    for ancestor in _ancestors(directory):
        if ancestor in moved:
            rest = directory[len(ancestor) :].lstrip("/")
            return "/".join(part for part in (moved[ancestor], rest) if part)
    return None
