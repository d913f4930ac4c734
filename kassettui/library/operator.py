"""The operator: owner of every connection to one database file (spec: library L1-L3).

One thread writes, over one long-lived connection; reads run on read-only connections, one a thread. A unit
of work is a function that gets the database first: `function(db, *arguments)`. It runs in a transaction,
may run twice when the library was busy, and so has no effect outside the database; what others should learn
it says by `events.announce`. It returns values, never cursors or models.

playhouse's SqliteQueueDatabase is not used: it knows no transactions, its unread errors vanish, and what is
queued at exit is lost.

The operator works for any file whose `Schema` it is given (the library, the thumbnails' cache); making,
checking and migrating files is done in `opening` and `migrate`, through it.
"""

from __future__ import annotations

import atexit
import os
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, TypeVar

from kassettui.core.errors import LibraryClosed, LibraryReadOnly
from kassettui.library import engine, place
from kassettui.library.events import Events
from kassettui.library.readers import Readers, ReadPool
from kassettui.library.work import Job, Priority, WriteFuture
from kassettui.library.writer import Limits, Target, Writer
from kassettui.observe.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

__all__ = ["Limits", "Operator", "Priority", "WriteFuture"]

T = TypeVar("T")


class Operator:
    """Reads and writes of one existing database file. Raises NotFound when there is none at `path`."""

    def __init__(
        self,
        path: str,
        application_id: int,
        *,
        read_only: bool = False,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        events: Events | None = None,
    ) -> None:
        self.path = os.path.realpath(path)
        self.read_only = read_only
        self.place = place.examine(self.path)
        self.metrics = metrics if metrics is not None else Metrics()
        self.events = events if events is not None else Events()
        self._limits = limits if limits is not None else Limits()
        self._target = Target(self.path, place.require(self.path), application_id, wal=not self.place.network)
        self._writer = Writer(self._target, self._limits, self.metrics, self.events)
        self._readers = Readers(
            self._target,
            self._limits,
            self.metrics,
            generation=lambda: self._writer.generation,
            recover=None if read_only else self._recover,
        )
        self._pool = ReadPool(self._readers, self._limits.read_threads)
        self._process = os.getpid()
        self._closed = False
        # Whoever forgets to close loses nothing that was queued.
        atexit.register(self.close)

    # -- writing --------------------------------------------------------------------------------------------

    def schedule_write(
        self,
        function: Callable[..., T],
        *arguments: Any,
        priority: Priority = Priority.NORMAL,
        full: bool = False,
    ) -> WriteFuture[T]:
        """Have `function(db, *arguments)` run in a transaction; the future succeeds after its COMMIT.

        `full`: what it commits survives a power cut (synchronous=FULL). Errors: LibraryBusy when another
        process held the lock for too long, LibraryUnavailable (full, I/O error), LibraryCorrupt,
        ConstraintViolated, and whatever `function` raises. Raises LibraryClosed or LibraryReadOnly at once.
        """
        self._refuse_unless_writable()
        future: WriteFuture[T] = WriteFuture(self._writer.is_current)
        self._writer.submit(Job(((function, arguments),), (future,), priority, full))
        return future

    def schedule_write_batch(
        self,
        calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]],
        *,
        atomic: bool,
        priority: Priority = Priority.NORMAL,
        full: bool = False,
    ) -> list[WriteFuture[Any]]:
        """Many writes, in order.

        All or nothing (`atomic`), or each on its own. One future each, in that order.
        """
        self._refuse_unless_writable()
        futures: list[WriteFuture[Any]] = [WriteFuture(self._writer.is_current) for _ in calls]
        if not calls:
            return futures
        if atomic:
            jobs = [Job(tuple(calls), tuple(futures), priority, full)]
        else:
            jobs = [
                Job((call,), (future,), priority, full) for call, future in zip(calls, futures, strict=True)
            ]
        self._writer.submit(*jobs)
        return futures

    def schedule_exclusive(self, function: Callable[..., T], *arguments: Any) -> WriteFuture[T]:
        """Have `function(db, *arguments)` run alone on the writer's connection, outside any transaction.

        It owns its transactions (migrations, VACUUM) and is never run twice.
        """
        self._refuse_unless_writable()
        future: WriteFuture[T] = WriteFuture(self._writer.is_current)
        self._writer.submit(
            Job(((function, arguments),), (future,), Priority.HIGH, full=True, exclusive=True)
        )
        return future

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything scheduled so far is committed or failed. False after `timeout` seconds."""
        self._refuse_in_writer("flush")
        futures = [future for job in self._writer.outstanding() for future in job.futures]
        return not wait(futures, timeout).not_done

    # -- reading --------------------------------------------------------------------------------------------

    def schedule_read(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have `function(db, *arguments)` read in the background, from one snapshot."""
        self._refuse_other_process()
        return self._pool.submit(function, *arguments)

    def execute_sync_read(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(db, *arguments)` at once, on the calling thread's own read-only connection.

        It sees what is committed, from one snapshot, and never waits for the writer. Errors as in writing.
        """
        self._refuse_other_process()
        self._refuse_in_writer("execute_sync_read")
        return self._readers.run(function, *arguments)

    # -- life -----------------------------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether it still takes work."""
        return not self._closed

    @property
    def reader_count(self) -> int:
        """How many connections for reading are open."""
        return self._readers.count

    @property
    def journal_warning(self) -> str | None:
        """Why write-ahead logging is not used, once the writer knows."""
        return self._writer.journal_warning

    def expect_version(self, version: int) -> None:
        """From now on refuse to write unless the file's schema is `version`.

        Another process may migrate it.
        """
        self._writer.version = version

    def close(self, timeout: float = 10.0) -> bool:
        """Refuse new work, write what is queued for at most `timeout` seconds, close every connection.

        Idempotent. Whether everything ended; what did not is left behind and holds nobody.
        """
        self._refuse_in_writer("close")
        if self._process != os.getpid():
            return True
        already, self._closed = self._closed, True
        if already:
            return True
        atexit.unregister(self.close)
        deadline = time.monotonic() + timeout
        # The writer goes last: the last connection of a file clears its log away.
        self._pool.close(min(timeout, 1.0))
        self._readers.close(min(timeout, 1.0))
        ended = self._writer.close(max(0.0, deadline - time.monotonic()))
        if ended and place.still(self.path, self._target.identity):
            engine.tidy(self.path)
        self.events.close(max(0.1, min(2.0, deadline - time.monotonic())))
        return ended

    def _recover(self) -> None:
        self.schedule_exclusive(_look).result()

    def _refuse_unless_writable(self) -> None:
        self._refuse_other_process()
        if self._closed:
            raise LibraryClosed("The library is closed.")
        if self.read_only:
            raise LibraryReadOnly("The library was opened for reading only.")

    def _refuse_in_writer(self, what: str) -> None:
        if self._writer.is_current():
            raise RuntimeError(
                f"{what} inside a unit of work would wait for itself; use the db it was given."
            )

    def _refuse_other_process(self) -> None:
        if self._process != os.getpid():
            raise RuntimeError("A library does not survive fork; open it again in the new process.")


def _look(db: Any) -> None:
    """The least that opens the file: SQLite rolls back or reads what a crash left."""
    db.all("SELECT count(*) FROM sqlite_schema")
