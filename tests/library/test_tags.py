"""Tags (spec: library L5), in bulk, undoable, and found by their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import ConstraintViolated, InvalidInput, NotFound, Refused
from kassettui.library import changes, journal, search, stamps, tags
from kassettui.library.events import AssetsChanged, Event, TagsChanged
from kassettui.library.tags import MergeNeeded, Tagged
from tests.library.counting import statements
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


def stock(library: Library, number: int = 3) -> None:
    library.write(fill, [Stocked(f"n{n}.exr") for n in range(1, number + 1)])


def on(library: Library, asset_id: int = 1) -> list[str]:
    """The tags of an asset, as its page shows them."""

    def read(db: LibraryDatabase) -> list[str]:
        from kassettui.library import assets

        return list(assets.attached(db, [asset_id]).tags.get(asset_id, ()))

    return library.read(read)


def texts(library: Library) -> list[str]:
    rows = library.read(lambda db: db.all("SELECT tag_text FROM assets ORDER BY id"))
    return [row[0] for row in rows]


def undo(library: Library) -> None:
    [newest, *_] = library.read(journal.undo_stack)
    library.write(changes.revert_changes, newest.id, stamps.new_uuid(), stamps.now())


# -- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "normal"),
    [
        ("hero", "hero"),
        ("  Hero  Shot ", "Hero Shot"),
        ("client / ok", "client/ok"),
        ("/client//ok/", "client/ok"),
        ("a\tb\nc", "a b c"),
        ("Été", "Été"),
    ],
)
def test_L5_names_are_normalised(given_: str, normal: str) -> None:
    assert tags.normal_name(given_) == normal


@pytest.mark.parametrize("text", ["", "  ", "/", " / / ", "\n", "a" * 201])
def test_L5_names_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        tags.normal_name(text)


@given(st.text(max_size=30))
def test_L5_normal_names_stay_as_they_are(text: str) -> None:
    try:
        name = tags.normal_name(text)
    except InvalidInput:
        return
    assert tags.normal_name(name) == name
    assert tags.name_key(name) == tags.name_key(text)


def test_L5_case_does_not_count_and_the_first_writing_stays(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["Hero Shot"])
    library.write(tags.add, [1, 2], ["hero  SHOT"])
    assert [(tag.name, tag.assets) for tag in library.read(tags.listed)] == [("Hero Shot", 2)]
    assert library.read(tags.find, "HERO shot").name == "Hero Shot"


# -- verbs --------------------------------------------------------------------------------------------------


def test_L5_add_remove_and_set_are_different_verbs(library: Library) -> None:
    stock(library)
    assert library.write(tags.add, [1, 2], ["a", "b"]) == Tagged(4, 0, (1, 2))
    assert library.write(tags.add, [1, 3], ["a"]) == Tagged(1, 0, (3,))
    assert library.write(tags.remove, [1, 3], ["a"]) == Tagged(0, 2, (1, 3))
    assert library.write(tags.set_tags, [1, 2], ["c", "b"]) == Tagged(2, 1, (1, 2))
    assert (on(library, 1), on(library, 2), on(library, 3)) == (["b", "c"], ["b", "c"], [])
    assert library.write(tags.set_tags, [1], []) == Tagged(0, 2, (1,))
    assert on(library, 1) == []


def test_L5_what_is_the_case_already_is_no_change(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["a"])
    before = len(library.read(journal.undo_stack))
    assert library.write(tags.add, [1], ["A"]) == Tagged(0, 0, ())
    assert library.write(tags.remove, [2], ["a"]) == Tagged(0, 0, ())
    assert len(library.read(journal.undo_stack)) == before


def test_L5_removing_a_tag_that_is_not_there(library: Library) -> None:
    stock(library)
    with pytest.raises(NotFound):
        library.write(tags.remove, [1], ["nothing"])
    for verb in (tags.add, tags.remove):
        with pytest.raises(InvalidInput):
            library.write(verb, [1], [])


def test_L5_hierarchy_by_slash(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["client/ok", "client", "clients"])
    assert [tag.name for tag in library.read(tags.listed, "client")] == ["client", "client/ok"]
    assert library.read(search.ids, "tag:client/") == [1]


# -- searching ----------------------------------------------------------------------------------------------


def test_L5_tags_are_found_by_their_words_at_once(library: Library) -> None:
    stock(library)
    library.write(tags.add, [2], ["Client/Final Été"])
    assert library.read(search.ids, "final") == library.read(search.ids, "ete") == [2]
    library.write(tags.remove, [2], ["client/final été"])
    assert library.read(search.ids, "final") == []
    assert texts(library) == ["", "", ""]


# -- rename, merge, delete ----------------------------------------------------------------------------------


def test_L5_rename_takes_what_lies_under_it_along(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["client", "client/ok", "clients"])
    library.write(tags.rename, "client", "customer/x")
    assert [tag.name for tag in library.read(tags.listed)] == ["clients", "customer/x", "customer/x/ok"]
    assert texts(library)[0] == "clients\ncustomer/x\ncustomer/x/ok"


def test_L5_rename_may_change_the_case_alone(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["hero"])
    library.write(tags.rename, "hero", "HERO")
    assert on(library) == ["HERO"]
    assert texts(library)[0] == "HERO"


def test_L5_rename_to_a_level_above(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["a/b", "a/b/b", "a/b/b/b"])
    library.write(tags.rename, "a/b", "a")
    assert on(library) == ["a", "a/b", "a/b/b"]
    undo(library)
    assert on(library) == ["a/b", "a/b/b", "a/b/b/b"]


def test_L5_rename_onto_a_name_that_is_there_is_a_merge_that_is_asked_for(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["old", "old/sub"])
    library.write(tags.add, [2], ["new"])
    with pytest.raises(MergeNeeded):
        library.write(tags.rename, "old", "new")
    assert on(library, 1) == ["old", "old/sub"]
    library.write(tags.rename, "old", "new", True)
    assert (on(library, 1), on(library, 2)) == (["new", "new/sub"], ["new"])
    assert [tag.name for tag in library.read(tags.listed)] == ["new", "new/sub"]


def test_L5_rename_below_itself_or_of_nothing(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["a"])
    with pytest.raises(InvalidInput):
        library.write(tags.rename, "a", "a/b")
    with pytest.raises(NotFound):
        library.write(tags.rename, "nothing", "b")


def test_L5_merge_is_one_transaction_and_needs_two_tags(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1, 2], ["a"])
    library.write(tags.add, [2, 3], ["b"])
    done = library.write(tags.merge, ["a", "b"], "c")
    assert (done.added, done.removed, done.assets) == (3, 4, (1, 2, 3))
    assert [tag.name for tag in library.read(tags.listed)] == ["c"]
    assert texts(library) == ["c", "c", "c"]
    with pytest.raises(InvalidInput):
        library.write(tags.merge, ["c"], "C")


def test_L5_delete_takes_it_off_everything(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1, 2], ["a", "a/b"])
    with pytest.raises(Refused):
        library.write(tags.delete, ["a"])
    assert library.write(tags.delete, ["a/b"]).assets == (1, 2)
    assert library.write(tags.delete, ["a"]).removed == 2
    assert library.read(tags.listed) == []
    assert texts(library) == ["", "", ""]
    with pytest.raises(NotFound):
        library.write(tags.delete, ["a"])


# -- bulk, all or nothing ------------------------------------------------------------------------------------


def test_L5_ten_thousand_assets_in_one_transaction_and_a_constant_number_of_statements(
    library: Library,
) -> None:
    stock(library, 10_000)
    made: dict[int, int] = {}

    def counted(db: LibraryDatabase, number: int) -> Tagged:
        with statements(db) as seen:
            done = tags.add(db, range(1, number + 1), [f"hero{number}", "client/ok"])
        made[number] = len(seen)
        return done

    library.write(counted, 10)
    commits = library.operator.metrics.write_batch.distributions()[""].count
    done = library.write(counted, 10_000)
    assert library.operator.metrics.write_batch.distributions()[""].count == commits + 1
    assert (done.added, len(done.assets)) == (10_000 + 9_990, 10_000)
    assert abs(made[10] - made[10_000]) <= 1  # one tag more had to be made the first time
    assert library.read(search.count, "tag=hero10000 ok").number == 10_000


@pytest.mark.parametrize("at", [1, 5_000, 10_000])
def test_L5_a_failure_on_the_nth_asset_changes_nothing(library: Library, at: int) -> None:
    """The n-th id is no asset's: the foreign key refuses it in the middle of the statement."""
    stock(library, 9_999)
    ids = [*range(1, at), 123_456_789, *range(at, 10_000)]
    with pytest.raises(ConstraintViolated):
        library.write(tags.add, ids, ["hero"])
    assert library.read(tags.listed) == []
    assert set(texts(library)) == {""}
    assert library.read(journal.undo_stack) == []


