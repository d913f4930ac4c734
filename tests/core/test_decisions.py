"""Decisions, thresholds and move matching (I10, I14, I15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.decisions import (
    Candidate,
    Decision,
    Known,
    Move,
    Reason,
    decide,
    match_moves,
    too_many_gone,
)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, (Decision.CREATE, Reason.NEW)),
        (Known(True), (Decision.SKIP, Reason.UNCHANGED)),
        (Known(False), (Decision.UPDATE, Reason.CONTENT)),
        (Known(False, same_enrichers=False), (Decision.UPDATE, Reason.CONTENT)),
        (Known(True, same_enrichers=False), (Decision.UPDATE, Reason.ENRICHERS)),
        (Known(True, missing=True), (Decision.SKIP, Reason.FOUND_AGAIN)),
        (Known(False, missing=True), (Decision.UPDATE, Reason.CONTENT)),
        (Known(False, same_enrichers=False, deleted=True), (Decision.SKIP, Reason.DELETED)),
    ],
)
def test_I10_the_table(known: Known | None, expected: tuple[Decision, Reason]) -> None:
    assert decide(known) == expected


@pytest.mark.parametrize(
    ("gone", "known", "stop"),
    [
        (0, 0, False),
        (20, 20, False),
        (21, 21, True),
        (21, 105, False),
        (22, 105, True),
        (1000, 10_000, False),
    ],
)
def test_I14_more_than_a_fifth_and_more_than_twenty_stop(gone: int, known: int, stop: bool) -> None:
    assert too_many_gone(gone, known) is stop


def _all(*items: tuple[str, str, str]) -> list[Candidate]:
    return [Candidate(number, *item) for number, item in enumerate(items)]


def test_I15_one_candidate_on_each_side_is_a_move() -> None:
    assert match_moves(_all(("a", "x", "s")), _all(("b", "x", "s"))) == [Move(0, 0, Reason.MOVED)]


@pytest.mark.parametrize(
    ("vanished", "new"),
    [
        ([("a", "x", "s")], [("b", "x", "t")]),  # other content: a majority of one that does not match
        ([("a", "x", "s")], [("b", "y", "s")]),  # another name
        ([("a", "x", "s")], [("b", "x", "s"), ("c", "x", "s")]),  # two candidates
        ([("a", "x", "s"), ("b", "x", "s")], [("c", "x", "s")]),  # two claims
        ([], [("c", "x", "s")]),
        ([("c", "x", "s")], []),
    ],
)
def test_I15_no_move_when_it_is_not_certain(
    vanished: list[tuple[str, str, str]], new: list[tuple[str, str, str]]
) -> None:
    assert match_moves(_all(*vanished), _all(*new)) == []


def test_I15_a_directory_whose_majority_matches_moves_as_one() -> None:
    vanished = _all(("old", "x", "1"), ("old", "y", "2"), ("old", "z", "3"))
    new = _all(("new", "z", "9"), ("new", "x", "1"), ("new", "y", "2"), ("new", "w", "4"))
    assert match_moves(vanished, new) == [
        Move(0, 1, Reason.MOVED),
        Move(1, 2, Reason.MOVED),
        Move(2, 0, Reason.MOVED_AND_CHANGED),
    ]


def test_I15_half_of_a_directory_is_no_majority() -> None:
    vanished = _all(("old", "x", "1"), ("old", "y", "2"))
    new = _all(("new", "x", "1"), ("new", "y", "9"))
    assert match_moves(vanished, new) == [Move(0, 0, Reason.MOVED)]


def test_I15_a_moved_directory_tells_copies_apart() -> None:
    vanished = _all(("old", "x", "1"), ("old", "y", "2"))
    new = _all(("new", "x", "1"), ("new", "y", "2"), ("copy", "y", "2"))
    assert match_moves(vanished, new) == [Move(0, 0, Reason.MOVED), Move(1, 1, Reason.MOVED)]


def test_I15_a_renamed_parent_takes_its_changed_children_along() -> None:
    vanished = _all(("sh1/a", "x", "1"), ("sh1/b", "x", "2"), ("sh1/c", "x", "3"))
    new = _all(("sh2/a", "x", "1"), ("sh2/b", "x", "2"), ("sh2/c", "x", "9"))
    assert match_moves(vanished, new) == [
        Move(0, 0, Reason.MOVED),
        Move(1, 1, Reason.MOVED),
        Move(2, 2, Reason.MOVED_AND_CHANGED),
    ]


def test_I15_everything_moved_into_a_new_directory() -> None:
    vanished = _all(("", "x", "1"), ("a", "y", "2"), ("a", "z", "3"))
    new = _all(("in", "x", "1"), ("in/a", "y", "2"), ("in/a", "z", "4"))
    assert match_moves(vanished, new) == [
        Move(0, 0, Reason.MOVED),
        Move(1, 1, Reason.MOVED),
        Move(2, 2, Reason.MOVED_AND_CHANGED),
    ]


def test_I15_two_directories_that_claim_one_target_do_not_move_as_one() -> None:
    vanished = _all(
        ("a", "x", "1"), ("a", "y", "2"), ("a", "p", "7"), ("b", "z", "3"), ("b", "w", "4"), ("b", "p", "8")
    )
    new = _all(("c", "x", "1"), ("c", "y", "2"), ("c", "z", "3"), ("c", "w", "4"), ("c", "p", "9"))
    moves = match_moves(vanished, new)
    assert {(move.vanished, move.new) for move in moves} == {(0, 0), (1, 1), (3, 2), (4, 3)}


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("x_0001.exr", "x_#.exr", True),
        ("x_#.exr", "x_0001.exr", True),
        ("x_-0001.exr", "x_#.exr", True),
        ("x_.exr", "x_#.exr", False),
        ("x_a.exr", "x_#.exr", False),
        ("x_0001.exr", "y_#.exr", False),
        ("x_0001.exr", "x_0001.png", False),
        ("1", "1#1", False),
    ],
)
def test_I5_a_still_that_grew_into_a_sequence_is_the_same_asset(old: str, new: str, same: bool) -> None:
    moves = match_moves(_all(("d", old, "1")), _all(("d", new, "2")))
    assert moves == ([Move(0, 0, Reason.REGROUPED)] if same else [])
    assert match_moves(_all(("d", old, "1")), _all(("e", new, "2"))) == []


def test_I5_two_stills_of_one_sequence_are_no_one_asset() -> None:
    vanished = _all(("d", "x_01.exr", "1"), ("d", "x_02.exr", "2"))
    assert match_moves(vanished, _all(("d", "x_#.exr", "3"))) == []


SIDE = st.lists(
    st.tuples(st.sampled_from(["", "a", "a/b", "c"]), st.sampled_from("xyz"), st.sampled_from("12")),
    unique_by=lambda t: t[:2],
    max_size=8,
)


@given(SIDE, SIDE)
def test_I15_moves_are_one_to_one_keep_the_name_and_do_not_hang_on_order(
    vanished: list[tuple[str, str, str]], new: list[tuple[str, str, str]]
) -> None:
    old_side, new_side = _all(*vanished), _all(*new)
    moves = match_moves(old_side, new_side)
    assert len({move.vanished for move in moves}) == len({move.new for move in moves}) == len(moves)
    for move in moves:
        assert vanished[move.vanished][1] == new[move.new][1]
        assert (move.reason is Reason.MOVED) == (vanished[move.vanished][2] == new[move.new][2])
    again = match_moves(old_side[::-1], new_side[::-1])
    assert sorted(moves) == sorted(again)
