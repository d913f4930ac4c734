"""Jobs in their queues (F15, F16): order, places, stop, stand, again, and an end that is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.jobs.control import Cancelled, Control
from kassettui.jobs.queues import ENDED_KEPT, Jobs, device_queue
from kassettui.jobs.state import JobState, Snapshot
from kassettui.observe import log
from kassettui.observe.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kassettui.jobs.job import Job

WAIT = 20.0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    with_one_place = Jobs({"io": 1, "scan": 1, "decode": 2})
    yield with_one_place
    assert with_one_place.close() == ()


class Held:
    """Work that says when it began and ends when it is let go, or at a cancel."""

    def __init__(self, value: object = None) -> None:
        self.began = threading.Event()
        self.release = threading.Event()
        self.value = value

    def __call__(self, control: Control) -> object:
        self.began.set()
        with control.at_cancel(self.release.set):
            assert self.release.wait(WAIT)
        control.checkpoint()
        return self.value


class Standing:
    """Work that goes from checkpoint to checkpoint until it is let go."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.release = threading.Event()

    def __call__(self, control: Control) -> None:
        self.began.set()
        while not self.release.is_set():
            control.checkpoint()


def until(jobs: Jobs, condition: Callable[[], bool]) -> None:
    """Wait for what the snapshots announce."""
    happened = threading.Event()

    def look(_: Snapshot) -> None:
        if condition():
            happened.set()

    unsubscribe = jobs.subscribe(look)
    assert condition() or happened.wait(WAIT)
    unsubscribe()


def test_F15_a_job_answers_what_its_work_answers(jobs: Jobs) -> None:
    job = jobs.submit("test", "sum", lambda _: 3 + 4)
    assert job.result(WAIT) == 7
    snapshot = job.snapshot()
    assert (snapshot.state, snapshot.kind, snapshot.title) == (JobState.DONE, "test", "sum")
    assert snapshot.queued_at <= (snapshot.started_at or 0) <= (snapshot.finished_at or 0)


def test_F15_a_work_that_warns_ends_with_warnings(jobs: Jobs) -> None:
    def work(control: Control) -> str:
        control.warn("owner could not be set")
        return "copied"

    job = jobs.submit("test", "copy", work)
    assert job.result(WAIT) == "copied"
    assert job.state is JobState.DONE_WITH_WARNINGS
    assert job.snapshot().warnings == ("owner could not be set",)


def test_F15_a_work_that_raises_failed_and_its_error_keeps_its_traceback(jobs: Jobs) -> None:
    def work(_: Control) -> None:
        raise InvalidInput("No such range.", remedy="Give one.")

    job = jobs.submit("test", "bad", work)
    with pytest.raises(InvalidInput) as caught:
        job.result(WAIT)
    assert caught.traceback[-1].name == "work"
    assert job.state is JobState.FAILED
    assert job.snapshot().error == "No such range. Give one."


def test_F15_whatever_a_work_raises_its_waiters_hear_of_it(jobs: Jobs) -> None:
    def work(_: Control) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        jobs.submit("test", "exit", work).result(WAIT)
    assert jobs.submit("test", "next", lambda _: 1).result(WAIT) == 1
    assert any(entry.event == "job failed" for entry in log.recent())


def test_F15_a_cancelled_job_is_cancelling_until_its_work_stopped() -> None:
    jobs = Jobs({"io": 1})
    began, stop = threading.Event(), threading.Event()

    def deaf(control: Control) -> None:
        began.set()
        assert stop.wait(WAIT)
        control.checkpoint()

    job = jobs.submit("test", "deaf", deaf)
    assert began.wait(WAIT)
    job.cancel()
    assert job.state is JobState.CANCELLING
    assert not job.future.done()
    stop.set()
    with pytest.raises(Cancelled):
        job.result(WAIT)
    assert job.snapshot().state is JobState.CANCELLED
    jobs.close()


