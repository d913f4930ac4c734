"""The rules of grouping, line by line (spec: sequences S1-S16, S21)."""

from __future__ import annotations

import random
import tracemalloc
from array import array
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.kinds import Kind, kind_of, split_extension
from kassettui.core.sequences import FrameGroup, Grouping, group
from kassettui.core.versions import version_in, with_version, without_version


def found(*names: str, subframes: bool = False, udim: bool = False) -> Grouping:
    return group(names, subframes=subframes, udim=udim)


def only(*names: str, subframes: bool = False, udim: bool = False) -> FrameGroup:
    """The one sequence that all of `names` are of."""
    grouping = found(*names, subframes=subframes, udim=udim)
    assert not grouping.singles, grouping.singles
    assert not grouping.strays
    (sequence,) = grouping.groups
    return sequence


def test_S1_only_ascii_digits_are_numbers() -> None:
    arabic = "\u0661\u0662\u0663\u0664"
    grouping = found(f"beauty.{arabic}.exr", "beauty.\u00b2.exr", "beauty.1001.exr", "beauty.1002.exr")
    assert [each.ranges.text for each in grouping.groups] == ["1001-1002"]
    assert {single.name for single in grouping.singles} == {f"beauty.{arabic}.exr", "beauty.\u00b2.exr"}


@pytest.mark.parametrize(
    "extension", ["exr", "dpx", "bgeo.sc", "exr.gz", "vdb", "ass.gz", "J2K", "jp2", "sgi"]
)
def test_S2_the_frame_stands_directly_before_a_known_extension(extension: str) -> None:
    sequence = only(f"a1.0001.{extension}", f"a1.0002.{extension}")
    assert (sequence.head, sequence.extension, sequence.padding) == ("a1.", extension, 4)
    assert sequence.ranges.text == "1-2"


def test_S2_digits_inside_extensions_are_never_frames() -> None:
    grouping = found("a.mp4", "b.j2k", "c.jp2", "d.mp3", "e.m2v", "f.unknown1", "f.unknown2")
    assert grouping.groups == ()
    assert len(grouping.singles) == 7


def test_S2_one_word_may_stand_between_frame_and_extension() -> None:
    sequence = only("shot.0001.beauty.exr", "shot.0002.beauty.exr")
    assert (sequence.head, sequence.tail, sequence.extension) == ("shot.", ".beauty", "exr")
    assert sequence.name_of(7) == "shot.0007.beauty.exr"
    sequence = only("shot.0001.cam01.exr", "shot.0002.cam01.exr")
    assert (sequence.head, sequence.tail) == ("shot.", ".cam01")


def test_S3_versions_are_no_frames() -> None:
    grouping = found("x_v001.exr", "x_v002.exr", "v003.exr", "x.V4.exr")
    assert grouping.groups == ()
    assert [single.version for single in grouping.singles] == [1, 2, 3, 4]
    grouping = found("v001.1001.exr", "v001.1002.exr", "v002.1001.exr")
    assert [(each.head, each.version, each.ranges.text) for each in grouping.groups] == [
        ("v001.", 1, "1001-1002"),
        ("v002.", 2, "1001"),
    ]


def test_S3_the_last_version_in_the_name_counts_else_the_nearest_parent_s() -> None:
    assert version_in("a_v002_b_v013.exr") == 13
    assert version_in("beauty.exr", ("v007", "comp_v001")) == 7
    assert version_in("dev12.exr") is None
    assert version_in("av001.exr") is None
    assert version_in("x_v12345.exr") is None
    assert without_version("comp_v012.mov") == "comp.mov"
    assert without_version("v012_comp") == "comp"
    assert with_version("comp_V012.mov", 13) == "comp_V013.mov"


def test_S4_a_minus_is_a_separator_after_letters_and_a_sign_after_separators() -> None:
    assert only("beauty-0001.exr", "beauty-0002.exr").ranges.text == "1-2"
    assert only("take2-0001.exr", "take2-0002.exr").head == "take2-"
    for head in ("beauty.", "beauty_", ""):
        sequence = only(f"{head}-0002.exr", f"{head}-0001.exr", f"{head}0001.exr", f"{head}0002.exr")
        assert sequence.head == head
        assert sequence.ranges.text == "-2--1,1-2"


def test_S5_movies_and_audio_never_group() -> None:
    grouping = found("a.0001.mov", "a.0002.mov", "b.0001.wav", "b.0002.wav")
    assert grouping.groups == ()
    assert [single.kind for single in grouping.singles] == [Kind.MOVIE] * 2 + [Kind.AUDIO] * 2


