"""What a person names to look at: files, frames, sequences and directories on disk, assets of the library."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.cli.invocation import Invocation
    from kassettui.core.sequences import FrameGroup
    from kassettui.files.listing import Entry


@dataclass(frozen=True, slots=True)
class PictureSource:
    """One picture to be: its label, its file, and a movie's frame number where one was asked for."""

    label: str
    path: str
    frame: int | None = None


def sources_of(
    invocation: Invocation, words: Sequence[str], *, frame: int | None = None, spread: int = 0
) -> list[PictureSource]:
    """What `words` mean, in their order; a directory means all that lies in it.

    `frame` is a sequence's frame, or a movie's from 0. With `spread` a single sequence gives so many of its
    frames, evenly. Raises NotFound, and InvalidInput for a frame that is not there.
    """
    entries = _entries(invocation, words)
    if not entries:
        raise NotFound(f"There is nothing to look at in {', '.join(words)}.")
    if spread and len(entries) == 1 and entries[0].group is not None and frame is None:
        return _spread(entries[0], entries[0].group, spread)
    return [_one(entry, frame) for entry in entries]


def _entries(invocation: Invocation, words: Sequence[str]) -> list[Entry]:
    from kassettui.cli.file_selection import entries_of
    from kassettui.files.listing import list_directory
    from kassettui.files.plan import ItemKind

    library = invocation.reading() if invocation.settings.library_path.exists() else None
    found: list[Entry] = []
    for entry in entries_of(words, library):
        if entry.kind is ItemKind.DIRECTORY:
            found += [one for one in list_directory(entry.path).entries if _is_picture(one)]
        else:
            found.append(entry)
    return found


def _is_picture(entry: Entry) -> bool:
    """Whether a thing in a directory is worth a look, by its name."""
    from kassettui.core.kinds import Kind, kind_of, split_extension
    from kassettui.files.plan import ItemKind

    if entry.kind is ItemKind.SEQUENCE:
        return True
    kind = kind_of(split_extension(entry.name)[1])
    return entry.kind is ItemKind.FILE and kind in {Kind.IMAGE, Kind.MOVIE}


def _one(entry: Entry, frame: int | None) -> PictureSource:
    from kassettui.media.sequences import standing_file

    group = entry.group
    if group is None:
        return PictureSource(entry.name, entry.path, frame)
    if frame is not None:
        if frame not in group.ranges:
            raise InvalidInput(f"{entry.name} has no frame {frame}; it has {group.ranges.text}.")
        return PictureSource(group.name_of(frame), os.path.join(entry.directory, group.name_of(frame)))
    standing = standing_file(group, entry.directory)
    assert standing is not None, "a sequence has frames"
    return PictureSource(_ranged(group), standing.path)


def _ranged(group: FrameGroup) -> str:
    from kassettui.core.patterns import Pattern

    return Pattern.of(group).text()


def _spread(entry: Entry, group: FrameGroup, count: int) -> list[PictureSource]:
    frames = list(group.frames)
    step = max(1.0, (len(frames) - 1) / max(1, count - 1))
    picks = dict.fromkeys(round(number * step) for number in range(min(count, len(frames))))
    return [
        PictureSource(str(frames[pick]), os.path.join(entry.directory, group.name_of(frames[pick])))
        for pick in picks
        if pick < len(frames)
    ]
