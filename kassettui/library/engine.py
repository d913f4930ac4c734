"""The engine under the library: everything that would differ on another database stands here.

It opens connections with their settings, compiles and runs bulk statements, keeps the full-text index's own
commands, and turns the engine's errors into ours. Only the operator (and what works on copies: backup, check)
opens connections.

The binding is apsw through playhouse.apsw_ext, not the standard sqlite3 module, because it brings its own
current SQLite. Versions 3.7.0 to 3.51.2 can corrupt a WAL database when two connections write or checkpoint
at the same moment, and two processes on one library must work (L3); the system's SQLite on a render server is
nearly always one of those. apsw also gives extended result codes, a busy handler of our own, checkpoints and
the online backup.
"""

from __future__ import annotations

import os
import random
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase, __exception_wrapper__

from kassettui.core.errors import (
    ConstraintViolated,
    KassettuiError,
    LibraryBusy,
    LibraryCorrupt,
    LibraryReadOnly,
    LibraryUnavailable,
)
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kassettui.library.events import Event

SOUND_SQLITE: Final = (3, 51, 3)
"""The first version without the WAL-reset bug."""

_KIB: Final = 1024
_WRITER_CACHE: Final = 32 * _KIB * _KIB
_READER_CACHE: Final = 8 * _KIB * _KIB
_JOURNAL_LIMIT: Final = 64 * _KIB * _KIB
_FIRST_DELAY: Final = 0.001
_LONGEST_DELAY: Final = 0.1

ERRORS: Final = (apsw.Error, peewee.PeeweeException, UnicodeDecodeError)
"""What the database raises, below our own tree.

Text that is not UTF-8 was never written by us: it is damage.
"""

Row = tuple[Any, ...]


class Trouble(Enum):
    """What an error means for the transaction and the connection it happened on."""

    NONE = "none"
    """The statement failed; the transaction stands."""
    BUSY = "busy"
    STOPPED = "stopped"
    FULL = "full"
    """The transaction is gone; the file is sound."""
    DISK = "disk"
    """The transaction is gone; the connection and what it remembers of the file are not to be trusted."""
    DAMAGE = "damage"


class Mode(Enum):
    """What a connection is for."""

    WRITE = "write"
    READ = "read"
    FROZEN = "frozen"
    """Reading a file on a file system that cannot be written: no locks, no shared memory."""
    SCRATCH = "scratch"
    """A database of its own in memory, for comparing."""


_TROUBLE: Final[tuple[tuple[tuple[type[apsw.Error], ...], Trouble], ...]] = (
    ((apsw.BusyError, apsw.LockedError), Trouble.BUSY),
    ((apsw.InterruptError,), Trouble.STOPPED),
    ((apsw.FullError,), Trouble.FULL),
    ((apsw.CorruptError, apsw.NotADBError, apsw.FormatError), Trouble.DAMAGE),
    (
        (apsw.IOError, apsw.CantOpenError, apsw.ProtocolError, apsw.ReadOnlyError, apsw.PermissionsError),
        Trouble.DISK,
    ),
)


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
        cause = _engine_error(error)
        if isinstance(cause, apsw.BusyError | apsw.FullError | apsw.CorruptError | apsw.NotADBError):
            raise
        return _leave_wal(db) or f"write-ahead logging does not work here ({safe(str(cause))})"
    return None


def _touch(db: LibraryDatabase) -> None:
    """A committed write that changes nothing."""
    version = db.scalar("PRAGMA user_version")
    db.execute_sql("BEGIN IMMEDIATE")
    try:
        db.execute_sql(f"PRAGMA user_version={version:d}")
        db.execute_sql("COMMIT")
    finally:
        end_transaction(db)


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


def close(db: LibraryDatabase) -> None:
    """Close a connection. The last one of a file moves what is in the WAL and removes it."""
    if not db.is_closed():
        db.raw.close(True)
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


def abandon(db: LibraryDatabase) -> None:
    """Close a connection and leave the WAL alone: its path may belong to another file by now."""
    if not db.is_closed():
        try:
            db.raw.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.raw.close(True)
        except apsw.Error:
            pass  # what cannot be closed on a broken disk is forgotten
        db.dispose()


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


def compiled(db: LibraryDatabase, query: Any) -> str:
    """The SQL text of a peewee query, for `executemany`: its values are placeholders, in their order."""
    sql: str = db.get_sql_context().sql(query).query()[0]
    return sql


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
        return [safe(str(_engine_error(error)))]
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
        return safe(str(_engine_error(error)))
    return None


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite that is in use."""
    return tuple(map(int, apsw.sqlite_lib_version().split(".")))


def copy_into(source: LibraryDatabase, target: LibraryDatabase) -> None:
    """The online backup: all of `source` as it stands now into the file of `target`, in one step."""
    with __exception_wrapper__, target.raw.backup("main", source.raw, "main") as backup:
        backup.step(-1)


def translated(error: BaseException, path: str = "") -> KassettuiError:
    """What a person is told of an engine's error; raise it `from` the original. Ours pass through."""
    if isinstance(error, KassettuiError):
        return error
    if isinstance(error, OSError):
        return LibraryUnavailable(
            f"{safe(path)} cannot be written: {error.strerror}.", remedy="Check the disk."
        )
    cause = _engine_error(error)
    where = f" {safe(path)}" if path else ""
    if isinstance(cause, apsw.BusyError | apsw.LockedError):
        return LibraryBusy(
            f"Another process is writing to the library{where}.", remedy="Try again when it is done."
        )
    if isinstance(cause, apsw.FullError):
        return LibraryUnavailable(
            f"The disk of the library{where} is full; nothing was written.", remedy="Make room and try again."
        )
    if isinstance(cause, apsw.CorruptError | apsw.NotADBError | apsw.FormatError | UnicodeDecodeError):
        return LibraryCorrupt(
            f"The library{where} is damaged: {safe(str(cause))}.",
            remedy="Look closer with: kassettui library check",
        )
    if isinstance(cause, apsw.ReadOnlyError):
        return LibraryReadOnly(f"The library{where} cannot be written.", remedy="Check its permissions.")
    if isinstance(cause, apsw.ConstraintError):
        return ConstraintViolated(f"The library refused a row: {safe(str(cause))}.")
    if isinstance(cause, apsw.IOError | apsw.CantOpenError | apsw.ProtocolError | apsw.PermissionsError):
        return LibraryUnavailable(
            f"The library{where} cannot be reached: {safe(str(cause))}.",
            remedy="Check the disk it stands on.",
        )
    return KassettuiError(f"The library{where} answered: {safe(str(cause))}.")


def trouble(error: BaseException) -> Trouble:
    """What `error` means. Looks behind errors that only say that the transaction had already ended."""
    link: BaseException | None = error
    while link is not None and is_engine_error(link):
        cause = _engine_error(link)
        for kinds, meaning in _TROUBLE:
            if isinstance(cause, kinds):
                return meaning
        link = link.__context__ if link.__cause__ is None else link.__cause__
    return Trouble.NONE


def is_engine_error(error: BaseException) -> bool:
    """Whether `error` comes from the database, below our own tree."""
    return isinstance(error, ERRORS)


def _engine_error(error: BaseException) -> BaseException:
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error


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


def _casefold(*arguments: Any) -> str | None:
    return None if arguments[0] is None else str(arguments[0]).casefold()
