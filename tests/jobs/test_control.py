"""The token between a work and its owner (F15): stops, stands and goes on when told, tells how far it is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kassettui.core.errors import ExitCode, Interrupted
from kassettui.jobs.control import WARNINGS_KEPT, Cancelled, Control
from kassettui.jobs.state import TRANSITIONS, IllegalTransition, JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT = 20.0


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watch:
    """Waits for a state instead of asking again and again."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.control = Control(on_change=self.changed)
        self.seen: list[JobState] = [self.control.state]

    def changed(self) -> None:
        with self.condition:
            self.control.read()
            if self.control.state is not self.seen[-1]:
                self.seen.append(self.control.state)
            self.condition.notify_all()

    def until(self, state: JobState) -> None:
        with self.condition:
            assert self.condition.wait_for(lambda: self.control.state is state, WAIT), self.seen


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def looping(control: Control, began: threading.Event) -> None:
    while True:
        began.set()
        control.checkpoint()


def test_F15_cancel_stops_the_work_at_its_next_checkpoint(pool: ThreadPoolExecutor) -> None:
    control, began = Control(), threading.Event()
    work = pool.submit(looping, control, began)
    assert began.wait(WAIT)
    control.cancel()
    with pytest.raises(Cancelled) as caught:
        work.result(WAIT)
    assert control.cancelled
    assert control.state is JobState.CANCELLING  # the owner says cancelled, when the work has ended
    assert isinstance(caught.value, Interrupted)
    assert caught.value.exit_code is ExitCode.INTERRUPTED


def test_F15_pausing_until_the_work_stands_then_paused_then_running(pool: ThreadPoolExecutor) -> None:
    watch, began = Watch(), threading.Event()
    gate, at_gate = threading.Event(), threading.Event()

    def work(control: Control) -> None:
        began.set()
        at_gate.wait(WAIT)
        control.checkpoint()
        gate.set()

    running = pool.submit(work, watch.control)
    assert began.wait(WAIT)
    watch.control.pause()
    assert watch.control.state is JobState.PAUSING
    assert not gate.is_set()
    at_gate.set()
    watch.until(JobState.PAUSED)
    assert not gate.is_set()
    watch.control.resume()
    running.result(WAIT)
    assert gate.is_set()
    assert watch.seen == [JobState.RUNNING, JobState.PAUSING, JobState.PAUSED, JobState.RUNNING]


def test_F15_paused_work_can_be_cancelled(pool: ThreadPoolExecutor) -> None:
    watch, began = Watch(), threading.Event()
    work = pool.submit(looping, watch.control, began)
    assert began.wait(WAIT)
    watch.control.pause()
    watch.until(JobState.PAUSED)
    watch.control.cancel()
    with pytest.raises(Cancelled):
        work.result(WAIT)


def test_F15_work_of_several_threads_is_paused_only_when_all_of_them_stand(pool: ThreadPoolExecutor) -> None:
    watch = Watch()
    at_work, last_goes = threading.Barrier(4), threading.Event()

    def worker(control: Control, number: int) -> None:
        with control.another_worker():
            at_work.wait(WAIT)
            if number == 0:
                last_goes.wait(WAIT)
            control.checkpoint()

    def coordinator(control: Control) -> None:
        workers = [pool.submit(worker, control, number) for number in range(3)]
        with control.waiting_for_workers():
            at_work.wait(WAIT)
            for one in workers:
                one.result(WAIT)

    work = pool.submit(coordinator, watch.control)
    watch.control.pause()
    assert watch.control.state is JobState.PAUSING
    last_goes.set()
    watch.until(JobState.PAUSED)
    watch.control.resume()
    work.result(WAIT)


def test_F15_a_wait_ends_with_the_cancel_not_with_its_time(pool: ThreadPoolExecutor) -> None:
    control, began = Control(), threading.Event()

    def work() -> None:
        began.set()
        control.wait(3600)

    waiting = pool.submit(work)
    assert began.wait(WAIT)
    control.cancel()
    with pytest.raises(Cancelled):
        waiting.result(WAIT)


def test_F15_a_wait_lasts_its_time() -> None:
    control = Control()
    control.wait(0.001)
    assert not control.cancelled


def test_F15_a_cancel_reaches_what_a_checkpoint_cannot() -> None:
    control, killed = Control(), threading.Event()
    with control.at_cancel(killed.set):
        assert not killed.is_set()
        control.cancel()
        assert killed.is_set()


def test_F15_an_action_at_cancel_runs_once_and_not_after_its_block() -> None:
    control = Control()
    calls: list[str] = []
    with control.at_cancel(lambda: calls.append("left")):
        pass
    with control.at_cancel(lambda: calls.append("in")):
        control.cancel()
        control.cancel()
    with control.at_cancel(lambda: calls.append("late")):
        pass
    assert calls == ["in", "late"]


def test_F15_progress_is_what_was_said_last() -> None:
    clock = Clock()
    control = Control(clock=clock)
    control.progress(phase="copy", total_items=10, total_bytes=1000, current="a.exr")
    clock.now += 1
    control.progress(items=1, bytes=100)
    clock.now += 1
    control.advance(items=1, bytes=100, current="b.exr")
    progress = control.read()
    assert (progress.items_done, progress.items_total) == (2, 10)
    assert (progress.bytes_done, progress.bytes_total) == (200, 1000)
    assert (progress.phase, progress.current) == ("copy", "b.exr")
    assert progress.speed == pytest.approx(100)
    assert progress.items_speed == pytest.approx(1)
    assert progress.eta == pytest.approx(8)


