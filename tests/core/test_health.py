"""What size and time tell of frames, and what they make of a sequence (spec: sequences, Health)."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.frames import FrameRanges, StepOrigin
from kassettui.core.health import (
    FRESH_NS,
    WORST_FIRST,
    FrameState,
    SequenceHealth,
    SequenceState,
    examine,
    odd_sizes,
    strip,
    summarise,
    worst,
)
from kassettui.core.sequences import group

NOW = 1_800_000_000_000_000_000
OLD = NOW - 2 * FRESH_NS


def health(
    sizes: dict[int, int], mtimes: dict[int, int] | None = None, *more: str, expected: str | None = None
) -> SequenceHealth:
    """H0 of `a.####.exr` with frames of these sizes (bytes) and, where not old, times (ns)."""
    names = [*(f"a.{frame:04d}.exr" for frame in sizes), *more]
    times = [(mtimes or {}).get(frame, OLD) for frame in sizes]
    blank = [0] * len(more)
    (sequence,) = group(names, array("q", [*sizes.values(), *blank]), array("q", [*times, *blank])).groups
    return examine(sequence, NOW, expected=FrameRanges.parse(expected) if expected else None)


def test_H0_a_whole_old_sequence_is_complete() -> None:
    found = health(dict.fromkeys(range(1, 11), 1000))
    assert (found.state, found.level, found.counts) == (SequenceState.COMPLETE, 0, {FrameState.OK: 10})
    assert found.fresh_until_ns is None


def test_H0_an_old_empty_frame_is_zero_and_breaks_the_sequence() -> None:
    found = health({1: 1000, 2: 0, 3: 1000})
    assert found.state is SequenceState.BROKEN
    assert found.bad == ((2, FrameState.ZERO),)
    assert found.damaged_count == 1


def test_H0_a_fresh_empty_frame_is_a_placeholder_of_a_growing_sequence() -> None:
    found = health({1: 1000, 2: 0}, {2: NOW - 1})
    assert found.state is SequenceState.GROWING
    assert found.bad == ((2, FrameState.PLACEHOLDER),)
    assert found.fresh_until_ns == NOW - 1 + FRESH_NS


def test_H0_a_frame_below_half_of_its_neighbours_is_an_odd_size_and_no_damage() -> None:
    found = health({1: 1000, 2: 1010, 3: 400, 4: 990, 5: 1000})
    assert found.bad == ((3, FrameState.ODD_SIZE),)
    assert found.state is SequenceState.COMPLETE


def test_H0_a_cut_to_black_is_not_odd() -> None:
    assert odd_sizes([1000] * 10 + [20] * 10) == [10]
    assert odd_sizes([20] * 10) == []
    assert odd_sizes([1000, 1000]) == []


@pytest.mark.parametrize("more", [("a.0003.exr.part",), (".a.0003.exr.Xa1",)])
def test_S15_evidence_of_writing_makes_it_growing(more: tuple[str, ...]) -> None:
    found = health({1: 1000, 2: 1000}, None, *more)
    assert found.state is SequenceState.GROWING
    assert found.fresh_until_ns is None


@pytest.mark.parametrize(
    ("offset", "state"),
    [
        (-FRESH_NS + 1, SequenceState.GROWING),
        (-FRESH_NS, SequenceState.COMPLETE),
        (FRESH_NS - 1, SequenceState.GROWING),
        (FRESH_NS * 1000, SequenceState.COMPLETE),
    ],
)
def test_R7_a_time_far_in_the_future_is_a_wrong_clock_and_not_a_write(
    offset: int, state: SequenceState
) -> None:
    assert health({1: 1, 2: 1}, {2: NOW + offset}).state is state


def test_S19_holes_inside_are_known_head_and_tail_only_when_expected() -> None:
    frames = dict.fromkeys([3, 4, 6], 1000)
    found = health(frames)
    assert (found.state, found.holes.text) == (SequenceState.HOLES, "5")
    assert found.counts[FrameState.MISSING] == 1
    found = health(frames, expected="1-6")
    assert (found.state, found.absent.text, found.holes.text) == (SequenceState.HOLES, "1-2,5", "5")


def test_a_render_that_stopped_short_of_what_was_expected_is_stalled() -> None:
    frames = dict.fromkeys(range(1, 6), 1000)
    assert health(frames, expected="1-10").state is SequenceState.STALLED
    seen_growing = summarise(
        FrameRanges.parse("1-3,5"), {}, level=0, newest_ns=OLD, now_ns=NOW,
        expected=FrameRanges.parse("1-5"), previous=SequenceState.GROWING,
    )  # fmt: skip
    assert seen_growing.state is SequenceState.STALLED


@pytest.mark.parametrize(
    "state", [FrameState.TRUNCATED, FrameState.BAD_MAGIC, FrameState.UNREADABLE, FrameState.ZERO]
)
def test_H1_any_damaged_frame_makes_the_sequence_broken(state: FrameState) -> None:
    found = summarise(FrameRanges.parse("1-5"), {3: state}, level=1, newest_ns=OLD, now_ns=NOW)
    assert (found.state, found.level, found.damaged_count) == (SequenceState.BROKEN, 1, 1)


def test_S18_holes_follow_the_step() -> None:
    assert health(dict.fromkeys([1, 3, 5, 7, 9, 13], 1000)).holes.text == "11"
    assert health(dict.fromkeys([1, 3, 5, 7, 9], 1000)).state is SequenceState.COMPLETE


def test_the_strip_has_a_cell_a_frame_and_shows_the_worst_of_a_bin() -> None:
    frames = FrameRanges.parse("1-4,6-10")
    bad = {2: FrameState.ODD_SIZE, 8: FrameState.TRUNCATED}
    assert [state.value for state in strip(frames, bad, 80)] == [
        "ok", "odd_size", "ok", "ok", "missing", "ok", "ok", "truncated", "ok", "ok",
    ]  # fmt: skip
    assert [state.value for state in strip(frames, bad, 5)] == [
        "odd_size",
        "ok",
        "missing",
        "truncated",
        "ok",
    ]
    assert strip(FrameRanges(), {}, 80) == []
    assert strip(FrameRanges.parse("5"), {}, 80, expected=FrameRanges.parse("4-6")) == [
        FrameState.MISSING, FrameState.OK, FrameState.MISSING,
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 400), min_size=1),
    st.dictionaries(st.integers(1, 400), st.sampled_from(FrameState)),
    st.integers(1, 120),
    st.integers(1, 3),
)
def test_the_strip_hides_nothing(
    found: list[int], states: dict[int, FrameState], width: int, step: int
) -> None:
    frames = FrameRanges.of(frame * step for frame in found)
    bad = {frame * step: state for frame, state in states.items() if frame * step in frames}
    cells = strip(frames, bad, width)
    assert 1 <= len(cells) <= width
    everything = {*bad.values(), *([FrameState.MISSING] if frames.holes() else [])}
    assert worst(cells) is worst(everything)


def test_a_long_strip_is_drawn_without_walking_its_frames() -> None:
    frames = FrameRanges(((1, 1, 1), (9_000_000, 9_000_000, 1)))
    assert strip(frames, {}, 10)[5] is FrameState.MISSING


def test_every_state_has_its_place() -> None:
    assert sorted(WORST_FIRST) == sorted(FrameState)
    assert worst([]) is FrameState.OK


def test_S18_the_declared_step_counts_before_the_expected_and_the_inferred_one() -> None:
    (sequence,) = group([f"a.{frame:04d}.exr" for frame in (1, 3, 5, 9)], [9] * 4, [OLD] * 4).groups

    def counted(**known: Any) -> tuple[int, StepOrigin, str]:
        found = examine(sequence, NOW, **known)
        return found.step, found.step_origin, found.absent.text

    assert counted() == (1, StepOrigin.INFERRED, "2-6x2,7-8")
    assert counted(expected=FrameRanges.parse("1-9x2")) == (2, StepOrigin.EXPECTED, "7")
    assert counted(expected=FrameRanges.parse("1-9x2"), step=4) == (4, StepOrigin.DECLARED, "7")


def test_S11_tiles_have_no_holes() -> None:
    names = ["tex.1001.exr", "tex.1002.exr", "tex.1011.exr"]
    (tiles,) = group(names, [9] * 3, [OLD] * 3, udim=True).groups
    assert examine(tiles, NOW).state is SequenceState.COMPLETE
    (frames,) = group(names, [9] * 3, [OLD] * 3).groups
    assert examine(frames, NOW).holes.text == "1003-1010"
