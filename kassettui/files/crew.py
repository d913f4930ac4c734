"""A few threads of one job that share its work: the small pool of many small files (spec: files F5).

They are daemons: a thread stuck on a dead mount never keeps the process from leaving (F16).
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kassettui.jobs.control import Control

T = TypeVar("T")


class Crew(Generic[T]):
    """Runs `work` over tasks in up to `size` threads, the caller's own among them."""

    def __init__(self, size: int, control: Control) -> None:
        self._size = size
        self._control = control
        self._lock = threading.Lock()
        self._tasks: deque[T] = deque()
        self._error: BaseException | None = None

    @property
    def stopping(self) -> bool:
        """Whether one of the threads failed, so that the others leave what they have not begun."""
        return self._error is not None

    def run(self, tasks: Iterable[T], work: Callable[[T], None]) -> None:
        """Work until nothing is left or somebody fails; raises what the first one raised, when all stand
        still.
        """
        self._tasks = deque(tasks)
        self._error = None
        others = [
            threading.Thread(target=self._help, args=(work,), name=f"files-{number}", daemon=True)
            for number in range(min(self._size, len(self._tasks)) - 1)
        ]
        for thread in others:
            thread.start()
        self._work(work)
        with self._control.waiting_for_workers():
            for thread in others:
                thread.join()
        if self._error is not None:
            raise self._error

    def _help(self, work: Callable[[T], None]) -> None:
        with self._control.another_worker():
            self._work(work)

    def _work(self, work: Callable[[T], None]) -> None:
        try:
            while self._error is None:
                with self._lock:
                    if not self._tasks:
                        return
                    task = self._tasks.popleft()
                work(task)
        except BaseException as error:  # noqa: BLE001 (handed to the caller's thread)
            with self._lock:
                self._error = self._error or error
