"""F10: bulk rename by template, find and replace, and editor; swaps, cycles, case; all or nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.files import volumes
from kassettui.files.listing import select
from kassettui.files.plan import Operation, Options
from kassettui.files.renaming import (
    Pair,
    by_lines,
    by_replacing,
    by_template,
    editor_text,
    escaped,
    unescaped,
    wanted,
)
from kassettui.files.sequences import names_plan
from kassettui.jobs.control import Control
from tests.files.trees import done, frames, picture, undo, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.files.operations import FileOperations


def rename(files: FileOperations, pairs: list[Pair]) -> None:
    """Carry it out."""
    done(files, names_plan(Operation.RENAME, wanted(pairs), "t", Options()))


def named(place: Path, *names: str) -> list[Pair]:
    """Things and the names that a person left in the editor, `old=new` each."""
    before, after = zip(*(name.split("=") for name in names), strict=True)
    entries = select([f"{place}/{name}" for name in before], fold=False)
    return by_lines(entries, "\n".join(after) + "\n")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{stem}_{n:03}", ["shot_v003_001.mov", "other_002.mov"]),
        ("{n}", ["1.mov", "2.mov"]),
        ("{stem}.{ext}", ["shot_v003.mov", "other.mov"]),
        ("old_{name}", ["old_shot_v003.mov", "old_other.mov"]),
        ("{parent}_{n:02}.{ext}", ["place_01.mov", "place_02.mov"]),
        ("{stem}_{date:%Y%m%d}", ["shot_v003_20231114.mov", "other_20231114.mov"]),
        ("{shot}_{n}", ["sh010_1.mov", "sh010_2.mov"]),
        ("a{{b}}{n}", ["a{b}1.mov", "a{b}2.mov"]),
    ],
)
def test_F10_templates(place: Path, template: str, expected: list[str]) -> None:
    for name in ("shot_v003.mov", "other.mov"):
        write(place / name)
    entries = select([f"{place}/shot_v003.mov", f"{place}/other.mov"])
    pairs = by_template(entries, template, fields=lambda _: {"shot": "sh010"})
    assert [pair.after for pair in pairs] == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("hero", "hero.####.exr"),
        ("hero_{frame:06}", "hero_######.exr"),
        ("{stem}_{version:02}", "comp_v012_12.####.exr"),
        ("{stem}_{frame}.{ext}", "comp_v012_####.exr"),
        ("x_{name}", "x_comp_v012.####.exr"),
    ],
)
def test_F10_templates_for_sequences(
    files: FileOperations, place: Path, template: str, expected: str
) -> None:
    frames(place, "comp_v012.")
    pairs = by_template(select([f"{place}/comp_v012.#.exr"]), template)
    assert [pair.after for pair in pairs] == [expected]
    rename(files, pairs)
    (entry,) = select([f"{place}/{expected}"])
    assert entry.frames == "1001-1010"


@pytest.mark.parametrize(
    "template",
    ["{nope}", "{name.x}", "{name[0]}", "{name!r}", "{n:x}", "{", "{frame}", "{stem:>20}", "{date:\n}"],
)
def test_F10_bad_templates_are_refused(place: Path, template: str) -> None:
    write(place / "a.mov")
    with pytest.raises(InvalidInput):
        by_template(select([f"{place}/a.mov"]), template)


def test_F10_find_and_replace_leaves_extensions_alone(place: Path) -> None:
    for name in ("plate.plate", "Plate_plate.mov"):
        write(place / name)
    entries = select([f"{place}/plate.plate", f"{place}/Plate_plate.mov"])
    assert [pair.after for pair in by_replacing(entries, "plate", "bg")] == ["bg.plate", "Plate_bg.mov"]
    assert [
        pair.after for pair in by_replacing(entries, "plate", "bg", ignore_case=True, extension=True)
    ] == [
        "bg.bg",
        "bg_bg.mov",
    ]
    assert by_replacing(entries, r"^(.)late", r"\1x", regex=True)[0].after == "px.plate"
    with pytest.raises(InvalidInput, match="no regular expression"):
        by_replacing(entries, "(", "", regex=True)


def test_F10_swaps_and_cycles(files: FileOperations, place: Path) -> None:
    for name in "abcde":
        write(place / name, name)
    rename(files, named(place, "a=b", "b=a", "c=d", "d=e", "e=c"))
    assert {path.name: path.read_text() for path in place.iterdir()} == dict(
        zip("badec", "abcde", strict=True)
    )
    undo(files)
    assert {path.name: path.read_text() for path in place.iterdir()} == {name: name for name in "abcde"}


def test_F10_a_change_of_case_only(files: FileOperations, place: Path) -> None:
    write(place / "Plate.mov", "x")
    rename(files, named(place, "Plate.mov=plate.MOV"))
    assert os.listdir(place) == ["plate.MOV"]


def test_F10_a_change_of_case_where_case_does_not_count(
    files: FileOperations, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place / "Plate.mov", "x")
    monkeypatch.setattr(volumes, "folds_case", lambda _: True)
    pairs = named(place, "Plate.mov=plate.mov")
    plan = names_plan(Operation.RENAME, wanted(pairs), "t", Options())
    assert [os.path.basename(step.destination)[:9] for step in plan.steps] == [".kassettu", "plate.mov"]
    done(files, plan)
    assert os.listdir(place) == ["plate.mov"]


@pytest.mark.parametrize(
    ("name", "problem"), [("", "empty"), (".", "be ."), ("..", "be .."), ("x/y", "hold /")]
)
def test_F10_impossible_names_are_refused(place: Path, name: str, problem: str) -> None:
    write(place / "a")
    (pair,) = by_lines(select([f"{place}/a"]), name + "\n")
    assert problem in pair.problem
    with pytest.raises(InvalidInput, match="cannot be given"):
        wanted([pair])


def test_F10_all_problems_are_found_at_once(place: Path) -> None:
    for name in "abcd":
        write(place / name)
    pairs = named(place, "a=same", "b=same", "c=x/y", "d=free")
    assert [bool(pair.problem) for pair in pairs] == [False, True, True, False]


def test_F10_what_exists_stands_in_the_way(place: Path) -> None:
    for name in ("a", "b", "taken"):
        write(place / name)
    plan = names_plan(Operation.RENAME, wanted(named(place, "a=taken", "b=c")), "t", Options())
    assert [conflict.destination.path for conflict in plan.open_conflicts] == [f"{place}/taken"]


def test_F10_at_the_first_failure_everything_goes_back(files: FileOperations, place: Path) -> None:
    for name in "abc":
        write(place / name, name)
    plan = names_plan(Operation.RENAME, wanted(named(place, "a=x", "b=y", "c=z")), "t", Options())
    before = picture(place)
    last = plan.steps[-1]
    write(last.destination, "appeared")
    result = files.run(plan, Control())
    assert result.failures
    os.unlink(last.destination)
    assert picture(place) == before
    assert not files.undo_stack()


def test_F10_the_editor_round_trip_keeps_odd_names(files: FileOperations, place: Path) -> None:
    names = ["new\nline", os.fsdecode(b"\xff\xfe"), "back\\slash", "\x1b[31m", " blank "]
    for name in names:
        write(place / name)
    entries = select([f"{place}/{name}" for name in names])
    text = editor_text(entries)
    assert text.count("\n") == len(names)
    assert [pair.after for pair in by_lines(entries, text)] == names
    rename(files, by_lines(entries, text.replace("line", "LINE")))
    assert "new\nLINE" in os.listdir(place)
    with pytest.raises(InvalidInput, match="4 lines"):
        by_lines(entries, "\n".join(text.splitlines()[:4]))


@given(st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw))
def test_F10_escapes_have_an_inverse(raw: bytes) -> None:
    name = os.fsdecode(raw)
    assert unescaped(escaped(name)) == name
    assert "\n" not in escaped(name)
