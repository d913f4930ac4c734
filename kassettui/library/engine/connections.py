"""Connections: how they are opened, what they allow, how they wait for a lock, how they are closed."""

from __future__ import annotations

import os
import random
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import apsw
from playhouse.apsw_ext import APSWDatabase

from kassettui.core.errors import KassettuiError, LibraryCorrupt
from kassettui.core.text import safe
from kassettui.library.engine.errors import ERRORS, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.events import Event

_KIB: Final = 1024
_WRITER_CACHE: Final = 32 * _KIB * _KIB
_READER_CACHE: Final = 8 * _KIB * _KIB
_JOURNAL_LIMIT: Final = 64 * _KIB * _KIB
_FIRST_DELAY: Final = 0.001
_LONGEST_DELAY: Final = 0.1

Row = tuple[Any, ...]


class Mode(Enum):
    """What a connection is for."""

    WRITE = "write"
    READ = "read"
    FROZEN = "frozen"
    """Reading a file on a file system that cannot be written: no locks, no shared memory."""
    SCRATCH = "scratch"
    """A database of its own in memory, for comparing."""


class LibraryDatabase(APSWDatabase):  # type: ignore[misc] # playhouse has no types
    """One connection, as a peewee database. What every unit of work gets as `db`.

    It is opened once, by the operator; it never opens itself. In a write, `announce` keeps events until the
    commit.
    """

    def __init__(
        self, path: str, mode: Mode, *, busy_timeout: float, stop: threading.Event | None = None
    ) -> None:
        """`busy_timeout` in seconds; a wait for a lock ends early when `stop` is set."""
        self.mode = mode
        self.pending_events: list[Event] = []
        self._path = path
        self.busy_timeout = busy_timeout
        self._stop = stop if stop is not None else threading.Event()
        self._wait_began = 0.0
        super().__init__(path, thread_safe=False, autoconnect=False)

    @property
    def raw(self) -> apsw.Connection:
        """The open connection itself."""
        connection: apsw.Connection = self.connection()
        return connection

    def announce(self, event: Event) -> None:
        """Keep `event` for after the commit. Raises RuntimeError outside a write."""
        if self.mode is not Mode.WRITE or not self.in_transaction():
            raise RuntimeError("Events are announced inside a write.")
        self.pending_events.append(event)

    def all(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Every row of a statement, fetched whole."""
        rows: list[Row] = self.execute_sql(sql, parameters).fetchall()
        return rows

    def one(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        """The first row of a statement, or None."""
        row: Row | None = self.execute_sql(sql, parameters).fetchone()
        return row

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """The first column of the first row of a statement, or None."""
        row = self.one(sql, parameters)
        return None if row is None else row[0]

    def changes(self) -> int:
        """How many rows the last statement wrote."""
        return self.raw.changes()

    def _connect(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_URI
        writing = self.mode in (Mode.WRITE, Mode.SCRATCH)
        flags |= apsw.SQLITE_OPEN_READWRITE if writing else apsw.SQLITE_OPEN_READONLY
        connection = apsw.Connection(_uri(self._path, self.mode), flags=flags)
        try:
            connection.set_busy_handler(self._wait)
            _settle(connection, self.mode)
            connection.create_scalar_function("casefold", _casefold, 1, deterministic=True)
        except BaseException:
            connection.close()
            raise
        return connection

    def _wait(self, attempt: int) -> bool:
        """SQLite's busy handler: exponential backoff with jitter; False gives up."""
        now = time.monotonic()
        if attempt == 0:
            self._wait_began = now
        left = self._wait_began + self.busy_timeout - now
        if left <= 0:
            return False
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(attempt, 10))
        wait = min(left, delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        return not self._stop.wait(wait)


def open_database(
    path: str, mode: Mode, *, busy_timeout: float = 5.0, stop: threading.Event | None = None
) -> LibraryDatabase:
    """A connection to the existing file at `path`. Raises what `translated` makes of the engine's errors."""
    db = LibraryDatabase(path, mode, busy_timeout=busy_timeout, stop=stop)
    try:
        db.connect()
    except ERRORS as error:
        raise translated(error, path) from error
    return db


def _uri(path: str, mode: Mode) -> str:
    """The file name for SQLite: any bytes, no surprises from `?` and `%`."""
    if mode is Mode.SCRATCH:
        return ":memory:"
    suffix = {Mode.WRITE: "?mode=rw", Mode.READ: "?mode=ro", Mode.FROZEN: "?immutable=1"}[mode]
    return f"file:{quote(os.fsencode(os.path.abspath(path)))}{suffix}"


def _settle(connection: apsw.Connection, mode: Mode) -> None:
    """The settings of a connection: what the file holds is not trusted, and it is never mapped (SIGBUS)."""
    for switch, value in (
        (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
        (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_FKEY, 1),
        (apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
    ):
        connection.config(switch, value)
    cache = _WRITER_CACHE if mode is Mode.WRITE else _READER_CACHE
    pragmas = ["mmap_size=0", "cell_size_check=1", "temp_store=2", f"cache_size=-{cache // _KIB}"]
    if mode is Mode.WRITE:
        pragmas.append(f"journal_size_limit={_JOURNAL_LIMIT}")
    elif mode is not Mode.SCRATCH:
        pragmas.append("query_only=1")
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def may_be_frozen(path: str) -> bool:
    """Whether a file that cannot be opened for want of a writable directory may be read as it lies.

    Only without a log, which nobody has then: what it holds would not be seen, and it may come at any time.
    """
    return not os.path.lexists(path + "-wal") and not os.access(os.path.dirname(path), os.W_OK)


def require_application(db: LibraryDatabase, application_id: int, path: str) -> None:
    """Raise LibraryCorrupt unless the file says that it is one of ours."""
    try:
        found = db.scalar("PRAGMA application_id")
    except ERRORS as error:
        raise translated(error, path) from error
    if found != application_id:
        raise LibraryCorrupt(
            f"{safe(path)} is a database, but not of kassettui.", remedy="Name a library with --library PATH."
        )


def end_transaction(db: LibraryDatabase) -> None:
    """Roll back if a transaction is still open. After a full disk SQLite has done it already (facts)."""
    if not db.is_closed() and db.raw.in_transaction:
        db.execute_sql("ROLLBACK")


def close(db: LibraryDatabase) -> None:
    """Close a connection. The last one of a file moves what is in the WAL and removes it."""
    if not db.is_closed():
        db.raw.close(True)
        db.dispose()


def abandon(db: LibraryDatabase) -> None:
    """Close a connection and leave the WAL alone: its path may belong to another file by now."""
    if not db.is_closed():
        try:
            db.raw.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.raw.close(True)
        except apsw.Error:
            pass  # what cannot be closed on a broken disk is forgotten
        db.dispose()


def tidy(path: str) -> None:
    """Remove the empty `-wal` and its `-shm` that reading left behind, unless somebody has the file open."""
    try:
        if os.stat(path + "-wal").st_size == 0:
            db = open_database(path, Mode.WRITE, busy_timeout=0)
            db.all("SELECT count(*) FROM sqlite_schema")
            close(db)
    except (OSError, KassettuiError, *ERRORS):
        return  # not ours to remove, or nothing there


def _casefold(*arguments: Any) -> str | None:
    return None if arguments[0] is None else str(arguments[0]).casefold()
