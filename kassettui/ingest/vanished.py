"""What is not where it was: can anything be said of it, is it elsewhere (spec: ingest I14, I15)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kassettui.core.decisions import Candidate, Reason, match_moves
from kassettui.core.frames import FrameRanges
from kassettui.core.identity import parent_and_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.core.items import Item
    from kassettui.ingest.changes import Changes
    from kassettui.ingest.source import ItemError
    from kassettui.library.assets import Detail


class Shield:
    """Which keys may be there after all, because something beside or above them could not be read."""

    def __init__(self, errors: Iterable[ItemError]) -> None:
        self._trees: set[str] = set()
        self._directories: set[str] = set()
        for error in errors:
            if error.directory:
                self._trees.add(error.path)
            else:
                self._directories.add(error.path.rpartition("/")[0])

    def covers(self, key: str) -> bool:
        """Whether nothing can be said of the item with this key."""
        if not self._trees and not self._directories:
            return False
        directory, _ = parent_and_name(key)
        if directory in self._directories:
            return True
        while directory not in self._trees:
            if not directory:
                return False
            directory = directory.rpartition("/")[0]
        return True


def matched(vanished: Sequence[Detail], creates: Changes) -> dict[int, tuple[Detail, Reason]]:
    """Position in `creates` → the vanished asset that it is, and how that is known."""
    sides = [_candidate(number, detail.key, detail.signature or "") for number, detail in enumerate(vanished)]
    names = {side.name for side in sides}
    directories = {side.directory for side in sides}
    new = []
    for number, change in enumerate(creates):
        candidate = _candidate(number, change.item.key, change.item.signature)
        if candidate.name in names or candidate.directory in directories:
            new.append(candidate)
    return {move.new: (vanished[move.vanished], move.reason) for move in match_moves(sides, new)}


def as_expected(item: Item, expected: str | None) -> Item:
    """`item` with the holes that a row counts of which somebody said what should be there."""
    if not expected or item.frame_ranges is None:
        return item
    wanted = FrameRanges.parse(expected)
    absent = item.frame_ranges.holes(wanted.step).union(wanted.minus(item.frame_ranges))
    return replace(item, hole_count=absent.count)


def _candidate(number: int, key: str, signature: str) -> Candidate:
    directory, name = parent_and_name(key)
    return Candidate(number, directory, name, signature)
