"""The writer: one thread, one long-lived connection, queued writes grouped into transactions (L1-L3).

Whatever waits is drained into one transaction, each job in a savepoint of its own, so that one that fails
fails alone; no timer gathers. Futures are answered after COMMIT; a failing COMMIT fails all of them. A
transaction that met a busy library is tried again, so a unit of work may run twice: it must have no effect
outside the database.

After a full disk the transaction is gone and the next one may work. After an I/O error every connection is
closed; the next write opens the file again and looks at it (quick_check) before it trusts it. After signs
of corruption nothing is written any more.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import (
    KassettuiError,
    LibraryClosed,
    LibraryCorrupt,
    LibraryTooNew,
    LibraryUnavailable,
)
from kassettui.core.text import safe
from kassettui.library import engine
from kassettui.library.engine import LibraryDatabase, Mode, Trouble
from kassettui.library.place import FileIdentity, identity, still
from kassettui.library.work import Job, JobQueue
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.events import Events
    from kassettui.observe.metrics import Metrics


_log = log.get("library.writer")
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient and how greedy an operator is. Times in seconds."""

    busy_timeout: float = 5.0
    """How long one wait for another process's lock lasts."""
    attempts: int = 3
    """How many such waits before LibraryBusy."""
    group_seconds: float = 0.02
    """A transaction takes in further jobs for so long."""
    group_size: int = 1_000
    idle_seconds: float = 1.0
    """After so long without writes the WAL is emptied."""
    checkpoint_pages: int = 2_000
    """A WAL of so many pages is moved into the file after a commit."""
    read_threads: int = 2


@dataclass(frozen=True, slots=True)
class Target:
    """The file that is written, and how it must look."""

    path: str
    identity: FileIdentity
    application_id: int
    wal: bool
    """Whether write-ahead logging is wanted: not on file systems that hosts share (L3)."""


