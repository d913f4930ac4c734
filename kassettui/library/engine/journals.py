"""The journal of a file.

Write-ahead or rollback, how far a commit is synced, moving the log into the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from kassettui.core.text import safe
from kassettui.library.engine.connections import end_transaction
from kassettui.library.engine.errors import ERRORS, engine_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.engine.connections import LibraryDatabase


def journal_mode(db: LibraryDatabase) -> str:
    """What the file's journal is: "wal" or "delete" (or another that we did not set)."""
    return str(db.scalar("PRAGMA journal_mode")).lower()


def choose_journal(db: LibraryDatabase, *, wal: bool) -> str | None:
    """Put the file into WAL or rollback mode. Returns why WAL was not possible, or None when all is as asked.

    WAL is proved when it is switched on, by a real write: the PRAGMA answers "wal" where shared memory
    cannot work (L3). When another process holds the file, it stays as it is.
    """
    if not wal:
        return _leave_wal(db) if journal_mode(db) == "wal" else None
    try:
        if journal_mode(db) == "wal":
            db.execute_sql("BEGIN IMMEDIATE")  # shared memory works, or this fails
            db.execute_sql("ROLLBACK")
        else:
            db.execute_sql("PRAGMA journal_mode=WAL")
            _touch(db)
    except ERRORS as error:
        cause = engine_error(error)
        if isinstance(cause, apsw.BusyError | apsw.FullError | apsw.CorruptError | apsw.NotADBError):
            raise
        return _leave_wal(db) or f"write-ahead logging does not work here ({safe(str(cause))})"
    return None


def bury(db: LibraryDatabase) -> None:
    """After a COMMIT that failed on the disk: see that what it wrote is never found again.

    Its frames may stand whole in the log although they were not synced, and who opens the file next would
    take them for committed. A write in their place ends their chain of checksums.
    """
    try:
        end_transaction(db)
        if journal_mode(db) == "wal":
            _touch(db)
    except ERRORS:
        return  # a dead disk: nobody can say what is on it


def _touch(db: LibraryDatabase) -> None:
    """A committed write that changes nothing."""
    version = db.scalar("PRAGMA user_version")
    db.execute_sql("BEGIN IMMEDIATE")
    try:
        db.execute_sql(f"PRAGMA user_version={version:d}")
        db.execute_sql("COMMIT")
    finally:
        end_transaction(db)


def _leave_wal(db: LibraryDatabase) -> str | None:
    """Rollback journal instead of WAL, without needing shared memory to get there."""
    db.execute_sql("PRAGMA locking_mode=EXCLUSIVE")
    try:
        mode = db.scalar("PRAGMA journal_mode=DELETE")
    finally:
        db.execute_sql("PRAGMA locking_mode=NORMAL")
        db.all("SELECT count(*) FROM sqlite_schema")  # the lock is let go with the next read
    return None if mode == "delete" else "another process holds the library"


def set_synchronous(db: LibraryDatabase, *, full: bool) -> None:
    """FULL: what is committed survives a power cut. NORMAL: sound, may lose the last second (facts)."""
    db.execute_sql("PRAGMA synchronous=FULL" if full else "PRAGMA synchronous=NORMAL")


def watch_wal(db: LibraryDatabase, function: Callable[[int], None]) -> None:
    """Have `function` told the WAL's size in pages after each commit. Ends SQLite's own checkpointing."""

    def hook(_connection: apsw.Connection, _name: str, pages: int) -> int:
        function(pages)
        return apsw.SQLITE_OK

    db.raw.set_wal_hook(hook)


def checkpoint(db: LibraryDatabase, *, truncate: bool = False, wait: float = 0.0) -> bool:
    """Move the WAL into the file: what readers allow, or all of it. Whether all of it went.

    Emptying the log waits for readers and other writers for `wait` seconds at most.
    """
    mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
    patience, db.busy_timeout = db.busy_timeout, wait
    try:
        pages, moved = db.raw.wal_checkpoint(mode=mode)
    except apsw.BusyError:
        return False
    finally:
        db.busy_timeout = patience
    return pages == moved
