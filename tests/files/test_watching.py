"""F14: watched directories tell what changed, settled, and where."""

from __future__ import annotations

import os
from queue import Empty, Queue
from typing import TYPE_CHECKING

import pytest

from kassettui.files.watching import Changed, Watcher, outermost
from tests.files.trees import write

if TYPE_CHECKING:
    from pathlib import Path


def covers(told: set[str], directory: str) -> bool:
    """Whether a directory, or one above it, was told."""
    return any(directory == place or directory.startswith(f"{place}/") for place in told)


@pytest.mark.parametrize("polling", [False, True])
def test_F14_changes_are_told_once_they_settled(place: Path, polling: bool) -> None:
    (place / "a" / "deep").mkdir(parents=True)
    (place / "b").mkdir()
    heard: Queue[Changed] = Queue()
    watcher = Watcher({"uuid": f"{place}"}, heard.put, polling=polling)
    try:
        # A watch takes a moment to stand: something is touched until it is heard.
        told: set[str] = set()
        for number in range(200):
            write(place / "a" / "deep" / f"f{number}.exr", "x")
            write(place / "b" / "x.exr", f"{number}", mtime=number)
            try:
                changed = heard.get(timeout=0.3)
            except Empty:
                continue
            assert (changed.key, changed.root) == ("uuid", os.path.realpath(place))
            told |= set(changed.directories)
            if covers(told, "a/deep") and covers(told, "b"):
                break
        assert covers(told, "a/deep")
        assert covers(told, "b")
        assert "" not in told
    finally:
        watcher.close()


def test_F14_directories_below_another_are_told_by_it() -> None:
    assert outermost(["a/b", "a", "a-b", "a/b/c"]) == ["a", "a-b"]
    assert outermost(["a", "."]) == ["."]
    assert outermost(f"a/{number}" for number in range(500)) == ["a"]


def test_F14_a_root_that_is_not_there_is_no_error(place: Path) -> None:
    Watcher({"uuid": f"{place}/nowhere"}, lambda _: None).close()
