"""Ctrl-C, SIGTERM, SIGHUP: the work is asked to stop, the streams stay whole, the end is 130."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from kassettui.cli.background import in_background
from kassettui.cli.interruption import SIGNALS, Interruption
from kassettui.core.errors import Interrupted
from kassettui.jobs.control import Cancelled, Control
from kassettui.jobs.queues import Jobs


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_cancels_the_work_the_second_interrupts(number: signal.Signals) -> None:
    asked = []
    interruption = Interruption()
    with interruption.installed(), interruption.cancels(lambda: asked.append(1)):
        os.kill(os.getpid(), number)
        assert asked == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert interruption.signal is number


def test_where_no_work_is_registered_a_signal_interrupts_at_once() -> None:
    with Interruption().installed(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_while_output_is_written_a_signal_waits_and_the_second_does_not() -> None:
    written = []

    def write(interruption: Interruption, signals: int) -> None:
        with interruption.shielded():
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGTERM)
            written.append("whole")

    interruption = Interruption()
    with interruption.installed():
        with pytest.raises(KeyboardInterrupt):
            write(interruption, signals=1)
        assert written == ["whole"]
        with pytest.raises(KeyboardInterrupt):
            write(interruption, signals=2)
    assert written == ["whole"]


def test_handlers_are_given_back_and_ignored_ones_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption().installed():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_work_in_the_background_tells_in_order_and_its_result_comes_back() -> None:
    heard: list[object] = []
    threads = set()
    jobs = Jobs()

    def work(_control: Control, tell: object) -> str:
        assert callable(tell)
        for number in range(1000):
            tell(number)
        return "done"

    def hear(number: object) -> None:
        threads.add(threading.current_thread())
        heard.append(number)

    assert in_background(Interruption(), jobs, "it", work, hear, kind="test") == "done"
    assert heard == list(range(1000))
    assert threads == {threading.current_thread()}
    jobs.close()


def test_a_signal_stops_work_in_the_background() -> None:
    jobs = Jobs()
    interruption = Interruption()

    def work(control: Control, tell: object) -> str:
        assert callable(tell)
        tell("begun")
        while True:
            control.wait(0.01)

    with interruption.installed(), pytest.raises(Cancelled):
        in_background(
            interruption, jobs, "it", work, lambda _: os.kill(os.getpid(), signal.SIGINT), kind="test"
        )
    jobs.close()


def test_work_that_cannot_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kassettui.cli.background.PATIENCE", 0.05)
    jobs = Jobs()
    interruption = Interruption()
    release = threading.Event()

    def stuck(_control: Control, tell: object) -> None:
        assert callable(tell)
        tell("begun")
        release.wait(30)

    with interruption.installed(), pytest.raises(Interrupted, match="left behind"):
        in_background(
            interruption, jobs, "it", stuck, lambda _: os.kill(os.getpid(), signal.SIGINT), kind="test"
        )
    release.set()
    jobs.close()
