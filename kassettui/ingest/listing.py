"""Directories as values: what is to be visited, what was listed, what a scan answers (spec: ingest)."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kassettui.core.sequences import Grouping, group
from kassettui.ingest.ignore import IgnoreRules

if TYPE_CHECKING:
    from kassettui.core.sequences import Single
    from kassettui.ingest.source import ItemError

Place = tuple[int, int]
"""(device, inode) of a directory."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A directory to be read, relative to the root, and the rules that hold around it.

    `linked`: it is found through a link; `links` counts those on the way. `above` are the directories over
    it, where links are followed. `errors` belong to it before it is read.
    """

    path: str
    rules: IgnoreRules = IgnoreRules()  # noqa: RUF009 (an immutable value)
    linked: bool = False
    links: int = 0
    above: tuple[Place, ...] = ()
    errors: tuple[ItemError, ...] = ()

    @property
    def order(self) -> str:
        """Sorts visits as a walk meets them: a directory before what is in it, siblings by name."""
        return self.path.replace("/", "\0")

    def path_of(self, name: str) -> str:
        """The path of what the directory holds as `name`, relative to the root."""
        return f"{self.path}/{name}" if self.path else name


@dataclass(slots=True)
class Listing:
    """What one directory holds, as it was read.

    `names` are files, ascending; `sizes` (bytes) and `mtimes` (ns) run parallel to them. `evidence` are names
    that only say that somebody writes (S15). `directories` are to be visited, `linked` ones through a link;
    `patterns` are those of its ignore file.
    """

    device: int = 0
    inode: int = 0
    names: list[str] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    evidence: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    patterns: tuple[str, ...] = ()
    errors: list[ItemError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScannedDirectory:
    """One directory as a scan answers it.

    `path` is relative to the root ("" is the root); `device` is its file system's number. `sizes` (bytes) and
    `mtimes` (ns) run parallel to the names that were grouped, so a `Single`'s index finds its own. `errors`
    are what could not be read in it, or the directory itself: then there is nothing else.
    """

    path: str
    device: int = 0
    grouping: Grouping = field(default_factory=Grouping)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    errors: tuple[ItemError, ...] = ()
    warnings: tuple[str, ...] = ()

    def size_and_time(self, single: Single) -> tuple[int, int]:
        """Bytes and mtime_ns of a file that stands alone."""
        return self.sizes[single.index], self.mtimes[single.index]


Read = tuple[ScannedDirectory, list[Visit]]
"""A directory, and what is to be visited below it, by name."""


def grouped(visit: Visit, listing: Listing) -> Read:
    """What was listed, grouped, and the visits that follow from it."""
    scanned = ScannedDirectory(
        path=visit.path,
        device=listing.device,
        grouping=group(listing.names, listing.sizes, listing.mtimes, evidence=listing.evidence),
        sizes=listing.sizes,
        mtimes=listing.mtimes,
        errors=tuple(listing.errors),
        warnings=tuple(listing.warnings),
    )
    return scanned, _below(visit, listing)


def _below(visit: Visit, listing: Listing) -> list[Visit]:
    if not listing.directories and not listing.linked:
        return []
    rules = visit.rules.within(visit.path, listing.patterns) if listing.patterns else visit.rules
    above = (*visit.above, (listing.device, listing.inode)) if visit.above else ()
    visits = [Visit(visit.path_of(name), rules, False, visit.links, above) for name in listing.directories]
    if listing.linked:
        visits += [Visit(visit.path_of(name), rules, True, visit.links + 1, above) for name in listing.linked]
        visits.sort(key=lambda below: below.path)
    return visits
