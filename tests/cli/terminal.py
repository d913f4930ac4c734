"""A command in a pseudo-terminal: its raw bytes, and the screen that they make under pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence

_PATIENCE = 60.0


def _take_terminal() -> None:
    """In the child: stdin becomes its controlling terminal, so that ctrl+c is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """One started command; its stdin, stdout and stderr are the terminal."""

    def __init__(
        self, command: Sequence[str], columns: int, lines: int, environment: Mapping[str, str]
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "", **environment},
            start_new_session=True,
            preexec_fn=_take_terminal,
            close_fds=True,
        )
        os.close(follower)

    def read_until(self, text: bytes) -> None:
        """Read until `text` has come; fails after a minute or at the end."""
        deadline = time.monotonic() + _PATIENCE
        while text not in self.raw:
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.raw[-2000:]!r}"
            assert self._take(deadline), f"{text!r} did not come before the end: {self.raw[-2000:]!r}"

    def finish(self) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self._take(deadline):
            assert time.monotonic() < deadline, "the command does not end"
        return self.wait()

    def type(self, text: str) -> None:
        """Keys."""
        os.write(self._leader, text.encode())

    def kill(self, number: signal.Signals) -> None:
        """A signal to the command."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        code = self._process.wait(_PATIENCE)
        if self._leader >= 0:
            os.close(self._leader)
            self._leader = -1
        return code

    @property
    def shown(self) -> list[str]:
        """The screen's lines, without what is blank at their ends."""
        return [line.rstrip() for line in self.screen.display]

    def _take(self, deadline: float) -> bool:
        """Read some more; False at the end."""
        ready, _, _ = select.select([self._leader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return True
        try:
            data = os.read(self._leader, 1 << 16)
        except OSError:  # EIO: the other side is closed
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
