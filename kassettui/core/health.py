"""Whether every frame is whole: the states, what size and time tell, and the strip (spec: sequences, Health).

H0 is what `stat` knows and is done here. H1 (structure) and H2 (decoding) look into files: media/ does that
and brings the states it found to `summarise`, so that one place says what a sequence is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Final

from kassettui.core.frames import FrameRanges, StepOrigin, choose_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kassettui.core.sequences import FrameGroup

FRESH_NS: Final = 600 * 1_000_000_000
"""A frame younger than 10 minutes may still be written; so may its sequence."""

_ODD_SHARE: Final = 0.5
_NEIGHBOURS: Final = 3
_MOST_MARKS: Final = 100_000


class FrameState(StrEnum):
    """What is known of one frame; for a strip's cell, the worst of what it stands for."""

    OK = "ok"
    ZERO = "zero"
    PLACEHOLDER = "placeholder"
    TRUNCATED = "truncated"
    BAD_MAGIC = "bad_magic"
    ODD_SIZE = "odd_size"
    INCONSISTENT = "inconsistent"
    UNREADABLE = "unreadable"
    MISSING = "missing"


class SequenceState(StrEnum):
    """What a sequence is as a whole."""

    GROWING = "growing"
    COMPLETE = "complete"
    HOLES = "holes"
    BROKEN = "broken"
    STALLED = "stalled"


DAMAGED: Final = frozenset(
    {FrameState.ZERO, FrameState.TRUNCATED, FrameState.BAD_MAGIC, FrameState.UNREADABLE}
)
"""Frames that are there and cannot be used. The others are warnings."""

WORST_FIRST: Final = (
    FrameState.UNREADABLE,
    FrameState.BAD_MAGIC,
    FrameState.TRUNCATED,
    FrameState.ZERO,
    FrameState.MISSING,
    FrameState.INCONSISTENT,
    FrameState.PLACEHOLDER,
    FrameState.ODD_SIZE,
    FrameState.OK,
)
_RANK: Final = {state: rank for rank, state in enumerate(reversed(WORST_FIRST))}


@dataclass(frozen=True, slots=True)
class SequenceHealth:
    """A sequence's state with its evidence. `level` is how deep was looked: 0, 1 or 2.

    `holes` are the frames missing inside, `absent` all that are missing of the expected range too; `bad` are
    the frames on disk that are not ok, ascending. `fresh_until_ns` is when a growing one will have been
    silent for ten minutes, None when it is not growing by its times. `step` is what holes are counted by, and
    `step_origin` where it is known from (S18).
    """

    state: SequenceState
    level: int
    counts: Mapping[FrameState, int] = field(default_factory=dict)
    holes: FrameRanges = field(default_factory=FrameRanges)
    absent: FrameRanges = field(default_factory=FrameRanges)
    bad: tuple[tuple[int, FrameState], ...] = ()
    fresh_until_ns: int | None = None
    step: int = 1
    step_origin: StepOrigin = StepOrigin.INFERRED

    @property
    def damaged_count(self) -> int:
        """How many frames are there and cannot be used."""
        return sum(count for state, count in self.counts.items() if state in DAMAGED)


def frame_state(size: int, mtime_ns: int, now_ns: int) -> FrameState:
    """What size (bytes) and time (ns) tell of one file: ok, zero, or a placeholder while it is fresh (H0)."""
    if size > 0:
        return FrameState.OK
    return FrameState.PLACEHOLDER if is_fresh(mtime_ns, now_ns) else FrameState.ZERO


def is_fresh(mtime_ns: int, now_ns: int) -> bool:
    """Younger than ten minutes. A time further than that in the future is a wrong clock, not a write (R7)."""
    return abs(now_ns - mtime_ns) < FRESH_NS


def examine(
    group: FrameGroup,
    now_ns: int,
    *,
    expected: FrameRanges | None = None,
    previous: SequenceState | None = None,
    step: int | None = None,
) -> SequenceHealth:
    """H0 of a sequence whose sizes and times are known.

    `previous` is what it was at the last look; `step` is the declared one, where there is one.
    """
    sizes, mtimes = group.sizes, group.mtimes
    if sizes is None or mtimes is None:
        raise ValueError("H0 needs sizes and times")
    bad: dict[int, FrameState] = {}
    if min(sizes, default=1) == 0:
        for frame, size, mtime in zip(group.frames, sizes, mtimes, strict=True):
            if size == 0:
                bad[frame] = frame_state(size, mtime, now_ns)
    for position in odd_sizes(sizes):
        bad.setdefault(group.frames[position], FrameState.ODD_SIZE)
    return summarise(
        group.ranges,
        bad,
        level=0,
        newest_ns=max(mtimes, default=0),
        now_ns=now_ns,
        writing=group.growing_evidence,
        expected=expected,
        previous=previous,
        step=step,
        tiles=group.udim,
    )


