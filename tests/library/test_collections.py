"""Collections: I1, I17, and what editing and removing them may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import Ambiguous, InvalidInput, NotFound, Refused
from kassettui.library import assets, collections
from kassettui.library.events import CollectionChanged, Event
from tests.library.samples import ROOT, add, image

if TYPE_CHECKING:
    from kassettui.library.library import Library


def test_I1_found_by_uuid_external_id_and_name_whatever_its_case(library: Library) -> None:
    made = library.write(
        lambda db: collections.create(db, "  My  Show ", "/shows/my", external_id="77", layout="{shot}")
    )
    assert (made.name, made.root, made.layout) == ("My Show", "/shows/my", "{shot}")
    for selector in (made.uuid, made.uuid.upper(), "77", "my show", "MY SHOW", " My   show "):
        assert library.read(collections.find, selector) == made
    with pytest.raises(NotFound):
        library.read(collections.find, "your show")


def test_I1_an_ambiguous_name_asks_for_the_uuid(library: Library) -> None:
    for root in ("/a", "/b"):
        library.write(collections.create, "Twin", root)
    with pytest.raises(Ambiguous) as caught:
        library.read(collections.find, "twin")
    assert str(caught.value) == "Multiple collections named 'twin' exist. Please specify the UUID."


def test_I1_the_deepest_root_that_holds_a_path(library: Library) -> None:
    for name, root in (("all", "/shows"), ("abc", ROOT), ("abcd", "/shows/abcd")):
        library.write(collections.create, name, root)

    def of(path: str) -> str | None:
        found = library.read(collections.containing, path)
        return None if found is None else found.name

    assert of(f"{ROOT}/sh010/a.png") == of(ROOT) == "abc"
    assert of("/shows/abcd/x") == "abcd"
    assert of("/shows/abcde") == of("/shows") == "all"
    assert of("/other") is None
    library.write(collections.create, "root", "/")
    assert of("/other") == "root"


def test_I1_unique_names(library: Library) -> None:
    for name in ("show", "Show 2"):
        library.write(collections.create, name, f"/{name}")
    assert library.read(collections.unique_name, "SHOW") == "SHOW 3"
    assert library.read(collections.unique_name, "other") == "other"


def test_bad_collections_are_refused(library: Library) -> None:
    for name, root in (("", "/a"), ("  ", "/a"), ("a", "relative")):
        with pytest.raises(InvalidInput):
            library.write(collections.create, name, root)
    library.write(lambda db: collections.create(db, "a", "/a", external_id="1"))
    with pytest.raises(Refused):
        library.write(lambda db: collections.create(db, "b", "/b", external_id="1"))


def test_editing_changes_what_is_said_and_nothing_else(library: Library) -> None:
    made = library.write(collections.create, "a", "/a")
    assert library.events.settle()
    seen: list[Event] = []
    library.events.subscribe(CollectionChanged, seen.append)
    changed = library.write(
        lambda db: collections.edit(
            db, made.uuid, name="B b", root="/b/", locked=True, ignore_patterns=("*.bak",), config={"x": 1}
        )
    )
    assert (changed.name, changed.root, changed.locked, changed.watched) == ("B b", "/b", True, False)
    assert (changed.ignore_patterns, dict(changed.config)) == (("*.bak",), {"x": 1})
    assert library.read(collections.find, "b B").uuid == made.uuid
    assert library.events.settle()
    assert seen == [CollectionChanged(made.uuid)]
    for wrong in ({"source_type": "x"}, {"name": " "}, {"last_ingest_time": 1}):
        with pytest.raises(InvalidInput):
            library.write(lambda db, wrong=wrong: collections.edit(db, made.uuid, **wrong))
    with pytest.raises(NotFound):
        library.write(lambda db: collections.edit(db, "nobody", name="x"))


def test_removing_a_collection_with_assets_must_be_said(library: Library) -> None:
    add(library, image("a.png"), image("b.png"))
    uuid = library.read(collections.everything)[0].uuid
    with pytest.raises(Refused, match="2 assets"):
        library.write(collections.remove, uuid)
    assert library.write(lambda db: collections.remove(db, uuid, with_assets=True)) == 2
    assert library.read(collections.everything) == []
    assert library.read(assets.known, uuid) == []


def test_I17_the_last_ingest_is_noted(library: Library) -> None:
    made = library.write(collections.create, "a", "/a")
    assert made.last_ingest_time is None
    library.write(lambda db: collections.note_ingest(db, made.uuid, 7, root_device="dev"))
    library.write(collections.note_ingest, made.uuid, 8)
    after = library.read(collections.get, made.uuid)
    assert (after.last_ingest_time, after.root_device) == (8, "dev")
    with pytest.raises(NotFound):
        library.write(collections.note_ingest, "nobody", 8)
