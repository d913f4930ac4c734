"""Sequences as they stand on disk, for the commands that need no library."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.errors import NotFound, SourceOffline
from kassettui.core.frames import FrameRanges
from kassettui.core.patterns import Pattern, parse
from kassettui.core.sequences import FrameGroup, Grouping, group

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A sequence and its directory. `declared` are the frames that a person's pattern named."""

    directory: str
    group: FrameGroup
    declared: FrameRanges = FrameRanges()  # noqa: RUF009 (an immutable value)

    @property
    def name(self) -> str:
        """`beauty.[1001-1010].exr`."""
        return Pattern.of(self.group).text()

    @property
    def path(self) -> str:
        """The directory with the pattern's `#` for each digit."""
        return os.path.join(self.directory, self.group.pattern)


def read_directory(
    directory: str, *, subframes: bool = False, udim: bool = False
) -> tuple[Grouping, dict[str, int]]:
    """What one directory holds, grouped, with sizes and times; and the size of each file, by name.

    Only regular files count: FIFOs, sockets and devices are never opened, nor listed. Raises NotFound,
    SourceOffline.
    """
    files: list[tuple[str, int, int]] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat()
                except OSError:  # it vanished, or is a dangling link
                    continue
                if stat.S_ISREG(status.st_mode):
                    files.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise unreadable(directory, error) from error
    files.sort()
    names = [name for name, _, _ in files]
    sizes = [size for _, size, _ in files]
    grouping = group(names, sizes, [mtime for _, _, mtime in files], subframes=subframes, udim=udim)
    return grouping, dict(zip(names, sizes, strict=True))


def directories_below(directory: str) -> Iterator[str]:
    """`directory` and all below it, sorted; hidden ones and symbolic links are not walked into."""
    for path, below, _files in os.walk(directory):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield path


def unreadable(path: str, error: OSError) -> NotFound | SourceOffline:
    """What a directory that cannot be listed is."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound(f"There is no directory {path}.")
    return SourceOffline(
        f"{path} cannot be read: {error.strerror}.", remedy="Check the mount and its permissions."
    )


def sequences_at(path: str) -> list[OnDisk]:
    """The sequences that `path` means: all of a directory, the one of a pattern, the one that a frame is of.

    Raises NotFound, InvalidInput for a pattern with two marks.
    """
    if os.path.isdir(path):
        grouping, _ = read_directory(path)
        return [OnDisk(path, each) for each in grouping.groups]
    directory, name = os.path.split(path)
    pattern = None if os.path.lexists(path) else parse(name)
    grouping, _ = read_directory(directory or ".")
    if pattern is None:
        found = [each for each in grouping.groups if name in set(each.names())]
    else:
        wanted = (pattern.head, pattern.suffix)
        found = [each for each in grouping.groups if (each.head, each.suffix) == wanted]
    if not found:
        what = f"{name} is no frame of a sequence" if pattern is None else f"There is no sequence {name}"
        raise NotFound(f"{what} in {directory or '.'}.", remedy="List them with: kassettui seq ls DIRECTORY")
    declared = FrameRanges() if pattern is None else pattern.frames
    return [OnDisk(directory, each, declared) for each in found]
