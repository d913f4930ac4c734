"""Jobs: named queues, each with its own places and its own daemon threads (F15, F16).

Queues are apart so that a full copy queue never delays a thumbnail; threads are daemons so that one stuck on
a dead mount never holds the process. A paused job gives its place to the next one and, resumed, waits for a
free place in front of its equals.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kassettui.core.errors import Interrupted, KassettuiError, NotFound, Refused
from kassettui.jobs.control import Cancelled
from kassettui.jobs.job import Job
from kassettui.jobs.publisher import Publisher
from kassettui.jobs.state import JobState
from kassettui.observe import log
from kassettui.observe.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kassettui.jobs.control import Control
    from kassettui.jobs.state import Snapshot

T = TypeVar("T")

QUEUES: Final[Mapping[str, int]] = MappingProxyType({"io": 4, "scan": 1, "decode": 2})
"""The queues that are always there, with their places."""
ENDED_KEPT: Final = 100
"""Ended jobs that are kept for a look and a retry."""
_DEVICE: Final = "device:"
_RETRIED: Final = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.DONE_WITH_WARNINGS})

_log = log.get("jobs")


def device_queue(path: str | os.PathLike[str]) -> str:
    """The name of the queue for work that writes to the device of `path` (of its nearest existing parent)."""
    at = os.path.abspath(os.fspath(path))
    while True:
        try:
            return f"{_DEVICE}{os.stat(at).st_dev}"
        except (FileNotFoundError, NotADirectoryError):
            at = os.path.dirname(at)


@dataclass(slots=True)
class _Queue:
    """Who waits, in order, and how many places are taken."""

    name: str
    places: int
    taken: int = 0
    waiting: list[Job[Any]] = field(default_factory=list)

    def add(self, job: Job[Any], *, before_equals: bool = False) -> None:
        """Behind those of its priority, or in front of them."""
        for index, other in enumerate(self.waiting):
            if other.priority < job.priority or (before_equals and other.priority == job.priority):
                self.waiting.insert(index, job)
                return
        self.waiting.append(job)

    def next(self) -> Job[Any] | None:
        """The first that may run, when there is a place."""
        if self.taken >= self.places:
            return None
        return next((job for job in self.waiting if job.state is JobState.QUEUED), None)


class Jobs:
    """All long work of a process. Every method is safe on any thread and returns at once, but `close`."""

    def __init__(
        self,
        places: Mapping[str, int] = QUEUES,
        *,
        places_on_device: int = 1,
        metrics: Metrics | None = None,
    ) -> None:
        # Reentrant: a job's change of state is noticed while the state is being changed under the lock.
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)
        self._queues = {name: _Queue(name, count) for name, count in places.items()}
        self._places_on_device = places_on_device
        self._metrics = metrics or Metrics()
        self._publisher = Publisher()
        self._live: dict[str, Job[Any]] = {}
        self._past: deque[Job[Any]] = deque(maxlen=ENDED_KEPT)
        self._closed = False

    # -- starting -------------------------------------------------------------------------------------------

    def submit(
        self,
        kind: str,
        title: str,
        work: Callable[[Control], T],
        *,
        queue: str = "io",
        priority: int = 0,
        again: Callable[[Control], T] | None = None,
        job_id: str = "",
        retry_of: str = "",
    ) -> Job[T]:
        """Queue `work`; higher priorities go first, equals in the order they came.

        `again` is what `retry` runs instead of `work`: only the steps that failed, say. Raises Refused after
        `close`; ValueError for a queue that there is none of.
        """
        job = Job(
            self,
            job_id=job_id or secrets.token_hex(6),
            kind=kind,
            title=title,
            work=work,
            again=again or work,
            queue=queue,
            priority=priority,
            retry_of=retry_of,
        )
        with self._lock:
            if self._closed:
                raise Refused("No new work is taken: kassettui is closing.")
            if job.id in self._live:
                raise ValueError(f"a job {job.id} is at work already")
            place = self._queue(queue)
            self._live[job.id] = job
            place.add(job)
            self._dispatch(place)
        self._publisher.mark(job)
        return job

    def retry(self, job: Job[T]) -> Job[T]:
        """Do an ended job again, as a new one. Raises Refused where there is nothing to do again."""
        if job.state not in _RETRIED:
            raise Refused(f"“{job.title}” is {job.state}: there is nothing to do again.")
        return self.submit(
            job.kind,
            job.title,
            job.again,
            queue=job.queue,
            priority=job.priority,
            again=job.again,
            retry_of=job.id,
        )

    # -- switches -------------------------------------------------------------------------------------------

    def cancel(self, job: Job[T]) -> None:
        """Ask it to stop; one that has not begun is cancelled at once."""
        with self._lock:
            if job.state.ended:
                return
            queue = self._queue(job.queue)
            if job in queue.waiting:
                queue.waiting.remove(job)
            if not job.begun:
                self._finish(job, JobState.CANCELLED)
        if job.begun:
            job.control.cancel()
        else:
            job.future.set_exception(Cancelled())

    def cancel_all(self) -> None:
        """Ask every job to stop, those that wait first, so that none of them begins meanwhile."""
        for job in sorted(self._jobs(), key=lambda one: one.begun):
            self.cancel(job)

    def pause(self, job: Job[T]) -> None:
        """Ask it to stand; one that waits is held back. Nothing where it ended or stands already."""
        with self._lock:
            if job.state is JobState.QUEUED:
                if job.begun:  # resumed, but without a place yet
                    self._queue(job.queue).waiting.remove(job)
                job.control.turn(JobState.PAUSED)
            else:
                job.control.pause()

    def resume(self, job: Job[T]) -> None:
        """Let it go on as soon as its queue has a place. Nothing unless it pauses."""
        with self._lock:
            if job.state not in {JobState.PAUSED, JobState.PAUSING}:
                return
            if job.holds_place:
                job.control.resume()
                return
            queue = self._queue(job.queue)
            job.control.turn(JobState.QUEUED)
            if job.begun:
                queue.add(job, before_equals=True)
            self._dispatch(queue)

    def pause_all(self) -> None:
        """Ask every job to stand."""
        for job in self._jobs():
            self.pause(job)

    def resume_all(self) -> None:
        """Let every job go on."""
        for job in self._jobs():
            self.resume(job)

    def reorder(self, job: Job[T], place: int) -> None:
        """Put a waiting job at `place` of its queue: 0 is next. Nothing where it does not wait."""
        with self._lock:
            waiting = self._queue(job.queue).waiting
            if job in waiting:
                waiting.remove(job)
                waiting.insert(max(0, place), job)
                self._publisher.mark(job)

    # -- looking --------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job[Any]:
        """The job of that id, also an ended one that is still kept. Raises NotFound."""
        with self._lock:
            for job in (*self._live.values(), *self._past):
                if job.id == job_id:
                    return job
        raise NotFound(f"There is no job {job_id}.")

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Every job that is kept: the ended, oldest first; those at work; those that wait, in order."""
        with self._lock:
            waiting = [job for queue in self._queues.values() for job in queue.waiting]
            working = [job for job in self._live.values() if job not in waiting]
            return tuple(job.snapshot() for job in (*self._past, *working, *waiting))

    @property
    def busy(self) -> bool:
        """Whether any job has not ended: quitting asks then."""
        return bool(self._live)

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `listener` with snapshots from now on; the answer ends it.

        It hears of each job at most ten times a second and always of its end, on one thread that is not the
        caller's; what it raises is logged.
        """
        unsubscribe = self._publisher.subscribe(listener)
        for job in self._jobs():
            self._publisher.mark(job)
        return unsubscribe

    def noticed(self, job: Job[T]) -> None:
        """There is something new about a job (it says so itself)."""
        with self._lock:
            if job.holds_place and job.state is JobState.PAUSED:
                self._give_place(job)
        self._publisher.mark(job)

    # -- ending ---------------------------------------------------------------------------------------------

    def close(self, timeout: float = 2.0) -> tuple[Snapshot, ...]:
        """Cancel everything and end: at the latest `timeout` seconds after the last job that stopped (F16).

        Returns the jobs that did not stop: stuck in a system call, left behind with their daemon threads.
        """
        with self._lock:
            self._closed = True
        self.cancel_all()
        with self._ended:
            count = len(self._live) + 1
            deadline = 0.0
            while self._live:
                if len(self._live) < count:
                    count = len(self._live)
                    deadline = time.monotonic() + timeout
                if not self._ended.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    break
            stuck = tuple(job.snapshot() for job in self._live.values())
        for one in stuck:
            _log.warning("a job did not stop: left behind", job=one.job_id, title=one.title, at=one.current)
        self._publisher.close(timeout)
        return stuck

    # -- inside, under the lock -----------------------------------------------------------------------------

    def _jobs(self) -> tuple[Job[Any], ...]:
        with self._lock:
            return tuple(self._live.values())

    def _queue(self, name: str) -> _Queue:
        queue = self._queues.get(name)
        if queue is None:
            if not name.startswith(_DEVICE):
                raise ValueError(f"there is no queue {name!r}")
            queue = self._queues[name] = _Queue(name, self._places_on_device)
        return queue

    def _dispatch(self, queue: _Queue) -> None:
        """Give free places to those who wait."""
        while (job := queue.next()) is not None:
            queue.waiting.remove(job)
            queue.taken += 1
            job.holds_place = True
            if job.begun:
                job.control.resume()
            else:
                self._begin(job)

    def _begin(self, job: Job[Any]) -> None:
        job.begun = True
        job.started_at = time.time()
        job.control.turn(JobState.RUNNING)
        self._metrics.jobs_running.add(1)
        name = f"kassettui-{job.queue}-{job.id}"
        try:
            threading.Thread(target=self._run, args=(job,), name=name, daemon=True).start()
        except RuntimeError as error:  # the machine gives us no more threads
            job.error = error
            self._finish(job, JobState.FAILED)
            job.future.set_exception(error)

    def _give_place(self, job: Job[Any]) -> None:
        job.holds_place = False
        queue = self._queue(job.queue)
        queue.taken -= 1
        self._dispatch(queue)
        if queue.name.startswith(_DEVICE) and not queue.taken and not queue.waiting:
            del self._queues[queue.name]

    def _finish(self, job: Job[Any], state: JobState) -> None:
        """The last step of a job: nothing about it changes any more."""
        job.finished_at = time.time()
        del self._live[job.id]
        self._past.append(job)
        job.control.turn(state)
        if job.begun:
            self._metrics.jobs_running.add(-1)
        if job.holds_place:
            self._give_place(job)
        self._metrics.jobs_ended.add(label=state)
        if job.control.bytes_worked:
            self._metrics.job_bytes.add(job.control.bytes_worked, job.kind)
        self._ended.notify_all()

    # -- on the job's own thread ----------------------------------------------------------------------------

    def _run(self, job: Job[T]) -> None:
        try:
            result = job.work(job.control)
        except Interrupted as error:
            job.control.cancel()  # stopped by itself: on a signal, say
            self._end(job, JobState.CANCELLED)
            job.future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 (whoever waits for the job hears of it, whatever it is)
            job.error = error
            self._end(job, JobState.FAILED)
            job.future.set_exception(error)
        else:
            warned = job.control.read().warning_count
            self._end(job, JobState.DONE_WITH_WARNINGS if warned else JobState.DONE)
            job.future.set_result(result)

    def _end(self, job: Job[Any], state: JobState) -> None:
        with self._lock:
            self._finish(job, state)
        if state is not JobState.FAILED:
            _log.debug("job ended", job=job.id, kind=job.kind, title=job.title, state=state)
        elif isinstance(job.error, KassettuiError):
            _log.warning("job failed", job=job.id, kind=job.kind, title=job.title, error=str(job.error))
        else:
            _log.error("job failed", job=job.id, kind=job.kind, title=job.title, exc_info=job.error)