# -- events and undo ----------------------------------------------------------------------------------------


def test_L5_what_changed_is_told_after_the_commit(library: Library) -> None:
    stock(library)
    heard: list[Event] = []
    library.events.subscribe(Event, heard.append)
    library.write(tags.add, [1, 2], ["a"])
    assert library.events.settle()
    assert AssetsChanged((1, 2)) in heard
    assert any(isinstance(event, TagsChanged) for event in heard)


def _rename(db: LibraryDatabase) -> object:
    return tags.rename(db, "client", "customer")


VERBS: dict[str, Callable[[LibraryDatabase], Any]] = {
    "add": lambda db: tags.add(db, [1, 2, 3], ["a", "new", "client"]),
    "remove": lambda db: tags.remove(db, [1, 2, 3], ["a"]),
    "set": lambda db: tags.set_tags(db, [1, 2, 3], ["b", "z"]),
    "clear": lambda db: tags.set_tags(db, [1, 2, 3], []),
    "rename": _rename,
    "rename onto": lambda db: tags.rename(db, "a", "b", True),
    "merge": lambda db: tags.merge(db, ["a", "client/ok"], "b"),
    "delete": lambda db: tags.delete(db, ["client"], True),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_F12_every_verb_is_undone_and_redone(
    library: Library, verb: Callable[[LibraryDatabase], Any]
) -> None:
    def state(db: LibraryDatabase) -> object:
        return (
            db.all(
                "SELECT m.asset_id, t.name FROM asset_tags m JOIN tags t ON t.id = m.tag_id ORDER BY 1, 2"
            ),
            db.all("SELECT id, tag_text FROM assets ORDER BY id"),
        )

    stock(library)
    library.write(tags.add, [1, 2], ["a", "client", "client/ok"])
    library.write(tags.add, [2, 3], ["b"])
    before = library.read(state)
    library.write(verb)
    after = library.read(state)
    assert after != before
    undo(library)
    assert library.read(state) == before
    [redo, *_] = library.read(journal.redo_stack)
    library.write(changes.revert_changes, redo.id, stamps.new_uuid(), stamps.now())
    assert library.read(state) == after
    found = library.read(search.ids, "tag:client OR tag:customer")
    assert library.read(search.ids, "client OR customer") == found


def test_F12_an_undo_whose_rows_changed_since_does_nothing(library: Library) -> None:
    stock(library)
    library.write(tags.add, [1], ["a"])
    [entry] = library.read(journal.undo_stack)
    library.write(tags.add, [1], ["b"])
    with pytest.raises(Refused):
        library.write(changes.revert_changes, entry.id, stamps.new_uuid(), stamps.now())
    assert on(library) == ["a", "b"]
