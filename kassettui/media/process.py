"""One decoder process seen from outside: start it, ask it, and be rid of it whatever it does (P2).

Belongs to one thread, which also started it: the kernel ends the process with that thread (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

import kassettui
from kassettui.media.messages import LENGTH, MAX_MESSAGE, Asked, pack, unpack_answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.media.messages import Answered, Request, WorkerSettings

START_SECONDS: Final = 60.0
"""How long a new process may take to load its decoders, on a busy machine with cold disks."""

_BLOCK: Final = 1 << 18
_PRINTED_AT_MOST: Final = 64 * 1024


_END_SECONDS: Final = 3.0
_stuck: list[subprocess.Popen[bytes]] = []
_stuck_lock = threading.Lock()


def stuck() -> int:
    """How many processes were killed and are not gone: they hang in the kernel, on a mount that is dead."""
    with _stuck_lock:
        _stuck[:] = [child for child in _stuck if child.poll() is None]
        return len(_stuck)


class Hung(Exception):
    """No answer before the deadline."""


class Died(Exception):
    """The process ended, or answered nonsense; the text says how."""


class Abandoned(Exception):
    """Nobody wants the answer any more."""


class DecoderProcess:
    """A running decoder process. Not thread-safe but for `wake`."""

    def __init__(self, settings: WorkerSettings, log: Callable[[str], None]) -> None:
        """Start it. Raises OSError when no process can be had, Hung or Died when it does not get ready."""
        self._log = log
        self._printed = 0
        self._number = 0
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._open = True
        self._closing = threading.Lock()
        self._pipe, theirs = socket.socketpair()
        self._output, write_end = os.pipe()
        self._printing = True
        os.set_blocking(self._output, False)
        try:
            self._child = _spawn(theirs.fileno(), write_end, settings)
        except BaseException:
            self._close_ends()
            raise
        finally:
            theirs.close()
            os.close(write_end)
        self._pipe.setblocking(False)
        try:
            self._receive(time.monotonic() + START_SECONDS, lambda: None)
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs; one may be killed between two requests, and no file is to blame for that."""
        return self._child.poll() is None

    def ask(self, request: Request, seconds: float, give_up: Callable[[], float | None]) -> Answered:
        """The answer to `request`. Raises Hung after `seconds`, Died, or Abandoned.

        `give_up` is asked after every `wake`: the moment (monotonic) from which the answer is not worth
        waiting for, or None. After any exception the process must be ended.
        """
        deadline = time.monotonic() + seconds
        self._number += 1
        self._printed = 0
        self._send(pack(Asked(self._number, request)), deadline)
        body = self._receive(deadline, give_up)
        try:
            answered = unpack_answered(body)
        except msgspec.MsgspecError as error:
            raise Died("it answered nonsense") from error
        if answered.number != self._number:
            raise Died("it answered something else")
        return answered

    def wake(self) -> None:
        """Have a waiting `ask` look at `give_up` again; from any thread."""
        with self._closing, contextlib.suppress(BlockingIOError):
            if self._open:
                os.write(self._wake_in, b"w")

    def end(self) -> None:
        """Kill it and close everything. One that not even that ends yet (a dead mount) is collected later."""
        self._drain_output()
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._close_ends()
        try:
            self._child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            with _stuck_lock:
                _stuck.append(self._child)

    # -- inside ---------------------------------------------------------------------------------------------

    def _close_ends(self) -> None:
        with self._closing:
            if self._open:
                self._open = False
                self._pipe.close()
                for fd in (self._output, self._wake_out, self._wake_in):
                    os.close(fd)

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._pipe.send(view) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except OSError as error:
                raise Died(self._how()) from error

    def _receive(self, deadline: float, give_up: Callable[[], float | None]) -> bytearray:
        length = LENGTH.unpack(self._exactly(LENGTH.size, deadline, give_up))[0]
        if length > MAX_MESSAGE:
            raise Died("it answered nonsense")
        return self._exactly(length, deadline, give_up)

    def _exactly(self, length: int, deadline: float, give_up: Callable[[], float | None]) -> bytearray:
        data = bytearray(length)
        view, got = memoryview(data), 0
        while got < length:
            try:
                count = self._pipe.recv_into(view[got : got + _BLOCK])
            except BlockingIOError:
                limit = give_up()
                if limit is not None and time.monotonic() >= limit:
                    raise Abandoned from None
                self._wait(select.POLLIN, deadline if limit is None else min(limit, deadline), deadline)
                continue
            except OSError as error:
                raise Died(self._how()) from error
            if not count:
                raise Died(self._how())
            got += count
        return data

    def _wait(self, event: int, until: float, deadline: float | None = None) -> None:
        """Until the pipe is ready, `wake` was called or `until` is past; what it prints is read meanwhile."""
        left = until - time.monotonic()
        if left <= 0:
            if deadline is None or time.monotonic() >= deadline:
                raise Hung
            return
        poll = select.poll()
        poll.register(self._pipe, event)
        poll.register(self._wake_out, select.POLLIN)
        if self._printing:
            poll.register(self._output, select.POLLIN)
        for fd, _ in poll.poll(left * 1000):
            if fd == self._wake_out:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_out, 4096)
            elif fd == self._output:
                self._read_output()

    def _read_output(self) -> int:
        try:
            data = os.read(self._output, 65536)
        except BlockingIOError:
            return 0
        self._printing = bool(data)  # else it closed its stdout and stderr
        if data and self._printed < _PRINTED_AT_MOST:
            self._printed += len(data)
            self._log(data[:4096].decode("utf-8", "replace").strip())
        return len(data)

    def _drain_output(self) -> None:
        for _ in range(64):
            if not self._read_output():
                return

    def _how(self) -> str:
        """How it ended, for people."""
        try:
            status = self._child.wait(2.0)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if status >= 0:
            return f"it ended with status {status}"
        name = signal.Signals(-status).name
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _spawn(fd: int, output: int, settings: WorkerSettings) -> subprocess.Popen[bytes]:
    home = os.path.dirname(os.path.dirname(os.path.abspath(kassettui.__file__)))
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, environment.get("PYTHONPATH"))))
    # Address space is limited: no arena and no thread stack per core that exists.
    environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = "1"
    environment["MALLOC_ARENA_MAX"] = "4"
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "kassettui.media.worker"),
            *(str(fd), str(os.getpid()), msgspec.json.encode(settings).decode()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(fd,),
        env=environment,
        start_new_session=True,  # the terminal's Ctrl-C is not for it
        cwd="/",
    )