def test_F15_work_that_was_through_when_the_cancel_came_is_done(jobs: Jobs) -> None:
    began, stop = threading.Event(), threading.Event()

    def past_its_last_checkpoint(_: Control) -> str:
        began.set()
        assert stop.wait(WAIT)
        return "written"

    job = jobs.submit("test", "late", past_its_last_checkpoint)
    assert began.wait(WAIT)
    job.cancel()
    stop.set()
    assert job.result(WAIT) == "written"
    assert job.state is JobState.DONE


def test_F15_a_job_that_has_not_begun_is_cancelled_at_once_and_never_begins(jobs: Jobs) -> None:
    first, second = Held(), Held()
    running = jobs.submit("test", "first", first)
    assert first.began.wait(WAIT)
    waiting = jobs.submit("test", "second", second)
    waiting.cancel()
    assert waiting.state is JobState.CANCELLED
    with pytest.raises(Cancelled):
        waiting.result(WAIT)
    first.release.set()
    running.result(WAIT)
    assert not second.began.is_set()


def test_F15_a_future_is_not_a_way_around_the_cancel(jobs: Jobs) -> None:
    held = Held("whole")
    job = jobs.submit("test", "held", held)
    assert not job.future.cancel()
    held.release.set()
    assert job.result(WAIT) == "whole"


def test_F15_cancel_all_stops_what_runs_and_what_waits(jobs: Jobs) -> None:
    works = [Held() for _ in range(5)]
    handles = [jobs.submit("test", str(number), work) for number, work in enumerate(works)]
    assert works[0].began.wait(WAIT)
    jobs.cancel_all()
    wait([job.future for job in handles], WAIT)
    assert [job.state for job in handles] == [JobState.CANCELLED] * 5
    assert [work.began.is_set() for work in works] == [True, False, False, False, False]


def test_F15_equals_begin_in_the_order_they_came_and_urgent_ones_before(jobs: Jobs) -> None:
    gate, order = Held(), list[str]()
    jobs.submit("test", "gate", gate)
    assert gate.began.wait(WAIT)
    handles: list[Job[None]] = [
        jobs.submit("test", name, lambda _, name=name: order.append(name), priority=priority)  # type: ignore[misc]
        for name, priority in [("a", 0), ("b", 0), ("urgent", 5), ("c", 0), ("idle", -5), ("urgent too", 5)]
    ]
    gate.release.set()
    wait([job.future for job in handles], WAIT)
    assert order == ["urgent", "urgent too", "a", "b", "c", "idle"]


def test_F15_the_queue_can_be_reordered(jobs: Jobs) -> None:
    gate, order = Held(), list[str]()
    first = jobs.submit("test", "gate", gate)
    assert gate.began.wait(WAIT)
    handles = {
        name: jobs.submit("test", name, lambda _, name=name: order.append(name))  # type: ignore[misc]
        for name in "abcd"
    }
    jobs.reorder(handles["d"], 0)
    jobs.reorder(handles["a"], 99)
    jobs.reorder(first, 0)  # it runs: nothing to reorder
    assert [one.title for one in jobs.snapshots()] == ["gate", "d", "b", "c", "a"]
    gate.release.set()
    wait([job.future for job in handles.values()], WAIT)
    assert order == ["d", "b", "c", "a"]


def test_F15_a_full_queue_never_delays_another(jobs: Jobs) -> None:
    held = Held()
    copying = jobs.submit("copy", "all night", held, queue="io")
    assert held.began.wait(WAIT)
    assert jobs.submit("thumb", "now", lambda _: "drawn", queue="decode").result(WAIT) == "drawn"
    assert copying.state is JobState.RUNNING
    held.release.set()
    copying.result(WAIT)


def test_F15_a_queue_runs_as_many_as_it_has_places(jobs: Jobs) -> None:
    works = [Held() for _ in range(4)]
    handles = [jobs.submit("test", str(number), work, queue="decode") for number, work in enumerate(works)]
    assert works[0].began.wait(WAIT)
    assert works[1].began.wait(WAIT)
    assert [job.state for job in handles] == [JobState.RUNNING] * 2 + [JobState.QUEUED] * 2
    works[1].release.set()
    assert works[2].began.wait(WAIT)
    assert handles[3].state is JobState.QUEUED
    for work in works:
        work.release.set()
    wait([job.future for job in handles], WAIT)