def test_S6_head_tail_and_extension_make_the_group() -> None:
    names = [
        "shot_0001.exr",
        "shot_0002.exr",
        "shot.0001.exr",
        "shot.left.0001.exr",
        "shot.0001.left.exr",
        "shot.0001.dpx",
    ]
    grouping = found(*names)
    assert {each.pattern for each in grouping.groups} == {
        "shot_####.exr", "shot.####.exr", "shot.left.####.exr", "shot.####.left.exr", "shot.####.dpx",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "padding", "assumed", "text"),
    [
        (["a.0998.exr", "a.1002.exr"], 4, False, "998,1002"),
        (["a.0999.exr", "a.9999.exr", "a.10000.exr"], 4, False, "999,9999-10000"),
        (["a.1001.exr", "a.1002.exr"], 4, True, "1001-1002"),
        (["a.9.exr", "a.10.exr", "a.100.exr"], 1, False, "9-10,100"),
        (["a.01.exr", "a.100.exr"], 2, False, "1,100"),
    ],
)
def test_S7_a_leading_zero_fixes_the_width(names: list[str], padding: int, assumed: bool, text: str) -> None:
    sequence = only(*names)
    assert (sequence.padding, sequence.padding_assumed, sequence.ranges.text) == (padding, assumed, text)
    assert list(sequence.names()) == names


def test_S8_members_padded_otherwise_are_reported_and_never_merged() -> None:
    sequence = only("a.0001.exr", "a.0002.exr", "a.00003.exr", "a.002.exr", "a.7.exr")
    assert sequence.ranges.text == "1-2"
    assert sequence.duplicate_frames == ("a.002.exr",)
    assert sequence.bad_padding == ("a.00003.exr", "a.7.exr")
    assert sequence.warnings


@pytest.mark.parametrize("minus", ["-001", "-0001"])
def test_S9_a_negative_frame_is_of_width_four_with_or_without_its_sign(minus: str) -> None:
    sequence = only(f"a.{minus}.exr", "a.0000.exr", "a.0001.exr")
    assert (sequence.padding, sequence.ranges.text) == (4, "-1-1")
    assert sequence.name_of(-1) == f"a.{minus}.exr"
    assert only(f"a.{minus}.exr").padding == 4


def test_S10_subframes_are_read_only_when_asked() -> None:
    names = ("a.1001.00.exr", "a.1001.25.exr", "a.1001.50.exr")
    grouping = found(*names)
    assert [each.head for each in grouping.groups] == ["a.1001."]
    assert any("subframes?" in warning for warning in grouping.warnings)
    sequence = only(*names, subframes=True)
    assert (sequence.head, sequence.decimals, list(sequence.frames)) == ("a.", 2, [100100, 100125, 100150])
    assert sequence.name_of(100175) == "a.1001.75.exr"


def test_S11_udim_only_by_explicit_mark() -> None:
    names = ("tex.1001.exr", "tex.1002.exr", "tex.1011.exr")
    assert not only(*names).udim
    assert only(*names, udim=True).udim
    assert not only("a.0001.exr", "a.0002.exr", udim=True).udim


def test_S12_what_a_single_numbered_image_is_depends_on_its_separator() -> None:
    assert only("beauty.0001.exr").ranges.text == "1"
    assert found("beauty_0001.exr").groups == ()
    assert found("beauty-0001.exr").groups == ()
    assert found("IMG0001.jpg").groups == found("0001.jpg").groups == ()
    assert only("IMG0001.jpg", "IMG0002.jpg").pattern == "IMG####.jpg"
    assert only("01.jpg", "02.jpg").pattern == "##.jpg"
    assert found("a1.jpg", "a2.jpg").groups == ()
    assert found("a1.jpg", "a10.jpg").groups == ()
    assert only("a1.jpg", "a10.jpg", "a11.jpg").ranges.text == "1,10-11"


def test_S13_long_numbers_are_ids_and_dates_are_dates() -> None:
    assert found("a.123456789.exr", "a.123456790.exr").groups == ()
    assert only("a.12345678.exr", "a.12345679.exr").padding == 8
    assert found("plate_2024-01-14.exr", "plate_2024-01-15.exr").groups == ()
    assert only("plate_2024-01-15.1001.exr").head == "plate_2024-01-15."


def test_S14_copies_of_a_desktop_are_strays() -> None:
    names = ("a.0001.exr", "a.0001 (1).exr", "copy of a.0002.exr", "a.0002 - Copy.exr", "a.0003 copy 2.exr")
    grouping = found(*names)
    assert [each.ranges.text for each in grouping.groups] == ["1"]
    assert {stray.name for stray in grouping.strays} == set(names[1:])


def test_S15_temp_files_and_dotfiles_are_evidence_not_members() -> None:
    grouping = found(
        "a.0001.exr", "a.0002.exr.part", ".a.0003.exr.Xy12", "a.0003.part.exr", "b.0001.exr", "x.tmp",
        "c.0001.exr~",
    )  # fmt: skip
    assert {each.head: each.growing_evidence for each in grouping.groups} == {"a.": True, "b.": False}
    assert len(grouping.temporary) == 5


