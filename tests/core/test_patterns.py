"""A sequence in every notation of the field (spec: sequences S20)."""

from __future__ import annotations

import fnmatch

import pytest
from fileseq.filesequence import FileSequence
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.core.frames import FrameRanges
from kassettui.core.patterns import Notation, Pattern, parse
from kassettui.core.sequences import group

BEAUTY = Pattern("shot.", ".exr", 4, FrameRanges.parse("993-1100"))


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (Notation.NATIVE, "shot.[0993-1100].exr"),
        (Notation.NUKE, "shot.%04d.exr"),
        (Notation.RV, "shot.993-1100#.exr"),
        (Notation.HOUDINI, "shot.$F4.exr"),
        (Notation.FFMPEG, "shot.%04d.exr"),
        (Notation.GLOB, "shot.[0-9][0-9][0-9][0-9].exr"),
        (Notation.FILESEQ, "shot.993-1100#.exr"),
    ],
)
def test_S20_patterns_out(notation: Notation, text: str) -> None:
    assert BEAUTY.text(notation) == text


@pytest.mark.parametrize(
    ("text", "padding", "frames"),
    [
        ("/shows/shot.#.exr", 4, ""),
        ("/shows/shot.##.exr", 2, ""),
        ("/shows/shot.@@@.exr", 3, ""),
        ("/shows/shot.@.exr", 1, ""),
        ("/shows/shot.%04d.exr", 4, ""),
        ("/shows/shot.%d.exr", 1, ""),
        ("/shows/shot.$F4.exr", 4, ""),
        ("/shows/shot.$F.exr", 1, ""),
        ("/shows/shot.<UDIM>.exr", 4, ""),
        ("/shows/shot.[1-100].exr", 1, "1-100"),
        ("/shows/shot.[0993-1100].exr", 4, "993-1100"),
        ("/shows/shot.993-1100#.exr", 4, "993-1100"),
        ("/shows/shot.1-9x2@@@.exr", 3, "1-9x2"),
    ],
)
def test_S20_patterns_in(text: str, padding: int, frames: str) -> None:
    pattern = parse(text)
    assert pattern is not None
    assert (pattern.head, pattern.suffix) == ("/shows/shot.", ".exr")
    assert (pattern.padding, pattern.frames.text) == (padding, frames)
    assert pattern.udim == ("<UDIM>" in text)


def test_S20_a_plain_name_is_no_pattern_and_two_marks_are_an_error() -> None:
    assert parse("/shows/[red]/shot.1001.exr") is None
    assert parse("/shows/#/shot.1001.exr") is None
    with pytest.raises(InvalidInput):
        parse("shot.#.%04d.exr")


@given(
    st.sampled_from(["a.", "a_", "be%auty.", "we[i]rd*.", ""]), st.integers(2, 5),
    st.lists(st.integers(0, 99999), min_size=2, max_size=30, unique=True),
)  # fmt: skip
def test_S20_every_notation_with_frames_gives_the_names_back(
    head: str, padding: int, frames: list[int]
) -> None:
    names = sorted(f"{head}{frame:0{padding}d}.exr" for frame in frames)
    for each in group(names).groups:
        pattern = Pattern.of(each)
        assert sorted((*pattern.names(), *each.bad_padding, *each.duplicate_frames)) == sorted(each.names())
        if head in ("a.", "a_"):
            read = parse(pattern.text(Notation.RV))
            assert read is not None
            assert list(read.names()) == list(pattern.names())
        assert all(fnmatch.fnmatchcase(name, pattern.text(Notation.GLOB)) for name in pattern.names())
        if head == "be%auty.":
            nuke = pattern.text(Notation.NUKE)
            assert [nuke % frame for frame in pattern.frames] == list(pattern.names())


@given(st.integers(1, 6), st.lists(st.integers(0, 5000), min_size=1, max_size=20))
def test_S20_fileseq_reads_what_we_write_for_it(padding: int, frames: list[int]) -> None:
    pattern = Pattern("shot.", ".exr", padding, FrameRanges.of(frames))
    assert sorted(FileSequence(pattern.text(Notation.FILESEQ))) == sorted(pattern.names())


def test_S11_tiles_are_written_as_such() -> None:
    (tiles,) = group(["tex.1001.exr", "tex.1002.exr"], udim=True).groups
    assert Pattern.of(tiles, "/maps").text(Notation.NUKE) == "/maps/tex.<UDIM>.exr"


def test_S10_subframes_are_written_exactly() -> None:
    (sub,) = group(["a.1001.00.exr", "a.1001.50.exr"], subframes=True).groups
    assert list(Pattern.of(sub).names()) == ["a.1001.00.exr", "a.1001.50.exr"]


def test_S10_subframes_are_told_with_their_decimals() -> None:
    names = ["a.1001.00.exr", "a.1001.25.exr", "a.1001.50.exr", "a.1003.00.exr"]
    (sub,) = group(names, subframes=True).groups
    assert sub.range_text == "1001.00-1001.50x0.25,1003.00"
    assert Pattern.of(sub).text(Notation.FILESEQ) == "a.1001.00-1001.50x0.25,1003.00#.exr"
