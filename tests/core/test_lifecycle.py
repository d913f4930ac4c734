"""The lifecycle of an asset (I11, I12, I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core import lifecycle
from kassettui.core.errors import Refused
from kassettui.core.kinds import Kind
from kassettui.core.lifecycle import Measured, Standing, State

if TYPE_CHECKING:
    from collections.abc import Callable

PIXELS = Measured("exr", width=1920, height=1080)
STANDINGS = [Standing(state) for state in State] + [Standing(State.READY, approved=True)]


def test_I12_every_asset_begins_as_new() -> None:
    assert lifecycle.created() == Standing(State.NEW)


@pytest.mark.parametrize("standing", STANDINGS, ids=str)
def test_I11_an_updated_asset_is_neither_ready_nor_approved(standing: Standing) -> None:
    after = lifecycle.updated(standing)
    assert after.state in (State.NEW, State.RETIRED)
    assert not after.approved
    assert not after.deliverable


def test_I11_an_update_brings_nobody_back_from_retirement_or_deletion() -> None:
    assert lifecycle.updated(Standing(State.RETIRED)).state is State.RETIRED
    assert lifecycle.updated(Standing(State.READY, deleted=True)).deleted


@pytest.mark.parametrize("state", [State.NEW, State.ENRICHING, State.RETIRED])
def test_I12_approved_without_ready_cannot_be_said(state: State) -> None:
    with pytest.raises(Refused):
        Standing(state, approved=True)


@pytest.mark.parametrize(
    ("kind", "measured", "lacking"),
    [
        (Kind.IMAGE, PIXELS, None),
        (Kind.IMAGE, Measured("exr", width=1920, height=0), "its pixels are not known"),
        (Kind.IMAGE, Measured(), "its pixels are not known"),
        (Kind.SEQUENCE, Measured("exr", width=2, height=2, frame_count=1), None),
        (Kind.SEQUENCE, Measured("exr", width=2, height=2, frame_count=0), "it has no frames"),
        (Kind.SEQUENCE, Measured("EXR", frame_count=8), "its pixels are not known"),
        (Kind.SEQUENCE, Measured("vdb", frame_count=8), None),
        (Kind.MOVIE, Measured("mov", width=2, height=2), "its duration is not known"),
        (Kind.MOVIE, Measured("mov", duration_ms=40), None),
        (Kind.AUDIO, Measured("wav", duration_ms=0), "its duration is not known"),
        (Kind.AUDIO, Measured("wav", duration_ms=1), None),
        (Kind.OTHER, Measured("txt"), None),
    ],
)
def test_I13_ready_needs_what_its_kind_needs(kind: Kind, measured: Measured, lacking: str | None) -> None:
    assert lifecycle.lacks(kind, measured) == lacking
    after, why = lifecycle.enriched(Standing(State.ENRICHING), kind, measured)
    assert why == lacking
    assert after == Standing(State.READY if lacking is None else State.NEW)


@pytest.mark.parametrize(
    "change",
    [
        lambda standing: lifecycle.enriched(standing, Kind.OTHER, Measured())[0],
        lifecycle.failed,
    ],
)
@pytest.mark.parametrize("state", [State.NEW, State.READY, State.RETIRED])
def test_I13_only_the_enrichment_path_ends_an_enrichment(
    state: State, change: Callable[[Standing], Standing]
) -> None:
    with pytest.raises(Refused):
        change(Standing(state))


def test_I13_a_failed_enrichment_leads_back_to_new() -> None:
    assert lifecycle.failed(Standing(State.ENRICHING)) == Standing(State.NEW)


def test_I13_enrichment_takes_up_what_is_new_or_was_left_by_a_kill() -> None:
    for state in (State.NEW, State.ENRICHING):
        assert lifecycle.enriching(Standing(state)).state is State.ENRICHING
    for state in (State.READY, State.RETIRED):
        with pytest.raises(Refused):
            lifecycle.enriching(Standing(state))


def test_I13_approval_needs_ready_and_is_taken_back_by_retirement() -> None:
    approved = lifecycle.approved(Standing(State.READY))
    assert approved.deliverable
    assert lifecycle.unapproved(approved) == Standing(State.READY)
    assert lifecycle.retired(approved) == Standing(State.RETIRED)
    for state in (State.NEW, State.ENRICHING, State.RETIRED):
        with pytest.raises(Refused):
            lifecycle.approved(Standing(state))
    with pytest.raises(Refused):
        lifecycle.approved(Standing(State.READY, deleted=True))


STEPS: list[Callable[[Standing], Standing]] = [
    lifecycle.updated,
    lifecycle.enriching,
    lambda standing: lifecycle.enriched(standing, Kind.IMAGE, PIXELS)[0],
    lifecycle.failed,
    lifecycle.retired,
    lifecycle.approved,
    lifecycle.unapproved,
]


@given(st.lists(st.sampled_from(range(len(STEPS))), max_size=30))
def test_I12_I13_no_way_of_changes_breaks_the_rules(steps: list[int]) -> None:
    standing = lifecycle.created()
    for number in steps:
        before = standing
        try:
            standing = STEPS[number](standing)
        except Refused:
            continue
        assert not standing.approved or standing.state is State.READY
        if standing.approved and not before.approved:
            assert STEPS[number] is lifecycle.approved
        if standing.state is State.READY and before.state is not State.READY:
            assert before.state is State.ENRICHING
        if before.state is State.RETIRED:
            assert standing.state is State.RETIRED