def summarise(
    frames: FrameRanges,
    bad: Mapping[int, FrameState],
    *,
    level: int,
    newest_ns: int,
    now_ns: int,
    writing: bool = False,
    expected: FrameRanges | None = None,
    previous: SequenceState | None = None,
    step: int | None = None,
    tiles: bool = False,
) -> SequenceHealth:
    """The sequence's health from the states of its frames; frames not in `bad` are ok. Times in ns.

    `step` is the declared one; `tiles` of a texture have no holes between them (S11, S18). Broken counts
    before growing, that before stalled and holes: what a person must know first.
    """
    chosen, origin = choose_step(frames, declared=step, expected=expected)
    holes = FrameRanges() if tiles else frames.holes(chosen)
    absent = holes.union(expected.minus(frames)) if expected else holes
    counts: Counter[FrameState] = Counter(bad.values())
    counts[FrameState.OK] = frames.count - len(bad)
    counts[FrameState.MISSING] = absent.count
    growing = writing or is_fresh(newest_ns, now_ns)
    if any(state in DAMAGED for state in bad.values()):
        state = SequenceState.BROKEN
    elif growing:
        state = SequenceState.GROWING
    elif expected and absent and _stopped_short(frames, absent, previous):
        state = SequenceState.STALLED
    elif absent:
        state = SequenceState.HOLES
    else:
        state = SequenceState.COMPLETE
    return SequenceHealth(
        state=state,
        level=level,
        counts={each: count for each, count in counts.items() if count},
        holes=holes,
        absent=absent,
        bad=tuple(sorted(bad.items())),
        fresh_until_ns=newest_ns + FRESH_NS if growing and is_fresh(newest_ns, now_ns) else None,
        step=chosen,
        step_origin=origin,
    )


def _stopped_short(frames: FrameRanges, absent: FrameRanges, previous: SequenceState | None) -> bool:
    """A render that was seen growing, or whose expected end is missing, and that writes no more."""
    if previous in (SequenceState.GROWING, SequenceState.STALLED):
        return True
    return absent.last is not None and frames.last is not None and absent.last > frames.last


def odd_sizes(sizes: Sequence[int]) -> list[int]:
    """Positions whose size is below half of their neighbours' median (H0); zeros are another state.

    A warning only: a black or constant frame compresses well and is legitimate.
    """
    if len(sizes) < 3:
        return []
    limit = max(sizes) * _ODD_SHARE
    odd = []
    for position in [position for position, size in enumerate(sizes) if 0 < size < limit]:
        around = [
            *sizes[max(0, position - _NEIGHBOURS) : position],
            *sizes[position + 1 : position + 1 + _NEIGHBOURS],
        ]
        if sizes[position] < _ODD_SHARE * median(around):
            odd.append(position)
    return odd


def worst(states: Iterable[FrameState]) -> FrameState:
    """The state that a person must know first; ok when there is none."""
    return max(states, key=_RANK.__getitem__, default=FrameState.OK)


def strip(
    frames: FrameRanges,
    bad: Mapping[int, FrameState],
    width: int,
    *,
    expected: FrameRanges | None = None,
    step: int | None = None,
) -> list[FrameState]:
    """The frame strip: at most `width` cells, each the worst of its frame or bin of frames.

    `step` is the declared one, as for `summarise`.
    """
    whole = frames.union(expected) if expected else frames
    if not whole or width < 1:
        return []
    step, _ = choose_step(frames, declared=step, expected=expected)
    first, last = whole.runs[0][0], whole.runs[-1][1]
    total = (last - first) // step + 1
    cells = [FrameState.OK] * min(width, total)

    def mark(low: int, high: int, state: FrameState) -> None:
        for cell in range(_cell(low), _cell(high) + 1):
            if _RANK[state] > _RANK[cells[cell]]:
                cells[cell] = state

    def _cell(frame: int) -> int:
        return min((frame - first) // step, total - 1) * len(cells) // total

    absent = frames.holes(step)
    if expected:
        absent = absent.union(expected.minus(frames))
    for low, high, run_step in absent.runs:
        if run_step == step or (high - low) // run_step > _MOST_MARKS:
            mark(low, high, FrameState.MISSING)
        else:
            for frame in range(low, high + 1, run_step):
                mark(frame, frame, FrameState.MISSING)
    for frame, state in bad.items():
        if first <= frame <= last:
            mark(frame, frame, state)
    return cells
