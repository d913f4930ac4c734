"""Counting statements: the promise that work on many rows takes no more of them than work on few (L8)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.engine import LibraryDatabase


@contextmanager
def statements(db: LibraryDatabase) -> Iterator[list[str]]:
    """The statements that SQLite was given meanwhile; one `executemany` over many rows counts once."""
    seen: list[str] = []

    def note(_cursor: Any, sql: str, _bindings: Any) -> bool:
        if not seen or seen[-1] != sql:
            seen.append(sql)
        return True

    connection = db.raw
    connection.exec_trace = note
    try:
        yield seen
    finally:
        connection.exec_trace = None
