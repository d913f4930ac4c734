"""F1-F3: what a plan says of conflicts and problems, and that it is what the run does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import Refused
from kassettui.files.listing import list_directory, select
from kassettui.files.plan import Answers, ConflictKind, ItemKind, Operation, Policy, StepKind
from kassettui.files.planning import transfer_plan
from kassettui.jobs.control import Control
from tests.files.trees import done, frames, picture, plan, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.files.operations import FileOperations


def test_F1_equal_requests_give_equal_plans_and_touch_nothing(place: Path) -> None:
    frames(place / "a")
    before = picture(place)
    first, second = (plan(Operation.COPY, place / "a", f"{place}/new/deep/") for _ in range(2))
    assert first == second
    assert picture(place) == before


def test_F1_the_run_does_just_what_the_plan_says(files: FileOperations, place: Path) -> None:
    frames(place / "a")
    write(place / "a" / "deep" / "x", "x")
    wanted = plan(Operation.COPY, place / "a", f"{place}/new/")
    done(files, wanted)
    named = {step.destination for step in wanted.steps}
    found = {os.path.join(place, "new", path) for path in picture(place / "new")} | {f"{place}/new"}
    assert found == named
    rows = files.steps_of(files.history()[0])
    assert [(row.kind, row.source or "", row.destination) for row in rows] == [
        (str(step.kind), step.source, step.destination) for step in wanted.steps
    ]


def test_F3_without_an_answer_every_conflict_is_listed_and_nothing_runs(
    files: FileOperations, place: Path
) -> None:
    for name in ("x", "y"):
        write(place / "a" / name, "new", mtime=200)
        write(place / "b" / "a" / name, "older", mtime=100)
    wanted = plan(Operation.COPY, place / "a", place / "b")
    assert [conflict.kind for conflict in wanted.open_conflicts] == [
        ConflictKind.DIRECTORY,
        ConflictKind.FILE,
        ConflictKind.FILE,
    ]
    _, first, _ = wanted.open_conflicts
    assert (first.source.size, first.source.mtime_ns) == (3, 200 * 10**9)
    assert (first.destination.size, first.destination.mtime_ns) == (5, 100 * 10**9)
    with pytest.raises(Refused, match="exists already"):
        files.run(wanted, Control())


def test_F3_one_answer_for_each_and_one_for_all(files: FileOperations, place: Path) -> None:
    for name in ("x", "y", "z"):
        write(place / "a" / name, "new")
        write(place / "b" / "a" / name, "old")
    each = {f"{place}/b/a": Policy.MERGE, f"{place}/b/a/x": Policy.SKIP, f"{place}/b/a/y": Policy.KEEP_BOTH}
    wanted = transfer_plan(
        Operation.COPY,
        select([f"{place}/a"]),
        f"{place}/b",
        title="t",
        answers=Answers(Policy.OVERWRITE, each),
    )
    done(files, wanted)
    found = {path.name: path.read_text() for path in (place / "b" / "a").iterdir()}
    assert found == {"x": "old", "y": "old", "y (2)": "new", "z": "new"}


def test_F3_a_directory_may_be_left_out_as_a_whole(files: FileOperations, place: Path) -> None:
    write(place / "a" / "x", "new")
    write(place / "b" / "a" / "y", "old")
    each = {f"{place}/b/a": Policy.SKIP}
    wanted = transfer_plan(
        Operation.COPY,
        select([f"{place}/a"]),
        f"{place}/b",
        title="t",
        answers=Answers(Policy.OVERWRITE, each),
    )
    assert wanted.steps == ()
    assert wanted.items[0].skipped


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.KEEP_BOTH, Policy.SKIP, Policy.NEWER])
def test_F3_a_file_and_a_directory_of_one_name(files: FileOperations, place: Path, policy: Policy) -> None:
    write(place / "a" / "thing", "a file")
    write(place / "b" / "thing" / "inside", "a directory")
    wanted = plan(Operation.COPY, place / "a" / "thing", place / "b", policy)
    if policy is Policy.NEWER:
        assert [conflict.kind for conflict in wanted.open_conflicts] == [
            ConflictKind.KIND
        ] or not wanted.conflicts
        return
    # `b` is a directory, so the file goes into it: under the name that is a directory's.
    done(files, wanted)
    if policy is Policy.OVERWRITE:
        assert (place / "b" / "thing").read_text() == "a file"
    else:
        assert (place / "b" / "thing" / "inside").read_text() == "a directory"
    assert (place / "b" / "thing (2)").exists() == (policy is Policy.KEEP_BOTH)


def test_F3_a_directory_takes_the_place_of_a_file(files: FileOperations, place: Path) -> None:
    write(place / "a" / "thing" / "inside", "a directory")
    write(place / "b" / "thing", "a file")
    done(files, plan(Operation.COPY, place / "a" / "thing", place / "b", Policy.OVERWRITE))
    assert (place / "b" / "thing" / "inside").read_text() == "a directory"


def test_F3_a_sequence_conflict_shows_frames_and_health(place: Path) -> None:
    frames(place / "a", last=1010)
    frames(place / "b", first=1005, last=1020)
    (place / "b" / "beauty.1007.exr").unlink()
    (conflict,) = plan(Operation.COPY, place / "a" / "beauty.#.exr", place / "b").open_conflicts
    assert conflict.kind is ConflictKind.SEQUENCE
    assert conflict.source.frames == "1001-1010"
    assert conflict.destination.frames == "1005-1006,1008-1010"
    assert conflict.destination.count == 5
    assert conflict.source.health == "complete"


def test_F3_keep_both_gives_a_sequence_a_new_head(files: FileOperations, place: Path) -> None:
    frames(place / "a")
    frames(place / "b", last=1003)
    done(files, plan(Operation.COPY, place / "a" / "beauty.#.exr", place / "b", Policy.KEEP_BOTH))
    entries = {entry.name: entry.frames for entry in list_directory(f"{place}/b").entries}
    assert entries == {"beauty.#.exr": "1001-1003", "beauty (2).#.exr": "1001-1010"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy.OVERWRITE, "nnn"),
        (Policy.NEWER, "onn"),
        (Policy.SIZE_DIFFERS, "non"),
        (Policy.CONTENT_DIFFERS, "nnn"),
        (Policy.SKIP, "oo"),
    ],
)
def test_F3_answers_for_sequences_go_frame_by_frame_where_they_compare(
    files: FileOperations, place: Path, policy: Policy, expected: str
) -> None:
    for frame, (new, old) in enumerate([(100, 200), (200, 100), (100, 0)], 1001):
        write(place / "a" / f"s.{frame}.exr", "n" * (1 + (frame == 1001)), mtime=new)
        if old:
            write(place / "b" / f"s.{frame}.exr", "o", mtime=old)
    done(files, plan(Operation.COPY, place / "a" / "s.#.exr", place / "b", policy))
    assert "".join(path.read_text()[0] for path in sorted((place / "b").iterdir())) == expected


def test_F2_what_a_shell_expanded_is_one_sequence_again(place: Path) -> None:
    listed = frames(place, last=1004)
    write(place / "other.txt", "x")
    entries = select([f"{path}" for path in [*listed, place / "other.txt"]])
    assert [(entry.kind, entry.frames) for entry in entries] == [
        (ItemKind.SEQUENCE, "1001-1004"),
        (ItemKind.FILE, ""),
    ]


def test_F9_only_the_named_frames_are_copied(files: FileOperations, place: Path) -> None:
    frames(place / "a")
    (place / "b").mkdir()
    done(files, plan(Operation.COPY, place / "a" / "beauty.[1003-1007x2].exr", place / "b"))
    assert sorted(os.listdir(place / "b")) == ["beauty.1003.exr", "beauty.1005.exr", "beauty.1007.exr"]


def test_F9_a_sequence_goes_under_a_new_pattern(files: FileOperations, place: Path) -> None:
    frames(place / "a", last=1002)
    done(files, plan(Operation.COPY, place / "a" / "beauty.%04d.exr", place / "hero_#####.exr"))
    assert sorted(path.name for path in place.glob("hero*")) == ["hero_01001.exr", "hero_01002.exr"]


def test_F6_a_move_on_one_device_is_one_rename(place: Path) -> None:
    frames(place / "a")
    (place / "b").mkdir()
    wanted = plan(Operation.MOVE, place / "a", place / "b")
    assert [step.kind for step in wanted.steps] == [StepKind.RENAME]
    assert wanted.total_bytes == 0


def test_F2_a_destination_that_is_not_there_is_made_only_when_it_ends_in_a_slash(place: Path) -> None:
    write(place / "a", "a")
    wanted = plan(Operation.COPY, place / "a", place / "no" / "such")
    assert [problem.code for problem in wanted.fatal_problems] == ["no_directory"]
    wanted = plan(Operation.COPY, place / "a", f"{place}/no/such/")
    assert [step.kind for step in wanted.steps] == [StepKind.MKDIR, StepKind.MKDIR, StepKind.COPY]
