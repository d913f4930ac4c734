"""The pool of decoder processes: who asks for pixels asks here and gets a ticket (P2, P9).

Equal requests share one decode. What is on the screen goes first, then what is near it, then the rest; what
nobody wants any more is not decoded. A process that hangs or dies costs its file a mark, is replaced, and the
next file goes on. A file that failed is not tried again until it changes.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from kassettui.media.messages import Answer, Check, Failed, FailureCode, Probe, Report, WorkerSettings
from kassettui.media.slot import Slot
from kassettui.media.waiting import Priority, Waiting, Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from kassettui.media.messages import Request
    from kassettui.observe.metrics import Metrics

_FAILURES_KEPT: Final = 20_000
_PASSING: Final = frozenset({FailureCode.GONE, FailureCode.CANCELLED})
_OF_THE_FILE: Final = frozenset(
    {FailureCode.TIMEOUT, FailureCode.CRASHED, FailureCode.OUT_OF_MEMORY, FailureCode.TOO_LARGE}
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which content of which file: a changed file has another stamp. Path in memory form."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> Self:
        """The stamp of the file as it stands. Raises OSError."""
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Counters:
    """What the pool has done so far; for tests, metrics and doctor."""

    asked: int = 0
    shared: int = 0
    remembered: int = 0
    decoded: int = 0
    failed: int = 0
    cancelled: int = 0
    abandoned: int = 0
    hung: int = 0
    died: int = 0
    started: int = 0


class Ticket:
    """One asker's claim on an answer. `future` gives an `Answer`, `Failed` included: it raises only when
    cancelled."""

    __slots__ = ("_pool", "future", "work")

    def __init__(self, pool: Decoders, work: Work[Ticket] | None) -> None:
        self.future: Future[Answer] = Future()
        self.work = work
        self._pool = pool

    def cancel(self) -> None:
        """Not wanted any more. What others still want goes on."""
        self._pool.drop(self)

    def want(self, priority: Priority) -> None:
        """Wanted more, or less, urgently than before."""
        self._pool.reprioritise(self, priority)


class Decoders:
    """Up to `count` decoder processes, started when there is work for them. Thread-safe.

    `log` gets what the processes print and why they were replaced, from the pool's threads.
    """

    def __init__(
        self,
        settings: WorkerSettings | None = None,
        *,
        count: int = 2,
        log: Callable[[str], None] = lambda _: None,
        metrics: Metrics | None = None,
    ) -> None:
        self.settings = settings or WorkerSettings(threads=max(1, min(4, os.cpu_count() or 1)))
        self._count = max(1, count)
        self._log = log
        self._metrics = metrics
        self._lock = threading.Lock()
        self._change = threading.Condition(self._lock)
        self._waiting: Waiting[Ticket] = Waiting()
        self._failures: OrderedDict[tuple[Stamp, Request | None], Failed] = OrderedDict()
        self._slots: set[Slot] = set()
        self._idle = 0
        self._counters = Counters()
        self._closed = False

    # -- asking ---------------------------------------------------------------------------------------------

    def probe(self, path: str, *, stamp: Stamp | None = None, priority: Priority = Priority.NEAR) -> Ticket:
        """Read a file's facts (P14): answers `Probed` or `Failed`."""
        return self.submit(Probe(os.fsencode(path)), stamp=stamp, priority=priority)

    def check(self, path: str, *, stamp: Stamp | None = None, priority: Priority = Priority.NEAR) -> Ticket:
        """Decode a file to its last sample (H2): answers `Checked` or `Failed`."""
        return self.submit(Check(os.fsencode(path)), stamp=stamp, priority=priority)

    def report(self) -> Ticket:
        """What can be decoded here: answers `Reported` or `Failed`."""
        return self.submit(Report(), priority=Priority.VISIBLE)

    def submit(
        self, request: Request, *, stamp: Stamp | None = None, priority: Priority = Priority.NEAR
    ) -> Ticket:
        """Ask for `request`; the ticket's future is done at once when the answer is known to be a failure.

        With a `stamp` failures are remembered until the file changes.
        """
        with self._change:
            if self._closed:
                return self._done(Failed(FailureCode.CANCELLED, "closed"))
            self._count_up(asked=1)
            known = None if stamp is None else self._known_failure(stamp, request)
            if known is not None:
                self._count_up(remembered=1)
                return self._done(known)
            work, fresh = self._waiting.add((request, stamp), request, stamp, priority)
            if not fresh:
                self._count_up(shared=1)
            ticket = Ticket(self, work)
            work.tickets[ticket] = priority
            self._staff()
            self._change.notify()
        return ticket

    def drop(self, ticket: Ticket) -> None:
        """`Ticket.cancel`."""
        with self._change:
            work = ticket.work
            if work is None or ticket not in work.tickets:
                return
            del work.tickets[ticket]
            ticket.work = None
            if not work.tickets:
                self._count_up(cancelled=1)
                if self._waiting.discard(work):
                    work.unwanted_at = None
                else:  # a process is at it
                    work.unwanted_at = time.monotonic()
                    for slot in self._slots:
                        slot.wake(work)
        ticket.future.cancel()

    def reprioritise(self, ticket: Ticket, priority: Priority) -> None:
        """`Ticket.want`."""
        with self._lock:
            work = ticket.work
            if work is not None and work.tickets.get(ticket, priority) != priority:
                work.tickets[ticket] = priority
                self._waiting.reorder(work)

    def forget_failures(self) -> None:
        """Try every file again when next asked."""
        with self._lock:
            self._failures.clear()

    # -- standing -------------------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        with self._lock:
            return self._counters

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        with self._lock:
            return tuple(slot.pid for slot in self._slots if slot.pid)

    @property
    def backlog(self) -> int:
        """Requests that wait for a process."""
        with self._lock:
            return len(self._waiting)

    def close(self, timeout: float = 5.0) -> None:
        """End every process; whoever still waits gets a cancelled future. At most `timeout` seconds."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            dropped = [ticket for work in self._waiting.clear() for ticket in work.tickets]
            slots = list(self._slots)
            for slot in slots:
                slot.stop()
            self._change.notify_all()
        for ticket in dropped:
            ticket.future.cancel()
        deadline = time.monotonic() + timeout
        for slot in slots:
            slot.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- for the slots --------------------------------------------------------------------------------------

    def take(self, idle_seconds: float) -> Work[Ticket] | None:
        """The most urgent request, waiting for one up to `idle_seconds`; None: nothing came, or closing."""
        deadline = time.monotonic() + idle_seconds
        with self._change:
            self._idle += 1
            try:
                while not self._closed:
                    work = self._waiting.take()
                    if work is not None:
                        return work
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    self._change.wait(left)
            finally:
                self._idle -= 1
        return None

    def measure(self, work: Work[Ticket], seconds: float, replaced: str = "") -> None:
        """Count a decode, and why its process was ended, if it was."""
        if self._metrics is not None:
            self._metrics.decode_run.observe(seconds, type(work.request).__name__.lower())
            if replaced:
                self._metrics.decoders_replaced.add(1, replaced)

    def give(self, work: Work[Ticket], answer: Answer, **counts: int) -> None:
        """Hand the answer to everyone who still wants it."""
        with self._lock:
            self._waiting.finish(work)
            failed = isinstance(answer, Failed)
            self._count_up(**counts, decoded=not failed, failed=failed)
            if isinstance(answer, Failed) and work.stamp is not None and answer.code not in _PASSING:
                request = None if answer.code in _OF_THE_FILE else work.request
                self._failures[work.stamp, request] = answer
                if len(self._failures) > _FAILURES_KEPT:
                    self._failures.popitem(last=False)
            tickets = list(work.tickets)
            work.tickets.clear()
        for ticket in tickets:
            if ticket.future.set_running_or_notify_cancel():
                ticket.future.set_result(answer)

    def abandon(self, work: Work[Ticket]) -> None:
        """The slot stopped at what nobody wanted; if somebody asked for it meanwhile, it waits again."""
        dropped: list[Ticket] = []
        with self._change:
            self._count_up(abandoned=1)
            if self._closed:
                dropped = list(work.tickets)
            elif self._waiting.again(work):
                self._change.notify()
        for ticket in dropped:
            ticket.future.cancel()

    def leave(self, slot: Slot) -> None:
        """The slot ends; if work came meanwhile another takes its place."""
        with self._change:
            self._slots.discard(slot)
            if not self._closed:
                self._staff()

    def note(self, message: str, **counts: int) -> None:
        """Log and count something about a process."""
        with self._lock:
            self._count_up(**counts)
        if message:
            self._log(message)

    # -- inside, with the lock held -------------------------------------------------------------------------

    def _done(self, answer: Answer) -> Ticket:
        ticket = Ticket(self, None)
        ticket.future.set_result(answer)
        return ticket

    def _known_failure(self, stamp: Stamp, request: Request) -> Failed | None:
        return self._failures.get((stamp, None)) or self._failures.get((stamp, request))

    def _count_up(self, **counts: int) -> None:
        self._counters = replace(
            self._counters, **{name: getattr(self._counters, name) + more for name, more in counts.items()}
        )

    def _staff(self) -> None:
        """One more process when there is more to do than idle ones could take."""
        if len(self._waiting) > self._idle and len(self._slots) < self._count:
            slot = Slot(self)
            self._slots.add(slot)
            slot.start()
