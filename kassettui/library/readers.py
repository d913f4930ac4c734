"""Readers: one read-only connection per thread that reads, and a small pool of threads that read for others.

A connection is opened with a thread's first read and closed when the thread ends, or with the operator.
Each unit of reading is one snapshot: it sees the library as of its first statement, and never waits for the
writer.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from kassettui.core.errors import LibraryClosed, LibraryUnavailable
from kassettui.core.text import safe
from kassettui.library import engine, place
from kassettui.library.engine import LibraryDatabase, Mode, Trouble
from kassettui.library.place import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.writer import Limits, Target
    from kassettui.observe.metrics import Metrics

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Reader:
    """A thread's connection. The lock is the thread's while it reads, the operator's while it closes."""

    db: LibraryDatabase
    generation: int
    frozen: tuple[int, int] | None = None
    """What the file looked like when it was opened without locks.

    It is read so only while it stays like this.
    """
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Token:
    """Lives as long as its thread: when it goes, the thread's connection is closed."""

    __slots__ = ("__weakref__", "reader")

    def __init__(self) -> None:
        self.reader: _Reader | None = None


class Readers:
    """All connections for reading."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        metrics: Metrics,
        *,
        generation: Callable[[], int],
        recover: Callable[[], None] | None,
    ) -> None:
        """`generation` tells when connections are stale; `recover` has the writer mend what a crash left."""
        self._target = target
        self._limits = limits
        self._metrics = metrics
        self._generation = generation
        self._recover = recover
        self._local = threading.local()
        self._open: set[_Reader] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(db, *arguments)` on the calling thread's own connection, in one snapshot."""
        began = time.monotonic()
        for attempt in range(1, self._limits.attempts + 1):
            try:
                result = self._run_once(function, arguments)
            except Exception as error:
                kind = engine.trouble(error)
                if kind is Trouble.BUSY and attempt < self._limits.attempts:
                    continue
                if kind in (Trouble.DISK, Trouble.DAMAGE):
                    self._drop_mine()
                if kind is Trouble.STOPPED and self._stop.is_set():
                    raise LibraryClosed("The library was closed while it was read.") from error
                if engine.is_engine_error(error):
                    raise engine.translated(error, self._target.path) from error
                raise
            self._metrics.reads.add()
            self._metrics.read_run.observe(time.monotonic() - began)
            return result
        raise AssertionError("the last attempt returns or raises")

    def _run_once(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        reader = self._mine()
        if reader.db.in_transaction():
            raise RuntimeError("A read inside a read: call the function with the db at hand.")
        with reader.lock:
            db = reader.db
            if db.is_closed():
                raise LibraryClosed("The library is closed.")
            db.execute_sql("BEGIN")
            db.push_transaction(self)
            try:
                result = function(db, *arguments)
            finally:
                while db.transaction_depth():
                    db.pop_transaction()
                engine.end_transaction(db)
        if isinstance(result, Iterator):
            raise TypeError("A read must return its rows, not something that still reads.")
        return result

    def _mine(self) -> _Reader:
        if self._stop.is_set():
            raise LibraryClosed("The library is closed.")
        if identity(self._target.path) != self._target.identity:
            self._drop_mine()
            raise LibraryUnavailable(
                f"The library {safe(self._target.path)} was removed or replaced while it was open.",
                remedy="Start again.",
            )
        token: _Token | None = getattr(self._local, "token", None)
        if token is None:
            token = self._local.token = _Token()
        generation = self._generation()
        if token.reader is not None and self._stale(token.reader, generation):
            self._close(token.reader)
            token.reader = None
        if token.reader is None:
            looks = place.appearance(self._target.path)
            db = self._connect()
            reader = _Reader(db, generation, looks if db.mode is Mode.FROZEN else None)
            with self._lock:
                self._open.add(reader)
            token.reader = reader
            weakref.finalize(token, self._close, reader).atexit = False
        return token.reader

    def _stale(self, reader: _Reader, generation: int) -> bool:
        if reader.frozen is not None and (
            reader.frozen != place.appearance(self._target.path)
            or not engine.may_be_frozen(self._target.path)
        ):
            return True
        return reader.generation != generation

    def _connect(self) -> LibraryDatabase:
        try:
            return self._checked(Mode.READ)
        except Exception as error:
            kind = engine.trouble(error.__cause__ or error)
            if kind is not Trouble.DISK:
                raise
            if engine.may_be_frozen(self._target.path):
                return self._checked(Mode.FROZEN)
            if self._recover is None:
                raise
            # A crash left a journal or a log that only a writer can roll back or read.
            self._recover()
            return self._checked(Mode.READ)

    def _checked(self, mode: Mode) -> LibraryDatabase:
        db = engine.open_database(
            self._target.path, mode, busy_timeout=self._limits.busy_timeout, stop=self._stop
        )
        try:
            engine.require_application(db, self._target.application_id, self._target.path)
        except BaseException:
            engine.abandon(db)
            raise
        return db

    def _drop_mine(self) -> None:
        token: _Token | None = getattr(self._local, "token", None)
        if token is not None and token.reader is not None:
            self._close(token.reader)
            token.reader = None

    def _close(self, reader: _Reader) -> None:
        with self._lock:
            mine = reader in self._open
            self._open.discard(reader)
        if mine:
            engine.abandon(reader.db)

    def close(self, timeout: float) -> None:
        """Refuse new reads, wait `timeout` seconds for running ones, interrupt what is left, close all."""
        self._stop.set()
        deadline = time.monotonic() + timeout
        with self._lock:
            readers = list(self._open)
        for reader in readers:
            taken = reader.lock.acquire(timeout=max(0.0, deadline - time.monotonic()))
            if not taken:
                reader.db.raw.interrupt()
                taken = reader.lock.acquire(timeout=1.0)
            if taken:
                self._close(reader)
                reader.lock.release()


class ReadPool:
    """A few threads that read for those who must not wait themselves (the screen)."""

    def __init__(self, readers: Readers, threads: int) -> None:
        self._readers = readers
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        self._queue: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """`function(db, *arguments)` on one of the pool's threads. Raises LibraryClosed after close."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise LibraryClosed("The library is closed.")
            self._queue.append((future, function, arguments))
            if self._idle < len(self._queue) and len(self._threads) < self._wanted:
                thread = threading.Thread(target=self._main, name="library-reader", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
        return future

    def close(self, timeout: float) -> None:
        """Refuse new reads; those that have not begun fail with LibraryClosed."""
        with self._changed:
            self._closed = True
            left, self._queue = list(self._queue), deque()
            self._changed.notify_all()
        for future, _, _ in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(LibraryClosed("The library was closed before this could be read."))
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _main(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._queue or self._closed)
                self._idle -= 1
                if not self._queue:
                    return
                future, function, arguments = self._queue.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._readers.run(function, *arguments)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits
                future.set_exception(error)
            else:
                future.set_result(result)
