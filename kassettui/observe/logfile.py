"""The log's file: lines from many threads and processes, whole, rotated, private, never in the way.

- One thread does all the writing, so nobody waits for a slow disk; urgent lines are waited for, briefly.
- A line is appended by one write(2) on an O_APPEND descriptor: lines of several processes never mix.
- Rotation renames under an exclusive lock on the file itself; writers hold a shared one while they write, and
  look whether the name still stands for the file that they have open.
- A full disk or a directory that cannot be written costs log lines, no more (R2): they wait in memory, the
  oldest go when there are too many, and the file says afterwards how many are missing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_DELAY: Final = 1.0
"""Seconds that a line of no urgency may wait for company."""
_ENOUGH: Final = 64 * 1024
"""Bytes that are written without waiting for more."""
_TOO_MUCH: Final = 1 << 20
"""Bytes that may wait for a disk that does not take them."""
_AGAIN: Final = 5.0
"""Seconds before a disk that failed is tried again without need."""
_PATIENCE: Final = 1.0
"""Seconds that an urgent line holds its caller at the most."""


class LogFile:
    """Lines to `place()`, which makes the directory and is first called when there is something to write.

    `lost_line(n)` makes the line that says that `n` lines are missing.
    """

    def __init__(
        self,
        place: Callable[[], str | os.PathLike[str]],
        *,
        max_bytes: int,
        keep: int,
        lost_line: Callable[[int], bytes],
    ) -> None:
        self._place = place
        self._max_bytes = max_bytes
        self._keep = keep
        self._lost_line = lost_line
        self._condition = threading.Condition(threading.RLock())
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._lost = 0
        self._wanted = False  # somebody waits, or the file is closing
        self._busy = False
        self._closing = False
        self._problem = ""
        self._thread: threading.Thread | None = None
        # Only the writing thread touches these.
        self._path = ""
        self._descriptor = -1
        self._torn = False

    @property
    def problem(self) -> str:
        """Why lines cannot be written now; empty when they can."""
        return self._problem

    def write(self, line: bytes, *, urgent: bool = False) -> None:
        """Take a whole line (with its newline). An urgent one is in the file on return, if it can be."""
        with self._condition:
            if self._closing:
                return
            self._pending.append(line)
            self._pending_bytes += len(line)
            while self._pending_bytes > _TOO_MUCH:
                self._pending_bytes -= len(self._pending.popleft())
                self._lost += 1
            if self._thread is None:
                self._start()
            elif self._pending_bytes >= _ENOUGH:
                self._condition.notify_all()
        if urgent:
            self.flush(_PATIENCE)

    def flush(self, timeout: float = _PATIENCE) -> bool:
        """Whether everything taken so far is in the file; waits `timeout` seconds at the most."""
        with self._condition:
            if self._thread is None or threading.current_thread() is self._thread:
                return not self._pending
            self._wanted = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._problem or not (self._pending or self._busy), timeout)
            return not (self._pending or self._busy)

    def close(self, timeout: float = _PATIENCE) -> None:
        """Write what is left and let go of the file; lines after this are dropped."""
        self.flush(timeout)
        with self._condition:
            self._closing = True
            thread = self._thread
            self._condition.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    # -- the writing thread ---------------------------------------------------------------------------------

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="kassettui-log", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending: the ring still has the line
            return
        self._thread = thread

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._pending or self._closing)
                if not self._closing:
                    # Company within the delay; a failing disk gets more time, unless somebody asks.
                    self._condition.wait_for(self._due, _AGAIN if self._problem else _DELAY)
                self._wanted = False
                lines = list(self._pending)
                self._pending.clear()
                self._pending_bytes = 0
                lost, self._lost = self._lost, 0
                self._busy = True
                closing = self._closing
            self._write_out(lines, lost)
            if closing:
                self._let_go()
                return

    def _due(self) -> bool:
        enough = self._pending_bytes >= _ENOUGH and not self._problem
        return self._wanted or self._closing or enough

    def _write_out(self, lines: list[bytes], lost: int) -> None:
        problem = ""
        try:
            if lost:
                self._append([self._lost_line(lost)])
                lost = 0
            while lines:
                self._append(lines)
        except OSError as error:
            problem = error.strerror or str(error)
            self._let_go()
        with self._condition:
            # What could not be written goes back in front of what came meanwhile.
            self._pending.extendleft(reversed(lines))
            self._pending_bytes += sum(map(len, lines))
            self._lost += lost
            self._problem = problem
            self._busy = False
            self._condition.notify_all()

    def _append(self, lines: list[bytes]) -> None:
        """Write the first of `lines`, as many as make a good write, and take off what is in the file.

        Raises OSError. What a full disk cut off is ended by a newline before the next line.
        """
        chunk = lines[: _many(lines)]
        self._ready(sum(map(len, chunk)))
        data = b"\n" * self._torn + b"".join(chunk)
        locked = _lock(self._descriptor, fcntl.LOCK_SH)
        try:
            written = os.write(self._descriptor, data)
        finally:
            if locked:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        whole = data[:written].count(b"\n") - self._torn
        del lines[: max(0, whole)]
        if written < len(data):
            self._torn = not data[:written].endswith(b"\n") if written else self._torn
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)
        self._torn = False

    def _ready(self, size: int) -> None:
        """The descriptor stands for the file that has the name, and there is room in it."""
        if self._descriptor < 0 or not self._is_current():
            self._open()
        if 0 < os.fstat(self._descriptor).st_size > self._max_bytes - size and self._rotate():
            self._open()

    def _open(self) -> None:
        self._let_go()
        self._path = os.fspath(self._place())
        descriptor = os.open(
            self._path,
            os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY,
            0o600,
        )
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a file", self._path)
        if stat.S_IMODE(status.st_mode) != 0o600 and status.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _rotate(self) -> bool:
        """Put the file aside, unless another process is at it: then the next write tries again."""
        if not _lock(self._descriptor, fcntl.LOCK_EX):
            return False
        if not self._is_current():
            return True
        if self._keep == 0:
            os.unlink(self._path)
            return True
        for number in range(self._keep - 1, 0, -1):
            older = f"{self._path}.{number}"
            if os.path.exists(older):
                os.replace(older, f"{self._path}.{number + 1}")
        os.replace(self._path, f"{self._path}.1")
        return True  # the lock goes with the descriptor

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def _many(lines: list[bytes]) -> int:
    """How many lines make one write of a good size."""
    size = 0
    for count, line in enumerate(lines, 1):
        size += len(line)
        if size >= _ENOUGH:
            return count
    return len(lines)


def _lock(descriptor: int, kind: int) -> bool:
    """Whether the lock is ours (or the file system has none); never waits for long."""
    for patience in (0.0, 0.001, 0.01):
        time.sleep(patience)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError:
            return True
        return True
    return False
