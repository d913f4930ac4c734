"""A library of its own and an empty root for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A new library."""
    with Library.open(str(tmp_path / "home" / "library.kassettui"), create=True) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty directory to be imported."""
    directory = tmp_path / "shows"
    directory.mkdir()
    return directory
