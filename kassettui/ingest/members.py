"""From a sequence's asset back to its frames on disk, for enrichers that look at them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kassettui.ingest.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.core.sequences import FrameGroup
    from kassettui.jobs.control import Control


class Directories:
    """Reads directories again and remembers the last one: neighbours in a batch share it."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._directory: str | None = None
        self._groups: dict[str, FrameGroup] = {}

    def group_of(self, path: str) -> FrameGroup | None:
        """The sequence whose path (directory and identity name) this is, as it stands on disk now.

        None when it is there no more. Raises OSError when its directory cannot be read, Cancelled.
        """
        directory, name = os.path.split(path)
        if directory != self._directory:
            self._groups = {}
            for scanned in scan(directory, recursive=False, all_files=True, control=self._control):
                self._groups.update((group.identity_name, group) for group in scanned.grouping.groups)
            self._directory = directory
        return self._groups.get(name)

    def frames_of(self, path: str) -> Iterator[tuple[int, str]]:
        """(frame, path) of every frame, ascending. Raises FileNotFoundError when the sequence is gone."""
        group = self.group_of(path)
        if group is None:
            raise FileNotFoundError(2, "No such sequence", path)
        directory = os.path.dirname(path)
        for frame in group.frames:
            yield frame, f"{directory.rstrip('/')}/{group.name_of(frame)}"
