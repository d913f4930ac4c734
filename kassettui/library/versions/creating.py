"""New versions: numbered, validated before the first write, the first of a group its best (library V2, V3).

However many entities and operations there are, the number of statements is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import KassettuiError, NotFound
from kassettui.core.text import safe, to_stored
from kassettui.library import stamps
from kassettui.library.events import VersionsChanged, announce, some
from kassettui.library.models import json_text
from kassettui.library.staging import staged
from kassettui.library.versions.groups import State, ensure_groups
from kassettui.library.versions.values import (
    BatchResult,
    Data,
    DataKind,
    GroupKey,
    Operation,
    OperationFailed,
    Scope,
    Version,
    VersionType,
    check_count,
    check_data,
    check_metadata,
    check_scope,
    check_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase

_ROW: Final = (
    "uuid", "group_id", "number", "type", "data_kind", "data", "asset_id", "metadata", "size", "stored_hash",
    "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version on its way into a group: validated, its asset known. It may bring its number (V6)."""

    group: GroupKey
    type: VersionType
    data: Data
    metadata: Mapping[str, Any]
    asset_id: int | None = None
    size: int | None = None
    stored_hash: str | None = None
    set_best: bool = False
    number: int | None = None


def create_versions(
    db: LibraryDatabase,
    scope: Scope,
    key: str,
    type: VersionType | str,  # noqa: A002 (the word of the spec)
    data: Sequence[Data],
    metadata: Mapping[str, Any] | None = None,
    set_best: bool = False,
) -> tuple[Version, ...]:
    """One version for each entity of the scope, in its order, with the next number of its group.

    The first version of a group becomes its best; a later one with `set_best`, unless the best is locked or
    approved (V5). Raises InvalidInput and NotFound before anything is written.
    """
    operation = Operation(scope, key, type, tuple(data), metadata or {}, set_best)
    result = _create(db, [operation])
    if result.errors:
        raise result.errors[0].error
    return result.versions


def batch_create_versions(db: LibraryDatabase, operations: Sequence[Operation]) -> BatchResult:
    """Many `create_versions`. One that fails leaves the others alone and is named by its index (V3).

    Two operations on one group get consecutive numbers, in their order.
    """
    return _create(db, operations)


def _create(db: LibraryDatabase, operations: Sequence[Operation]) -> BatchResult:
    planned: list[tuple[int, list[NewVersion]]] = []
    errors: list[OperationFailed] = []
    for index, operation in enumerate(operations):
        try:
            planned.append((index, _validated(operation)))
        except KassettuiError as error:
            errors.append(OperationFailed(index, error))
    assets = _assets(db, [one for _, versions in planned for one in versions])
    ready: list[NewVersion] = []
    for index, versions in planned:
        missing = next(
            (
                one.data.value
                for one in versions
                if one.data.kind is DataKind.ASSET and one.data.value not in assets
            ),
            None,
        )
        if missing is None:
            ready += [_with_asset(one, assets) for one in versions]
        else:
            errors.append(OperationFailed(index, NotFound(f"There is no asset {safe(missing)}.")))
    errors.sort(key=lambda failed: failed.index)
    return BatchResult(tuple(append_versions(db, ready)), tuple(errors))


def _validated(operation: Operation) -> list[NewVersion]:
    """The versions that an operation asks for. Raises InvalidInput."""
    scope = operation.scope
    check_scope(scope, operation.key)
    check_count(scope, "items of data", len(operation.data))
    version_type = check_type(operation.type)
    check_metadata(operation.metadata)
    for data in operation.data:
        check_data(data, version_type)
    return [
        NewVersion(
            GroupKey(scope.project, entity.kind, entity.name, operation.key),
            version_type,
            data,
            operation.metadata,
            set_best=operation.set_best,
        )
        for entity, data in zip(scope.entities, operation.data, strict=True)
    ]