def test_F15_without_bytes_speed_and_eta_are_of_items() -> None:
    clock = Clock()
    control = Control(clock=clock)
    control.progress(total_items=100)
    clock.now += 2
    control.progress(items=20)
    progress = control.read()
    assert progress.speed == progress.items_speed == pytest.approx(10)
    assert progress.eta == pytest.approx(8)


def test_F15_there_is_no_eta_without_a_total_or_a_speed() -> None:
    clock = Clock()
    control = Control(clock=clock)
    clock.now += 2
    assert control.read().eta is None
    control.progress(total_items=100)
    assert control.read().eta is None


def test_F15_a_new_phase_begins_from_nothing_but_all_bytes_are_remembered() -> None:
    control = Control(clock=Clock())
    control.progress(phase="copy", items=5, bytes=500, total_items=5, total_bytes=500, current="a")
    control.progress(phase="verify", total_items=5)
    progress = control.read()
    assert (progress.phase, progress.items_done, progress.items_total) == ("verify", 0, 5)
    assert (progress.bytes_done, progress.bytes_total, progress.current) == (0, None, "")
    control.progress(bytes=300)
    assert control.bytes_worked == 800


def test_F15_a_pause_is_no_time_of_work(pool: ThreadPoolExecutor) -> None:
    clock = Clock()
    control = Control(clock=clock)
    control.progress(items=10, total_items=30)
    control.pause()
    clock.now += 1000
    control.resume()
    clock.now += 1
    control.progress(items=20)
    assert control.read().speed == pytest.approx(10)


def test_F15_no_count_is_lost_between_threads(pool: ThreadPoolExecutor) -> None:
    control = Control()
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(WAIT)
        for _ in range(5000):
            control.advance(items=1, bytes=2)

    for one in [pool.submit(work) for _ in range(4)]:
        one.result(WAIT)
    assert (control.read().items_done, control.read().bytes_done) == (20_000, 40_000)


def test_F15_warnings_are_kept_up_to_a_bound_and_counted_beyond() -> None:
    control = Control()
    for number in range(WARNINGS_KEPT + 50):
        control.warn(f"odd {number}")
    progress = control.read()
    assert len(progress.warnings) == WARNINGS_KEPT
    assert progress.warning_count == WARNINGS_KEPT + 50


def test_F15_news_is_told_once_until_it_was_read() -> None:
    told: list[None] = []
    control = Control(on_change=lambda: told.append(None))
    for number in range(1000):
        control.progress(items=number)
    assert len(told) == 1
    assert control.read().items_done == 999
    control.progress(items=1000)
    assert len(told) == 2


def test_F15_a_change_of_state_is_always_told() -> None:
    told: list[JobState] = []
    control = Control(on_change=lambda: told.append(control.state))
    control.progress(items=1)
    control.pause()
    control.resume()
    control.cancel()
    assert told[1:] == [JobState.PAUSING, JobState.RUNNING, JobState.CANCELLING]


class Model(RuleBasedStateMachine):
    """A control under any order of requests stays inside the table and obeys the last word."""

    @initialize()
    def begin(self) -> None:
        self.history: list[JobState] = [JobState.QUEUED]
        self.control = Control(on_change=self.note, state=JobState.QUEUED, clock=Clock())
        self.began = False
        self.asked_to_cancel = False

    def note(self) -> None:
        if self.control.state is not self.history[-1]:
            self.history.append(self.control.state)

    @rule(name=st.sampled_from(["pause", "resume", "cancel"]))
    def ask(self, name: str) -> None:
        before = self.control.state
        if name == "cancel" and not self.began:
            return  # the owner ends what never began; see tests of the queues
        switch: Callable[[], None] = getattr(self.control, name)
        switch()
        self.asked_to_cancel |= name == "cancel" and not before.ended

    @rule(to=st.sampled_from(JobState))
    def turn(self, to: JobState) -> None:
        legal = to in TRANSITIONS[self.control.state]
        if to in {JobState.PAUSING, JobState.PAUSED, JobState.CANCELLING} or (
            to is JobState.QUEUED and self.began
        ):
            return  # these come from requests and checkpoints alone
        try:
            self.control.turn(to)
        except IllegalTransition:
            assert not legal
        else:
            assert legal
            self.began |= to is JobState.RUNNING

    @precondition(lambda self: self.began and self.control.state in {JobState.RUNNING, JobState.CANCELLING})
    @rule()
    def reach_a_checkpoint(self) -> None:
        if self.control.state is JobState.CANCELLING:
            with pytest.raises(Cancelled):
                self.control.checkpoint()
        else:
            self.control.checkpoint()

    @invariant()
    def every_step_was_legal(self) -> None:
        for now, to in pairwise(self.history):
            assert to in TRANSITIONS[now]

    @invariant()
    def a_cancel_is_never_forgotten(self) -> None:
        if self.asked_to_cancel:
            assert self.control.cancelled
            assert self.control.state is JobState.CANCELLING or self.control.state.ended


TestModel = Model.TestCase
