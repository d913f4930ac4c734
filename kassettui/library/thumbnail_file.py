"""The thumbnail cache as the program uses it (spec: media P8): a file with an operator of its own.

It answers from any thread and never raises. A damaged file is thrown away and made anew, a full disk is not
written to for a while, a deleted file is made again.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from kassettui.core.errors import KassettuiError, LibraryClosed, LibraryCorrupt, LibraryTooNew
from kassettui.library import place, thumbnails
from kassettui.library.opening import open_operator
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from kassettui.core.thumbnails import StoredThumbnail, ThumbnailKey
    from kassettui.library.operator import Operator

RETRY_SECONDS: Final = 30.0
"""How long a cache that failed is left alone."""

_USES_AT_ONCE: Final = 256
_T = TypeVar("_T")
_log = log.get("thumbnails")


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the cache holds; sizes in bytes, times in microseconds since the epoch."""

    path: str
    pictures: int
    failures: int
    picture_bytes: int
    file_bytes: int
    limit_bytes: int
    oldest_use: int | None


class ThumbnailFile:
    """The cache as the program uses it: answers from any thread, never raises, mends itself.

    A cache that cannot be used is told once in the log and tried again later; until then nothing is found
    and nothing kept. `problem` says why, "" while all is well.
    """

    def __init__(self, path: str, *, limit_bytes: int) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.problem = ""
        self._lock = threading.Lock()
        self._operator: Operator | None = None
        self._identity: place.FileIdentity | None = None
        self._retry_at = 0.0
        self._total: int | None = None
        self._used: set[int] = set()
        self._closed = False

    def find(self, keys: Sequence[ThumbnailKey]) -> list[StoredThumbnail | None]:
        """What is kept for each key, None where nothing is."""
        answer = self._read(thumbnails.find, keys)
        if answer is None:
            return [None] * len(keys)
        found, used, corrupt = answer
        if corrupt:
            _log.warning("thumbnails were corrupt and are made again", count=len(corrupt))
            self._write(thumbnails.drop, corrupt)
        if used:
            self._note_use(used)
        return found

    def keep(self, kept: Sequence[tuple[ThumbnailKey, StoredThumbnail]]) -> None:
        """Keep pictures and failures, some time soon; evicts when the pictures take too much."""
        if not self._write(thumbnails.put, kept):
            return
        with self._lock:
            if self._total is None:
                self._total = self.limit_bytes  # unknown yet: let the first write count
            self._total += sum(len(one.picture) for _, one in kept)
            over = self._total > self.limit_bytes
        if over:
            self._write(thumbnails.evict, self.limit_bytes, then=self._counted)

    def info(self) -> CacheInfo:
        """What the cache holds now."""
        pictures, failures, size, oldest = self._read(thumbnails.outline) or (0, 0, 0, None)
        return CacheInfo(self.path, pictures, failures, size, self._file_bytes(), self.limit_bytes, oldest)

    def clean(self) -> int:
        """Remove what belongs to files that are gone or changed, and every failure; how many rows."""
        after, removed = 0, 0
        while page := self._read(thumbnails.contents, after, 1000):
            after = page[-1][0]
            doomed = [
                row for row, path, size, mtime_ns, kind in page if not kind or _is_stale(path, size, mtime_ns)
            ]
            removed += len(doomed)
            self._write(thumbnails.drop, doomed)
        self.flush()
        return removed

    def clear(self) -> int:
        """Remove everything; how many rows."""
        count: list[int] = []
        self._write(thumbnails.delete_all, then=count.append)
        self.flush()
        self.vacuum()
        return count[0] if count else 0

    def vacuum(self) -> int:
        """Make the file as small as its pictures allow; by how many bytes."""
        before = self._file_bytes()
        operator = self._open()
        if operator is not None:
            with contextlib.suppress(KassettuiError):
                operator.flush()
                operator.schedule_exclusive(thumbnails.compact).result()
        return max(0, before - self._file_bytes())

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until what was to be kept is kept, or failed."""
        with self._lock:
            operator = self._operator
        if operator is not None:
            operator.flush(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Write down what is still to be written, and close."""
        with self._lock:
            used, self._used = self._used, set()
        if used:
            self._write(thumbnails.touch, sorted(used))
        with self._lock:
            self._closed = True
            operator, self._operator = self._operator, None
        if operator is not None:
            operator.close(timeout)

    # -- inside ---------------------------------------------------------------------------------------------

    def _open(self) -> Operator | None:
        with self._lock:
            if self._operator is not None or self._closed or time.monotonic() < self._retry_at:
                return self._operator
            try:
                self._operator = self._open_or_remake()
                self._identity = place.identity(self.path)
                self.problem = ""
            except (KassettuiError, OSError) as error:
                self._fail(error)
            return self._operator

    def _open_or_remake(self) -> Operator:
        place.make_directory(os.path.dirname(self.path))
        try:
            return open_operator(self.path, thumbnails.SCHEMA, create=True)
        except (LibraryCorrupt, LibraryTooNew) as error:
            _log.warning("the thumbnail cache is made anew", reason=str(error))
            remove_file(self.path)
            return open_operator(self.path, thumbnails.SCHEMA, create=True)

    def _fail(self, error: BaseException) -> None:
        """With the lock held: no cache, or no more writing, for a while."""
        if not self.problem:
            _log.warning("the thumbnail cache cannot be used for now", reason=str(error))
        self.problem = str(error)
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _broken(self, operator: Operator, error: BaseException) -> None:
        """After an error: a damaged or vanished file is opened anew, a full disk is only not written to."""
        with self._lock:
            if self._operator is not operator or self._closed:
                return
            if not isinstance(error, LibraryCorrupt) and place.identity(self.path) == self._identity:
                self._fail(error)
                return
            self._operator, self._total = None, None
            _log.warning("the thumbnail cache is opened anew", reason=str(error))
        # Closing waits for the writer, which may be the thread that we are on.
        threading.Thread(target=self._put_away, args=(operator, error), daemon=True).start()

    def _put_away(self, operator: Operator, error: BaseException) -> None:
        operator.close(2.0)
        if isinstance(error, LibraryCorrupt):
            with self._lock:
                if self._operator is None:
                    with contextlib.suppress(OSError):
                        remove_file(self.path)

    def _read(self, function: Callable[..., _T], *arguments: object) -> _T | None:
        operator = self._open()
        if operator is None:
            return None
        try:
            return operator.execute_sync_read(function, *arguments)
        except LibraryClosed:
            return None
        except KassettuiError as error:
            self._broken(operator, error)
            return None

    def _write(
        self, function: Callable[..., _T], *arguments: object, then: Callable[[_T], None] | None = None
    ) -> bool:
        operator = self._open()
        if operator is None or time.monotonic() < self._retry_at:
            return False
        try:
            future = operator.schedule_write(function, *arguments)
        except KassettuiError:
            return False

        def done(finished: Future[_T]) -> None:
            if finished.cancelled():
                return
            error = finished.exception()
            if error is not None:
                self._broken(operator, error)
                return
            self.problem = ""
            if then is not None:
                then(finished.result())

        future.add_done_callback(done)
        return True

    def _note_use(self, rows: list[int]) -> None:
        with self._lock:
            self._used.update(rows)
            if len(self._used) < _USES_AT_ONCE:
                return
            used, self._used = self._used, set()
        self._write(thumbnails.touch, sorted(used))

    def _counted(self, total: int) -> None:
        with self._lock:
            self._total = total

    def _file_bytes(self) -> int:
        total = 0
        for suffix in ("", *place.SIDE_FILES):
            with contextlib.suppress(OSError):
                total += os.stat(self.path + suffix).st_size
        return total


def remove_file(path: str) -> None:
    """Delete a cache's file and what SQLite keeps beside it. Raises OSError."""
    for suffix in (*place.SIDE_FILES, ""):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)


def _is_stale(path: str, size: int, mtime_ns: int) -> bool:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return True
    return (status.st_size, status.st_mtime_ns) != (size, mtime_ns)
