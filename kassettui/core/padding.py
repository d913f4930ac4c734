"""How wide a sequence's numbers are, and which members are written otherwise (spec: sequences S7, S8, S9)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from kassettui.core.runs import Run, Runs


class Padding(NamedTuple):
    """The width of the numbers; `assumed` where no leading zero proves it.

    `sign_in_width`: the minus of a negative frame is one of the places.
    """

    width: int
    assumed: bool = False
    sign_in_width: bool = False


class _Part(NamedTuple):
    """Members of one run that all have a leading zero (`led`), or all have none."""

    run: Run
    led: bool
    begin: int
    end: int

    @property
    def frames(self) -> array[int]:
        return self.run.frames[self.begin : self.end]

    @property
    def indexes(self) -> array[int]:
        return self.run.indexes[self.begin : self.end]


@dataclass(frozen=True, slots=True)
class Members:
    """A group's members, ascending by frame. `others` are (frame, index) of those written otherwise.

    `together`: indexes ascend with the frames.
    """

    padding: Padding
    frames: array[int]
    indexes: array[int]
    together: bool = False
    others: tuple[tuple[int, int], ...] = ()

    @property
    def taken(self) -> Container[int]:
        """The frames that are there."""
        return frozenset(self.frames)


def number_text(frame: int, padding: int, sign_in_width: bool = False, decimals: int = 0) -> str:
    """A frame's number as it stands in a name; `sign_in_width`: the minus is one of the places (S9)."""
    if decimals:
        whole, part = divmod(abs(frame), 10**decimals)
        return f"{'-' if frame < 0 else ''}{whole:0{padding}d}.{part:0{decimals}d}"
    if frame >= 0:
        return f"{frame:0{padding}d}"
    return f"{frame:0{padding}d}" if sign_in_width else f"-{-frame:0{padding}d}"


def settle(runs: Runs, decimals: int) -> Members:
    """The padding of a group's runs, and its members in order."""
    parts = [part for run in runs.values() for part in _parts(run, decimals)]
    if len(runs) == 1:
        (run,) = runs.values()
        if not run.negative:
            return Members(Padding(run.width, not parts[0].led), run.frames, run.indexes, together=True)
    padding = _padding(parts, decimals)
    fitting = [part for part in parts if _fits(part, padding)]
    negative = sorted((part for part in fitting if part.run.negative), key=_place, reverse=True)
    positive = sorted((part for part in fitting if not part.run.negative), key=_place)
    frames, indexes = array("q"), array("L")
    for part in negative:
        frames.extend(reversed(part.frames))
        indexes.extend(reversed(part.indexes))
    for part in positive:
        frames.extend(part.frames)
        indexes.extend(part.indexes)
    others = (zip(part.frames, part.indexes, strict=True) for part in parts if not _fits(part, padding))
    return Members(padding, frames, indexes, others=tuple(chain.from_iterable(others)))


def _place(part: _Part) -> tuple[int, bool]:
    """Sorts fitting parts by the size of their frames."""
    return part.run.width, not part.led


def _parts(run: Run, decimals: int) -> Iterator[_Part]:
    """The members of `run` with a leading zero, then those without; neither when empty."""
    count = len(run.frames)
    led = 0
    if run.width > 1:
        led = bisect_left(run.frames, 10 ** (run.width - 1 + decimals), key=abs)
    if led:
        yield _Part(run, True, 0, led)
    if led < count:
        yield _Part(run, False, led, count)


def _fits(part: _Part, padding: Padding) -> bool:
    """Whether `number_text` writes the members so: in the width, or longer without a leading zero."""
    width = part.run.width + (part.run.negative and padding.sign_in_width)
    return width == padding.width or (width > padding.width and not part.led)


def _padding(parts: list[_Part], decimals: int) -> Padding:
    """A leading zero fixes the width, the most frequent one if there are several.

    Without any, one width for all is taken for the padding, several mean none (S7). A negative number fills
    the width with its sign or without: `-001` and `-0001` are both of width 4 (S9).
    """
    led = any(part.led for part in parts)
    widths: Counter[int] = Counter()
    negatives: Counter[int] = Counter()
    led_negatives: Counter[int] = Counter()
    for part in parts:
        count = part.end - part.begin
        if part.run.negative:
            negatives[part.run.width] += count
            led_negatives[part.run.width] += count if part.led else 0
        elif part.led or not led:
            widths[part.run.width] += count
    if not led and len(widths.keys() | negatives.keys()) > 1:
        return Padding(1)
    if not widths:
        width = _most_frequent(led_negatives if led else negatives)
        sign_in_width = led and width == 3 and not decimals
        return Padding(width + sign_in_width, not led, sign_in_width)
    width = _most_frequent(widths)
    return Padding(width, not led, not decimals and negatives[width - 1] > led_negatives[width])


def _most_frequent(widths: Counter[int]) -> int:
    """The narrower one of two that are equally frequent."""
    return max(widths, key=lambda width: (widths[width], -width))
