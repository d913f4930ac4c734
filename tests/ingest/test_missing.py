"""Gone, found again, offline, moved (I14, I15)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ExitCode
from kassettui.ingest.report import Status
from kassettui.library import collections
from tests.ingest.trees import adds_up, bring_in, everything, frames, row, rows, touch, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kassettui.ingest.report import Report
    from kassettui.library.library import Library


def _many(root: Path, number: int) -> list[Path]:
    return [
        write(root / "stills" / f"still{index:03}x.png", bytes([65 + index % 26]) * (index + 1))
        for index in range(number)
    ]


def _refused_untouched(library: Library, report: Report, before: object) -> None:
    assert (report.status, report.exit_code, report.code) == (Status.ERROR, ExitCode.OFFLINE, "offline")
    assert everything(library) == before


def test_I14_what_is_gone_becomes_missing_and_is_never_deleted(library: Library, root: Path) -> None:
    paths = _many(root, 3)
    bring_in(library, root)
    paths[0].unlink()
    report = bring_in(library, root)
    assert (report.stats.missing, report.stats.skipped) == (1, 2)
    assert adds_up(report)
    gone = row(library, "missing_since IS NOT NULL")
    assert gone["path"] == str(paths[0])
    again = bring_in(library, root)
    assert again.stats.missing == 0
    assert row(library, "missing_since IS NOT NULL") == gone


def test_I14_what_is_found_again_is_missing_no_more(library: Library, root: Path) -> None:
    paths = _many(root, 3)
    bring_in(library, root)
    before = {asset["uuid"]: asset for asset in rows(library)}
    paths[0].rename(root.parent / "aside")
    bring_in(library, root)
    (root.parent / "aside").rename(paths[0])
    report = bring_in(library, root)
    assert (report.stats.skipped, report.stats.updated) == (3, 0)
    assert {asset["uuid"]: asset for asset in rows(library)} == before


def test_I14_a_root_that_is_not_there_is_offline(library: Library, root: Path) -> None:
    _many(root, 3)
    bring_in(library, root)
    before = everything(library)
    root.rename(root.parent / "unmounted")
    _refused_untouched(library, bring_in(library, root), before)
    _refused_untouched(library, bring_in(library, root / "stills"), before)


def test_I14_an_empty_root_is_offline_while_the_library_has_items(library: Library, root: Path) -> None:
    _many(root, 3)
    bring_in(library, root)
    before = everything(library)
    shutil.rmtree(root / "stills")
    (root / "lost+found").mkdir()
    _refused_untouched(library, bring_in(library, root), before)
    (root / "empty").mkdir()
    _refused_untouched(library, bring_in(library, root), before)
    assert bring_in(library, root, accept_missing=True).stats.missing == 3
    assert bring_in(library, root).exit_code is ExitCode.DONE


def test_I14_a_new_root_may_be_empty(library: Library, root: Path) -> None:
    assert bring_in(library, root).stats.discovered == 0


@pytest.mark.parametrize(
    ("number", "gone", "stops"), [(100, 20, False), (100, 21, True), (200, 40, False), (200, 41, True)]
)
def test_I14_more_than_a_fifth_gone_stops(
    library: Library, root: Path, number: int, gone: int, stops: bool
) -> None:
    paths = _many(root, number)
    bring_in(library, root)
    before = everything(library)
    for path in paths[:gone]:
        path.unlink()
    report = bring_in(library, root)
    if not stops:
        assert report.stats.missing == gone
        return
    _refused_untouched(library, report, before)
    assert "--accept-missing" in (report.remedy or "")
    assert bring_in(library, root, accept_missing=True).stats.missing == gone


def test_I14_another_device_is_offline_until_it_is_accepted(library: Library, root: Path) -> None:
    _many(root, 3)
    report = bring_in(library, root)
    uuid = report.collection_id or ""
    library.write(lambda db: collections.edit(db, uuid, root_device="ext4 uuid:other /"))
    before = everything(library)
    refused = bring_in(library, root)
    _refused_untouched(library, refused, before)
    assert "--accept-device" in (refused.remedy or "")
    assert bring_in(library, root, accept_device=True).exit_code is ExitCode.DONE
    assert bring_in(library, root).exit_code is ExitCode.DONE


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, where tests may mount."""
    point = tmp_path / "mount"
    point.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", point], capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield point
    subprocess.run(["umount", "-l", point], capture_output=True, check=False)


