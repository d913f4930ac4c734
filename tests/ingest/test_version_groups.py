"""What is found on disk joins the version groups of its name (spec: library V6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.library import versions
from kassettui.library.versions import Group, Scope
from tests.ingest.trees import bring_in, frames, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library

LAYOUT = "{show}/{sequence}/{shot}/{task}"


def groups(library: Library) -> dict[tuple[str, ...], list[int]]:
    """The numbers of each group, newest first, by project, entity and key."""

    def read(db: object) -> dict[tuple[str, ...], list[int]]:
        found: list[Group] = versions.listed(db)  # type: ignore[arg-type]
        numbers = versions.of_groups(db, [one.id for one in found])  # type: ignore[arg-type]
        return {tuple(one.key): [each.number for each in numbers.get(one.id, [])] for one in found}

    return library.read(read)


def test_V6_names_with_versions_join_the_group_of_their_role(library: Library, root: Path) -> None:
    shot = root / "abc" / "sq1" / "sh010" / "comp"
    for number in (1, 2, 12):
        frames(shot / f"v{number:03}", range(1, 4), f"sh010_comp_v{number:03}.{{:04}}.exr")
    write(shot / "sh010_comp_v002.mov")
    write(shot / "notes.txt")
    write(shot / "ref.png")
    bring_in(library, root, layout=LAYOUT)
    assert groups(library) == {
        ("abc", "shot", "sq1/sh010", "comp/sh010_comp.#.exr"): [12, 2, 1],
        ("abc", "shot", "sq1/sh010", "comp/sh010_comp.mov"): [2],
    }
    scope = Scope("abc", "shot", ("sq1/sh010",))
    assert library.read(versions.next_version_number, scope, "comp/sh010_comp.#.exr") == [13]
    [best] = library.read(versions.best_versions, scope, "comp/sh010_comp.#.exr")
    assert best is not None
    assert best.number == 1
    assert best.size == 18


def test_V6_a_version_in_the_directory_alone_counts_as_well(library: Library, root: Path) -> None:
    for number in (1, 2):
        frames(root / "render" / f"v{number:03}", range(1, 4))
    bring_in(library, root, name="abc")
    assert groups(library) == {("abc", "", "", "render/beauty.#.exr"): [2, 1]}


def test_V6_without_a_layout_the_collection_is_the_project(library: Library, root: Path) -> None:
    write(root / "a" / "x_v001.exr")
    write(root / "b" / "x_v001.exr")
    write(root / "y.v003.png")
    bring_in(library, root, name="loose")
    assert groups(library) == {
        ("loose", "", "", "a/x.exr"): [1],
        ("loose", "", "", "b/x.exr"): [1],
        ("loose", "", "", "y.png"): [3],
    }


def test_V6_a_later_import_adds_to_the_group_and_leaves_best(library: Library, root: Path) -> None:
    write(root / "x_v003.png")
    bring_in(library, root, name="abc")
    write(root / "x_v005.png")
    write(root / "x_v004.png")
    bring_in(library, root)
    assert groups(library) == {("abc", "", "", "x.png"): [5, 4, 3]}
    [group] = library.read(lambda db: versions.listed(db))
    assert (group.head, group.best) == (5, 3)


def test_V6_one_number_is_one_version_wherever_else_it_lies(library: Library, root: Path) -> None:
    write(root / "v001" / "x_v002.png")
    write(root / "v003" / "x_v002.png")
    bring_in(library, root, name="abc")
    assert groups(library) == {("abc", "", "", "x.png"): [2]}


def test_V6_an_import_that_changes_nothing_touches_no_group(library: Library, root: Path) -> None:
    write(root / "x_v001.png")
    bring_in(library, root, name="abc")
    before = library.read(lambda db: db.all("SELECT * FROM version_groups, asset_versions"))
    bring_in(library, root)
    assert library.read(lambda db: db.all("SELECT * FROM version_groups, asset_versions")) == before


def test_V6_a_number_deleted_by_hand_does_not_come_back_from_disk(library: Library, root: Path) -> None:
    write(root / "x_v001.png")
    write(root / "x_v002.png")
    bring_in(library, root, name="abc")
    [second] = library.read(versions.versions_by_number, Scope("abc"), "x.png", [2])
    assert second is not None
    library.write(versions.delete_versions, [second.id])
    (root / "x_v002.png").write_bytes(b"other pixels")
    bring_in(library, root)
    assert groups(library) == {("abc", "", "", "x.png"): [1]}
    assert library.read(versions.next_version_number, Scope("abc"), "x.png") == [3]


def test_V6_a_renamed_directory_takes_its_groups_along(library: Library, root: Path) -> None:
    """The next version found there joins the old ones, and the old ones keep their best."""
    shot = root / "abc" / "sq1" / "sh010" / "comp"
    for number in (1, 2):
        frames(shot, range(1, 4), f"x_v{number:03}.{{:04}}.exr")
    write(root / "abc" / "sq1" / "sh020" / "comp" / "y_v001.png")
    bring_in(library, root, layout=LAYOUT)
    library.write(versions.set_best, Scope("abc", "shot", ("sq1/sh010",)), "comp/x.#.exr", [2])
    shot.parent.rename(shot.parent.with_name("sh015"))
    frames(root / "abc" / "sq1" / "sh015" / "comp", range(1, 4), "x_v003.{:04}.exr")
    report = bring_in(library, root)
    assert report.stats.moved == 2
    assert groups(library) == {
        ("abc", "shot", "sq1/sh015", "comp/x.#.exr"): [3, 2, 1],
        ("abc", "shot", "sq1/sh020", "comp/y.png"): [1],
    }
    [best] = library.read(versions.best_versions, Scope("abc", "shot", ("sq1/sh015",)), "comp/x.#.exr")
    assert best is not None
    assert best.number == 2


def test_V6_one_version_that_moves_away_leaves_the_group_in_place(library: Library, root: Path) -> None:
    write(root / "a" / "x_v001.png", b"one")
    write(root / "a" / "x_v002.png", b"two")
    bring_in(library, root, name="abc")
    (root / "b").mkdir()
    (root / "a" / "x_v002.png").rename(root / "b" / "x_v002.png")
    bring_in(library, root)
    assert groups(library) == {("abc", "", "", "a/x.png"): [2, 1]}


def test_V6_names_that_are_no_utf8_have_groups_too(library: Library, root: Path) -> None:
    import os

    directory = os.fsencode(root)
    for number in (b"1", b"2"):
        path = os.path.join(directory, b"x\x80y_v00" + number + b".png")
        with open(path, "wb") as file:
            file.write(b"pixels" + number)
    bring_in(library, root, name="abc")
    assert groups(library) == {("abc", "", "", "x\udc80y.png"): [2, 1]}
