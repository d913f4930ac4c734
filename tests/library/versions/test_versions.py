"""Version groups: created, numbered, read, best, metadata, deleted (spec: library V1–V5, V8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.library import approval, changes, journal, search, stamps, versions
from kassettui.library.events import Event, VersionsChanged
from kassettui.library.versions import (
    Data,
    DataKind,
    HistoryFilter,
    HistoryOrder,
    Operation,
    Scope,
    Version,
    VersionType,
)
from tests.library.counting import statements
from tests.library.stock import Stocked, asset_uuid, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

PROJECT = Scope("abc")
SHOTS = Scope("abc", "shot", ("sh010", "sh020", "sh030"))
ONE = Scope("abc", "shot", ("sh010",))


def texts(*values: str) -> list[Data]:
    return [Data(DataKind.TEXT, value) for value in values]


def make(library: Library, scope: Scope = ONE, key: str = "comp", number: int = 1, **settings: Any) -> None:
    for n in range(number):
        data = texts(*(f"{n}" for _ in scope.entities))
        library.write(
            lambda db, d=data: versions.create_versions(db, scope, key, "text", d, **settings) and None
        )


def numbers(library: Library, scope: Scope = ONE, key: str = "comp") -> list[list[int]]:
    return [[one.number for one in each] for each in library.read(versions.all_versions, scope, key)]


def best(library: Library, scope: Scope = ONE, key: str = "comp") -> list[int]:
    return [one.number if one else 0 for one in library.read(versions.best_versions, scope, key)]


# -- V2 -----------------------------------------------------------------------------------------------------


def test_V2_one_version_for_each_entity_and_the_first_is_best(library: Library) -> None:
    made = library.write(
        versions.create_versions, SHOTS, "comp", "text", texts("a", "b", "c"), {"model": "x"}
    )
    assert [(one.number, one.data.value, one.best, one.metadata) for one in made] == [
        (1, "a", True, {"model": "x"}),
        (1, "b", True, {"model": "x"}),
        (1, "c", True, {"model": "x"}),
    ]
    assert library.read(versions.by_ids, [one.id for one in made]) == list(made)
    assert best(library, SHOTS) == [1, 1, 1]


def test_V2_numbers_go_up_and_best_stays_unless_asked(library: Library) -> None:
    make(library, SHOTS, number=2)
    assert (numbers(library, SHOTS), best(library, SHOTS)) == ([[2, 1]] * 3, [1, 1, 1])
    make(library, ONE, set_best=True)
    assert (numbers(library, SHOTS), best(library, SHOTS)) == ([[3, 2, 1], [2, 1], [2, 1]], [3, 1, 1])


def test_V2_the_project_itself_is_a_scope(library: Library) -> None:
    make(library, PROJECT, "edit")
    assert numbers(library, PROJECT, "edit") == [[1]]
    assert library.read(versions.next_version_number, PROJECT, "edit") == [2]


def test_V1_scopes_kinds_and_keys_keep_apart(library: Library) -> None:
    for scope in (ONE, Scope("abc", "scene", ("sh010",)), Scope("xyz", "shot", ("sh010",)), PROJECT):
        make(library, scope)
    make(library, ONE, "plate")
    assert numbers(library, ONE) == numbers(library, ONE, "plate") == [[1]]
    assert library.read(lambda db: len(versions.listed(db))) == 5


@pytest.mark.parametrize(
    ("scope", "key", "type_", "data", "metadata", "words"),
    [
        (SHOTS, "comp", "text", texts("a", "b"), {}, "shot sh010, sh020, sh030 of project abc expects 3"),
        (ONE, "comp", "text", texts("a", "b"), {}, "expects 1 items of data, got 2"),
        (ONE, "comp", "film", texts("a"), {}, "type is one of"),
        (ONE, "", "text", texts("a"), {}, "key"),
        (Scope(" "), "comp", "text", texts("a"), {}, "project"),
        (Scope("abc", "shot"), "comp", "text", texts(), {}, "kind"),
        (Scope("abc", "", ("x",)), "comp", "text", texts("a"), {}, "kind"),
        (Scope("abc", "shot", ("a", "a")), "comp", "text", texts("a", "b"), {}, "twice"),
        (ONE, "comp", "json", texts("{"), {}, "JSON"),
        (ONE, "comp", "image", [Data(DataKind.PATH, "relative.exr")], {}, "absolute"),
        (ONE, "comp", "image", [Data(DataKind.URI, "nothing")], {}, "URI"),
        (ONE, "comp", "image", [Data(DataKind.PATH, "")], {}, "empty"),
        (ONE, "comp", "text", texts("a"), {"a": float("nan")}, "JSON object"),
        (ONE, "comp", "text", texts("a"), {"a": object()}, "JSON object"),
    ],
)
def test_V2_everything_is_validated_before_the_first_write(
    library: Library,
    scope: Scope,
    key: str,
    type_: str,
    data: list[Data],
    metadata: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(InvalidInput, match=words):
        library.write(versions.create_versions, scope, key, type_, data, metadata)
    assert library.read(lambda db: versions.listed(db)) == []


def test_V2_an_asset_that_is_not_there_stops_all(library: Library) -> None:
    library.write(fill, [Stocked("a.exr", columns={"size": 7})])
    data = [Data(DataKind.ASSET, asset_uuid(1)), Data(DataKind.ASSET, asset_uuid(9)), *texts("c")]
    with pytest.raises(NotFound):
        library.write(versions.create_versions, SHOTS, "comp", "image", data)
    assert library.read(lambda db: versions.listed(db)) == []
    [one] = library.write(versions.create_versions, ONE, "comp", "image", data[:1])
    assert (one.asset_id, one.size, one.data) == (1, 7, data[0])
    assert library.read(search.ids, "best:yes") == [1]


def test_V1_every_kind_of_data_comes_back_as_it_was(library: Library) -> None:
    data = [Data(DataKind.PATH, "/d/x\udc80.exr"), Data(DataKind.URI, "s3://b/é"), Data(DataKind.TEXT, "")]
    made = library.write(versions.create_versions, SHOTS, "comp", VersionType.IMAGE, data)
    assert [one.data for one in library.read(versions.by_ids, [one.id for one in made])] == data


# -- V3 -----------------------------------------------------------------------------------------------------


def operation(scope: Scope, key: str = "comp", count: int | None = None, **settings: Any) -> Operation:
    number = len(scope.entities) if count is None else count
    return Operation(scope, key, "text", tuple(texts(*("x" * number))), **settings)


def test_V3_a_failing_operation_leaves_the_others_alone(library: Library) -> None:
    result = library.write(
        versions.batch_create_versions,
        [
            operation(ONE),
            operation(SHOTS, count=2),
            operation(ONE, "plate"),
            Operation(ONE, "comp", "image", (Data(DataKind.ASSET, "none"),)),
            operation(ONE),
        ],
    )
    assert [(one.number, one.data.value) for one in result.versions] == [(1, "x"), (1, "x"), (2, "x")]
    assert [(one.index, type(one.error)) for one in result.errors] == [(1, InvalidInput), (3, NotFound)]
    assert (numbers(library), numbers(library, ONE, "plate")) == ([[2, 1]], [[1]])


def test_V3_two_operations_on_one_group_get_consecutive_numbers(library: Library) -> None:
    result = library.write(
        versions.batch_create_versions,
        [operation(SHOTS), operation(ONE, set_best=True), operation(SHOTS, set_best=True), operation(ONE)],
    )
    assert [one.number for one in result.versions] == [1, 1, 1, 2, 3, 2, 2, 4]
    assert best(library, SHOTS) == [3, 2, 2]


# -- V4 -----------------------------------------------------------------------------------------------------


def test_V4_readers_for_many_entities_in_their_order(library: Library) -> None:
    make(library, SHOTS, number=2)
    make(library, Scope("abc", "shot", ("sh020",)))
    asked = Scope("abc", "shot", ("sh020", "nobody", "sh010"))
    assert numbers(library, asked) == [[3, 2, 1], [], [2, 1]]
    assert best(library, asked) == [1, 0, 1]
    found = library.read(versions.versions_by_number, asked, "comp", [3, 1, 3])
    assert [one.number if one else None for one in found] == [3, None, None]
    assert library.read(versions.next_version_number, asked, "comp") == [4, 1, 3]
    assert library.read(versions.next_version_number, asked, "comp") == [4, 1, 3]
    with pytest.raises(InvalidInput):
        library.read(versions.versions_by_number, asked, "comp", [1])


def test_V4_set_best_for_many_or_for_none(library: Library) -> None:
    make(library, SHOTS, number=3)
    assert library.write(versions.set_best, SHOTS, "comp", [2, 0, 1]) == 2
    assert best(library, SHOTS) == [2, 0, 1]
    for wrong, error in (([3, 9, 3], NotFound), ([3, 3], InvalidInput)):
        with pytest.raises(error):
            library.write(versions.set_best, SHOTS, "comp", wrong)
        assert best(library, SHOTS) == [2, 0, 1]
    with pytest.raises(NotFound):
        library.write(versions.set_best, Scope("abc", "shot", ("sh010", "nobody")), "comp", [1, 1])


def test_V4_metadata_is_merged_into_that_one_version(library: Library) -> None:
    make(library, SHOTS, number=2, metadata={"model": "m", "evaluation": {"quality_score": 0.5, "by": "x"}})
    patched = library.write(
        versions.update_version_metadata,
        SHOTS,
        "comp",
        [1, 2, 1],
        {"evaluation": {"quality_score": 0.9}, "n": 1},
    )
    assert [one.metadata for one in patched] == [
        {"model": "m", "evaluation": {"quality_score": 0.9}, "n": 1}
    ] * 3
    assert patched[0].quality == 0.9
    untouched = library.read(versions.versions_by_number, SHOTS, "comp", [2, 1, 2])
    assert {one.metadata["evaluation"]["quality_score"] for one in untouched if one} == {0.5}
    with pytest.raises(NotFound):
        library.write(versions.update_version_metadata, SHOTS, "comp", [1, 9, 1], {"n": 2})
    assert library.read(versions.by_ids, [patched[0].id])[0].metadata["n"] == 1


# -- V5 -----------------------------------------------------------------------------------------------------


def _id(library: Library, number: int) -> int:
    [found] = library.read(versions.versions_by_number, ONE, "comp", [number])
    assert found is not None
    return found.id


def test_V5_deleting_leaves_a_tombstone_and_the_number_is_gone(library: Library) -> None:
    make(library, number=3)
    assert library.write(versions.delete_versions, [_id(library, 3)]) == 1
    assert numbers(library) == [[2, 1]]
    assert library.read(versions.versions_by_number, ONE, "comp", [3]) == [None]
    make(library)
    assert numbers(library) == [[4, 2, 1]]
    with pytest.raises(NotFound):
        library.write(versions.set_best, ONE, "comp", [3])


def test_V5_best_and_approved_cannot_be_deleted(library: Library) -> None:
    library.write(fill, [Stocked("a.exr", columns={"state": "ready"})])
    make(library, number=3)
    library.write(versions.create_versions, ONE, "comp", "image", [Data(DataKind.ASSET, asset_uuid(1))])
    library.write(versions.approve_versions, [_id(library, 3)])
    library.write(approval.approve, [1])
    for number in (1, 3, 4):
        with pytest.raises(Refused):
            library.write(versions.delete_versions, [_id(library, 2), _id(library, number)])
    assert numbers(library) == [[4, 3, 2, 1]]
    library.write(versions.approve_versions, [_id(library, 3)], False)
    assert library.write(versions.delete_versions, [_id(library, 3)]) == 1


def test_V5_a_new_version_never_takes_best_from_a_locked_or_approved_one(library: Library) -> None:
    make(library, SHOTS)
    [first, second, third] = library.read(versions.best_versions, SHOTS, "comp")
    assert first
    assert second
    assert third
    library.write(versions.lock_best, [first.group_id])
    library.write(versions.approve_versions, [second.id])
    make(library, SHOTS, set_best=True)
    assert best(library, SHOTS) == [1, 1, 2]
    with pytest.raises(Refused, match="locked"):
        library.write(versions.set_best, SHOTS, "comp", [2, 2, 1])
    assert best(library, SHOTS) == [1, 1, 2]
    library.write(versions.lock_best, [first.group_id], False)
    library.write(versions.set_best, SHOTS, "comp", [2, 2, 1])
    assert best(library, SHOTS) == [2, 2, 1]


def test_V5_the_asset_of_the_best_version_may_be_the_approved_one(library: Library) -> None:
    library.write(fill, [Stocked("a.exr", columns={"state": "ready"})])
    library.write(versions.create_versions, ONE, "comp", "image", [Data(DataKind.ASSET, asset_uuid(1))])
    library.write(approval.approve, [1])
    make(library, set_best=True)
    assert best(library) == [1]


# -- V4, L8: as many statements for many as for one ---------------------------------------------------------


def many(number: int) -> Scope:
    return Scope("abc", "shot", tuple(f"sh{n:04}" for n in range(number)))


def _create(db: LibraryDatabase, scope: Scope) -> Sequence[Version]:
    return versions.create_versions(db, scope, "comp", "text", texts(*("x" * len(scope.names))), {"a": 1})


def _batch(db: LibraryDatabase, scope: Scope) -> object:
    return versions.batch_create_versions(
        db, [operation(Scope("abc", "shot", (name,))) for name in scope.names]
    )


OPERATIONS: dict[str, Callable[[LibraryDatabase, Scope], Any]] = {
    "create": _create,
    "batch": _batch,
    "best": lambda db, scope: versions.best_versions(db, scope, "comp"),
    "all": lambda db, scope: versions.all_versions(db, scope, "comp"),
    "by number": lambda db, scope: versions.versions_by_number(db, scope, "comp", [1] * len(scope.names)),
    "next": lambda db, scope: versions.next_version_number(db, scope, "comp"),
    "set best": lambda db, scope: versions.set_best(db, scope, "comp", [0] * len(scope.names)),
    "metadata": lambda db, scope: versions.update_version_metadata(
        db, scope, "comp", [1] * len(scope.names), {"b": 2}
    ),
    "delete": lambda db, scope: versions.delete_versions(
        db, [each[0].id for each in versions.all_versions(db, scope, "comp")]
    ),
    "approve": lambda db, scope: versions.approve_versions(
        db, [each[0].id for each in versions.all_versions(db, scope, "comp")]
    ),
    "lock": lambda db, scope: versions.lock_best(
        db, [each[0].group_id for each in versions.all_versions(db, scope, "comp")]
    ),
}


@pytest.mark.parametrize("work", OPERATIONS.values(), ids=OPERATIONS)
def test_V4_a_thousand_entities_take_the_statements_of_ten(
    library: Library, work: Callable[[LibraryDatabase, Scope], Any]
) -> None:
    made = []

    def counted(db: LibraryDatabase, scope: Scope) -> None:
        with statements(db) as seen:
            work(db, scope)
        made.append(len(seen))

    def prepare(db: LibraryDatabase) -> None:
        for _ in range(3):
            _create(db, many(1_000))

    library.write(prepare)
    library.write(counted, many(10))
    library.write(counted, Scope("abc", "shot", tuple(f"sh{n:04}" for n in range(999, -1, -1))))
    assert made[0] == made[1]


# -- V8, events, undo ---------------------------------------------------------------------------------------


def test_V8_the_history_is_sorted_and_filtered(library: Library) -> None:
    for quality in (None, 0.4, None, 0.9):
        metadata = {} if quality is None else {"evaluation.quality_score": quality}
        make(library, metadata=metadata)
    group_id = library.read(versions.groups, [1])[0].id
    history = library.read(versions.history, group_id)

    def shown(*how: Any) -> list[int]:
        return [one.number for one in history.shown(*how)]

    assert (history.group.head, history.group.best, history.group.versions) == (4, 1, 4)
    assert shown() == [4, 3, 2, 1]
    assert shown(HistoryOrder.OLDEST) == [1, 2, 3, 4]
    assert shown(HistoryOrder.QUALITY) == [4, 2, 3, 1]
    assert shown(HistoryOrder.NEWEST, HistoryFilter.EVALUATED) == [4, 2]
    assert shown(HistoryOrder.OLDEST, HistoryFilter.UNEVALUATED) == [1, 3]


def test_V8_the_history_of_an_asset(library: Library) -> None:
    library.write(fill, [Stocked("a.exr"), Stocked("b.exr")])
    library.write(versions.create_versions, ONE, "comp", "image", [Data(DataKind.ASSET, asset_uuid(1))])
    assert library.read(versions.history_of_asset, 1).group.key.entity == "sh010"
    with pytest.raises(InvalidInput):
        library.read(versions.history_of_asset, 2)
    with pytest.raises(NotFound):
        library.read(versions.history, 99)


def test_V9_every_change_is_told(library: Library) -> None:
    heard: list[Event] = []
    library.events.subscribe(VersionsChanged, heard.append)
    make(library, number=2)
    library.write(versions.set_best, ONE, "comp", [2])
    library.write(versions.lock_best, [1])
    library.write(versions.update_version_metadata, ONE, "comp", [1], {"a": 1})
    library.write(versions.delete_versions, [_id(library, 1)])
    assert library.events.settle()
    assert heard == [VersionsChanged((1,))] * 6


def test_F12_best_and_deletion_are_undone(library: Library) -> None:
    make(library, number=3)
    library.write(versions.set_best, ONE, "comp", [2])
    library.write(versions.delete_versions, [_id(library, 3)])
    for expected in (([[3, 2, 1]], [2]), ([[3, 2, 1]], [1])):
        [newest, *_] = library.read(journal.undo_stack)
        library.write(changes.revert_changes, newest.id, stamps.new_uuid(), stamps.now())
        assert (numbers(library), best(library)) == expected