def test_R4_a_device_that_is_gone_is_offline_and_nothing_is_missing(library: Library, mount: Path) -> None:
    _many(mount, 3)
    bring_in(library, mount)
    before = everything(library)
    subprocess.run(["umount", mount], check=True)
    write(mount / "what" / "lies" / "below.png")
    _refused_untouched(library, bring_in(library, mount), before)


def test_R4_a_mount_inside_the_root_that_is_gone_hides_and_loses_nothing(
    library: Library, mount: Path, tmp_path: Path
) -> None:
    _many(tmp_path / "own", 2)
    frames(mount / "sh1", range(1, 4))
    bring_in(library, tmp_path, ignore=("home/", "home*"))
    before = rows(library)
    subprocess.run(["umount", mount], check=True)
    report = bring_in(library, tmp_path, ignore=("home/", "home*"))
    assert (report.status, report.exit_code) == (Status.PARTIAL, ExitCode.PARTIAL)
    assert [(error.path, error.code) for error in report.errors] == [("mount", "offline")]
    assert report.stats.missing == 0
    assert rows(library) == before
    assert adds_up(report)
    assert bring_in(library, tmp_path, ignore=("home/", "home*")).exit_code is ExitCode.PARTIAL
    accepted = bring_in(library, tmp_path, ignore=("home/", "home*"), accept_device=True)
    assert (accepted.exit_code, accepted.stats.missing) == (ExitCode.DONE, 1)


@pytest.mark.parametrize("kind", ["pattern", "ignore file", "kind"])
def test_I14_what_a_rule_leaves_out_is_not_missing(library: Library, root: Path, kind: str) -> None:
    frames(root / "sh1", range(1, 4))
    write(root / "notes.txt")
    write(root / "sh2" / "a.mov")
    bring_in(library, root, all_files=True)
    before = rows(library)
    ignored = ("*.exr", "sh2/", "*.txt") if kind == "pattern" else ()
    if kind == "ignore file":
        write(root / ".kassettuiignore", b"*.exr\nsh2/\n*.txt\n")
    report = bring_in(library, root, ignore=ignored, all_files=kind != "kind")
    assert report.stats.missing == 0
    assert report.stats.discovered == (2 if kind == "kind" else 0)
    assert rows(library) == before
    (root / "sh1" / "beauty.0002.exr").unlink()
    (root / "notes.txt").unlink()
    report = bring_in(library, root, ignore=ignored, all_files=kind != "kind", accept_missing=True)
    assert report.stats.missing == 1


def test_I5_a_render_behind_an_underscore_stays_the_same_asset_from_its_first_frame_on(
    library: Library, root: Path
) -> None:
    """One frame behind `_` is a still (S12), two are a sequence."""
    frames(root, [1], "beauty_{:04}.exr")
    bring_in(library, root)
    first = row(library)
    assert first["kind"] == "image"
    frames(root, [2, 3], "beauty_{:04}.exr")
    report = bring_in(library, root)
    second = row(library)
    assert (report.stats.moved, report.stats.missing, report.stats.ingested) == (1, 0, 0)
    assert (second["uuid"], second["kind"], second["frame_ranges"]) == (first["uuid"], "sequence", "1-3")
    assert second["path"].endswith("beauty_#.exr")
    for number in (1, 3):
        (root / f"beauty_{number:04}.exr").unlink()
    bring_in(library, root)
    third = row(library)
    assert (third["uuid"], third["kind"], third["frame_ranges"]) == (first["uuid"], "image", None)
    assert bring_in(library, root).stats.skipped == 1


def test_I15_a_renamed_directory_moves_and_keeps_every_uuid(library: Library, root: Path) -> None:
    for shot in ("sh1", "sh2"):
        frames(root / shot / "comp", range(1, 9))
        write(root / shot / "comp" / "note.png", shot.encode())
    bring_in(library, root)
    before = {asset["uuid"]: asset for asset in rows(library)}
    library.write(lambda db: db.execute_sql("UPDATE assets SET rating = 5, state = 'ready'") and None)
    (root / "sh1").rename(root / "sh9")
    report = bring_in(library, root)
    assert (report.stats.moved, report.stats.skipped, report.stats.missing) == (2, 2, 0)
    assert adds_up(report)
    after = {asset["uuid"]: asset for asset in rows(library)}
    assert after.keys() == before.keys()
    for uuid, asset in after.items():
        assert (asset["rating"], asset["state"]) == (5, "ready")
        assert asset["path"] == before[uuid]["path"].replace("/sh1/", "/sh9/")
        assert asset["canonical_key"] == before[uuid]["canonical_key"].replace(":sh1/", ":sh9/")
    assert bring_in(library, root).stats.skipped == 4


