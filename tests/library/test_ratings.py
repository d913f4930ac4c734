"""Ratings: 0 to 5 or none, in bulk, all or nothing (spec: library L6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput, NotFound
from kassettui.library import changes, journal, ratings, search, stamps
from kassettui.library.events import AssetsChanged, Event
from tests.library.counting import statements
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


def stock(library: Library, number: int) -> None:
    library.write(fill, [Stocked(f"n{n}.exr") for n in range(1, number + 1)])


@pytest.mark.parametrize("rating", [0, 1, 2, 3, 4, 5])
def test_L6_a_rating_is_given_and_found(library: Library, rating: int) -> None:
    stock(library, 2)
    assert library.write(ratings.set_rating, [2], rating).before == {2: None}
    assert library.read(search.ids, f"rating:{rating}") == [2]
    assert library.read(search.ids, "rating:unrated") == [1]


@pytest.mark.parametrize("rating", [-1, 6])
def test_L6_a_rating_that_is_none(library: Library, rating: int) -> None:
    stock(library, 1)
    with pytest.raises(InvalidInput):
        library.write(ratings.set_rating, [1], rating)


def test_L6_only_what_differs_is_changed(library: Library) -> None:
    stock(library, 3)
    library.write(ratings.set_rating, [1, 2], 3)
    done = library.write(ratings.set_rating, [1, 2, 3], 3)
    assert done.assets == (3,)
    assert library.write(ratings.set_rating, [1, 2, 3], None).before == {1: 3, 2: 3, 3: 3}


def test_L6_ten_thousand_in_one_transaction_and_as_many_statements_as_for_ten(library: Library) -> None:
    stock(library, 10_000)
    made = []

    def counted(db: LibraryDatabase, number: int, rating: int) -> None:
        with statements(db) as seen:
            ratings.set_rating(db, range(1, number + 1), rating)
        made.append(len(seen))

    library.write(counted, 10, 2)
    commits = library.operator.metrics.write_batch.distributions()[""].count
    library.write(counted, 10_000, 4)
    assert library.operator.metrics.write_batch.distributions()[""].count == commits + 1
    assert made[0] == made[1]
    assert library.read(search.count, "rating:4").number == 10_000


@pytest.mark.parametrize("at", [1, 5_000, 10_000])
def test_L6_a_failure_on_the_nth_changes_nothing(library: Library, at: int) -> None:
    stock(library, 9_999)
    with pytest.raises(NotFound):
        library.write(ratings.set_rating, [*range(1, at), 77_777, *range(at, 10_000)], 5)
    assert library.read(search.count, "rating:*").number == 0


def test_F12_undo_puts_each_rating_back(library: Library) -> None:
    stock(library, 3)
    library.write(ratings.set_rating, [1], 1)
    library.write(ratings.set_rating, [2], 2)
    library.write(ratings.set_rating, [1, 2, 3], 5)
    [newest, *_] = library.read(journal.undo_stack)
    assert newest.title == "rate 5 (3 assets)"
    library.write(changes.revert_changes, newest.id, stamps.new_uuid(), stamps.now())
    rows = library.read(lambda db: db.all("SELECT rating FROM assets ORDER BY id"))
    assert rows == [(1,), (2,), (None,)]


def test_L6_changes_are_told(library: Library) -> None:
    stock(library, 2)
    heard: list[Event] = []
    library.events.subscribe(AssetsChanged, heard.append)
    library.write(ratings.set_rating, [1, 2], 3)
    library.write(ratings.set_rating, [1, 2], 3)
    assert library.events.settle()
    assert heard == [AssetsChanged((1, 2))]
