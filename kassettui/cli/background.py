"""Long work on a job's thread while the main thread tells how it goes and listens for signals.

The main thread alone writes to the streams: events cross over through a queue. So a signal never meets half a
line, and a thread that is stuck on a dead mount never keeps the program from ending.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kassettui.core.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.cli.interruption import Interruption
    from kassettui.jobs.control import Control
    from kassettui.jobs.queues import Jobs

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds that work gets to stop after the first signal; then it is left behind."""

_STOP: Final = object()
_DONE: Final = object()


def in_background(
    interruption: Interruption,
    jobs: Jobs,
    title: str,
    work: Callable[[Control, Callable[[Any], None]], T],
    heard: Callable[[Any], None],
    *,
    kind: str,
    queue: str = "io",
) -> T:
    """`work(control, tell)` as a job; everything that it tells goes to `heard` on this thread, in order.

    Raises what the work raised; Interrupted when it does not stop in time after a signal.
    """
    inbox: SimpleQueue[Any] = SimpleQueue()  # its put may be called by a signal handler
    job = jobs.submit(kind, title, lambda control: work(control, inbox.put), queue=queue)
    job.future.add_done_callback(lambda _: inbox.put(_DONE))
    deadline: float | None = None
    with interruption.cancels(lambda: inbox.put(_STOP)):
        while True:
            try:
                message = inbox.get(
                    timeout=None if deadline is None else max(0.0, deadline - time.monotonic())
                )
            except Empty:
                raise Interrupted(
                    f"Interrupted; {title} did not stop within {PATIENCE:.0f} s and was left behind.",
                    remedy="Nothing of it is committed unless `kassettui runs` says so.",
                ) from None
            if message is _DONE:
                return job.result()
            if message is _STOP:
                job.cancel()
                deadline = time.monotonic() + PATIENCE
            else:
                heard(message)
