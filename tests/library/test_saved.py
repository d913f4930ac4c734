"""Saved searches: queries with a name, in queries and folders (spec: library L7, L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.core.query import QueryError
from kassettui.library import folder_changes, saved, search
from kassettui.library.events import Event, SearchesChanged
from kassettui.library.saved import NameTaken
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from kassettui.library.library import Library


@pytest.fixture
def stocked(library: Library) -> Library:
    assets = [Stocked(f"n{n}.exr", columns={"rating": n, "size": 10 - n}) for n in range(6)]
    library.write(fill, assets)
    return library


def test_L7_a_saved_search_is_part_of_any_query(stocked: Library) -> None:
    stocked.write(saved.save, "Good ones", "rating:>=3")
    assert stocked.read(search.ids, '@"good ones"') == [4, 5, 6]
    assert stocked.read(search.ids, '@"GOOD  ones" rating<5') == [4, 5]
    assert stocked.read(search.ids, '-@"good ones" OR n5') == [1, 2, 3, 6]
    assert stocked.read(search.count, '@"good ones"').number == 3


def test_L7_its_order_holds_unless_the_query_has_one(stocked: Library) -> None:
    stocked.write(saved.save, "small", "rating:>=3 sort:size")
    assert stocked.read(search.ids, "@small") == [6, 5, 4]
    assert stocked.read(search.ids, "@small n") == [6, 5, 4]
    assert stocked.read(search.ids, "@small sort:-size") == [4, 5, 6]


def test_L7_searches_in_searches(stocked: Library) -> None:
    stocked.write(saved.save, "a", "rating:>=2")
    stocked.write(saved.save, "b", "@a OR n0")
    stocked.write(saved.save, "all", "")
    assert stocked.read(search.ids, "@b") == [1, 3, 4, 5, 6]
    assert stocked.read(search.ids, "@all") == [1, 2, 3, 4, 5, 6]
    assert stocked.read(search.ids, "-@all") == []
    assert stocked.read(search.ids, "@all n3") == [4]


def test_L7_a_search_that_is_part_of_itself_is_refused(stocked: Library) -> None:
    stocked.write(saved.save, "a", "rating:>=2")
    stocked.write(saved.save, "b", "@a")
    for name, query in (("a", "@b"), ("c", "@c")):
        with pytest.raises(QueryError):
            stocked.write(saved.save, name, query, "", True)
    assert stocked.read(saved.find, "a").query == "rating:>=2"


def test_L7_searches_that_grow_together_are_bounded(stocked: Library) -> None:
    stocked.write(saved.save, "s0", " OR ".join(f"n{n}" for n in range(100)))
    stocked.write(saved.save, "s1", "@s0 OR @s0 OR @s0 OR @s0")
    with pytest.raises(QueryError, match="too much"):
        stocked.read(search.ids, "@s1 OR @s1")


@pytest.mark.parametrize("query", ["(", "ratng:3", "name~(", "@nobody", "sort:x"])
def test_L7_a_query_that_cannot_be_run_is_not_saved(stocked: Library, query: str) -> None:
    with pytest.raises(QueryError):
        stocked.write(saved.save, "bad", query)
    assert stocked.read(saved.listed) == []


@pytest.mark.parametrize("name", ["", "  ", "@", "a" * 101, "a\x1bb"])
def test_L7_names_that_are_none(stocked: Library, name: str) -> None:
    with pytest.raises(InvalidInput):
        stocked.write(saved.save, name, "comp")


def test_L7_replacing_is_asked_for_and_keeps_the_identity(stocked: Library) -> None:
    first = stocked.write(saved.save, "Mine", "n1", "about")
    with pytest.raises(NameTaken):
        stocked.write(saved.save, "mine", "n2")
    second = stocked.write(saved.save, "@mine", "n2", "", True)
    assert (second.id, second.uuid, second.name, second.query) == (first.id, first.uuid, "mine", "n2")
    assert len(stocked.read(saved.listed)) == 1


def test_L7_unknown_names_have_a_place(stocked: Library) -> None:
    with pytest.raises(QueryError) as caught:
        stocked.read(search.ids, "n1 @nobody")
    assert caught.value.position == 3
    with pytest.raises(NotFound):
        stocked.read(saved.find, "nobody")
    with pytest.raises(NotFound):
        stocked.write(saved.delete, "nobody")


def test_L4_a_search_that_a_smart_folder_shows_stays(stocked: Library) -> None:
    heard: list[Event] = []
    stocked.events.subscribe(SearchesChanged, heard.append)
    stocked.write(saved.save, "good", "rating:>=3")
    folder = stocked.write(folder_changes.make_smart, "views/good", "good")
    with pytest.raises(Refused, match="smart folder"):
        stocked.write(saved.delete, "good")
    stocked.write(folder_changes.delete, folder)
    assert stocked.write(saved.delete, "good").name == "good"
    assert stocked.events.settle()
    assert heard == [SearchesChanged(), SearchesChanged()]