def test_F15_each_device_has_a_queue_of_its_own(jobs: Jobs, tmp_path: Path) -> None:
    here = device_queue(tmp_path / "not" / "there" / "yet")
    assert here == f"device:{tmp_path.stat().st_dev}"
    held, other = Held(), Held()
    first = jobs.submit("copy", "to this disk", held, queue=here)
    second = jobs.submit("copy", "to that disk", other, queue="device:42")
    third = jobs.submit("copy", "to this disk too", Held(), queue=here)
    assert held.began.wait(WAIT)
    assert other.began.wait(WAIT)
    assert third.state is JobState.QUEUED
    third.cancel()
    held.release.set()
    other.release.set()
    first.result(WAIT)
    second.result(WAIT)


def test_F15_there_is_no_queue_by_mistake(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="'oi'"):
        jobs.submit("test", "typo", lambda _: None, queue="oi")
    assert not jobs.busy


def test_F15_a_running_job_pauses_and_goes_on(jobs: Jobs) -> None:
    work = Standing()
    job = jobs.submit("test", "standing", work)
    assert work.began.wait(WAIT)
    job.pause()
    until(jobs, lambda: job.state is JobState.PAUSED)
    assert job.snapshot().speed is None
    job.resume()
    assert job.state is JobState.RUNNING
    work.release.set()
    job.result(WAIT)


def test_F15_a_waiting_job_is_held_back_until_resumed(jobs: Jobs) -> None:
    gate, work = Held(), Held("done")
    first = jobs.submit("test", "gate", gate)
    assert gate.began.wait(WAIT)
    held = jobs.submit("test", "held", work)
    held.pause()
    assert held.state is JobState.PAUSED
    gate.release.set()
    first.result(WAIT)
    assert jobs.submit("test", "overtakes", lambda _: 1).result(WAIT) == 1
    assert not work.began.is_set()
    held.resume()
    work.release.set()
    assert held.result(WAIT) == "done"


def test_F15_a_paused_job_gives_its_place_and_waits_for_one_when_resumed(jobs: Jobs) -> None:
    big, small, later = Standing(), Held("small"), Held("later")
    paused = jobs.submit("copy", "2 TB", big)
    assert big.began.wait(WAIT)
    quick = jobs.submit("copy", "quick", small)
    last = jobs.submit("copy", "later", later)
    assert quick.state is JobState.QUEUED
    paused.pause()
    assert small.began.wait(WAIT)
    paused.resume()
    assert paused.state is JobState.QUEUED  # there is one place, and it is taken
    small.release.set()
    assert quick.result(WAIT) == "small"
    until(jobs, lambda: paused.state is JobState.RUNNING)  # in front of its equals
    assert last.state is JobState.QUEUED
    big.release.set()
    later.release.set()
    paused.result(WAIT)
    assert last.result(WAIT) == "later"


def test_F15_a_resumed_job_without_a_place_can_be_paused_again_and_cancelled(jobs: Jobs) -> None:
    big, small = Standing(), Held("small")
    paused = jobs.submit("copy", "big", big)
    assert big.began.wait(WAIT)
    quick = jobs.submit("copy", "quick", small)
    paused.pause()
    assert small.began.wait(WAIT)
    paused.resume()
    assert paused.state is JobState.QUEUED
    paused.pause()
    assert paused.snapshot().state is JobState.PAUSED
    paused.resume()
    paused.cancel()
    with pytest.raises(Cancelled):
        paused.result(WAIT)
    assert paused.snapshot().state is JobState.CANCELLED
    small.release.set()
    assert quick.result(WAIT) == "small"


