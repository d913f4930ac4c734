"""What assets take on disk, hard links counted once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kassettui.library import usage
from kassettui.library.usage import Meter
from tests.ingest.trees import bring_in, frames, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def ids(library: Library) -> list[int]:
    return [row[0] for row in library.read(lambda db: db.all("SELECT id FROM assets ORDER BY canonical_key"))]


def test_an_asset_names_its_files(library: Library, tmp_path: Path) -> None:
    made = frames(tmp_path / "show", (1, 2, 5), "x.v001.{:04}.exr")
    made += frames(tmp_path / "show", (9, 10), "y_{}.exr")
    made.append(write(tmp_path / "show" / "z.mov"))
    bring_in(library, tmp_path / "show")
    found = library.read(usage.asset_files, ids(library))
    assert sorted(path for one in found for path in one.files()) == sorted(map(str, made))


def test_hard_links_count_once_and_are_reclaimable_only_together(tmp_path: Path) -> None:
    first = write(tmp_path / "a", b"x" * 10_000)
    os.link(first, tmp_path / "b")
    os.link(first, tmp_path / "c")
    write(tmp_path / "d", b"y" * 100)
    some = Meter().measure([str(tmp_path / name) for name in "abd"])
    assert (some.files, some.size) == (3, 10_100)
    assert 0 < some.reclaimable < some.allocated
    every = Meter().measure([str(tmp_path / name) for name in "abcd"])
    assert (every.files, every.size, every.reclaimable) == (4, 10_100, every.allocated)


def test_what_is_gone_is_counted_as_missing(tmp_path: Path) -> None:
    found = Meter().measure([str(tmp_path / "none"), "/x\0y"])
    assert (found.files, found.missing, found.size) == (0, 2, 0)


def test_sparse_files_take_less_than_their_length(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(10_000_000)
    found = Meter().measure([str(tmp_path / "sparse")])
    assert (found.size, found.allocated) == (10_000_000, 0)


def test_a_report_by_what_people_look_at(library: Library, tmp_path: Path) -> None:
    root = tmp_path / "abc"
    for shot, size in (("sh010", 3_000), ("sh020", 9_500)):
        frames(root / "sq" / shot / "comp", range(1, 4), "x_v002.{:04}.exr", b"p" * size)
    os.link(root / "sq/sh020/comp/x_v002.0001.exr", root / "sq/sh010/comp/y.exr")
    bring_in(library, root, layout="{sequence}/{shot}/{task}")
    found = library.read(usage.asset_files, ids(library))
    shares = usage.report(found, lambda one: one.shot or "")
    assert [(one.label, one.assets, one.measured.size) for one in shares] == [
        ("sh020", 1, 19_000),
        ("sh010", 2, 18_500),
    ]
    assert sum(one.measured.files for one in shares) == 7
    [share] = usage.report(found, lambda one: one.collection)
    assert (share.label, share.measured.size) == ("abc", 37_500)
    assert share.measured.reclaimable == share.measured.allocated


def test_measuring_can_be_stopped(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        Meter().measure([str(tmp_path)], stop)
