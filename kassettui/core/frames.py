"""Frame ranges: which frames there are, as runs, never one by one (spec: sequences S17, S18, S19).

`1001-1010,1015-1025x2` is two runs. Everything else that is said of frames (holes, what a submitter should
render again) is arithmetic on them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_FRAMES: Final = 10_000_000
"""More than these in one set of ranges is an error, whether typed or found (S17)."""

MOST_DIGITS: Final = 8
"""A longer number is an id, never a frame (S13)."""

STEP_SHARE: Final = 0.8
"""A step is inferred when so many of the gaps are equal (S18)."""

Run = tuple[int, int, int]
"""(first, last, step): both ends are frames of the run, step ≥ 1, and a single frame has step 1."""

# ASCII digits only, whatever the locale calls a digit (S1).
_SPACED: Final = re.compile(r"(?<=[0-9])\s+(-)\s+(?=-?[0-9])|\s*([xy:])\s*")
_SEPARATOR: Final = re.compile(r"[,\s]+")
_TERM: Final = re.compile(r"(-?[0-9]+)(?:-(-?[0-9]+)(?:([xy:])(-?[0-9]+))?)?")


@dataclass(frozen=True, slots=True)
class FrameRanges:
    """A set of frames as runs, sorted, their spans apart from each other."""

    runs: tuple[Run, ...] = ()

    @classmethod
    def of(cls, frames: Iterable[int]) -> FrameRanges:
        """The ranges of `frames`, in any order, doubled or not. Raises InvalidInput beyond 10 million."""
        ordered = sorted(set(frames))
        if len(ordered) > MOST_FRAMES:
            raise _too_many()
        return cls(tuple(_runs(ordered)))

    @classmethod
    def of_sorted(cls, frames: Sequence[int]) -> FrameRanges:
        """The ranges of distinct frames that are ascending already: the scan's fast way."""
        if not frames:
            return cls()
        if frames[-1] - frames[0] + 1 == len(frames):
            return cls(((frames[0], frames[-1], 1),))
        return cls(tuple(_runs(frames)))

    @classmethod
    def parse(cls, text: str) -> FrameRanges:
        """Ranges as people and submitters write them (S17).

        `1001-1100`, `1-99x2` (every second), `1-99y2` (all but those), `1-99:4` (the filling order of a farm:
        all of them), `100-1`, negative frames, commas, spaces. Raises InvalidInput that shows the part.
        """
        terms = [_term(part) for part in _SEPARATOR.split(_SPACED.sub(r"\1\2", text)) if part]
        if sum(len(term) for term in terms) > MOST_FRAMES:
            raise _too_many()
        if all(isinstance(term, range) and term.step == 1 for term in terms):
            return cls(tuple(_merged(sorted((term[0], term[-1]) for term in terms))))
        return cls.of(chain.from_iterable(terms))

    @property
    def text(self) -> str:
        """`1001-1010,1015-1025x2`; "" for no frames. `parse` reads it back."""
        return ",".join(
            str(first) if first == last else f"{first}-{last}" if step == 1 else f"{first}-{last}x{step}"
            for first, last, step in self.runs
        )

    @property
    def count(self) -> int:
        """How many frames."""
        return sum((last - first) // step + 1 for first, last, step in self.runs)

    @property
    def first(self) -> int | None:
        """The lowest frame, None when there is none."""
        return self.runs[0][0] if self.runs else None

    @property
    def last(self) -> int | None:
        """The highest frame, None when there is none."""
        return self.runs[-1][1] if self.runs else None

    @property
    def step(self) -> int:
        """The step that at least 80 % of the gaps have, for three frames or more; else 1 (S18)."""
        if self.count < 3:
            return 1
        gaps: Counter[int] = Counter()
        previous: int | None = None
        for first, last, step in self.runs:
            if previous is not None:
                gaps[first - previous] += 1
            if last > first:
                gaps[step] += (last - first) // step
            previous = last
        gap, times = gaps.most_common(1)[0]
        return gap if times >= STEP_SHARE * gaps.total() else 1

    def __bool__(self) -> bool:
        return bool(self.runs)

    def __len__(self) -> int:
        return self.count

    def __contains__(self, frame: object) -> bool:
        if not isinstance(frame, int):
            return False
        position = bisect_right(self.runs, frame, key=lambda run: run[0]) - 1
        if position < 0:
            return False
        first, last, step = self.runs[position]
        return frame <= last and (frame - first) % step == 0

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(range(first, last + 1, step) for first, last, step in self.runs)

    def union(self, other: FrameRanges) -> FrameRanges:
        """The frames of either."""
        if self._plain and other._plain:
            spans = sorted((first, last) for first, last, _ in (*self.runs, *other.runs))
            return FrameRanges(tuple(_merged(spans)))
        return FrameRanges.of(chain(self, other))

    def minus(self, other: FrameRanges) -> FrameRanges:
        """The frames that are not in `other`."""
        if self._plain and other._plain:
            return FrameRanges(tuple(_subtracted(self.runs, other.runs)))
        return FrameRanges(tuple(_runs(sorted(set(self).difference(other)))))

    def holes(self, step: int | None = None) -> FrameRanges:
        """What is missing between the first frame and the last, at `step` or the inferred one (S18, S19)."""
        if not self.runs:
            return FrameRanges()
        step = self.step if step is None else step
        if step == 1 and self._plain:
            gaps = zip(self.runs, self.runs[1:], strict=False)
            return FrameRanges(tuple((before[1] + 1, after[0] - 1, 1) for before, after in gaps))
        full = range(self.runs[0][0], self.runs[-1][1] + 1, step)
        if len(full) > MOST_FRAMES:
            raise _too_many()
        return FrameRanges(tuple(_runs(sorted(set(full).difference(self)))))

    @property
    def _plain(self) -> bool:
        return all(step == 1 for _, _, step in self.runs)


class StepOrigin(StrEnum):
    """Where a step is known from, the strongest first (S18)."""

    DECLARED = "declared"
    EXPECTED = "expected"
    INFERRED = "inferred"


def choose_step(
    frames: FrameRanges, *, declared: int | None = None, expected: FrameRanges | None = None
) -> tuple[int, StepOrigin]:
    """The step of a sequence: what a person said, else that of what is expected, else the inferred one."""
    if declared is not None:
        return declared, StepOrigin.DECLARED
    if expected:
        return expected.step, StepOrigin.EXPECTED
    return frames.step, StepOrigin.INFERRED


def exact_text(ranges: FrameRanges, decimals: int) -> str:
    """The text of ranges whose frames are scaled by 10 to that power (S10): `1001.00-1002.00x0.25`."""
    if not decimals:
        return ranges.text

    def number(scaled: int) -> str:
        whole, part = divmod(abs(scaled), 10**decimals)
        return f"{'-' if scaled < 0 else ''}{whole}.{part:0{decimals}d}"

    unit = 10**decimals
    return ",".join(
        number(first)
        if first == last
        else f"{number(first)}-{number(last)}" + ("" if step == unit else f"x{number(step)}")
        for first, last, step in ranges.runs
    )


def _too_many() -> InvalidInput:
    return InvalidInput(f"More than {MOST_FRAMES:,} frames in one range.", remedy="Give a smaller range.")


def _term(text: str) -> range | list[int]:
    """One term between commas as its frames, ascending."""
    match = _TERM.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text!r} is not a frame range.", remedy="Write it like 1001-1100 or 1-99x2.")
    if any(len(number.lstrip("-")) > MOST_DIGITS for number in match.group(1, 2, 4) if number):
        raise InvalidInput(f"{text!r} is not a frame range.", remedy="A frame has at most 8 digits.")
    first, step = int(match[1]), int(match[4] or 1)
    last = int(match[2]) if match[2] else first
    if step <= 0:
        raise InvalidInput(f"The step of {text!r} is not positive.", remedy="Use a step of 1 or more.")
    whole = range(min(first, last), max(first, last) + 1)
    if len(whole) > MOST_FRAMES:
        raise _too_many()
    if match[3] == "x":
        return range(first, last + 1, step) if first <= last else range(first, last - 1, -step)[::-1]
    if match[3] == "y":
        return [frame for frame in whole if (frame - first) % step]
    return whole


