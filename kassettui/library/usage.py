"""What assets take on disk: their files, and bytes with hard links counted once (spec: library V6, cli du).

Sizes in the library are what the last import saw; here the disk is asked, a stat a file.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.frames import FrameRanges
from kassettui.core.patterns import Pattern
from kassettui.core.text import from_stored
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kassettui.library.engine import LibraryDatabase, Row

_BLOCK: Final = 512
_LOOK: Final = 256  # files between two looks at whether to stop


class AssetFiles(NamedTuple):
    """What names an asset's files, and what it is reported under. `size` in bytes, as the library has it."""

    id: int
    path: str
    kind: str
    sequence_pattern: str | None
    frame_ranges: str | None
    size: int
    collection: str
    shot: str | None
    version: int | None

    def files(self) -> Iterator[str]:
        """The paths of its files: one, or one a frame."""
        pattern = pattern_of(self.path, self.sequence_pattern, self.frame_ranges)
        if self.kind != "sequence" or pattern is None:
            yield self.path
        else:
            yield from pattern.names()


def pattern_of(path: str, sequence_pattern: str | None, frame_ranges: str | None) -> Pattern | None:
    """A sequence's pattern from its path (with the identity name), pattern (with its hashes) and ranges."""
    if not sequence_pattern or not frame_ranges:
        return None
    directory, identity = os.path.split(path)
    hashes = os.path.basename(sequence_pattern)
    padding = len(hashes) - len(identity) + 1
    for place in range(len(identity) - 1, -1, -1):
        if identity[place] != "#":
            continue
        head, suffix = identity[:place], identity[place + 1 :]
        if hashes == f"{head}{'#' * padding}{suffix}":
            return Pattern(os.path.join(directory, head), suffix, padding, FrameRanges.parse(frame_ranges))
    return None


def asset_files(db: LibraryDatabase, asset_ids: Sequence[int]) -> list[AssetFiles]:
    """What these assets are made of, in one query; those that are gone are left out."""
    rows = db.all(
        "SELECT a.id, a.path, a.kind, a.sequence_pattern, a.frame_ranges, a.size, c.name, "
        "(SELECT lv.value FROM layout_values lv WHERE lv.layout_id = a.layout_id AND lv.field = 'shot'), "
        "a.version_number FROM json_each(?) j CROSS JOIN assets a ON a.id = j.value "
        "JOIN collections c ON c.uuid = a.collection_uuid ORDER BY j.key",
        (json_text(list(asset_ids)),),
    )
    return [_asset_files(row) for row in rows]


def _asset_files(row: Row) -> AssetFiles:
    id_, path, kind, pattern, ranges, size, collection, shot, version = row
    return AssetFiles(
        id_,
        from_stored(path),
        kind,
        pattern and from_stored(pattern),
        ranges,
        size,
        from_stored(collection),
        shot and from_stored(shot),
        version,
    )


@dataclass(slots=True)
class Measured:
    """What files take. An inode counts once, where it was first met; all in bytes.

    `size` is their length, `allocated` what the disk gave them, `reclaimable` what it would get back if all
    of them went: an inode that has other names besides stays.
    """

    files: int = 0
    missing: int = 0
    size: int = 0
    allocated: int = 0
    reclaimable: int = 0


@dataclass(slots=True)
class Meter:
    """Measures files, remembering the inodes that have several names."""

    _links: dict[tuple[int, int], int] = field(default_factory=dict)

    def measure(self, paths: Iterable[str], checkpoint: Callable[[], None] = lambda: None) -> Measured:
        """What these files take. `checkpoint` may raise to stop."""
        found = Measured()
        for number, path in enumerate(paths):
            if number % _LOOK == 0:
                checkpoint()
            self._add(found, path)
        return found

    def _add(self, found: Measured, path: str) -> None:
        try:
            facts = os.lstat(path)
        except (OSError, ValueError):
            found.missing += 1
            return
        found.files += 1
        allocated = facts.st_blocks * _BLOCK
        names = 1
        if facts.st_nlink > 1 and not stat.S_ISDIR(facts.st_mode):
            inode = (facts.st_dev, facts.st_ino)
            names = self._links.get(inode, 0) + 1
            self._links[inode] = names
        if names == 1:
            found.size += facts.st_size
            found.allocated += allocated
        if names == facts.st_nlink:
            found.reclaimable += allocated


class Share(NamedTuple):
    """One line of a report: what it is about, how many assets, and what they take."""

    label: str
    assets: int
    measured: Measured


def report(
    assets: Iterable[AssetFiles],
    by: Callable[[AssetFiles], str],
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Share]:
    """What each label's assets take, the most first. A hard link counts where it is met first."""
    meter = Meter()
    totals: dict[str, Measured] = {}
    counts: dict[str, int] = {}
    for asset in assets:
        label = by(asset)
        one = meter.measure(asset.files(), checkpoint)
        total = totals.setdefault(label, Measured())
        counts[label] = counts.get(label, 0) + 1
        total.files += one.files
        total.missing += one.missing
        total.size += one.size
        total.allocated += one.allocated
        total.reclaimable += one.reclaimable
    shares = [Share(label, counts[label], total) for label, total in totals.items()]
    return sorted(shares, key=lambda share: (-share.measured.size, share.label))