def test_S16_extensions_that_differ_in_case_are_two_groups_and_a_warning() -> None:
    grouping = found("a.0001.exr", "a.0002.EXR")
    assert {each.pattern for each in grouping.groups} == {"a.####.exr", "a.####.EXR"}
    assert any("another case" in warning for warning in grouping.warnings)
    nfc, nfd = "\u00e9.0001.exr", "e\u0301.0001.exr"
    assert {each.name_of(1) for each in found(nfc, nfd).groups} == {nfc, nfd}


def test_S21_a_million_names_make_arrays_not_objects() -> None:
    names = [f"beauty.{frame:07d}.exr" for frame in range(200_000)]
    tracemalloc.start()
    grouping = group(names, array("q", bytes(8 * len(names))), array("q", bytes(8 * len(names))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grouping.groups[0].ranges.text == "0-199999"
    assert peak < 60 * len(names)


parts = st.sampled_from(
    ["a", "beauty", ".", "_", "-", "v001", "v2", "1001", "0001", "7", "-3", "00", "2024-01-15", "cam01",
     " (1)", "copy of ", "\n", "\udcff", "é", "#", "[1-2]", "1001.25", "123456789", "%", "12"]
)  # fmt: skip
endings = st.sampled_from(
    [".exr", ".dpx", ".bgeo.sc", ".mov", ".EXR", "", ".part", ".exr.part", ".1.exr", ".0002.exr"]
)
anything = st.builds(lambda body, ending: "".join(body) + ending, st.lists(parts, max_size=5), endings)
runs = st.builds(
    lambda head, padding, frames, tail, sign: [
        f"{head}{'-' if sign and frame % 3 == 0 else ''}{frame:0{padding}d}{tail}" for frame in frames
    ],
    st.sampled_from(["a.", "a_", "a-", "a", "", "x_v001.", "x_v", "2024-01-", "a.1001."]),
    st.integers(1, 5),
    st.lists(st.integers(0, 12000), max_size=12),
    st.sampled_from([".exr", ".left.exr", ".cam01.exr", ".vdb"]),
    st.booleans(),
)
directories = st.builds(
    lambda names, many: sorted({name for name in chain(names, *many) if name}),
    st.lists(anything, max_size=12),
    st.lists(runs, max_size=4),
)  # fmt: skip


def every_name(grouping: Grouping) -> list[str]:
    return [
        *(name for each in grouping.groups for name in each.names()),
        *(single.name for single in (*grouping.singles, *grouping.strays)),
        *grouping.temporary,
    ]


@given(directories, st.booleans(), st.integers())
def test_every_name_comes_back_whatever_the_directory_holds(
    names: list[str], subframes: bool, seed: int
) -> None:
    grouping = group(names, subframes=subframes)
    assert sorted(every_name(grouping)) == names
    shuffled = names.copy()
    random.Random(seed).shuffle(shuffled)
    again = group(shuffled, subframes=subframes)
    assert [(each.pattern, list(each.names())) for each in again.groups] == [
        (each.pattern, list(each.names())) for each in grouping.groups
    ]
    assert {single.name for single in again.singles} == {single.name for single in grouping.singles}


@given(directories)
def test_sizes_and_times_stay_with_their_frames(names: list[str]) -> None:
    sizes = array("q", [len(name) * 1000 + position for position, name in enumerate(names)])
    grouping = group(names, sizes, sizes)
    for each in grouping.groups:
        assert each.sizes is not None
        assert [names[index] for index in each.indexes] == [each.name_of(frame) for frame in each.frames]
        assert list(each.sizes) == [sizes[index] for index in each.indexes]
        assert list(each.frames) == sorted(set(each.frames))
    for single in (*grouping.singles, *grouping.strays):
        assert names[single.index] == single.name


@pytest.mark.parametrize(
    ("name", "stem", "extension"),
    [
        ("a.exr", "a", "exr"),
        ("a.bgeo.sc", "a", "bgeo.sc"),
        ("a.BGEO.SC", "a", "BGEO.SC"),
        (".bashrc", ".bashrc", ""),
        ("noext", "noext", ""),
        ("a.tar.gz", "a.tar", "gz"),
        ("bgeo.sc", "bgeo", "sc"),
    ],
)
def test_S2_extensions_are_found_whole(name: str, stem: str, extension: str) -> None:
    assert split_extension(name) == (stem, extension)


def test_S5_kinds_follow_the_extension_whatever_its_case() -> None:
    assert [kind_of(each) for each in ("EXR", "mov", "WAV", "txt", "vdb", "tif.gz", "")] == [
        Kind.IMAGE, Kind.MOVIE, Kind.AUDIO, Kind.OTHER, Kind.OTHER, Kind.IMAGE, Kind.OTHER,
    ]  # fmt: skip