def test_F15_all_can_be_paused_and_resumed_at_once(jobs: Jobs) -> None:
    works = [Standing(), Standing()]
    running = [jobs.submit("test", "decode", work, queue="decode") for work in works]
    for work in works:
        assert work.began.wait(WAIT)
    waiting = jobs.submit("test", "next", lambda _: 1, queue="decode")
    jobs.pause_all()
    until(jobs, lambda: {one.state for one in jobs.snapshots()} == {JobState.PAUSED})
    jobs.resume_all()
    for work in works:
        work.release.set()
    assert waiting.result(WAIT) == 1
    wait([job.future for job in running], WAIT)
    assert [job.state for job in running] == [JobState.DONE] * 2


def test_F15_a_failed_job_is_done_again_as_a_new_one(jobs: Jobs) -> None:
    attempts: list[int] = []

    def work(_: Control) -> int:
        attempts.append(1)
        if len(attempts) < 2:
            raise OSError("the line dropped")
        return len(attempts)

    failed = jobs.submit("copy", "to the archive", work, priority=3)
    with pytest.raises(OSError, match="the line dropped"):
        failed.result(WAIT)
    again = jobs.retry(failed)
    assert again.result(WAIT) == 2
    assert failed.state is JobState.FAILED
    snapshot = again.snapshot()
    assert (snapshot.retry_of, snapshot.title, snapshot.priority) == (failed.id, "to the archive", 3)


def test_F15_a_retry_runs_only_what_failed_when_the_work_says_how(jobs: Jobs) -> None:
    def work(control: Control) -> str:
        control.warn("two frames failed")
        return "all"

    first = jobs.submit("copy", "frames", work, again=lambda _: "two frames")
    assert first.result(WAIT) == "all"
    assert jobs.retry(first).result(WAIT) == "two frames"


def test_F15_what_is_done_or_runs_is_not_done_again(jobs: Jobs) -> None:
    done = jobs.submit("test", "done", lambda _: 1)
    done.result(WAIT)
    with pytest.raises(Refused, match="nothing to do again"):
        jobs.retry(done)
    held = Held()
    running = jobs.submit("test", "running", held)
    with pytest.raises(Refused):
        jobs.retry(running)
    held.release.set()
    running.result(WAIT)


def test_F15_switches_on_ended_jobs_do_nothing(jobs: Jobs) -> None:
    job = jobs.submit("test", "over", lambda _: 1)
    job.result(WAIT)
    job.cancel()
    job.pause()
    job.resume()
    assert job.state is JobState.DONE


def test_F15_jobs_are_found_by_id_while_they_are_kept(jobs: Jobs) -> None:
    handles = [jobs.submit("test", str(number), lambda _: None) for number in range(ENDED_KEPT + 10)]
    wait([job.future for job in handles], WAIT)
    assert jobs.get(handles[-1].id) is handles[-1]
    with pytest.raises(NotFound):
        jobs.get(handles[0].id)
    assert len(jobs.snapshots()) == ENDED_KEPT


def test_F15_a_job_may_bring_the_id_that_its_journal_knows(jobs: Jobs) -> None:
    held = Held()
    job = jobs.submit("copy", "resumed", held, job_id="abc123")
    assert job.id == "abc123"
    with pytest.raises(ValueError, match="abc123"):
        jobs.submit("copy", "resumed twice", held, job_id="abc123")
    held.release.set()
    job.result(WAIT)


def test_L13_jobs_are_counted() -> None:
    metrics = Metrics()
    jobs = Jobs({"io": 1}, metrics=metrics)

    def copy(control: Control) -> None:
        control.progress(phase="copy", bytes=700)
        control.progress(phase="verify", bytes=300)

    def fail(_: Control) -> None:
        raise OSError("gone")

    jobs.submit("copy", "a", copy).result(WAIT)
    with pytest.raises(OSError, match="gone"):
        jobs.submit("copy", "b", fail).result(WAIT)
    jobs.close()
    assert metrics.jobs_ended.values() == {"done": 1, "failed": 1}
    assert metrics.job_bytes.values() == {"copy": 1000}
    assert metrics.jobs_running.value == 0


