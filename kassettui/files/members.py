"""The names of a sequence's files under another head, number or padding (spec: files F3, F9). No disk."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kassettui.core.naming import read_name, read_word_name
from kassettui.core.padding import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.core.frames import FrameRanges
    from kassettui.core.sequences import FrameGroup


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the files of a sequence are to be called. `padding` None: as it is; `offset` is added to each
    frame.
    """

    head: str
    suffix: str
    padding: int | None = None
    offset: int = 0

    @property
    def identity_name(self) -> str:
        """The sequence's name with one `#`."""
        return f"{self.head}#{self.suffix}"


def scheme_of(group: FrameGroup) -> Scheme:
    """The names that a sequence has."""
    return Scheme(group.head, group.suffix)


def with_head(scheme: Scheme, head: str) -> Scheme:
    """The same with another head."""
    return replace(scheme, head=head)


def renamed(group: FrameGroup, scheme: Scheme) -> Iterator[tuple[str, str]]:
    """(present name, new name) of every file; those padded otherwise keep their digits unless
    numbers change.
    """
    numbers_change = scheme.padding is not None or scheme.offset
    padding = group.padding if scheme.padding is None else scheme.padding
    scaled = scheme.offset * _unit(group)
    for frame in group.frames:
        number = number_text(frame + scaled, padding, group.sign_in_width, group.decimals)
        yield group.name_of(frame), f"{scheme.head}{number}{scheme.suffix}"
    for name in (*group.bad_padding, *group.duplicate_frames):
        if not numbers_change:
            yield name, f"{scheme.head}{name[len(group.head) : len(name) - len(group.suffix)]}{scheme.suffix}"
            continue
        read = read_name(name) or read_word_name(name)
        assert read is not None  # it was read as a member before
        number = number_text(read.frame + scheme.offset, padding, group.sign_in_width)
        yield name, f"{scheme.head}{number}{scheme.suffix}"


def _unit(group: FrameGroup) -> int:
    """What one frame is in the numbers of a sequence with subframes."""
    unit = 1
    for _ in range(group.decimals):
        unit *= 10
    return unit


def only(group: FrameGroup, frames: FrameRanges) -> FrameGroup:
    """The same sequence with just those of its frames that are in `frames`."""
    kept = [index for index, frame in enumerate(group.frames) if frame in frames]
    columns = {
        name: None if column is None else array(column.typecode, map(column.__getitem__, kept))
        for name, column in (
            ("frames", group.frames),
            ("indexes", group.indexes),
            ("sizes", group.sizes),
            ("mtimes", group.mtimes),
        )
    }
    return replace(group, **columns, bad_padding=(), duplicate_frames=(), _ranges=None)  # type: ignore[arg-type]
