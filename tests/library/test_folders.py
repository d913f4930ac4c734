"""L4: ensure_folder reuses rows, and never falls back to Root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ConstraintViolated, InvalidInput, NotFound
from kassettui.library import folders
from kassettui.library.events import Event, FolderChanged
from tests.library.samples import add, image

if TYPE_CHECKING:
    from kassettui.library.library import Library


def test_L4_ensure_folder_makes_what_is_missing_and_reuses_the_rest(library: Library) -> None:
    deep = library.write(folders.ensure_folder, "dailies/monday/rushes")
    assert library.write(folders.ensure_folder, "/dailies//monday/rushes/") == deep
    assert library.write(folders.ensure_folder, ["dailies", "monday", "rushes"]) == deep
    other = library.write(folders.ensure_folder, "dailies/tuesday")
    assert library.read(folders.path_of, deep) == "dailies/monday/rushes"
    assert library.read(folders.find, "dailies/tuesday") == other
    top = library.read(folders.find, "dailies")
    assert [folder.name for folder in library.read(folders.children, top)] == ["monday", "tuesday"]
    assert library.read(lambda db: db.scalar("SELECT count(*) FROM folders")) == 5
    below = library.write(lambda db: folders.ensure_folder(db, "x", parent_id=deep))
    assert library.read(folders.path_of, below) == "dailies/monday/rushes/x"


@pytest.mark.parametrize("path", ["", "/", "a/./b", "a/../b", "a/ /b", "a\0b"])
def test_L4_ensure_folder_reports_failure_and_makes_nothing(library: Library, path: str) -> None:
    with pytest.raises(InvalidInput):
        library.write(folders.ensure_folder, path)
    assert library.read(lambda db: db.scalar("SELECT count(*) FROM folders")) == 1


def test_L4_a_missing_parent_is_an_error_not_root(library: Library) -> None:
    with pytest.raises(NotFound):
        library.write(lambda db: folders.ensure_folder(db, "a", parent_id=99))
    with pytest.raises(NotFound, match="'b' in 'a'"):
        library.write(lambda db: folders.find(db, folders.path_of(db, folders.ensure_folder(db, "a")) + "/b"))
    for missing in (folders.get, folders.path_of):
        with pytest.raises(NotFound):
            library.read(missing, 99)


def test_names_of_folders_are_kept_to_the_byte(library: Library) -> None:
    for name in ("[red]", "\x1b]0;x\x07", "é", "e\u0301", "\udcff", "Case", "case"):
        made = library.write(folders.ensure_folder, [name])
        assert library.read(folders.get, made).name == name
        assert library.read(folders.path_of, made) == name


def test_assets_lie_in_many_folders_each_once(library: Library) -> None:
    one, two = add(library, image("a.png"), image("b.png"))
    first, second = (library.write(folders.ensure_folder, name) for name in ("x", "y"))
    assert library.events.settle()
    seen: list[Event] = []
    library.events.subscribe(FolderChanged, seen.append)
    assert library.write(folders.add_assets, [(one, first), (two, first), (one, second)]) == 3
    assert library.write(folders.add_assets, [(one, first)]) == 0
    assert library.events.settle()
    assert seen == [FolderChanged((first, second))]
    for pair in ((99, first), (one, 99)):
        with pytest.raises(ConstraintViolated):
            library.write(folders.add_assets, [pair])
