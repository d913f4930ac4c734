"""The table of states (F15): what may follow what, held against a plain statement of the rules."""

from __future__ import annotations

from itertools import product

import pytest

from kassettui.jobs.state import TRANSITIONS, IllegalTransition, JobState, step

ENDED = {JobState.DONE, JobState.DONE_WITH_WARNINGS, JobState.FAILED, JobState.CANCELLED}


def test_F15_every_state_of_the_spec_and_no_other() -> None:
    assert {state.value for state in JobState} == {
        "queued",
        "running",
        "pausing",
        "paused",
        "cancelling",
        "cancelled",
        "failed",
        "done",
        "done_with_warnings",
    }
    assert set(TRANSITIONS) == set(JobState)


@pytest.mark.parametrize(("now", "to"), list(product(JobState, JobState)))
def test_F15_a_step_is_legal_exactly_when_the_table_has_it(now: JobState, to: JobState) -> None:
    if to in TRANSITIONS[now]:
        assert step(now, to) is to
    else:
        with pytest.raises(IllegalTransition, match=f"{now} to {to}"):
            step(now, to)


def test_F15_what_ended_stays_ended() -> None:
    assert {state for state in JobState if state.ended} == ENDED


def test_F15_work_that_runs_is_cancelled_only_by_way_of_cancelling() -> None:
    for state in (JobState.RUNNING, JobState.PAUSING):
        assert JobState.CANCELLED not in TRANSITIONS[state]
        assert JobState.CANCELLING in TRANSITIONS[state]


def test_F15_every_state_can_be_reached_and_every_live_one_can_end() -> None:
    reached = {JobState.QUEUED}
    for _ in JobState:
        reached |= {to for state in reached for to in TRANSITIONS[state]}
    assert reached == set(JobState)
    ending = set(ENDED)
    for _ in JobState:
        ending |= {state for state in JobState if TRANSITIONS[state] & ending}
    assert ending == set(JobState)
