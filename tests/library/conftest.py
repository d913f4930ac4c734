"""A library in a directory of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def library_path(tmp_path: Path) -> str:
    """Where a test's library stands; nothing is there yet."""
    return str(tmp_path / "home" / "library.db")


@pytest.fixture
def library(library_path: str) -> Iterator[Library]:
    """A new library."""
    with Library.open(library_path, create=True) as opened:
        yield opened