class Writer:
    """The thread that writes. It starts, and opens its connection, with the first job."""

    def __init__(self, target: Target, limits: Limits, metrics: Metrics, events: Events) -> None:
        self.version: int | None = None
        """The schema version that the program works with, once known: another one is never written to."""
        self.generation = 0
        """Rises when every connection to the file must be opened anew."""
        self.journal_warning: str | None = None
        self._target = target
        self._limits = limits
        self._metrics = metrics
        self._events = events
        self._queue = JobQueue()
        self._stop = threading.Event()
        self._db: LibraryDatabase | None = None
        self._always_full = False
        self._is_full = False
        self._wal_pages = 0
        self._suspicious = False
        self._refusal: KassettuiError | None = None
        self._group: list[Job] = []
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- from any thread ------------------------------------------------------------------------------------

    def submit(self, *jobs: Job) -> None:
        """Queue jobs. Raises LibraryClosed after close."""
        for job in jobs:
            depth = self._queue.put(job)
            self._metrics.write_queue_depth.set(depth)
        self._metrics.writes_queued.add(len(jobs))
        if self._thread is None:
            with self._start_lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._main, name="library-writer", daemon=True)
                    self._thread.start()

    def is_current(self) -> bool:
        """Whether the caller is the writer's own thread."""
        return threading.current_thread() is self._thread

    def outstanding(self) -> list[Job]:
        """What is queued or being written now."""
        return [*self._group, *self._queue.waiting()]

    @property
    def closing(self) -> bool:
        """Whether new jobs are refused."""
        return self._queue.closed

    def close(self, timeout: float) -> bool:
        """Write what is queued, at most for `timeout` seconds; the rest fails with LibraryClosed.

        Whether the thread ended: one that hangs in a dead file system is left behind.
        """
        self._queue.close()
        with self._start_lock:
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        if not thread.is_alive():
            return True
        for job in self._queue.empty_out():
            job.fail(LibraryClosed("The library was closed before this could be written."))
        self._stop.set()
        db = self._db
        if db is not None and not db.is_closed():
            db.raw.interrupt()
        thread.join(1.0)
        return not thread.is_alive()

    # -- the thread -----------------------------------------------------------------------------------------

    def _main(self) -> None:
        patience = self._limits.idle_seconds
        while True:
            job = self._queue.take(patience if self._wal_pages else None)
            if job is not None:
                patience = self._limits.idle_seconds
                self._serve(job)
            elif self._queue.closed:
                break
            elif not self._empty_wal():
                patience = min(patience * 2, 60.0)
        self._shut()

    def _serve(self, job: Job) -> None:
        self._group = [job]
        try:
            db = self._connection()
            if job.exclusive:
                self._run_alone(db, job)
            else:
                self._run_group(db)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            self._give_up(error)
        finally:
            self._group = []
            self._metrics.write_queue_depth.set(len(self._queue))
        if self._wal_pages >= self._limits.checkpoint_pages:
            self._move_wal()

    def _run_group(self, db: LibraryDatabase) -> None:
        for attempt in range(1, self._limits.attempts + 1):
            try:
                self._attempt(db)
            except BaseException as error:
                self._back_out(db)
                if engine.trouble(error) is not Trouble.BUSY or attempt == self._limits.attempts:
                    raise
                self._metrics.write_retries.add()
                _log.info("the library is busy", attempt=attempt, path=self._target.path)
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
                if self._stop.wait(pause * random.uniform(0.5, 1.5)):  # noqa: S311 - jitter
                    raise
            else:
                return

    def _attempt(self, db: LibraryDatabase) -> None:
        """One transaction over the group, which grows by what is queued meanwhile."""
        full = self._group[0].full
        self._set_full(db, full=full)
        began = time.monotonic()
        db.execute_sql("BEGIN IMMEDIATE")
        db.push_transaction(self)
        self._check_version(db)
        for position, job in enumerate(self._members(began, full=full)):
            if job.begin():
                self._metrics.write_wait.observe(began - job.queued_at if position == 0 else 0.0)
                self._run_job(db, job, first=position == 0)
        try:
            db.execute_sql("COMMIT")
        except engine.ERRORS as error:
            if engine.trouble(error) in (Trouble.DISK, Trouble.FULL):
                engine.bury(db)
            raise
        db.pop_transaction()
        self._metrics.write_run.observe(time.monotonic() - began)
        announced, db.pending_events = db.pending_events, []
        self._events.publish(announced)
        self._answer()

    def _members(self, began: float, *, full: bool) -> Iterator[Job]:
        """The group's jobs, those of an earlier attempt first, then what waits, within the limits."""
        yield from self._group
        while (
            len(self._group) < self._limits.group_size
            and time.monotonic() - began < self._limits.group_seconds
            and (job := self._queue.take_alike(full)) is not None
        ):
            self._group.append(job)
            yield job

    def _run_job(self, db: LibraryDatabase, job: Job, *, first: bool) -> None:
        """One job in its savepoint. Raises only what ends the whole transaction.

        The first needs none: nothing stands before it that a rollback could take along. So a big write,
        which is first in its group, has no copies of the pages kept that it changes.
        """
        job.results, job.error = [], None
        announced = len(db.pending_events)
        if not first:
            db.execute_sql("SAVEPOINT job")
        try:
            for function, arguments in job.calls:
                job.results.append(function(db, *arguments))
        except BaseException as error:
            if not db.raw.in_transaction or engine.trouble(error) is not Trouble.NONE:
                raise
            db.execute_sql("ROLLBACK" if first else "ROLLBACK TO job")
            if first:
                db.execute_sql("BEGIN IMMEDIATE")
            del db.pending_events[announced:]
            job.error = (
                engine.translated(error, self._target.path) if engine.is_engine_error(error) else error
            )
            if job.error is not error:
                job.error.__cause__ = error
        if not db.raw.in_transaction:
            raise LibraryUnavailable("The transaction ended before its work did; nothing was written.")
        if not first:
            db.execute_sql("RELEASE job")

    def _answer(self) -> None:
        jobs = [job for job in self._group if job.begun]
        failed = sum(len(job.futures) for job in jobs if job.error is not None)
        total = sum(len(job.futures) for job in jobs)
        self._metrics.write_batch.observe(len(jobs))
        self._metrics.writes_done.add(total - failed)
        if failed:
            self._metrics.writes_failed.add(failed)
        for job in jobs:
            job.succeed()

    def _run_alone(self, db: LibraryDatabase, job: Job) -> None:
        """A job that owns its transactions: it is run once, whatever happens."""
        if not job.begin():
            return
        self._set_full(db, full=True)
        began = time.monotonic()
        try:
            job.results = [function(db, *arguments) for function, arguments in job.calls]
        except BaseException:
            self._back_out(db)
            raise
        self._metrics.write_run.observe(time.monotonic() - began)
        announced, db.pending_events = db.pending_events, []
        self._events.publish(announced)
        self._answer()

    # -- trouble --------------------------------------------------------------------------------------------

    def _back_out(self, db: LibraryDatabase) -> None:
        """Nothing of the transaction stays, whoever ended it."""
        db.pending_events = []
        while db.transaction_depth():
            db.pop_transaction()
        try:
            engine.end_transaction(db)
        except engine.ERRORS:
            self._drop_connection(suspicious=True)

    def _give_up(self, error: BaseException) -> None:
        """Fail the whole group, and see what the error means for the connection."""
        kind = engine.trouble(error)
        told: BaseException = error
        if self._stop.is_set() and kind in (Trouble.BUSY, Trouble.STOPPED):
            told = LibraryClosed("The library was closed before this could be written; nothing of it was.")
        elif engine.is_engine_error(error):
            told = engine.translated(error, self._target.path)
        if told is not error:
            told.__cause__ = error
        if kind is Trouble.DISK:
            self._drop_connection(suspicious=True)
        elif kind is Trouble.DAMAGE and isinstance(told, LibraryCorrupt):
            self._refusal = told
        _log.warning("rolled back", cause=str(error), writes=len(self._group), path=self._target.path)
        for job in self._group:
            self._metrics.writes_failed.add(len(job.futures))
            job.fail(told)

    def _drop_connection(self, *, suspicious: bool) -> None:
        """Close the writer's connection, and have the readers do the same."""
        self.generation += 1
        self._suspicious = self._suspicious or suspicious
        db, self._db = self._db, None
        if db is not None and not db.is_closed():
            engine.abandon(db)

    # -- the connection -------------------------------------------------------------------------------------

    def _connection(self) -> LibraryDatabase:
        """The one connection, to the very file that was opened at first."""
        if self._refusal is not None:
            raise self._refusal
        if identity(self._target.path) != self._target.identity:
            self._drop_connection(suspicious=False)
            raise LibraryUnavailable(
                f"The library {safe(self._target.path)} was removed or replaced while it was open.",
                remedy="Start again.",
            )
        if self._db is None:
            self._db = self._open()
        return self._db

    def _open(self) -> LibraryDatabase:
        db = engine.open_database(
            self._target.path, Mode.WRITE, busy_timeout=self._limits.busy_timeout, stop=self._stop
        )
        try:
            engine.require_application(db, self._target.application_id, self._target.path)
            if self._suspicious:
                self._look_closer(db)
            self.journal_warning = engine.choose_journal(db, wal=self._target.wal)
            if self.journal_warning is not None:
                _log.warning("no write-ahead log", cause=self.journal_warning, path=self._target.path)
            self._always_full = engine.journal_mode(db) != "wal"
            self._is_full = True
            self._set_full(db, full=False)
            if not self._always_full:
                engine.watch_wal(db, self._note_wal)
        except BaseException:
            engine.abandon(db)
            raise
        self._suspicious = False
        return db

    def _look_closer(self, db: LibraryDatabase) -> None:
        findings = engine.quick_check(db)
        _log.warning("opened again after an error of the disk", path=self._target.path, findings=findings)
        if findings:
            self._refusal = LibraryCorrupt(
                f"The library {safe(self._target.path)} is damaged: {findings[0]}",
                remedy="Look closer with: kassettui library check",
            )
            raise self._refusal

    def _check_version(self, db: LibraryDatabase) -> None:
        if self.version is not None and db.scalar("PRAGMA user_version") != self.version:
            raise LibraryTooNew(
                "Another kassettui changed the library's schema while it was open.", remedy="Start again."
            )

    def _set_full(self, db: LibraryDatabase, *, full: bool) -> None:
        # A rollback journal is only safe in FULL.
        wanted = full or self._always_full
        if wanted is not self._is_full:
            engine.set_synchronous(db, full=wanted)
            self._is_full = wanted

    # -- the write-ahead log --------------------------------------------------------------------------------

    def _note_wal(self, pages: int) -> None:
        self._wal_pages = pages

    def _move_wal(self) -> None:
        """What readers allow goes into the file; a log that grew too far waits for them, briefly.

        A checkpoint that fails loses nothing: the log still has it all. The next connection looks closer.
        """
        db = self._db
        if db is None or db.is_closed():
            return
        try:
            if self._wal_pages >= 8 * self._limits.checkpoint_pages:
                if engine.checkpoint(db, truncate=True, wait=0.05):
                    self._wal_pages = 0
            else:
                engine.checkpoint(db)
        except engine.ERRORS:
            self._drop_connection(suspicious=True)

    def _empty_wal(self) -> bool:
        """Idle: all of the log goes into the file. Whether it did."""
        db = self._db
        if db is None or db.is_closed() or not still(self._target.path, self._target.identity):
            self._wal_pages = 0
            return True
        try:
            if not engine.checkpoint(db, truncate=True, wait=0.05):
                return False
        except engine.ERRORS:
            self._drop_connection(suspicious=True)
        self._wal_pages = 0
        return True

    def _shut(self) -> None:
        db = self._db
        if db is None or db.is_closed():
            return
        same = still(self._target.path, self._target.identity)
        if same and self._wal_pages:
            self._empty_wal()
        db, self._db = self._db, None
        if db is not None:
            (engine.close if same else engine.abandon)(db)
