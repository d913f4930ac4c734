"""What tests of files/ share: a library with the door to its operations, and pictures of directory trees."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest

from kassettui.files.operations import FileOperations
from kassettui.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator


NOBODY = 65534


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty library of its own."""
    (tmp_path / "library").mkdir(mode=0o700)
    with Library.open(os.fspath(tmp_path / "library" / "library.db"), create=True) as opened:
        yield opened


@pytest.fixture
def files(library: Library) -> FileOperations:
    """The door to file operations, without a queue."""
    return FileOperations(library)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory to work in."""
    path = tmp_path / "place"
    path.mkdir()
    return path


@contextmanager
def mounted(path: Path, options: str) -> Iterator[bool]:
    """A tmpfs at `path` while inside; whether it could be mounted."""
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def other_device(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, another one than that of `place`."""
    with mounted(tmp_path / "other", "size=200m,mode=0777") as is_mounted:
        if not is_mounted:
            pytest.skip("no tmpfs can be mounted here")
        yield tmp_path / "other"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB and 40 inodes."""
    with mounted(tmp_path / "small", "size=2m,nr_inodes=40") as is_mounted:
        if not is_mounted:
            pytest.skip("no tmpfs can be mounted here")
        yield tmp_path / "small"


class Unprivileged(NamedTuple):
    """File operations without root's power over permissions, and directories of its own on two devices."""

    files: FileOperations
    place: Path
    other_device: Path


@pytest.fixture
def unprivileged() -> Iterator[Unprivileged]:
    """As nobody, in this process, from the opening of the library to its end."""
    with TemporaryDirectory(dir="/var/tmp") as here, mounted(Path(here, "other"), "size=20m") as is_mounted:
        there = Path(here, "other")
        if not is_mounted:
            pytest.skip("no tmpfs can be mounted here")
        was_root = os.geteuid() == 0
        if was_root:
            os.chown(here, NOBODY, NOBODY)
            os.chown(there, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            place = Path(here, "place")
            place.mkdir()
            with Library.open(os.path.join(here, "library.db"), create=True) as opened:
                yield Unprivileged(FileOperations(opened), place, there)
        finally:
            if was_root:
                os.seteuid(0)