def _runs(frames: Sequence[int]) -> Iterator[Run]:
    """Runs of ascending distinct frames. Equal gaps make a run of their own from three frames on."""
    position, size = 0, len(frames)
    while position < size:
        first = frames[position]
        end = position + 1
        if end < size:
            gap = frames[end] - first
            while end < size and frames[end] - frames[end - 1] == gap:
                end += 1
            if gap > 1 and end - position < 3:
                end = position + 1
        last = frames[end - 1]
        yield first, last, (last - first) // (end - 1 - position) if last > first else 1
        position = end


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[Run]:
    """Sorted spans with step 1, those that touch or overlap as one."""
    current: tuple[int, int] | None = None
    for first, last in spans:
        if current is None:
            current = first, last
        elif first <= current[1] + 1:
            current = current[0], max(current[1], last)
        else:
            yield *current, 1
            current = first, last
    if current is not None:
        yield *current, 1


def _subtracted(runs: Iterable[Run], taken: Iterable[Run]) -> Iterator[Run]:
    """What is left of `runs`; both with step 1 and sorted, so that one pass over each is enough."""
    rest = iter(taken)
    cut = next(rest, None)
    for first, last, _ in runs:
        start = first
        while cut is not None and cut[0] <= last:
            if cut[1] >= start:
                if cut[0] > start:
                    yield start, cut[0] - 1, 1
                start = cut[1] + 1
            if start > last:
                break
            cut = next(rest, None)
        if start <= last:
            yield start, last, 1
