"""F13: assets follow moves and renames with all that hangs on them, whole directories in one statement."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.files.disposing import trash_plan
from kassettui.files.listing import select
from kassettui.files.plan import Operation, Options, Policy
from kassettui.files.renaming import by_lines, wanted
from kassettui.files.sequences import names_plan
from kassettui.library import collections
from kassettui.library.events import AssetsChanged
from kassettui.library.following import Move, follow
from tests.files.trees import copy, done, frames, move, redo, undo, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.files.operations import FileOperations
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

NOW = 1_800_000_000_000_000


def add(db: LibraryDatabase, collection: Any, path: str, uuid: str) -> None:
    """An asset with a rating, a tag and a place in a folder."""
    relative = os.path.relpath(path, collection.root)
    kind = "sequence" if "#" in path else "movie"
    db.execute_sql(
        "INSERT INTO assets (uuid, collection_uuid, canonical_key, kind, rating, name, extension, path, "
        "discovered_at, created_at, updated_at) VALUES (?, ?, ?, ?, 4, ?, 'mov', ?, 0, 0, 0)",
        (uuid, collection.uuid, f"fs:{relative}", kind, os.path.basename(path), path),
    )
    row = db.scalar("SELECT id FROM assets WHERE uuid = ?", (uuid,))
    db.execute_sql(
        "INSERT OR IGNORE INTO tags (id, uuid, name, name_key, created_at) VALUES (1, 't', 'hero', 'hero', 0)"
    )
    db.execute_sql("INSERT INTO asset_tags (asset_id, tag_id, added_at) VALUES (?, 1, 0)", (row,))
    pattern = path if kind == "sequence" else None
    db.execute_sql(
        "INSERT INTO asset_folders (asset_id, folder_id, sequence_pattern, added_at) VALUES (?, 1, ?, 0)",
        (row, pattern),
    )


def known(library: Library) -> dict[str, tuple[Any, ...]]:
    """uuid → (path, key, collection's name, missing, moved_to, rating, tags)."""
    return library.read(
        lambda db: {
            row[0]: tuple(row[1:])
            for row in db.all(
                "SELECT a.uuid, a.path, a.canonical_key, c.name, a.missing_since IS NOT NULL, a.moved_to, "
                "a.rating, (SELECT count(*) FROM asset_tags t WHERE t.asset_id = a.id) FROM assets a "
                "JOIN collections c ON c.uuid = a.collection_uuid"
            )
        }
    )


@pytest.fixture
def show(library: Library, place: Path) -> Path:
    """A show in the library: a film, a sequence in a shot, a second shot."""
    write(place / "show" / "sh010" / "film_v001.mov", "film")
    frames(place / "show" / "sh010" / "plates")
    write(place / "show" / "sh020" / "other.mov", "other")
    (place / "out").mkdir()

    def fill(db: LibraryDatabase) -> None:
        collection = collections.create(db, "show", f"{place}/show", layout="{shot}")
        add(db, collection, f"{place}/show/sh010/film_v001.mov", "film")
        add(db, collection, f"{place}/show/sh010/plates/beauty.#.exr", "plates")
        add(db, collection, f"{place}/show/sh020/other.mov", "other")

    library.write(fill)
    return place / "show"


def test_F13_a_renamed_file_keeps_its_asset(files: FileOperations, library: Library, show: Path) -> None:
    move(files, show / "sh010" / "film_v001.mov", show / "sh010" / "film_v002.mov")
    assert known(library)["film"] == (
        f"{show}/sh010/film_v002.mov", "fs:sh010/film_v002.mov", "show", 0, None, 4, 1,
    )  # fmt: skip
    facts = library.read(lambda db: db.one("SELECT name, version_number FROM assets WHERE uuid = 'film'"))
    assert facts == ("film_v002.mov", 2)
    undo(files)
    assert known(library)["film"][:2] == (f"{show}/sh010/film_v001.mov", "fs:sh010/film_v001.mov")
    redo(files)
    assert known(library)["film"][0] == f"{show}/sh010/film_v002.mov"


def test_F13_a_whole_directory_follows(files: FileOperations, library: Library, show: Path) -> None:
    move(files, show / "sh010", show / "sh030")
    found = known(library)
    assert found["film"][:2] == (f"{show}/sh030/film_v001.mov", "fs:sh030/film_v001.mov")
    assert found["plates"][:2] == (f"{show}/sh030/plates/beauty.#.exr", "fs:sh030/plates/beauty.#.exr")
    assert found["other"][0] == f"{show}/sh020/other.mov"
    shots = library.read(
        lambda db: db.all(
            "SELECT l.fields FROM assets a JOIN layouts l ON l.id = a.layout_id ORDER BY a.uuid"
        )
    )
    assert shots == [('{"shot":"sh030"}',)] * 2
    patterns = library.read(
        lambda db: db.all("SELECT sequence_pattern FROM asset_folders WHERE sequence_pattern NOT NULL")
    )
    assert patterns == [(f"{show}/sh030/plates/beauty.#.exr",)]


def test_F13_a_sequence_follows_its_new_head(files: FileOperations, library: Library, show: Path) -> None:
    move(files, show / "sh010" / "plates" / "beauty.#.exr", show / "sh020" / "hero.####.exr")
    assert known(library)["plates"][:2] == (f"{show}/sh020/hero.#.exr", "fs:sh020/hero.#.exr")


def test_F13_out_of_every_root_is_missing_with_the_place(
    files: FileOperations, library: Library, show: Path
) -> None:
    out = show.parent / "out"
    move(files, show / "sh010", out)
    found = known(library)
    assert found["film"] == (
        f"{show}/sh010/film_v001.mov", "fs:sh010/film_v001.mov", "show", 1,
        f"{out}/sh010/film_v001.mov", 4, 1,
    )  # fmt: skip
    # And back by another way, under another name.
    move(files, out / "sh010", show / "sh050")
    assert known(library)["film"][:5] == (
        f"{show}/sh050/film_v001.mov", "fs:sh050/film_v001.mov", "show", 0, None,
    )  # fmt: skip


def test_F13_across_devices_and_trash_it_is_the_same(
    files: FileOperations, library: Library, show: Path, other_device: Path
) -> None:
    before = known(library)
    move(files, show / "sh010", other_device)
    assert known(library)["plates"][3:5] == (1, f"{other_device}/sh010/plates/beauty.#.exr")
    undo(files)
    assert known(library) == before
    done(files, trash_plan(select([f"{show}/sh010/plates/beauty.#.exr", f"{show}/sh020"]), title="t"))
    found = known(library)
    assert [found[uuid][3] for uuid in ("film", "other", "plates")] == [0, 1, 1]
    undo(files)
    assert known(library) == before


def test_F13_a_copy_is_nobodys_asset(files: FileOperations, library: Library, show: Path) -> None:
    before = known(library)
    copy(files, show / "sh010", show / "sh040")
    assert known(library) == before


def test_F13_what_is_replaced_gives_way_and_comes_back(
    files: FileOperations, library: Library, show: Path
) -> None:
    before = known(library)
    move(files, show / "sh010" / "film_v001.mov", show / "sh020" / "other.mov", policy=Policy.OVERWRITE)
    found = known(library)
    assert found["film"][:4] == (f"{show}/sh020/other.mov", "fs:sh020/other.mov", "show", 0)
    assert found["other"][3] == 1
    assert found["other"][4] is not None
    undo(files)
    assert known(library) == before


def test_F13_names_that_change_places_take_their_assets_along(
    files: FileOperations, library: Library, show: Path, place: Path
) -> None:
    frames(place / "show" / "sh010" / "plates", "hero.")
    library.write(lambda db: add(db, collections.find(db, "show"), f"{show}/sh010/plates/hero.#.exr", "hero"))
    entries = select([f"{show}/sh010/plates/beauty.#.exr", f"{show}/sh010/plates/hero.#.exr"])
    pairs = by_lines(entries, "hero.####.exr\nbeauty.####.exr\n")
    done(files, names_plan(Operation.RENAME, wanted(pairs), "swap", Options()))
    found = known(library)
    assert found["plates"][0] == f"{show}/sh010/plates/hero.#.exr"
    assert found["hero"][0] == f"{show}/sh010/plates/beauty.#.exr"
    undo(files)
    assert known(library)["plates"][0] == f"{show}/sh010/plates/beauty.#.exr"


def test_F13_between_collections_the_asset_changes_hands(
    files: FileOperations, library: Library, show: Path, place: Path
) -> None:
    (place / "archive" / "deep").mkdir(parents=True)
    library.write(collections.create, "archive", f"{place}/archive")
    library.write(collections.create, "deep", f"{place}/archive/deep")
    move(files, show / "sh010" / "film_v001.mov", place / "archive")
    assert known(library)["film"][:4] == (f"{place}/archive/film_v001.mov", "fs:film_v001.mov", "archive", 0)
    move(files, place / "archive" / "film_v001.mov", place / "archive" / "deep")
    assert known(library)["film"][:4] == (
        f"{place}/archive/deep/film_v001.mov",
        "fs:film_v001.mov",
        "deep",
        0,
    )


def test_F13_deleting_for_good_leaves_the_asset_missing(
    files: FileOperations, library: Library, show: Path
) -> None:
    done(files, files.plans.delete(select([f"{show}/sh020"])))
    assert known(library)["other"][3:5] == (1, None)


def test_F13_notes_and_versions_that_are_paths_follow(
    files: FileOperations, library: Library, show: Path
) -> None:
    def prepare(db: LibraryDatabase) -> None:
        db.execute_sql(
            "INSERT INTO path_notes (path, title, created_at, updated_at) VALUES (?, 'mine', 0, 0)",
            (f"{show}/sh010",),
        )
        db.execute_sql(
            "INSERT INTO version_groups (id, uuid, project, asset_key, head, created_at, updated_at) "
            "VALUES (1, 'g', 'p', 'k', 1, 0, 0)"
        )
        db.execute_sql(
            "INSERT INTO asset_versions (uuid, group_id, number, type, data_kind, data, created_at) "
            "VALUES ('v', 1, 1, 'image', 'path', ?, 0)",
            (f"{show}/sh010/stills/a.png",),
        )

    library.write(prepare)
    move(files, show / "sh010", show / "sh030")
    assert library.read(lambda db: db.one("SELECT path, title FROM path_notes")) == (f"{show}/sh030", "mine")
    assert (
        library.read(lambda db: db.scalar("SELECT data FROM asset_versions")) == f"{show}/sh030/stills/a.png"
    )


def test_F13_one_event_tells_of_all(library: Library, show: Path) -> None:
    heard: list[AssetsChanged] = []
    library.events.subscribe(AssetsChanged, heard.append)
    moves = [
        Move(f"{show}/sh010", f"{show}/sh030", directory=True),
        Move(f"{show}/sh020/other.mov", f"{show}/x.mov"),
    ]
    assert library.write(follow, moves, NOW) == 3
    library.events.settle()
    assert [len(event.ids or ()) for event in heard] == [3]


def test_F13_similar_names_do_not_follow(library: Library, show: Path) -> None:
    before = known(library)
    assert library.write(follow, [Move(f"{show}/sh01", f"{show}/xx", directory=True)], NOW) == 0
    assert library.write(follow, [Move(f"{show}/sh010/film", f"{show}/xx")], NOW) == 0
    assert known(library) == before


def test_F13_a_thousand_assets_follow_in_a_few_statements(library: Library, show: Path) -> None:
    def fill(db: LibraryDatabase) -> None:
        collection = collections.find(db, "show")
        for number in range(1_000):
            add(db, collection, f"{show}/many/f{number}.mov", f"m{number}")

    library.write(fill)
    statements: list[str] = []

    def counted(db: LibraryDatabase) -> int:
        real = db.execute_sql

        def execute(sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return real(sql, *rest)

        db.execute_sql = execute
        try:
            return follow(db, [Move(f"{show}/many", f"{show}/sh010/many", directory=True)], NOW)
        finally:
            del db.execute_sql

    assert library.write(counted) == 1_000
    moving = [sql for sql in statements if sql.startswith("UPDATE assets SET path")]
    assert len(moving) == 1
