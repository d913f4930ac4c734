"""Frame ranges: stored as runs, parsed from what people write."""

from __future__ import annotations

import pytest
from fileseq.frameset import FrameSet
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.core.frames import FrameRanges

frames = st.lists(st.integers(-200, 400), max_size=120)


@given(frames)
def test_S17_ranges_hold_just_the_frames_they_were_made_of(found: list[int]) -> None:
    ranges = FrameRanges.of(found)
    assert list(ranges) == sorted(set(found))
    assert ranges.count == len(set(found))
    assert all(frame in ranges for frame in found)
    assert FrameRanges.parse(ranges.text) == ranges
    assert all(before[1] < after[0] for before, after in zip(ranges.runs, ranges.runs[1:], strict=False))


@given(frames)
def test_S17_the_scan_s_way_gives_the_same_ranges(found: list[int]) -> None:
    assert FrameRanges.of_sorted(sorted(set(found))) == FrameRanges.of(found)


@given(frames, frames)
def test_S17_union_and_difference_are_those_of_sets(left: list[int], right: list[int]) -> None:
    assert set(FrameRanges.of(left).union(FrameRanges.of(right))) == set(left) | set(right)
    assert set(FrameRanges.of(left).minus(FrameRanges.of(right))) == set(left) - set(right)


@given(frames, st.integers(1, 5))
def test_S19_holes_are_what_is_missing_between_first_and_last(found: list[int], step: int) -> None:
    ranges = FrameRanges.of(found)
    expected = set(range(min(found), max(found) + 1, step)) - set(found) if found else set()
    assert set(ranges.holes(step)) == expected


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1001-1100", "1001-1100"),
        ("1-99x2", "1-99x2"),
        ("1-9y2", "2-8x2"),
        ("1-10:4", "1-10"),
        ("10-1", "1-10"),
        ("10-1x3", "1-10x3"),
        (" 5 , 1 - 3 ", "1-3,5"),
        ("1 2 3", "1-3"),
        ("1-5,3-8,9", "1-9"),
        ("1-9x2,2-8x2", "1-9"),
        ("-5--1", "-5--1"),
        ("-2-2", "-2-2"),
        ("-10", "-10"),
        ("", ""),
        ("1005,1010-1015x2", "1005,1010-1014x2"),
        ("5-1y2", "2,4"),
    ],
)
def test_S17_what_people_write_is_read(text: str, canonical: str) -> None:
    assert FrameRanges.parse(text).text == canonical


@pytest.mark.parametrize(
    "text",
    ["a", "1-", "1-2-3x", "1x2", "1-10x0", "1-10x-2", "1.5", "１-２", "1-99999999x", "1-999999999", "1--"],
)
def test_S1_S17_what_is_no_range_is_an_error_with_a_remedy(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        FrameRanges.parse(text)
    assert error.value.remedy


def test_S17_more_than_ten_million_frames_are_refused_without_being_counted_one_by_one() -> None:
    assert FrameRanges.parse("1-10000000").count == 10_000_000
    for text in ("0-10000000", "1-10000000,20000001", "1-99999999y2", "-5000000-5000001"):
        with pytest.raises(InvalidInput):
            FrameRanges.parse(text)


@pytest.mark.parametrize(
    ("text", "step"),
    [("1-99x2", 2), ("1-10", 1), ("1,3", 1), ("1-19x2,20", 2), ("1,2,4,8,16", 1), ("5", 1), ("", 1)],
)
def test_S18_a_step_is_inferred_when_most_gaps_are_equal(text: str, step: int) -> None:
    assert FrameRanges.parse(text).step == step


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 7)), min_size=1, max_size=4)
)
def test_S17_ranges_read_like_those_of_fileseq(terms: list[tuple[int, int, int]]) -> None:
    text = ",".join(f"{first}-{last}x{step}" if first != last else str(first) for first, last, step in terms)
    assert list(FrameRanges.parse(text)) == sorted(set(FrameSet(text)))
