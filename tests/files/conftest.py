"""What tests of files/ share: a library with the door to its operations, and pictures of directory trees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kassettui.files.operations import FileOperations
from kassettui.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