def test_F15_requests_from_many_threads_leave_every_job_ended() -> None:
    jobs = Jobs({"io": 3})
    handles: list[Job[None]] = [
        jobs.submit("test", str(number), lambda control: control.wait(0.001)) for number in range(60)
    ]
    start = threading.Barrier(6)

    def meddle(seed: int) -> None:
        start.wait(WAIT)
        for turn, job in enumerate(handles):
            (job.pause, job.resume, job.cancel, job.resume)[(seed + turn) % 4]()
            jobs.reorder(job, seed)

    threads = [threading.Thread(target=meddle, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    jobs.resume_all()
    _, open_ = wait([job.future for job in handles], WAIT)
    assert not open_
    assert not jobs.busy
    assert {job.state for job in handles} <= {JobState.DONE, JobState.CANCELLED}
    assert all(queue.taken == 0 and not queue.waiting for queue in jobs._queues.values())
    assert jobs.close() == ()


def test_F16_close_cancels_what_runs_and_takes_nothing_new() -> None:
    jobs = Jobs({"io": 1})
    works = [Held(), Held()]
    handles = [jobs.submit("test", str(number), work) for number, work in enumerate(works)]
    assert works[0].began.wait(WAIT)
    assert jobs.close() == ()
    assert [job.state for job in handles] == [JobState.CANCELLED] * 2
    with pytest.raises(Refused, match="closing"):
        jobs.submit("test", "late", lambda _: None)
    assert jobs.close() == ()


def test_F16_close_wakes_what_is_paused() -> None:
    jobs = Jobs({"io": 1})
    work = Standing()
    job = jobs.submit("test", "paused", work)
    assert work.began.wait(WAIT)
    job.pause()
    until(jobs, lambda: job.state is JobState.PAUSED)
    assert jobs.close() == ()
    assert job.state is JobState.CANCELLED


def test_F16_close_leaves_a_stuck_job_behind_and_names_it() -> None:
    jobs, never, began = Jobs({"io": 2}), threading.Event(), threading.Event()

    def stuck(control: Control) -> None:
        control.progress(current="/mnt/dead/file.exr")
        began.set()
        never.wait(WAIT)

    jobs.submit("copy", "to a dead mount", stuck)
    assert began.wait(WAIT)
    before = time.monotonic()
    (left,) = jobs.close(timeout=0.2)
    assert time.monotonic() - before < WAIT / 2
    assert (left.state, left.current) == (JobState.CANCELLING, "/mnt/dead/file.exr")
    never.set()


def test_F16_the_end_waits_from_the_last_job_that_stopped() -> None:
    """Jobs that stop one after the other, each within the time, are all waited for."""
    jobs = Jobs({"io": 5})
    began = threading.Barrier(6)
    stopped = [threading.Event() for _ in range(6)]
    stopped[0].set()

    def work(number: int) -> Callable[[Control], None]:
        def one_after_the_other(control: Control) -> None:
            began.wait(WAIT)
            while not control.cancelled:
                control.progress(items=1)
            assert stopped[number].wait(WAIT)
            with pytest.raises(Cancelled):
                control.wait(0)
            threading.Event().wait(0.15)  # a step that takes its time to stop
            stopped[number + 1].set()
            raise Cancelled

        return one_after_the_other

    handles = [jobs.submit("test", str(number), work(number)) for number in range(5)]
    began.wait(WAIT)
    assert jobs.close(timeout=0.6) == ()
    assert [job.state for job in handles] == [JobState.CANCELLED] * 5


def test_F16_a_thread_stuck_for_ever_does_not_hold_the_process(tmp_path: Path) -> None:
    """The real thing: a read that never returns, in a process that wants to end."""
    fifo = tmp_path / "dead mount"
    os.mkfifo(fifo)
    script = textwrap.dedent(
        """
        import os, sys, threading
        from kassettui.jobs.queues import Jobs
        jobs, began = Jobs(), threading.Event()
        def stuck(control):
            began.set()
            os.open(sys.argv[1], os.O_RDONLY)
        jobs.submit("copy", "stuck", stuck)
        began.wait()
        print(len(jobs.close(timeout=0.1)))
        """
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", script, str(fifo)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")
