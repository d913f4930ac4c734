"""Speed over the last five seconds (F15), on a clock of the test's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.jobs.speed import SPACING, WINDOW, Speed


def test_F15_a_steady_speed_is_what_it_is() -> None:
    speed = Speed(0.0)
    for tick in range(1, 201):
        speed.note(tick * 0.1, tick, tick * 1000)
    items, done_bytes = speed.rates(20.0, 200, 200_000) or (0, 0)
    assert items == pytest.approx(10)
    assert done_bytes == pytest.approx(10_000)


def test_F15_only_the_last_five_seconds_count() -> None:
    speed = Speed(0.0)
    done = 0
    for tick in range(1, 101):  # fast for 10 s, then slow for 10 s
        done += 100
        speed.note(tick * 0.1, done, 0)
    for tick in range(101, 201):
        done += 1
        speed.note(tick * 0.1, done, 0)
    assert (speed.rates(20.0, done, 0) or (0, 0))[0] == pytest.approx(10, rel=0.1)


def test_F15_work_that_stands_has_speed_zero() -> None:
    speed = Speed(0.0)
    speed.note(1.0, 100, 100)
    assert speed.rates(30.0, 100, 100) == (0.0, 0.0)


def test_F15_one_long_item_has_a_speed_although_it_outlasted_the_window() -> None:
    speed = Speed(0.0)
    speed.note(20.0, 1, 0)
    assert (speed.rates(20.0, 1, 0) or (0, 0))[0] == pytest.approx(1 / 20)


def test_F15_there_is_no_speed_before_there_is_a_time() -> None:
    assert Speed(0.0).rates(0.05, 10, 10) is None


def test_F15_a_restart_forgets_what_was() -> None:
    speed = Speed(0.0)
    speed.note(1.0, 1000, 0)
    speed.restart(100.0, 1000, 0)
    assert (speed.rates(101.0, 1001, 0) or (0, 0))[0] == pytest.approx(1)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 10_000)), max_size=300))
def test_F15_whatever_comes_the_speed_is_finite_and_the_samples_are_few(
    steps: list[tuple[float, int]],
) -> None:
    speed = Speed(0.0)
    now, done = 0.0, 0
    for elapsed, items in steps:
        now, done = now + elapsed, done + items
        speed.note(now, done, done)
        rates = speed.rates(now, done, done)
        assert rates is None or 0 <= rates[0] < float("inf")
    assert len(speed._samples) <= WINDOW / SPACING + 2
