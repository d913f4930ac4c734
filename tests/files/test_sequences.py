"""F9: whole sequences renumbered, padded, versioned up: all frames or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.core.padding import number_text
from kassettui.files.arranging import Rename, arranged
from kassettui.files.listing import select
from kassettui.files.plan import Identity, Options, Policy
from kassettui.files.sequences import next_version, renumber_plan, version_up_plan
from kassettui.jobs.control import Cancelled, Control
from tests.files.trees import done, frames, picture, undo, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.files.operations import FileOperations


def contents(place: Path) -> dict[str, str]:
    """Names and what is in them."""
    return {path.name: path.read_text().rstrip(".") for path in sorted(place.iterdir())}


@pytest.mark.parametrize("offset", [1, -1, 5, -5, 100, -1001, -1005])
def test_F9_overlapping_renumbering_goes_the_safe_way(
    files: FileOperations, place: Path, offset: int
) -> None:
    frames(place)
    wanted = renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", offset=offset)
    done(files, wanted)
    numbers = {frame: number_text(frame + offset, 4) for frame in range(1001, 1011)}
    assert contents(place) == {f"beauty.{new}.exr": f"beauty.{old}" for old, new in numbers.items()}


def test_F9_start_and_padding(files: FileOperations, place: Path) -> None:
    frames(place, last=1003)
    done(files, renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", start=1, padding=6))
    assert sorted(contents(place)) == ["beauty.000001.exr", "beauty.000002.exr", "beauty.000003.exr"]


def test_F9_badly_padded_members_fall_into_line(files: FileOperations, place: Path) -> None:
    frames(place, first=8, last=9)
    write(place / "beauty.00010.exr", "ten")
    done(files, renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", offset=1))
    assert sorted(contents(place)) == ["beauty.0009.exr", "beauty.0010.exr", "beauty.0011.exr"]


def test_F9_a_frame_that_stands_twice_is_refused(place: Path) -> None:
    frames(place, first=8, last=10)
    write(place / "beauty.00010.exr", "again")
    wanted = renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", offset=1)
    assert [problem.code for problem in wanted.fatal_problems] == ["collision"]


def test_F9_what_stands_in_the_way_is_a_conflict(files: FileOperations, place: Path) -> None:
    frames(place, last=1003)
    entry = select([f"{place}/beauty.[1001-1002].exr"])[0]
    wanted = renumber_plan(entry, title="t", offset=1)
    (conflict,) = wanted.open_conflicts
    assert conflict.destination.frames == "1003"
    done(files, renumber_plan(entry, title="t", offset=1, options=Options(on_conflict=Policy.OVERWRITE)))
    assert contents(place) == {"beauty.1002.exr": "beauty.1001", "beauty.1003.exr": "beauty.1002"}
    undo(files)
    assert sorted(contents(place)) == ["beauty.1001.exr", "beauty.1002.exr", "beauty.1003.exr"]


def test_F9_a_failing_frame_takes_the_others_back(files: FileOperations, place: Path) -> None:
    frames(place)
    before = picture(place)
    wanted = renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", offset=3)
    write(place / "beauty.1011.exr", "appeared")
    result = files.run(wanted, Control())
    assert len(result.failures) == 1
    assert result.items_done == 0
    (place / "beauty.1011.exr").unlink()
    assert picture(place) == before


def test_F9_a_cancel_in_the_middle_takes_all_back(files: FileOperations, place: Path) -> None:
    frames(place)
    before = picture(place)
    wanted = renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="t", offset=3)

    class Stopping(Control):
        def advance(self, items: int = 0, bytes: int = 0, *, current: str | None = None) -> None:  # noqa: A002
            super().advance(items, bytes, current=current)
            if self.read().items_done == 4:
                self.cancel()

    with pytest.raises(Cancelled):
        files.run(wanted, Stopping())
    assert picture(place) == before


def test_F9_too_long_numbers_are_refused(place: Path) -> None:
    frames(place, last=1002)
    entry = select([f"{place}/beauty.#.exr"])[0]
    with pytest.raises(InvalidInput, match="8 digits"):
        renumber_plan(entry, title="t", offset=10**8)
    with pytest.raises(InvalidInput, match="no sequence"):
        renumber_plan(select([f"{place}/beauty.1001.exr"], fold=False)[0], title="t", offset=1)


def test_F9_version_up_takes_the_next_free_number(files: FileOperations, place: Path) -> None:
    frames(place, "comp_v002.", last=1003)
    write(place / "comp_v007.1001.exr", "later")
    write(place / "plate_v009.1001.exr", "another role")
    entry = select([f"{place}/comp_v002.#.exr"])[0]
    assert next_version(entry) == 8
    done(files, version_up_plan([entry], title="t", known=lambda _: [11]))
    assert sorted(path.name for path in place.glob("comp_v012*")) == [
        f"comp_v012.{frame}.exr" for frame in range(1001, 1004)
    ]
    with pytest.raises(InvalidInput, match="no version"):
        next_version(select([f"{write(place / 'plain.txt')}"])[0])


@given(st.permutations(range(7)), st.integers(0, 7))
def test_F9_any_rearrangement_is_done_without_stepping_on_anything(order: list[int], free: int) -> None:
    """Names 0…6 to a permutation of them, some of which go to free names instead."""
    was = Identity(0, 0, 0, 0)
    wanted = {
        f"/d/{source}": f"/d/{target + (10 if target < free else 0)}" for source, target in enumerate(order)
    }
    names = {source: source for source in wanted}  # where each thing is now
    standing = set(wanted)
    for step in arranged([Rename(source, target, was) for source, target in wanted.items()]):
        assert step.source in standing
        assert step.destination not in standing
        standing.remove(step.source)
        standing.add(step.destination)
        thing = next(thing for thing, at in names.items() if at == step.source)
        names[thing] = step.destination
    assert names == wanted
    assert all(os.path.basename(name)[0] != "." for name in standing)
