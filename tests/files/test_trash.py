"""F11: the trash by the freedesktop rules, held against Send2Trash; restore, empty, delete, protection."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import Refused
from kassettui.files import emptying, trash
from kassettui.files.directories import Directories
from kassettui.files.disposing import delete_plan, restore_plan, trash_plan
from kassettui.files.listing import select
from kassettui.files.plan import Answers, Options, Policy
from kassettui.library import collections
from tests.files.trees import done, frames, picture, undo, write

if TYPE_CHECKING:
    from kassettui.files.operations import FileOperations
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

ODD = ["new\nline", os.fsdecode(b"\xff\xfe"), "50% & more", "n" * 255, "ümlaut", "-rf", "a.tar.gz"]


def throw(files: FileOperations, *paths: Path | str, fallback_trash: bool = False) -> None:
    """Into the trash."""
    entries = select([os.fspath(path) for path in paths])
    done(files, trash_plan(entries, title="t", options=Options(fallback_trash=fallback_trash)))


def lying() -> dict[str, trash.Trashed]:
    """What lies in all cans, by where it was."""
    return {thing.original: thing for can in trash.cans() for thing in trash.listed(can)}


def test_F11_what_is_thrown_away_is_listed_and_comes_back(files: FileOperations, place: Path) -> None:
    for name in ODD:
        write(place / name, name.encode("utf-8", "surrogateescape"))
    write(place / "tree" / "x", "x")
    before = picture(place)
    paths = [f"{place}/{name}" for name in [*ODD, "tree"]]
    throw(files, *paths)
    assert os.listdir(place) == []
    things = lying()
    assert sorted(things) == sorted(paths)
    done(files, restore_plan(list(things.values()), title="t"))
    assert picture(place) == before
    assert lying() == {}
    undo(files)
    assert sorted(lying()) == sorted(paths)


def test_F11_send2trash_and_we_understand_each_other(files: FileOperations, place: Path) -> None:
    ours, theirs = write(place / "ours %41.txt", "ours"), write(place / "theirs ü.txt", "theirs")
    throw(files, ours)
    script = "import sys; from send2trash.plat_other import send2trash; send2trash(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", script, theirs], check=True)
    things = lying()
    assert sorted(things) == sorted([f"{ours}", f"{theirs}"])
    info = {
        name: path.read_text().splitlines()
        for path in Path(trash.home_can().info).iterdir()
        if (name := path.name)
    }
    assert {lines[0] for lines in info.values()} == {"[Trash Info]"}
    keys = {tuple(line.split("=")[0] for line in lines[1:]) for lines in info.values()}
    assert keys == {("Path", "DeletionDate")}
    done(files, restore_plan(list(things.values()), title="t"))
    assert (ours.read_text(), theirs.read_text()) == ("ours", "theirs")


def test_F11_the_same_name_thrown_away_many_times_is_kept_apart(files: FileOperations, place: Path) -> None:
    for number in range(20):
        throw(files, write(place / "a.txt", f"{number}"))
    contents = {Path(thing.path).read_text() for can in trash.cans() for thing in trash.listed(can)}
    assert contents == {f"{number}" for number in range(20)}


def test_F11_every_volume_has_a_trash_of_its_own(files: FileOperations, other_device: Path) -> None:
    throw(files, write(other_device / "deep" / "a.txt", "a"))
    thing = lying()[f"{other_device}/deep/a.txt"]
    assert thing.can.root == f"{other_device}/.Trash-{os.getuid()}"
    assert os.stat(thing.can.root).st_mode & 0o777 == 0o700
    info = Path(thing.can.info_of(thing.path)).read_text()
    assert "Path=deep/a.txt\n" in info  # relative to the volume's top, as the rules want it


def test_F11_a_shared_trash_with_the_sticky_bit_is_used(files: FileOperations, other_device: Path) -> None:
    (other_device / ".Trash").mkdir()
    (other_device / ".Trash").chmod(0o1777)
    throw(files, write(other_device / "a.txt", "a"))
    assert lying()[f"{other_device}/a.txt"].can.root == f"{other_device}/.Trash/{os.getuid()}"


@pytest.mark.parametrize("kind", ["link", "plain"])
def test_F11_a_shared_trash_that_breaks_the_rules_is_not(
    files: FileOperations, other_device: Path, kind: str
) -> None:
    if kind == "link":
        (other_device / "elsewhere").mkdir(mode=0o1777)
        (other_device / ".Trash").symlink_to("elsewhere")
    else:
        (other_device / ".Trash").mkdir(mode=0o755)
    throw(files, write(other_device / "a.txt", "a"))
    assert lying()[f"{other_device}/a.txt"].can.root == f"{other_device}/.Trash-{os.getuid()}"


def test_F11_without_a_trash_there_is_a_question_and_a_way_out(
    files: FileOperations, other_device: Path
) -> None:
    (other_device / f".Trash-{os.getuid()}").write_text("in the way")
    path = write(other_device / "deep" / "a.txt", "a")
    (problem,) = trash_plan(select([f"{path}"]), title="t").fatal_problems
    assert problem.code == "no_trash"
    assert "--fallback-trash" in problem.remedy
    throw(files, path, fallback_trash=True)
    assert f"{path}" in lying()
    undo(files)
    assert path.read_text() == "a"


def test_F11_a_fallback_trash_is_remembered(unprivileged: object) -> None:
    from kassettui.library import journal
    from tests.files.conftest import Unprivileged

    assert isinstance(unprivileged, Unprivileged)
    files, _place, other = unprivileged
    (other / "mine").mkdir()
    path = write(other / "mine" / "a.txt", "a")
    os.seteuid(0)
    other.chmod(0o755)
    os.chown(other, 0, 0)
    os.seteuid(65534)
    throw(files, path, fallback_trash=True)
    roots = files.library.read(journal.fallback_trashes)
    assert roots == [f"{other}/mine/{trash.FALLBACK}"]
    assert [thing.original for can in trash.cans(tuple(roots)) for thing in trash.listed(can)] == [f"{path}"]


def test_F11_an_info_file_that_leads_out_of_the_volume_is_ignored(other_device: Path) -> None:
    can = trash.Can(f"{other_device}/.Trash-{os.getuid()}", f"{other_device}")
    trash.make(can)
    for name, path in (("evil", "../../etc/passwd"), ("empty", ""), ("nul", "a%00b")):
        write(
            Path(can.info) / f"{name}.trashinfo",
            f"[Trash Info]\nPath={path}\nDeletionDate=2026-01-01T00:00:00\n",
        )
        write(Path(can.files) / name, "x")
    assert list(trash.listed(can)) == []


def test_F11_restoring_asks_where_something_stands(files: FileOperations, place: Path) -> None:
    path = write(place / "a.txt", "old")
    throw(files, path)
    write(path, "new")
    things = list(lying().values())
    assert restore_plan(things, title="t").open_conflicts
    done(files, restore_plan(things, title="t", answers=Answers(Policy.KEEP_BOTH)))
    assert ((place / "a.txt").read_text(), (place / "a (2).txt").read_text()) == ("new", "old")


def test_F11_restoring_makes_directories_that_are_gone(files: FileOperations, place: Path) -> None:
    path = write(place / "deep" / "down" / "a.txt", "a")
    throw(files, path)
    path.parent.rmdir()
    path.parent.parent.rmdir()
    done(files, restore_plan(list(lying().values()), title="t"))
    assert path.read_text() == "a"


def test_F11_emptying_deletes_what_is_old_enough(files: FileOperations, place: Path) -> None:
    frames(place / "tree")
    throw(files, place / "tree")
    throw(files, write(place / "young.txt", "young"))
    things = list(lying().values())
    old = next(thing for thing in things if thing.original == f"{place}/tree")
    info = Path(old.can.info_of(old.path))
    then = (dt.datetime.now() - dt.timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%S")
    info.write_text(info.read_text().rsplit("DeletionDate=", 1)[0] + f"DeletionDate={then}\n")
    chosen = emptying.older_than(list(lying().values()), 30)
    assert [thing.original for thing in chosen] == [f"{place}/tree"]
    assert emptying.measure(chosen) == (10, 500)
    assert emptying.empty(chosen) == []
    assert sorted(lying()) == [f"{place}/young.txt"]


def test_F11_deleting_for_good_never_follows_links(files: FileOperations, place: Path) -> None:
    write(place / "precious" / "x", "x")
    (place / "tree" / "deep").mkdir(parents=True)
    (place / "tree" / "deep" / "link").symlink_to(place / "precious")
    (place / "tree" / "loop").symlink_to(".")
    plan = delete_plan(select([f"{place}/tree"]), title="t")
    assert plan.items[0].count == 2
    done(files, plan)
    assert sorted(os.listdir(place)) == ["precious"]
    assert (place / "precious" / "x").exists()
    assert files.undo_stack() == []


def test_F11_a_directory_that_is_moved_while_it_is_emptied_harms_nothing_above(place: Path) -> None:
    from kassettui.files.removing import remove

    write(place / "tree" / "a" / "b" / "c" / "x", "x")
    write(place / "outside" / "precious", "x")

    def checkpoint() -> None:
        b = place / "tree" / "a" / "b"
        if b.exists() and not (b / "c").exists():  # we are in it now
            b.rename(place / "outside" / "b")

    with Directories() as directories, pytest.raises(OSError, match="Stale"):
        remove(f"{place}/tree", directories, checkpoint)
    assert (place / "outside" / "precious").exists()


def approve(db: LibraryDatabase, path: str) -> None:
    """An approved asset at `path`."""
    collection = collections.create(db, "show", os.path.dirname(path))
    db.execute_sql(
        "INSERT INTO assets (uuid, collection_uuid, canonical_key, kind, state, approved_for_broadcast, "
        "name, path, discovered_at, created_at, updated_at) "
        "VALUES ('u', ?, 'fs:a', 'movie', 'ready', 1, 'a', ?, 0, 0, 0)",
        (collection.uuid, path),
    )


def test_F11_approved_assets_are_not_thrown_away(
    files: FileOperations, library: Library, place: Path
) -> None:
    write(place / "tree" / "film.mov", "x")
    write(place / "other.mov", "x")
    library.write(approve, f"{place}/tree/film.mov")
    for make in (files.plans.trash, files.plans.delete):
        plan = make(select([f"{place}/tree", f"{place}/other.mov"]))
        assert [item.skipped for item in plan.items] == ["protected: contains approved", ""]
        assert [step.source for step in plan.steps] == [f"{place}/other.mov"]


def test_F14_a_locked_collection_lets_nothing_out(
    files: FileOperations, library: Library, place: Path
) -> None:
    write(place / "show" / "film.mov", "x")
    (place / "show" / "sub").mkdir()
    (place / "else").mkdir()
    library.write(approve, f"{place}/show/film.mov")
    library.write(
        lambda db: db.execute_sql("UPDATE assets SET state = 'new', approved_for_broadcast = 0") and None
    )
    entries = select([f"{place}/show/film.mov"])
    assert files.plans.move(entries, f"{place}/else").runnable
    library.write(lambda db: db.execute_sql("UPDATE collections SET locked = 1") and None)
    for plan in (
        files.plans.move(entries, f"{place}/else"),
        files.plans.trash(entries),
        files.plans.delete(entries),
    ):
        assert [problem.code for problem in plan.fatal_problems] == ["locked"]
    assert files.plans.move(entries, f"{place}/show/sub").runnable
    with pytest.raises(Refused, match="locked"):
        done(files, files.plans.move(select([f"{place}/show"]), f"{place}/else"))
