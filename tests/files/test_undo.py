"""F12: undo and redo of every kind of file job, from the journal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import Refused
from kassettui.files.disposing import mkdir_plan, trash_plan
from kassettui.files.listing import select
from kassettui.files.plan import Policy
from kassettui.files.sequences import renumber_plan
from tests.files.trees import copy, done, frames, move, picture, redo, undo, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.files.operations import FileOperations


def show(place: Path) -> None:
    """A small show: a sequence, a tree with links, a second directory that has one of its files."""
    frames(place / "a")
    write(place / "a" / "deep" / "notes.txt", "one")
    os.link(place / "a" / "deep" / "notes.txt", place / "a" / "deep" / "twin.txt")
    os.symlink("nowhere", place / "a" / "dangling")
    os.mkfifo(place / "a" / "pipe", 0o600)
    write(place / "b" / "a" / "deep" / "notes.txt", "two")


def test_F12_copy_is_undone_and_redone(files: FileOperations, place: Path) -> None:
    show(place)
    before = picture(place)
    copy(files, place / "a", f"{place}/c/new/")
    after = picture(place)
    assert after != before
    undo(files)
    assert picture(place) == before
    redo(files)
    assert picture(place) == after


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.KEEP_BOTH, Policy.SKIP, Policy.CONTENT_DIFFERS])
def test_F12_copy_over_something_is_undone_and_redone(
    files: FileOperations, place: Path, policy: Policy
) -> None:
    show(place)
    before = picture(place)
    copy(files, place / "a", place / "b", policy=policy)
    after = picture(place)
    undo(files)
    assert picture(place) == before
    redo(files)
    assert picture(place) == after
    undo(files)
    assert picture(place) == before


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.KEEP_BOTH, Policy.SKIP])
def test_F12_move_is_undone_and_redone(files: FileOperations, place: Path, policy: Policy) -> None:
    show(place)
    before = picture(place)
    move(files, [place / "a"], place / "b", policy=policy)
    after = picture(place)
    undo(files)
    assert picture(place) == before
    redo(files)
    assert picture(place) == after


def test_F12_renumbering_is_undone_and_redone(files: FileOperations, place: Path) -> None:
    frames(place)
    before = picture(place)
    done(files, renumber_plan(select([f"{place}/beauty.#.exr"])[0], title="renumber", offset=3))
    after = picture(place)
    assert min(after) == "beauty.1004.exr"
    undo(files)
    assert picture(place) == before
    redo(files)
    assert picture(place) == after


def test_F12_trash_restore_and_mkdir_are_undone_and_redone(files: FileOperations, place: Path) -> None:
    show(place)
    states = [picture(place)]
    done(files, trash_plan(select([f"{place}/a", f"{place}/b/a/deep/notes.txt"]), title="trash"))
    states.append(picture(place))
    done(files, mkdir_plan([f"{place}/x/y"], title="mkdir", parents=True))
    states.append(picture(place))
    for state in reversed(states[:-1]):
        undo(files)
        assert picture(place) == state
    for state in states[1:]:
        redo(files)
        assert picture(place) == state


def test_F12_undo_refuses_when_something_changed(files: FileOperations, place: Path) -> None:
    source = write(place / "source.txt", "one")
    copy(files, source, place / "copy.txt")
    (place / "copy.txt").write_text("mine")
    before = picture(place)
    with pytest.raises(Refused, match="has changed"):
        files.undo_plan(files.undo_stack()[0])
    assert picture(place) == before
