"""Statements that are the engine's own: in bulk, about its structure, its full-text index, its patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw
from playhouse.apsw_ext import __exception_wrapper__

from kassettui.core.text import safe
from kassettui.library.engine.errors import ERRORS, Trouble, engine_error, trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine.connections import LibraryDatabase

SOUND_SQLITE: Final = (3, 51, 3)
"""The first version without the WAL-reset bug."""


def executemany(db: LibraryDatabase, sql: str, rows: Iterable[Sequence[object]]) -> None:
    """Run one compiled statement over `rows`. `rows` may be a generator: nothing is held."""
    with __exception_wrapper__:
        db.raw.executemany(sql, rows)


def quick_check(db: LibraryDatabase, limit: int = 10) -> list[str]:
    """What is wrong with the file's structure; empty when nothing is found."""
    return _check(db, f"PRAGMA quick_check({limit:d})")


def integrity_check(db: LibraryDatabase, limit: int = 100) -> list[str]:
    """As `quick_check`, and every index compared with its table. Reads the whole file."""
    return _check(db, f"PRAGMA integrity_check({limit:d})")


def _check(db: LibraryDatabase, pragma: str) -> list[str]:
    try:
        answers = [str(answer) for (answer,) in db.all(pragma)]
    except ERRORS as error:  # a damaged page may raise instead of being reported
        return [safe(str(engine_error(error)))]
    return [] if answers == ["ok"] else answers


def full_text_fault(db: LibraryDatabase) -> str | None:
    """What is wrong with the full-text index, against itself and its table; None when nothing is.

    On a connection that writes: the index takes the write lock to look at itself.
    """
    try:
        db.execute_sql("INSERT INTO assets_fts (assets_fts, rank) VALUES ('integrity-check', 1)")
    except ERRORS as error:
        if trouble(error) is not Trouble.DAMAGE:
            raise
        return safe(str(engine_error(error)))
    return None


def pattern_fault(db: LibraryDatabase, pattern: str) -> str | None:
    """Why `regexpi(pattern, text)` cannot use `pattern`, or None when it can: then the function is there.

    It is SQLite's own matcher: its time is linear in the text, where Python's re may take for ever over a
    pattern and would hold every thread meanwhile. It ignores the case of ASCII letters.
    """
    from apsw import sqlite_extra

    connection = db.raw
    try:
        if not db.one("SELECT 1 FROM pragma_function_list WHERE name = 'regexpi'"):
            sqlite_extra.load(connection, "regexp")
        connection.execute("SELECT regexpi(?, '')", (pattern,)).fetchall()
    except (sqlite_extra.NotAvailable, LookupError):
        return "patterns are not available in this installation"
    except apsw.SQLError as error:
        return safe(str(error))
    return None


def copy_into(source: LibraryDatabase, target: LibraryDatabase) -> None:
    """The online backup: all of `source` as it stands now into the file of `target`, in one step."""
    with __exception_wrapper__, target.raw.backup("main", source.raw, "main") as backup:
        backup.step(-1)


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite that is in use."""
    return tuple(map(int, apsw.sqlite_lib_version().split(".")))
