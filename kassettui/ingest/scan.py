"""The fast walk over a tree: what every directory holds, grouped, with size and time of every file.

One listing a directory and one stat an entry, none for what is ignored; nothing is opened but directories (and
ignore files), and none outside the scopes (I3). What cannot be read comes as an error with its directory (I21).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kassettui.core.sequences import Grouping

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

    from kassettui.core.sequences import Single
    from kassettui.ingest.ignore import IgnoreRules
    from kassettui.ingest.source import ItemError


class Stoppable(Protocol):
    """What a scan needs of a Control."""

    def checkpoint(self) -> None:
        """Raise to stop the scan."""


@dataclass(frozen=True, slots=True)
class ScannedDirectory:
    """One directory as it was found.

    `path` is relative to the root ("" is the root); `sizes` (bytes) and `mtimes` (ns) run parallel to the names
    that were grouped, so a `Single`'s index finds its own. `device` is the file system's number. `errors` are
    what could not be read in it (or the directory itself: then there is nothing else), paths relative to
    the root.
    """

    path: str
    device: int
    grouping: Grouping
    sizes: array[int]
    mtimes: array[int]
    errors: tuple[ItemError, ...] = ()
    warnings: tuple[str, ...] = ()

    def size_and_time(self, single: Single) -> tuple[int, int]:
        """Bytes and mtime_ns of a file that stands alone."""
        return self.sizes[single.index], self.mtimes[single.index]


def scan(
    root: str,
    *,
    scopes: Sequence[str] = ("",),
    ignore: IgnoreRules | None = None,
    follow_symlinks: bool = False,
    threads: int | None = None,
    control: Stoppable | None = None,
) -> Iterator[ScannedDirectory]:
    """Every directory of `scopes` (relative to `root`), each before what is in it, siblings by name.

    `threads` None means: as many as the measured latency makes worth while, 1 on a local disk, up to 16 on a
    slow mount. The order of the results does not depend on it. Raises OSError when the root cannot be opened,
    and whatever `control.checkpoint` raises.
    """
    raise NotImplementedError