def test_I15_a_directory_moves_as_one_with_what_changed_in_it(library: Library, root: Path) -> None:
    for name in ("a", "b", "c"):
        write(root / "old" / f"{name}.png", name.encode())
    bring_in(library, root)
    library.write(
        lambda db: db.execute_sql("UPDATE assets SET state = 'ready', approved_for_broadcast = 1") and None
    )
    before = {asset["name"]: asset["uuid"] for asset in rows(library)}
    (root / "old").rename(root / "new")
    touch(root / "new" / "c.png")
    report = bring_in(library, root)
    assert (report.stats.moved, report.stats.ingested, report.stats.missing) == (3, 0, 0)
    after = {asset["name"]: asset for asset in rows(library)}
    assert {name: asset["uuid"] for name, asset in after.items()} == before
    assert (after["a.png"]["state"], after["a.png"]["approved_for_broadcast"]) == ("ready", 1)
    assert (after["c.png"]["state"], after["c.png"]["approved_for_broadcast"]) == ("new", 0)
    assert bring_in(library, root).stats.skipped == 3


def test_I15_what_should_be_there_still_counts_after_a_move(library: Library, root: Path) -> None:
    frames(root / "old", range(1, 6))
    write(root / "still.png")
    bring_in(library, root)
    library.write(
        lambda db: db.execute_sql("UPDATE assets SET expected_ranges = '1-8', hole_count = 3") and None
    )
    (root / "old").rename(root / "new")
    assert bring_in(library, root).stats.moved == 1
    assert row(library, "kind = 'sequence'")["hole_count"] == 3
    (root / "new" / "beauty.0002.exr").unlink()
    bring_in(library, root)
    assert row(library, "kind = 'sequence'")["hole_count"] == 4


def test_I15_what_went_missing_before_is_found_where_it_is_now(library: Library, root: Path) -> None:
    path = write(root / "a" / "x.png")
    write(root / "a" / "stays.png")
    bring_in(library, root)
    uuid = row(library, "name = 'x.png'")["uuid"]
    path.rename(root.parent / "x.png")
    bring_in(library, root)
    (root / "b").mkdir()
    (root.parent / "x.png").rename(root / "b" / "x.png")
    report = bring_in(library, root / "b")
    assert report.stats.moved == 1
    found = row(library, "name = 'x.png'")
    assert (found["uuid"], found["missing_since"]) == (uuid, None)
    assert found["canonical_key"] == "fs:b/x.png"


def test_I15_two_equal_candidates_are_no_move(library: Library, root: Path) -> None:
    path = write(root / "a" / "x.png")
    write(root / "a" / "stays.png", b"1")
    bring_in(library, root)
    for directory in ("b", "c"):
        write(root / directory / "x.png")
    path.unlink()
    report = bring_in(library, root)
    assert (report.stats.moved, report.stats.ingested, report.stats.missing) == (0, 2, 1)


def test_I15_directories_that_change_places(library: Library, root: Path) -> None:
    """Every key is known and every content is another: two updates, as nothing has vanished."""
    for name in ("a", "b"):
        write(root / name / "x.png", name.encode() * 9)
    bring_in(library, root)
    os.rename(root / "a", root / "t")
    os.rename(root / "b", root / "a")
    os.rename(root / "t", root / "b")
    touch(root / "b" / "x.png")
    report = bring_in(library, root)
    assert adds_up(report)
    assert (report.stats.moved, report.stats.missing, report.stats.ingested) == (0, 0, 0)


def test_I15_a_tree_pushed_one_level_down_moves_whole(library: Library, root: Path) -> None:
    for shot in ("sh1", "sh2", "sh3"):
        frames(root / shot, range(1, 4), content=shot.encode())
    bring_in(library, root)
    before = {asset["uuid"] for asset in rows(library)}
    (root / "show").mkdir()
    for shot in ("sh1", "sh2", "sh3"):
        (root / shot).rename(root / "show" / shot)
    report = bring_in(library, root)
    assert (report.stats.moved, report.stats.missing) == (3, 0)
    assert {asset["uuid"] for asset in rows(library)} == before
