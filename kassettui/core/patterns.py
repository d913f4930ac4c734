"""A sequence as one piece of text, read and written in every notation of the field (spec: sequences S20)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.frames import FrameRanges, exact_text
from kassettui.core.padding import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.core.sequences import FrameGroup

_LONE_HASH: Final = 4
_TOKEN: Final = re.compile(
    r"(?P<hash>#+)|(?P<at>@+)|%(?:0(?P<percent>[0-9]{1,2}))?d|\$F(?P<houdini>[0-9]{0,2})|(?P<udim><UDIM>)"
    r"|\[(?P<native>-?[0-9][0-9,x:y-]*)\]"
)
_RANGE_BEFORE: Final = re.compile(r"(?:^|(?<=[._]))(?P<range>-?[0-9](?:[0-9,xy:-]*[0-9])?)$")
_GLOB: Final = re.compile(r"([*?[])")


class Notation(StrEnum):
    """How a pattern is written."""

    NATIVE = "native"
    NUKE = "nuke"
    RV = "rv"
    HOUDINI = "houdini"
    FFMPEG = "ffmpeg"
    GLOB = "glob"
    FILESEQ = "fileseq"


@dataclass(frozen=True, slots=True)
class Pattern:
    """The name of a sequence: what stands before and after the number, and how the number is written."""

    head: str
    suffix: str
    padding: int
    frames: FrameRanges = FrameRanges()  # noqa: RUF009 (an immutable value)
    udim: bool = False
    sign_in_width: bool = False
    decimals: int = 0

    @classmethod
    def of(cls, group: FrameGroup, directory: str = "") -> Pattern:
        """The pattern of a sequence, its directory before it when one is given."""
        head = f"{directory.rstrip('/')}/{group.head}" if directory else group.head
        return cls(
            head,
            group.suffix,
            group.padding,
            group.ranges,
            udim=group.udim,
            sign_in_width=group.sign_in_width,
            decimals=group.decimals,
        )

    def name_of(self, frame: int) -> str:
        """The name of one frame's file."""
        number = number_text(frame, self.padding, self.sign_in_width, self.decimals)
        return f"{self.head}{number}{self.suffix}"

    def names(self) -> Iterator[str]:
        """The names of all frames, ascending."""
        return map(self.name_of, self.frames)

    def text(self, notation: Notation = Notation.NATIVE) -> str:
        """The pattern as `notation` writes it. Only native, rv and fileseq say which frames there are."""
        return f"{_literal(self.head, notation)}{self._number(notation)}{_literal(self.suffix, notation)}"

    def _number(self, notation: Notation) -> str:
        if self.udim and notation is not Notation.GLOB:
            return "<UDIM>"
        if notation in (Notation.NUKE, Notation.FFMPEG):
            return f"%0{self.padding}d" if self.padding > 1 else "%d"
        if notation is Notation.HOUDINI:
            return f"$F{self.padding}" if self.padding > 1 else "$F"
        if notation is Notation.GLOB:
            return "*" if self.padding < 2 or self._overflows else "[0-9]" * self.padding
        if notation in (Notation.RV, Notation.FILESEQ):
            mark = "#" if self.padding == _LONE_HASH else "@" * self.padding
            return f"{exact_text(self.frames, self.decimals)}{mark}"
        return f"[{self._padded_ranges()}]"

    @property
    def _overflows(self) -> bool:
        first, last = self.frames.first or 0, self.frames.last or 0
        return first < 0 or len(str(last)) > self.padding or self.decimals > 0

    def _padded_ranges(self) -> str:
        if self.decimals:
            return exact_text(self.frames, self.decimals)

        def written(frame: int) -> str:
            return number_text(frame, self.padding, self.sign_in_width)

        return ",".join(
            written(first)
            if first == last
            else f"{written(first)}-{written(last)}{f'x{step}' if step > 1 else ''}"
            for first, last, step in self.frames.runs
        )


def parse(text: str) -> Pattern | None:
    """The pattern that `text` (a path or name) is, or None when it is a plain name.

    Read are `#` (four digits when alone, else as many as there are), `@@@`, `%04d`, `$F4`, `<UDIM>` and
    `[1001-1100]`; rv and fileseq also give the frames before the mark. Raises InvalidInput for two marks.
    """
    directory, slash, name = text.rpartition("/")
    marks = list(_TOKEN.finditer(name))
    if not marks:
        return None
    if len(marks) > 1:
        raise InvalidInput(
            f"{text!r} has more than one place for the frame number.", remedy="Keep one of them."
        )
    mark = marks[0]
    head, suffix = name[: mark.start()], name[mark.end() :]
    frames = FrameRanges()
    padding = 1
    if mark["native"] is not None:
        frames = FrameRanges.parse(mark["native"])
        first = re.match(r"-?([0-9]+)", mark["native"])
        padding = len(first[1]) if first else 1
    elif mark["hash"]:
        padding = _LONE_HASH if mark["hash"] == "#" else len(mark["hash"])
    elif mark["at"]:
        padding = len(mark["at"])
    elif mark["udim"]:
        padding = 4
    else:
        padding = max(1, int(mark["percent"] or mark["houdini"] or 1))
    if mark["hash"] or mark["at"]:
        head, frames = _leading_range(head)
    return Pattern(f"{directory}{slash}{head}", suffix, padding, frames, udim=bool(mark["udim"]))


def _leading_range(head: str) -> tuple[str, FrameRanges]:
    """rv and fileseq write the frames before the mark: `beauty.1001-1100#.exr`."""
    match = _RANGE_BEFORE.search(head)
    if match is None:
        return head, FrameRanges()
    return head[: match.start()], FrameRanges.parse(match["range"])


def _literal(text: str, notation: Notation) -> str:
    """`text` so that the notation's own marks in it mean nothing."""
    if notation in (Notation.NUKE, Notation.FFMPEG):
        return text.replace("%", "%%")
    return _GLOB.sub(r"[\1]", text) if notation is Notation.GLOB else text
