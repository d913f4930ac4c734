"""A real import into a library that loses nothing, told by its outside."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Program


@pytest.fixture
def show(corpus: Path, tmp_path: Path) -> Path:
    """A writable copy of the real pictures."""
    target = tmp_path / "show"
    shutil.copytree(corpus, target, copy_function=shutil.copy2)
    for folder, _, names in os.walk(target):
        os.chmod(folder, 0o755)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o644)
    return target


def assets(kassettui: Program, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = kassettui("find", query, "--limit", "100000", "--json").json["items"]
    return items


def adds_up(stats: dict[str, int]) -> bool:
    parts = ("ingested", "updated", "moved", "skipped", "duplicates_prevented", "errors")
    return stats["discovered"] == sum(stats[part] for part in parts)


@pytest.mark.corpus
def test_the_corpus_is_imported_and_imported_again(kassettui: Program, show: Path) -> None:
    first = kassettui("import", show, "--json", "--no-enrich").json
    assert first["status"] == "success"
    assert first["stats"]["ingested"] == first["stats"]["discovered"] > 150
    assert first["stats"]["errors"] == 0
    assert adds_up(first["stats"])

    (beachball,) = [a for a in assets(kassettui) if a["kind"] == "sequence" and "beachball" in a["path"]]
    assert beachball["frame_count"] == 8
    assert beachball["frame_ranges"] == "1-8"
    assert beachball["hole_count"] == 0

    second = kassettui("import", show, "--json", "--no-enrich").json
    assert second["stats"]["skipped"] == second["stats"]["discovered"] == first["stats"]["discovered"]
    assert second["stats"]["ingested"] == second["stats"]["updated"] == 0
    assert second["last_ingest_time"] >= first["last_ingest_time"]


@pytest.mark.corpus
def test_one_touched_frame_is_one_update_and_one_removed_frame_a_hole(kassettui: Program, show: Path) -> None:
    created = kassettui("import", show, "--json", "--no-enrich").json["created_assets"]
    os.utime(show / "exr" / "beachball" / "singlepart.0003.exr")
    touched = kassettui("import", show, "--json", "--no-enrich").json
    assert touched["stats"]["updated"] == 1
    assert touched["stats"]["ingested"] == 0
    assert len(touched["updated_assets"]) == 1

    os.unlink(show / "exr" / "beachball" / "singlepart.0005.exr")
    holed = kassettui("import", show, "--json", "--no-enrich").json
    assert holed["stats"]["updated"] == 1
    assert holed["stats"]["ingested"] == holed["stats"]["missing"] == 0
    (sequence,) = assets(kassettui, "missing:>0 beachball")
    assert sequence["uuid"] == holed["updated_assets"][0] == touched["updated_assets"][0]
    assert sequence["uuid"] in created
    assert sequence["frame_ranges"] == "1-4,6-8"
    assert sequence["hole_count"] == 1


@pytest.mark.corpus
def test_I15_a_renamed_directory_is_moved_and_keeps_every_uuid(kassettui: Program, show: Path) -> None:
    kassettui("import", show, "--json", "--no-enrich")
    before = {a["uuid"]: a["name"] for a in assets(kassettui)}
    inside = {a["uuid"] for a in assets(kassettui) if "/exr/single/" in a["path"]}
    (show / "exr" / "single").rename(show / "exr" / "renamed")
    moved = kassettui("import", show, "--json", "--no-enrich").json
    assert moved["stats"]["moved"] == len(inside) > 10
    assert moved["stats"]["ingested"] == moved["stats"]["missing"] == 0
    assert adds_up(moved["stats"])
    assert {a["uuid"]: a["name"] for a in assets(kassettui)} == before
    assert {a["uuid"] for a in assets(kassettui) if "/exr/renamed/" in a["path"]} == inside


def test_I14_a_mount_that_is_gone_is_offline_and_nothing_changes(kassettui: Program, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", mount], capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        for frame in range(1001, 1011):
            (mount / f"beauty.{frame}.exr").write_bytes(b"frame")
        kassettui("import", mount, "--no-enrich")
        before = assets(kassettui)
    finally:
        subprocess.run(["umount", mount], check=True)
    kassettui("import", mount, "--json", expect=3)
    assert assets(kassettui) == before


def test_I19_dry_run_and_test_library_leave_every_byte(kassettui: Program, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for frame in range(1, 9):
        (root / f"plate.{frame:04}.dpx").write_bytes(b"x" * frame)
    kassettui("import", root, "--no-enrich")
    (root / "new.0001.exr").write_bytes(b"new")
    os.utime(root / "plate.0001.dpx")

    def contents() -> dict[str, str]:
        return {
            p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in kassettui.library.parent.iterdir()
        }

    before = contents()
    planned = kassettui("import", root, "--dry-run", "--json").json
    assert contents() == before
    kassettui("import", root, "--test-db", "--json")
    assert contents()[kassettui.library.name] == before[kassettui.library.name]
    real = kassettui("import", root, "--no-enrich", "--json").json
    assert planned["status"] == "dry_run"
    assert planned["stats"] == real["stats"]


def test_R8_names_come_back_to_the_same_bytes(kassettui: Program, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    names = [
        b"caf\xe9.exr", b"two\nlines.png", b"\x1b]0;title\x07.png", b"[red]x[bold].png", b"'\"quotes\".jpg",
        b"-rf.png", b" edge .png", "nfc-\u00e9.png".encode(), "nfd-e\u0301.png".encode(), b"%s;rm $(x).png",
        "\u202egnp.png".encode(), "\U0001f3ac.mov".encode(), b"\x1a41.png", b"a" * 251 + b".png",
    ]  # fmt: skip
    for name in names:
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(name)
    assert kassettui("import", root, "--no-enrich", "--json").json["stats"]["ingested"] == len(names)

    listed = kassettui("find", "", "--format", "paths", "-0").out.split(b"\0")
    assert {os.path.basename(path) for path in listed if path} == set(names)
    for command in (("ls",), ("find", "")):
        shown = kassettui(*command).out
        assert b"\x1b" not in shown
        assert b"\x07" not in shown
        assert "\u202e".encode() not in shown
        assert len(shown.decode("utf-8").splitlines()) == len(names) + 1
