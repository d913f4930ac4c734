"""The constraints that stand behind the code: what no path of writing can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ConstraintViolated
from kassettui.library import folders
from tests.library.samples import add, image, sequence

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


def _run(db: LibraryDatabase, sql: str) -> None:
    db.execute_sql(sql)


@pytest.mark.parametrize("state", ["new", "enriching", "retired"])
def test_I12_approved_without_ready_cannot_be_written(library: Library, state: str) -> None:
    add(library, image())
    library.write(_run, "UPDATE assets SET state = 'ready', approved_for_broadcast = 1")
    copied = "collection_uuid, kind, name, path"
    given = "uuid, canonical_key, state, approved_for_broadcast, discovered_at, created_at, updated_at"
    row = f"'b', 'k', '{state}', 1, 0, 0, 0"
    for sql in (
        f"INSERT INTO assets ({given}, {copied}) SELECT {row}, {copied} FROM assets",
        f"UPDATE assets SET state = '{state}'",
        f"UPDATE assets SET state = '{state}', approved_for_broadcast = 1",
        f"UPDATE OR REPLACE assets SET state = '{state}'",
    ):
        with pytest.raises(ConstraintViolated):
            library.write(_run, sql)
    assert library.read(lambda db: db.all("SELECT state, approved_for_broadcast FROM assets")) == [
        ("ready", 1)
    ]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'done'",
        "state = NULL",
        "kind = 'picture'",
        "is_deleted = 1",
        "deleted_at = 5",
        "is_deleted = 2, deleted_at = 5",
        "rating = 6",
        "rating = -1",
        "size = -1",
        "size = 'big'",
        "approved_for_broadcast = 2",
        "layout_id = 99",
        "collection_uuid = 'nobody'",
        "name = x'00'",
    ],
)
def test_I12_values_outside_the_list_cannot_be_written(library: Library, change: str) -> None:
    add(library, image())
    with pytest.raises(ConstraintViolated):
        library.write(_run, f"UPDATE assets SET {change}")


def test_I12_nobody_is_approved_by_default(library: Library) -> None:
    add(library, image(), sequence())
    row = "SELECT DISTINCT state, approved_for_broadcast, operator_verified, is_deleted FROM assets"
    assert library.read(lambda db: db.all(row)) == [("new", 0, 0, 0)]


def test_I5_a_key_is_unique_in_its_collection(library: Library) -> None:
    add(library, image())
    with pytest.raises(ConstraintViolated):
        add(library, image())
    assert library.read(lambda db: db.scalar("SELECT count(*) FROM assets")) == 1


def test_L4_root_cannot_be_deleted_moved_or_joined_by_another(library: Library) -> None:
    child = library.write(folders.ensure_folder, "a")
    for sql in (
        "DELETE FROM folders WHERE id = 1",
        f"UPDATE folders SET parent_id = {child} WHERE id = 1",
        "UPDATE folders SET id = 7 WHERE id = 1",
        f"UPDATE folders SET parent_id = NULL WHERE id = {child}",
    ):
        with pytest.raises(ConstraintViolated):
            library.write(_run, sql)


def test_L4_a_folder_cannot_lie_inside_itself(library: Library) -> None:
    deep = library.write(folders.ensure_folder, "a/b/c")
    top = library.read(folders.find, "a")
    for sql in (
        f"UPDATE folders SET parent_id = {deep} WHERE id = {top}",
        f"UPDATE folders SET parent_id = {top} WHERE id = {top}",
    ):
        with pytest.raises(ConstraintViolated):
            library.write(_run, sql)


def test_L4_a_sequence_is_never_twice_in_a_folder(library: Library) -> None:
    one, other = add(library, sequence(directory="sh010"), sequence(directory="sh020"))
    folder = library.write(folders.ensure_folder, "dailies")
    assert library.write(folders.add_assets, [(one, folder), (other, folder), (one, folder)]) == 2
    with pytest.raises(ConstraintViolated):
        library.write(
            _run,
            "UPDATE asset_folders SET sequence_pattern = (SELECT min(sequence_pattern) FROM asset_folders)",
        )


def test_ids_of_assets_are_never_given_again(library: Library) -> None:
    (first,) = add(library, image("a.png"))
    library.write(_run, "DELETE FROM assets")
    (second,) = add(library, image("b.png"))
    assert second > first


def test_versions_hold_together(library: Library) -> None:
    library.write(
        _run,
        "INSERT INTO version_groups (uuid, project, asset_key, head, best, created_at, updated_at) "
        "VALUES ('g', 'p', 'comp', 2, 1, 0, 0)",
    )
    columns = "uuid, group_id, number, type, data_kind, created_at, approved, deleted_at"
    insert = f"INSERT INTO asset_versions ({columns}) VALUES "
    library.write(_run, insert + "('v', 1, 1, 'image', 'text', 0, 0, NULL)")
    for sql in (
        "UPDATE version_groups SET best = 3",
        "UPDATE version_groups SET best = -1",
        "DELETE FROM version_groups",
        insert + "('w', 1, 1, 'image', 'text', 0, 0, NULL)",
        insert + "('w', 1, 0, 'image', 'text', 0, 0, NULL)",
        insert + "('w', 1, 2, 'film', 'text', 0, 0, NULL)",
        insert + "('w', 1, 2, 'image', 'text', 0, 1, 5)",
    ):
        with pytest.raises(ConstraintViolated):
            library.write(_run, sql)


def test_full_text_follows_every_write(library: Library) -> None:
    def found(db: LibraryDatabase, word: str) -> list[int]:
        return [
            row[0]
            for row in db.all("SELECT rowid FROM assets_fts WHERE assets_fts MATCH ? ORDER BY 1", (word,))
        ]

    one, two = add(library, image("plate_v001.png"), sequence("beauty.#.exr"))
    assert library.read(found, "plate") == [one]
    assert library.read(found, "bea*") == [two]
    library.write(_run, f"UPDATE assets SET title = 'Wide establishing' WHERE id = {one}")
    library.write(_run, f"UPDATE assets SET tag_text = 'hero' WHERE id = {two}")
    assert library.read(found, "establishing") == [one]
    assert library.read(found, "hero") == [two]
    library.write(_run, f"UPDATE assets SET title = '' WHERE id = {one}")
    assert library.read(found, "establishing") == []
    library.write(_run, f"DELETE FROM assets WHERE id = {two}")
    assert library.read(found, "hero") == []
