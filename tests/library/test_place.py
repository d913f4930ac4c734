"""Where a library stands: file systems, private files, what the first bytes say."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import LibraryCorrupt, NotFound
from kassettui.library import place
from kassettui.library.library import Library
from kassettui.library.place import Content

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse", "lustre", "gpfs", "beegfs", "9p"]
)
def test_L3_network_file_systems_are_known(name: str) -> None:
    assert place.is_network(name)


@pytest.mark.parametrize("name", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", ""])
def test_L3_local_file_systems_are_not_network(name: str) -> None:
    assert not place.is_network(name)


def test_L3_the_file_system_of_a_place_is_found(tmp_path: Path) -> None:
    here = place.examine(str(tmp_path / "not" / "there" / "library.db"))
    assert here.directory == os.path.realpath(tmp_path / "not" / "there")
    assert here.filesystem
    assert place.examine("/proc/version").filesystem == "proc"


def test_library_files_are_0600_in_0700_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = str(tmp_path / "a" / "b" / "library.db")
        with Library.open(path, create=True) as library:
            library.write(lambda db: db.execute_sql("DELETE FROM settings") and None)
            names = os.listdir(tmp_path / "a" / "b")
            modes = {name: stat.S_IMODE((tmp_path / "a" / "b" / name).stat().st_mode) for name in names}
    finally:
        os.umask(before)
    assert modes == {"library.db": 0o600, "library.db-wal": 0o600, "library.db-shm": 0o600}
    for directory in ("a", "a/b"):
        assert stat.S_IMODE((tmp_path / directory).stat().st_mode) == 0o700


def test_a_name_is_given_once(tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    first, second = (place.create_private(str(tmp_path), "t") for _ in range(2))
    assert place.publish_new(first, target)
    assert not place.publish_new(second, target)
    place.remove_quietly(second)
    assert os.listdir(tmp_path) == ["target"]


def test_headers(tmp_path: Path, library_path: str) -> None:
    assert place.read_header(str(tmp_path / "none")).content is Content.ABSENT
    (tmp_path / "empty").touch()
    assert place.read_header(str(tmp_path / "empty")).content is Content.EMPTY
    (tmp_path / "text").write_text("#!/bin/sh\n" * 100)
    assert place.read_header(str(tmp_path / "text")).content is Content.FOREIGN
    (tmp_path / "short").write_bytes(b"SQLite format 3\x00")
    assert place.read_header(str(tmp_path / "short")).content is Content.FOREIGN
    Library.open(library_path, create=True).close()
    header = place.read_header(library_path)
    assert (header.content, header.application_id, header.wal) == (Content.DATABASE, 0x4B535454, True)


def test_a_fifo_in_the_librarys_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LibraryCorrupt):
        Library.open(str(tmp_path / "pipe"), create=True)


def test_a_path_that_is_not_utf8_works(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff?mode=memory%41#\n/library.db")
    with Library.open(path, create=True) as library:
        assert library.read(lambda db: db.scalar("SELECT count(*) FROM folders")) == 1
    assert os.listdir(os.path.dirname(path)) == ["library.db"]
    Library.open(path).close()


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="library init"):
        Library.open(str(tmp_path / "none.db"))
    assert not os.listdir(tmp_path)
