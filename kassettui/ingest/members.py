"""From an asset back to what stands on disk for it, whatever the rules of an import leave out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kassettui.ingest.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.core.sequences import FrameGroup
    from kassettui.jobs.control import Control


class Directories:
    """Reads directories again and remembers the last one: neighbours in a batch share it.

    Everything raises OSError when a directory cannot be read, and Cancelled.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._directory: str | None = None
        self._groups: dict[str, FrameGroup] = {}
        self._singles: set[str] = set()

    def has(self, path: str) -> bool:
        """Whether the file or sequence of this path is an item on disk now; a sequence's frame is none."""
        name = self._look(path)
        return name in self._groups or name in self._singles

    def group_of(self, path: str) -> FrameGroup | None:
        """The sequence whose path (directory and identity name) this is, as it stands on disk now."""
        name = self._look(path)
        return self._groups.get(name)

    def frames_of(self, path: str) -> Iterator[tuple[int, str]]:
        """(frame, path) of every frame, ascending. Raises FileNotFoundError when the sequence is gone."""
        group = self.group_of(path)
        if group is None:
            raise FileNotFoundError(2, "No such sequence", path)
        directory = os.path.dirname(path)
        for frame in group.frames:
            yield frame, f"{directory.rstrip('/')}/{group.name_of(frame)}"

    def _look(self, path: str) -> str:
        """Have the directory of `path` read; the name in it."""
        directory, name = os.path.split(path)
        if directory != self._directory:
            self._directory = None
            self._groups, self._singles = {}, set()
            for scanned in scan(directory, recursive=False, all_files=True, control=self._control):
                grouping = scanned.grouping
                self._groups.update((group.identity_name, group) for group in grouping.groups)
                self._singles.update(single.name for single in (*grouping.singles, *grouping.strays))
            self._directory = directory
        return name
