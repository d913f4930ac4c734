"""The identity of a file system (I14)."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from kassettui.ingest import mounts

if TYPE_CHECKING:
    from pathlib import Path

INFO = rb"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /mnt/with\040space rw - nfs4 server:/export/a\011b rw
31 22 0:27 /part /mnt rw master:1 - btrfs /dev/sdb1 rw
garbage
"""


def test_mountinfo_is_read_with_its_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "info").write_bytes(INFO)
    monkeypatch.setattr(mounts, "_MOUNTINFO", str(tmp_path / "info"))
    assert mounts.mounts() == [
        mounts.Mount("/", "/", "ext4", "/dev/vda"),
        mounts.Mount("/mnt/with space", "/", "nfs4", "server:/export/a\tb"),
        mounts.Mount("/mnt", "/part", "btrfs", "/dev/sdb1"),
    ]


def test_without_mountinfo_the_device_number_must_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "_MOUNTINFO", str(tmp_path / "none"))
    assert mounts.device_of(str(tmp_path)) == f"dev:{tmp_path.stat().st_dev}"
    assert mounts.mounts_below(str(tmp_path)) == []


def test_a_local_disk_goes_by_its_uuid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "info").write_bytes(INFO)
    (tmp_path / "by-uuid").mkdir()
    (tmp_path / "by-uuid" / "1234-abcd").symlink_to("/dev/vda")
    monkeypatch.setattr(mounts, "_MOUNTINFO", str(tmp_path / "info"))
    monkeypatch.setattr(mounts, "_BY_UUID", str(tmp_path / "by-uuid"))
    assert mounts.device_of("/") == "ext4 uuid:1234-abcd /"


def test_what_is_not_there_has_no_device(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mounts.device_of(str(tmp_path / "none"))


def test_another_file_system_has_another_identity(tmp_path: Path) -> None:
    point = tmp_path / "mo unt"
    point.mkdir()
    below = mounts.device_of(str(point))
    if subprocess.run(["mount", "-t", "tmpfs", "none", point], capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        assert mounts.device_of(str(point)).startswith("tmpfs ")
        assert mounts.device_of(str(point)) != below
        assert mounts.mounts_below(str(tmp_path)) == ["mo unt"]
        os.symlink(point, tmp_path / "link")
        assert mounts.device_of(str(tmp_path / "link")) == mounts.device_of(str(point))
    finally:
        subprocess.run(["umount", point], check=True)
    assert mounts.mounts_below(str(tmp_path)) == []
