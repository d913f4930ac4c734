"""A process that reads directories for a scan: both of its ends (spec: B1, performance "Techniques").

Looking at a file costs Python more than it costs the kernel, so a fast disk is read by several processes. One
inherits the open root, takes visits from its stdin and answers with grouped directories on its stdout; it
ends when its stdin does.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, BinaryIO, Final

import kassettui
from kassettui.ingest.reading import Reader, ReaderOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.ingest.reading import Read, Visit

_PROTOCOL: Final = 5


class ReaderProcess:
    """The end that asks. Belongs to one thread, but for `end`."""

    def __init__(self, reader: Reader) -> None:
        """Start it on the root that `reader` has open. Raises OSError when no process can be had."""
        home = os.path.dirname(os.path.dirname(os.path.abspath(kassettui.__file__)))
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "kassettui.ingest.reader_process", str(reader.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(reader.root,),
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._asks: BinaryIO = self._child.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._child.stdout  # type: ignore[assignment]
        _send(self._asks, reader.options)

    def read(self, visits: Sequence[Visit]) -> list[Read]:
        """What stands in these directories. Raises OSError or EOFError when the process ended."""
        _send(self._asks, visits)
        read: list[Read] = pickle.load(self._answers)  # noqa: S301 (our own process)
        return read

    def end(self) -> None:
        """Be rid of it, whatever it does; any thread may."""
        with contextlib.suppress(OSError):
            self._child.kill()

    def reap(self) -> None:
        """Wait until it has ended, and let the pipes go; after `end` or at the end of the work."""
        for pipe in (self._asks, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._child.wait()


def serve(root: int, asks: BinaryIO, answers: BinaryIO) -> None:
    """The end that reads: answer until nothing is asked any more."""
    options: ReaderOptions = pickle.load(asks)  # noqa: S301 (from our own parent)
    reader = Reader(root, options)
    while True:
        try:
            visits: list[Visit] = pickle.load(asks)  # noqa: S301 (from our own parent)
        except EOFError:
            return
        _send(answers, [reader.read(visit) for visit in visits])


def _send(pipe: BinaryIO, value: object) -> None:
    pickle.dump(value, pipe, _PROTOCOL)
    pipe.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        serve(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
