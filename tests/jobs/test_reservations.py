"""Free space that jobs have spoken for (F2)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import ExitCode, Refused
from kassettui.jobs.reservations import NotEnoughSpace, Reservations

DISK, OTHER = 1, 2


def test_F2_two_jobs_never_count_on_the_same_bytes() -> None:
    space = Reservations()
    space.reserve(DISK, 60, free=100)
    with pytest.raises(NotEnoughSpace) as caught:
        space.reserve(DISK, 60, free=100)
    assert (caught.value.wanted, caught.value.free, caught.value.reserved) == (60, 100, 60)
    assert isinstance(caught.value, Refused)
    assert caught.value.exit_code is ExitCode.FAILED
    assert space.reserve(OTHER, 60, free=100).left == 60


def test_F2_a_reservation_fits_to_the_byte() -> None:
    space = Reservations()
    space.reserve(DISK, 100, free=100)
    assert space.reserve(DISK, 0, free=100).left == 0
    with pytest.raises(NotEnoughSpace):
        space.reserve(DISK, 1, free=100)


def test_F2_what_is_written_is_no_longer_reserved() -> None:
    space = Reservations()
    with space.reserve(DISK, 60, free=100) as held:
        held.written(25)
        assert space.reserved(DISK) == 35
        held.written(1000)  # a file that grew while it was copied
        assert space.reserved(DISK) == 0
    assert space.reserved(DISK) == 0


def test_F2_a_job_that_fails_gives_back_what_is_left() -> None:
    space = Reservations()
    with pytest.raises(OSError, match="gone"), space.reserve(DISK, 60, free=100):
        raise OSError("gone")
    assert space.reserved(DISK) == 0


def test_F2_giving_back_twice_is_giving_back_once() -> None:
    space = Reservations()
    other = space.reserve(DISK, 40, free=100)
    held = space.reserve(DISK, 60, free=100)
    held.release()
    held.release()
    assert space.reserved(DISK) == other.left == 40


def test_F2_the_message_says_what_others_hold() -> None:
    space = Reservations()
    space.reserve(DISK, 1000, free=4000)
    with pytest.raises(
        NotEnoughSpace, match=r"5,000 bytes are needed, 3,000 are left \(4,000 free, 1,000 reserved"
    ):
        space.reserve(DISK, 5000, free=4000)


def test_F2_threads_that_reserve_at_once_stay_inside_the_space() -> None:
    space = Reservations()
    start = threading.Barrier(8)

    def reserve() -> int:
        start.wait(20)
        got = 0
        for _ in range(200):
            try:
                got += space.reserve(DISK, 1, free=1000).left
            except NotEnoughSpace:
                continue
        return got

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(reserve) for _ in range(8)]
        assert sum(one.result(20) for one in futures) == space.reserved(DISK) == 1000


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=60))
def test_F2_the_sum_is_always_what_the_reservations_say(steps: list[tuple[int, int]]) -> None:
    space = Reservations()
    held = [space.reserve(DISK, 0, free=500)]
    for action, size in steps:
        match action:
            case 0:
                try:
                    held.append(space.reserve(DISK, size, free=500))
                except NotEnoughSpace:
                    assert size > 500 - space.reserved(DISK)
            case 1:
                held[size % len(held)].written(size)
            case _:
                held[size % len(held)].release()
        assert space.reserved(DISK) == sum(one.left for one in held) <= 500
