"""One place in the pool: a thread with a decoder process that it asks, and replaces when need be (P2)."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

from kassettui.media.messages import Failed, FailureCode
from kassettui.media.process import Abandoned, DecoderProcess, Died, Hung, stuck

if TYPE_CHECKING:
    from kassettui.media.decoders import Decoders, Ticket
    from kassettui.media.waiting import Work

UNWANTED_SECONDS: Final = 0.5
"""How long a decode may go on that nobody wants any more, before its process is ended for it."""

IDLE_SECONDS: Final = 60.0
"""How long a process without work is kept."""

_MEMORY_TO_KEEP: Final = 1024**3
_STUCK_AT_MOST: Final = 8


class Slot:
    """A thread that owns one process at a time; it takes work from its pool until none comes."""

    def __init__(self, pool: Decoders) -> None:
        self._pool = pool
        self._thread = threading.Thread(target=self._run, name="kassettui-decode", daemon=True)
        self._process: DecoderProcess | None = None
        self._work: Work[Ticket] | None = None
        self._stopping = False

    @property
    def pid(self) -> int:
        """The number of its process, 0 while it has none."""
        process = self._process
        return process.pid if process is not None else 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give up what it is at; from any thread."""
        self._stopping = True
        process = self._process
        if process is not None:
            process.wake()

    def join(self, timeout: float) -> None:
        """Wait for its end, at most `timeout` seconds."""
        self._thread.join(timeout)

    def wake(self, work: Work[Ticket]) -> None:
        """Have it look again whether `work` is still wanted, if that is what it is at."""
        process = self._process
        if self._work is work and process is not None:
            process.wake()

    def _run(self) -> None:
        try:
            while (work := self._pool.take(IDLE_SECONDS)) is not None:
                self._work = work
                self._serve(work)
                self._work = None
        finally:
            self._end()
            self._pool.leave(self)

    def _serve(self, work: Work[Ticket]) -> None:
        pool = self._pool
        if stuck() >= _STUCK_AT_MOST:  # more would only hang too
            pool.give(work, Failed(FailureCode.GONE, "a file system does not answer"))
            return
        try:
            process = self._ready()
        except (OSError, Hung, Died) as error:
            self._end()
            pool.note(f"no decoder process: {error}")
            pool.give(work, Failed(FailureCode.GONE, "no decoder process can be started"))
            return
        seconds, began = pool.settings.seconds, time.monotonic()
        try:
            answered = process.ask(work.request, seconds, lambda: self._limit(work))
        except Hung:
            pool.measure(work, time.monotonic() - began, "hung")
            self._end()
            pool.note(f"stopped after {seconds:g} s: {_named(work)}")
            pool.give(work, Failed(FailureCode.TIMEOUT, f"no answer within {seconds:g} s"), hung=1)
        except Died as error:
            pool.measure(work, time.monotonic() - began, "died")
            self._end()
            pool.note(f"{error}: {_named(work)}")
            pool.give(work, Failed(FailureCode.CRASHED, f"the decoder crashed: {error}"), died=1)
        except Abandoned:
            pool.measure(work, time.monotonic() - began, "abandoned")
            self._end()
            pool.abandon(work)
        else:
            pool.measure(work, time.monotonic() - began)
            if answered.memory > _MEMORY_TO_KEEP:
                self._end()
            pool.give(work, answered.answer)

    def _limit(self, work: Work[Ticket]) -> float | None:
        """When to stop waiting for `work`: it is unwanted, or the pool closes."""
        if self._stopping:
            return 0.0
        return None if work.unwanted_at is None else work.unwanted_at + UNWANTED_SECONDS

    def _ready(self) -> DecoderProcess:
        if self._process is not None and not self._process.alive:
            self._end()
        if self._process is None:
            self._process = DecoderProcess(self._pool.settings, self._pool.note)
            self._pool.note("", started=1)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def _named(work: Work[Ticket]) -> str:
    path = getattr(work.request, "path", b"")
    return f"{type(work.request).__name__.lower()} {os.fsdecode(path)}".strip()
