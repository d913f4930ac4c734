"""Lanes: threads that read for the screen, so that no key waits for a disk (T4).

A lane does one thing after the other. What is asked again under the same name replaces what still waits.
Long work is no matter of lanes: that is jobs/.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kassettui.core.errors import KassettuiError
from kassettui.observe import log

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
Deliver = Callable[[Callable[[], None]], None]
"""Has a function called on the screen's thread. Safe on any thread."""

_log = log.get("tui.lanes")


def as_error(error: BaseException) -> KassettuiError:
    """What a person gets to read; what nobody expected goes to the log with its traceback."""
    if isinstance(error, KassettuiError):
        return error
    _log.error("unexpected error", exc_info=error)
    return KassettuiError(f"Unexpected: {type(error).__name__}.", remedy="The log has the details.")


class Lane:
    """One daemon thread, started by the first question; it never keeps the program from ending."""

    def __init__(self, name: str, deliver: Deliver) -> None:
        self._name = name
        self._deliver = deliver
        self._changed = threading.Condition()
        self._waiting: dict[str, Callable[[], None]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(
        self,
        name: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KassettuiError], None],
    ) -> None:
        """Call `work` on the lane, then `done` or `failed` on the screen's thread."""

        def run() -> None:
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - drawn as an error where the answer would have been
                told = as_error(error)
                self._deliver(lambda: failed(told))
            else:
                self._deliver(lambda: done(answer))

        with self._changed:
            if self._closed:
                return
            self._waiting.pop(name, None)
            self._waiting[name] = run
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"tui-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Forget what waits; what is being read ends by itself."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                run = self._waiting.pop(next(iter(self._waiting)))
            run()


def when_written(
    future: Future[T],
    deliver: Deliver,
    done: Callable[[T], None],
    failed: Callable[[KassettuiError], None],
) -> None:
    """Call `done` or `failed` on the screen's thread when a write of the library ended."""

    def ended(future: Future[T]) -> None:
        error = future.exception()
        if error is not None:
            told = as_error(error)
            deliver(lambda: failed(told))
        else:
            answer = future.result()
            deliver(lambda: done(answer))

    future.add_done_callback(ended)
