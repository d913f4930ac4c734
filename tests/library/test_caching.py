"""Caches in front of the library: 300 s, stale by events, counted (spec: library V9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.library import tags, versions
from kassettui.library.caching import TIME_TO_LIVE, Cache, LibraryCaches
from kassettui.library.versions import Data, DataKind, Scope
from kassettui.observe.metrics import Metrics
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.library.library import Library

ONE = Scope("abc", "shot", ("sh010",))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Doubles:
    """Answers, counted; odd numbers have none."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, keys: Sequence[int]) -> dict[int, int]:
        self.asked.append(list(keys))
        return {key: 2 * key for key in keys if key % 2 == 0}


def test_V9_an_answer_holds_for_its_time_and_reads_do_not_renew_it() -> None:
    clock, load, metrics = Clock(), Doubles(), Metrics()
    cache = Cache("x", load, metrics, clock=clock)
    assert cache.get([2, 3, 2]) == {2: 4}
    clock.now = TIME_TO_LIVE - 1
    assert cache.get([2, 3, 4]) == {2: 4, 4: 8}
    clock.now = TIME_TO_LIVE
    assert cache.get([2, 3]) == {2: 4}
    assert load.asked == [[2, 3], [4], [2, 3]]
    assert (metrics.cache_hits.value("x"), metrics.cache_misses.value("x")) == (2, 5)


def test_V9_what_is_forgotten_is_asked_for_again() -> None:
    load = Doubles()
    cache = Cache("x", load, Metrics())
    cache.get([2, 4])
    cache.forget([2, 9])
    cache.get([2, 4])
    cache.forget(None)
    cache.get([4])
    assert load.asked == [[2, 4], [2], [4]]


def test_V9_an_answer_that_was_under_way_when_things_changed_is_not_kept() -> None:
    cache: Cache[int, int]

    def load(keys: Sequence[int]) -> dict[int, int]:
        cache.forget([5])  # an event, while the question is being answered
        return dict.fromkeys(keys, 1)

    cache = Cache("x", load, Metrics())
    assert cache.get([5]) == {5: 1}
    assert len(cache) == 0


def test_V9_the_oldest_answers_leave_when_there_are_too_many() -> None:
    load = Doubles()
    cache = Cache("x", load, Metrics(), capacity=3)
    cache.get([2, 4, 6, 8])
    assert len(cache) == 3
    cache.get([8, 2])
    assert load.asked[1:] == [[2]]


@pytest.fixture
def caches(library: Library) -> Iterator[LibraryCaches]:
    library.write(fill, [Stocked(f"n{n}.exr") for n in range(3)])
    made = LibraryCaches(library, library.operator.metrics)
    yield made
    made.close()


def test_V9_tags_follow_every_change(library: Library, caches: LibraryCaches) -> None:
    assert caches.tags.get([1, 2]) == {}
    library.write(tags.add, [1], ["a", "b"])
    assert library.events.settle()
    assert caches.tags.get([1, 2]) == {1: ("a", "b")}
    library.write(tags.rename, "a", "z")
    assert library.events.settle()
    assert caches.tags.get([1, 2]) == {1: ("b", "z")}


def test_V9_best_follows_every_change(library: Library, caches: LibraryCaches) -> None:
    for _ in range(2):
        library.write(versions.create_versions, ONE, "comp", "text", [Data(DataKind.TEXT, "")])
    assert library.events.settle()
    assert caches.best.get([1])[1].number == 1
    library.write(versions.set_best, ONE, "comp", [2])
    assert library.events.settle()
    assert caches.best.get([1])[1].number == 2
    library.write(versions.set_best, ONE, "comp", [0])
    assert library.events.settle()
    assert caches.best.get([1]) == {}


def test_V9_after_closing_nothing_is_heard(library: Library, caches: LibraryCaches) -> None:
    caches.tags.get([1])
    caches.close()
    library.write(tags.add, [1], ["a"])
    assert library.events.settle()
    assert caches.tags.get([1]) == {}
