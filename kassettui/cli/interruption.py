"""What Ctrl-C, SIGTERM and SIGHUP do: stop the work, let its summary be printed, end with 130 (I22).

The first signal cancels the work that is registered; where nothing is, or at the second signal, the main
thread is interrupted at once. While output is being written a signal waits, so that what stands on stdout
stays whole; a second one does not (a reader that never reads must not hold us).
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """The one place that knows whether a person or the system asked us to stop."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._cancel: Callable[[], object] | None = None
        self._shields = 0
        self._pending = False
        self._ignoring = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While inside, the signals are ours. Ones that the parent had ignored (nohup) stay ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._received)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _received(self, number: int, _frame: FrameType | None) -> None:
        first = self.signal is None
        self.signal = signal.Signals(number)
        if self._ignoring:
            return
        if first and self._cancel is not None:
            self._cancel()
        elif self._shields and not self._pending:
            self._pending = True
        else:
            raise KeyboardInterrupt

    @contextmanager
    def cancels(self, cancel: Callable[[], object]) -> Iterator[None]:
        """While inside, the first signal calls `cancel` instead of interrupting the main thread."""
        self._cancel = cancel
        try:
            yield
        finally:
            self._cancel = None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """While inside, a signal is kept; it interrupts at the end of the outermost shield."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._pending and not self._shields:
            self._pending = False
            raise KeyboardInterrupt

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """While inside, signals change nothing: the end is near and its last words are being written."""
        self._ignoring = True
        try:
            yield
        finally:
            self._ignoring = False
