"""Snapshots to listeners (F15, T5): coalesced to ten a second a job, the last one always."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from kassettui.jobs.publisher import INTERVAL
from kassettui.jobs.queues import Jobs
from kassettui.jobs.state import JobState, Snapshot
from kassettui.observe import log

if TYPE_CHECKING:
    from kassettui.jobs.control import Control

WAIT = 20.0


class Listener:
    """Keeps what it hears, with the time."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.heard: list[tuple[float, Snapshot]] = []

    def __call__(self, snapshot: Snapshot) -> None:
        with self.condition:
            self.heard.append((time.monotonic(), snapshot))
            self.condition.notify_all()

    def until_ended(self, count: int = 1) -> list[Snapshot]:
        with self.condition:
            assert self.condition.wait_for(
                lambda: len({one.job_id for _, one in self.heard if one.ended}) >= count, WAIT
            )
            return [one for _, one in self.heard]


def test_F15_a_busy_job_is_heard_at_most_ten_times_a_second_and_to_its_last_item() -> None:
    jobs, listener = Jobs(), Listener()
    jobs.subscribe(listener)

    def work(control: Control) -> None:
        until = time.monotonic() + 0.5
        count = 0
        while time.monotonic() < until:
            count += 1
            control.progress(items=count, current=f"item {count}")
        control.progress(items=123_456, current="the last")

    jobs.submit("test", "busy", work).result(WAIT)
    heard = listener.until_ended()
    times = [when for when, _ in listener.heard]
    # Delivery takes a moment of its own, so two may be nearer than they were taken.
    assert all(later - sooner > INTERVAL / 2 for sooner, later in pairwise(times))
    assert len(heard) <= (times[-1] - times[0]) / INTERVAL + 3
    assert heard[-1].state is JobState.DONE
    assert (heard[-1].items_done, heard[-1].current) == (123_456, "the last")
    assert heard[-1].finished_at is not None
    jobs.close()


def test_F15_the_last_snapshot_of_every_job_arrives_even_when_all_is_closed_at_once() -> None:
    jobs, listener = Jobs(), Listener()
    jobs.subscribe(listener)
    started = threading.Barrier(5)

    def work(control: Control) -> None:
        started.wait(WAIT)
        control.wait(3600)

    handles = [jobs.submit("test", "long", work) for _ in range(4)]
    handles += [jobs.submit("test", "never begun", work) for _ in range(4)]
    started.wait(WAIT)
    assert jobs.close() == ()
    ended = {one.job_id: one.state for _, one in listener.heard if one.ended}
    assert ended == {job.id: JobState.CANCELLED for job in handles}


def test_F15_who_subscribes_late_hears_of_what_is_there() -> None:
    jobs, listener, go = Jobs(), Listener(), threading.Event()

    def work(_: Control) -> None:
        assert go.wait(WAIT)

    job = jobs.submit("test", "there", work)
    jobs.subscribe(listener)
    with listener.condition:
        assert listener.condition.wait_for(lambda: listener.heard, WAIT)
    assert listener.heard[0][1].job_id == job.id
    go.set()
    listener.until_ended()
    jobs.close()


def test_F15_who_unsubscribed_hears_nothing() -> None:
    jobs, listener, other = Jobs(), Listener(), Listener()
    unsubscribe = jobs.subscribe(listener)
    jobs.subscribe(other)
    unsubscribe()
    jobs.submit("test", "unheard", lambda _: None).result(WAIT)
    other.until_ended()
    jobs.close()
    assert listener.heard == []


def test_F15_a_listener_that_fails_disturbs_neither_job_nor_listener() -> None:
    jobs, listener = Jobs(), Listener()

    def bad(_: Snapshot) -> None:
        raise RuntimeError("a widget that is gone")

    jobs.subscribe(bad)
    jobs.subscribe(listener)
    assert jobs.submit("test", "fine", lambda _: 7).result(WAIT) == 7
    listener.until_ended()
    jobs.close()
    assert any(entry.event == "a listener to jobs failed" for entry in log.recent())


def test_F15_a_listener_that_hangs_delays_neither_job_nor_end() -> None:
    jobs, hanging, release = Jobs(), threading.Event(), threading.Event()

    def hang(_: Snapshot) -> None:
        hanging.set()
        release.wait(WAIT)

    jobs.subscribe(hang)
    assert jobs.submit("test", "one", lambda _: 1).result(WAIT) == 1
    assert hanging.wait(WAIT)
    assert jobs.submit("test", "two", lambda _: 2).result(WAIT) == 2
    began = time.monotonic()
    jobs.close(timeout=0.1)
    assert time.monotonic() - began < WAIT / 2
    release.set()


@pytest.mark.parametrize("count", [200])
def test_F15_many_short_jobs_are_each_heard_to_the_end(count: int) -> None:
    jobs, listener = Jobs({"io": 4}), Listener()
    jobs.subscribe(listener)
    for number in range(count):
        jobs.submit("test", f"short {number}", lambda control: control.advance(items=1))
    heard = listener.until_ended(count)
    last = {one.job_id: one for one in heard}
    assert len(last) == count
    assert all(one.state is JobState.DONE and one.items_done == 1 for one in last.values())
    jobs.close()
