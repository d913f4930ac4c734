"""Folders by hand: make, move, rename, delete, put in and take out (spec: library L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.library import changes, folder_changes, folders, journal, saved, search, stamps
from kassettui.library.folder_changes import Deleted
from kassettui.library.folders import ROOT
from tests.library.counting import statements
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


@pytest.fixture
def stocked(library: Library) -> Library:
    sequence = {"kind": "sequence", "frame_ranges": "1-9"}
    library.write(fill, [Stocked("a.exr"), Stocked("b.exr"), Stocked("s.#.exr", columns=sequence)])
    return library


def shown(library: Library) -> list[tuple[str, int]]:
    return [(node.path, node.assets) for node in library.read(folder_changes.tree)]


def test_L4_make_reuses_what_is_there(stocked: Library) -> None:
    monday = stocked.write(folder_changes.make, "dailies/monday")
    assert stocked.write(folder_changes.make, "dailies/monday") == monday
    stocked.write(folder_changes.make, "dailies/friday")
    assert [path for path, _ in shown(stocked)] == ["", "dailies", "dailies/friday", "dailies/monday"]
    with pytest.raises(InvalidInput):
        stocked.write(folder_changes.make, "")


def test_L4_an_asset_lies_in_many_folders_and_in_each_once(stocked: Library) -> None:
    first, second = (stocked.write(folder_changes.make, name) for name in ("one", "two"))
    assert stocked.write(folder_changes.put, [1, 3], first) == (1, 3)
    assert stocked.write(folder_changes.put, [3, 2], first) == (2,)
    assert stocked.write(folder_changes.put, [3], second) == (3,)
    assert shown(stocked) == [("", 0), ("one", 3), ("two", 1)]
    assert stocked.read(search.ids, "folder=one") == [1, 2, 3]
    assert stocked.write(folder_changes.take_out, [1, 2, 99], first) == (1, 2)
    assert stocked.read(search.ids, "folder=one") == [3]
    with pytest.raises(NotFound):
        stocked.write(folder_changes.put, [1, 99], first)
    with pytest.raises(NotFound):
        stocked.write(folder_changes.put, [1], 77)


def test_L4_rename_and_move(stocked: Library) -> None:
    a, b = (stocked.write(folder_changes.make, name) for name in ("a/x", "b"))
    stocked.write(folder_changes.rename, a, "y")
    stocked.write(folder_changes.move, a, b)
    assert [path for path, _ in shown(stocked)] == ["", "a", "b", "b/y"]
    assert stocked.read(folders.path_of, a) == "b/y"


def test_L4_cycles_and_taken_names_are_refused(stocked: Library) -> None:
    top, inner = stocked.write(folder_changes.make, "a"), stocked.write(folder_changes.make, "a/b")
    stocked.write(folder_changes.make, "b")
    for work in (
        lambda db: folder_changes.move(db, top, inner),
        lambda db: folder_changes.move(db, top, top),
        lambda db: folder_changes.move(db, inner, ROOT),
        lambda db: folder_changes.rename(db, top, "b"),
        lambda db: folder_changes.rename(db, ROOT, "x"),
        lambda db: folder_changes.move(db, ROOT, top),
        lambda db: folder_changes.delete(db, ROOT, True),
    ):
        with pytest.raises(Refused):
            stocked.write(work)
    with pytest.raises(InvalidInput):
        stocked.write(folder_changes.rename, top, "a/c")


def test_L4_what_is_not_empty_goes_only_when_told(stocked: Library) -> None:
    folder = stocked.write(folder_changes.make, "a")
    stocked.write(folder_changes.make, "a/b")
    inner = stocked.write(folder_changes.make, "a/b/c")
    stocked.write(folder_changes.put, [1, 2], inner)
    with pytest.raises(Refused, match="2 folders and 2 assets"):
        stocked.write(folder_changes.delete, folder)
    assert stocked.write(folder_changes.delete, folder, True) == Deleted(3, 2)
    assert shown(stocked) == [("", 0)]
    assert stocked.read(search.count, "").number == 3


def test_L4_delete_with_move_to_keeps_the_assets_together(stocked: Library) -> None:
    folder, target = stocked.write(folder_changes.make, "a/b"), stocked.write(folder_changes.make, "keep")
    stocked.write(folder_changes.put, [1, 3], folder)
    stocked.write(folder_changes.put, [3], target)
    a = stocked.read(folders.find, "a")
    with pytest.raises(Refused):
        stocked.write(folder_changes.delete, a, False, folder)
    assert stocked.write(folder_changes.delete, a, False, target) == Deleted(2, 2)
    assert stocked.read(search.ids, "folder=keep") == [1, 3]


def test_L4_an_empty_folder_goes_at_once(stocked: Library) -> None:
    assert stocked.write(folder_changes.delete, stocked.write(folder_changes.make, "a")) == Deleted(1, 0)


def test_L4_smart_folders_hold_a_search_and_nothing_else(stocked: Library) -> None:
    stocked.write(saved.save, "exr", "extension:exr")
    smart = stocked.write(folder_changes.make_smart, "views/all exr", "exr")
    node = stocked.read(folder_changes.tree)[-1]
    assert (node.path, node.search) == ("views/all exr", "exr")
    with pytest.raises(Refused):
        stocked.write(folder_changes.put, [1], smart)
    with pytest.raises(Refused):
        stocked.write(folder_changes.make_smart, "views/all exr", "exr")
    with pytest.raises(Refused):
        stocked.write(folder_changes.move, stocked.write(folder_changes.make, "x"), smart)
    with pytest.raises(NotFound):
        stocked.write(folder_changes.make_smart, "views/none", "nothing")


def test_L4_bulk_takes_as_many_statements_as_one(library: Library) -> None:
    library.write(fill, [Stocked(f"n{n}.exr") for n in range(1_000)])
    folder = library.write(folder_changes.make, "a")
    made = []

    def counted(db: LibraryDatabase, number: int) -> None:
        with statements(db) as seen:
            folder_changes.put(db, range(1, number + 1), folder)
            folder_changes.take_out(db, range(1, number + 1), folder)
        made.append(len(seen))

    library.write(counted, 10)
    library.write(counted, 1_000)
    assert made[0] == made[1]


CHANGES: dict[str, Callable[[LibraryDatabase], Any]] = {
    "make": lambda db: folder_changes.make(db, "new/deep/er"),
    "smart": lambda db: folder_changes.make_smart(db, "smart", "s"),
    "rename": lambda db: folder_changes.rename(db, folders.find(db, "a"), "z"),
    "move": lambda db: folder_changes.move(db, folders.find(db, "a"), folders.find(db, "keep")),
    "put": lambda db: folder_changes.put(db, [1, 2, 3], folders.find(db, "keep")),
    "take out": lambda db: folder_changes.take_out(db, [1, 3], folders.find(db, "a/b")),
    "delete": lambda db: folder_changes.delete(db, folders.find(db, "a"), True),
    "delete and move": lambda db: folder_changes.delete(
        db, folders.find(db, "a"), False, folders.find(db, "keep")
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_F12_every_change_of_folders_is_undone(
    stocked: Library, change: Callable[[LibraryDatabase], Any]
) -> None:
    def state(db: LibraryDatabase) -> object:
        return (
            db.all("SELECT id, uuid, parent_id, name, search_id FROM folders ORDER BY id"),
            db.all("SELECT asset_id, folder_id, sequence_pattern FROM asset_folders ORDER BY 1, 2"),
        )

    stocked.write(saved.save, "s", "comp")
    inner = stocked.write(folder_changes.make, "a/b")
    keep = stocked.write(folder_changes.make, "keep")
    stocked.write(folder_changes.put, [1, 3], inner)
    stocked.write(folder_changes.put, [3], keep)
    before = stocked.read(state)
    stocked.write(change)
    assert stocked.read(state) != before
    [newest, *_] = stocked.read(journal.undo_stack)
    stocked.write(changes.revert_changes, newest.id, stamps.new_uuid(), stamps.now())
    assert stocked.read(state) == before