def _assets(db: LibraryDatabase, versions: Sequence[NewVersion]) -> dict[str, tuple[int, int]]:
    """Row id and size of each asset that is somebody's data, by uuid."""
    uuids = sorted({one.data.value for one in versions if one.data.kind is DataKind.ASSET})
    rows = db.all(
        "SELECT uuid, id, size FROM assets WHERE uuid IN (SELECT value FROM json_each(?)) AND is_deleted = 0",
        (json_text([to_stored(uuid) for uuid in uuids]),),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _with_asset(version: NewVersion, assets: Mapping[str, tuple[int, int]]) -> NewVersion:
    if version.data.kind is not DataKind.ASSET:
        return version
    asset_id, size = assets[version.data.value]
    return replace(version, asset_id=asset_id, size=size)


def append_versions(db: LibraryDatabase, versions: Sequence[NewVersion]) -> list[Version]:
    """Write validated versions, in their order. Those with a number of their own keep it (V6).

    A number that its group has given already is passed over: what is on disk twice is one version.
    """
    if not versions:
        return []
    now = stamps.now()
    states = ensure_groups(db, [one.group for one in versions], now)
    changed = {state.id: state for state in states.values()}
    before = {state.id: (state.head, state.best) for state in states.values()}
    taken = _taken(db, versions, states)
    rows: list[tuple[object, ...]] = []
    written: list[tuple[NewVersion, State, int]] = []
    uuids = stamps.new_uuids(len(versions))
    for one, uuid in zip(versions, uuids, strict=True):
        state = states[one.group]
        number = state.head + 1 if one.number is None else one.number
        if (state.id, number) in taken:
            continue
        taken.add((state.id, number))
        state.give(number, set_best=one.set_best)
        data = "" if one.data.kind is DataKind.ASSET else to_stored(one.data.value)
        rows.append(
            (uuid, state.id, number, str(one.type), str(one.data.kind), data, one.asset_id,
             check_metadata(one.metadata), one.size, one.stored_hash, now)
        )  # fmt: skip
        written.append((one, state, number))
    ids: dict[str, int] = {}
    for _ in staged(db, _ROW, rows):
        ids |= db.all(
            f"INSERT INTO asset_versions ({', '.join(_ROW)}) SELECT {', '.join(_ROW)} FROM temp.staged "
            "ORDER BY temp.staged.rowid RETURNING uuid, id"
        )
    moved = [one for one in changed.values() if (one.head, one.best) != before[one.id]]
    for _ in staged(db, ("id", "head", "best"), ((one.id, one.head, one.best) for one in moved)):
        db.execute_sql(
            "UPDATE version_groups SET head = s.head, best = s.best, updated_at = ? FROM temp.staged s "
            "WHERE version_groups.id = s.id",
            (now,),
        )
    if rows:
        announce(db, VersionsChanged(some(sorted({int(str(row[1])) for row in rows}))))
    return [
        _made(one, state, number, ids[str(row[0])], row, now)
        for (one, state, number), row in zip(written, rows, strict=True)
    ]


def _taken(
    db: LibraryDatabase, versions: Sequence[NewVersion], states: Mapping[GroupKey, State]
) -> set[tuple[int, int]]:
    """Which numbers the groups have given already; asked only for versions that bring a number."""
    numbered = {states[one.group].id for one in versions if one.number is not None}
    if not numbered:
        return set()
    rows = db.all(
        "SELECT group_id, number FROM asset_versions WHERE group_id IN (SELECT value FROM json_each(?))",
        (json_text(sorted(numbered)),),
    )
    return {(row[0], row[1]) for row in rows}


def _made(
    one: NewVersion, state: State, number: int, version_id: int, row: tuple[object, ...], now: int
) -> Version:
    return Version(
        version_id,
        str(row[0]),
        state.id,
        number,
        one.type,
        one.data,
        one.asset_id,
        one.metadata,
        False,
        state.best == number,
        one.size,
        one.stored_hash,
        now,
    )
