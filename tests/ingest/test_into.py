"""Virtual folders that follow the tree (`--into`; library L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.ingest.report import Status
from tests.ingest.trees import bring_in, everything, frames, rows, table, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def _places(library: Library) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    sql = (
        "WITH RECURSIVE way (id, path) AS (SELECT 1, '' UNION ALL SELECT f.id, way.path || '/' || f.name "
        "FROM folders f JOIN way ON f.parent_id = way.id) "
        "SELECT a.canonical_key AS key, way.path AS path FROM asset_folders m "
        "JOIN assets a ON a.id = m.asset_id JOIN way ON way.id = m.folder_id"
    )
    for place in table(library, sql):
        found.setdefault(place["key"], set()).add(place["path"])
    return found


def test_the_tree_stands_below_the_folder(library: Library, root: Path) -> None:
    frames(root / "sh1" / "comp", range(1, 4))
    write(root / "still.png")
    bring_in(library, root, into="Dailies/Monday")
    assert _places(library) == {
        "fs:sh1/comp/beauty.#.exr": {"/Dailies/Monday/sh1/comp"},
        "fs:still.png": {"/Dailies/Monday"},
    }


def test_what_is_known_already_goes_there_too_and_twice_is_once(library: Library, root: Path) -> None:
    frames(root / "sh1", range(1, 4))
    write(root / "sh1" / "a.png", b"a")
    bring_in(library, root)
    assert _places(library) == {}
    bring_in(library, root, into="X")
    first = everything(library, but=("runs", "collections"))
    bring_in(library, root, into="X")
    assert everything(library, but=("runs", "collections")) == first
    assert _places(library) == {"fs:sh1/beauty.#.exr": {"/X/sh1"}, "fs:sh1/a.png": {"/X/sh1"}}


def test_a_moved_directory_is_placed_where_it_is_now(library: Library, root: Path) -> None:
    frames(root / "sh1", range(1, 4))
    write(root / "a.png")
    bring_in(library, root, into="X")
    (root / "sh1").rename(root / "sh2")
    assert bring_in(library, root, into="X").stats.moved == 1
    assert _places(library)["fs:sh2/beauty.#.exr"] == {"/X/sh1", "/X/sh2"}


def test_L4_a_folder_that_cannot_be_fails_the_run_and_nothing_falls_back_to_root(
    library: Library, root: Path
) -> None:
    write(root / " " / "a.png")
    before = everything(library)
    report = bring_in(library, root, into="X")
    assert report.status is Status.ERROR
    assert "cannot be called" in (report.message or "")
    assert everything(library) == before
    assert bring_in(library, root).stats.ingested == 1
    assert rows(library)[0]["name"] == "a.png"
