"""Versions as they stand: for one entity or many, in a constant number of queries (spec: library V4, V8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import to_stored
from kassettui.library.models import json_text
from kassettui.library.versions.groups import groups, ids_of_scope
from kassettui.library.versions.values import (
    VERSION_COLUMNS,
    VERSION_TABLES,
    Group,
    Scope,
    Version,
    check_count,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine import LibraryDatabase


def best_versions(db: LibraryDatabase, scope: Scope, key: str) -> list[Version | None]:
    """The best version of each entity, None where there is none, in the scope's order. Two queries."""
    ids = ids_of_scope(db, scope, key)
    found = best_of_groups(db, [one for one in ids if one is not None])
    return [None if one is None else found.get(one) for one in ids]


def best_of_groups(db: LibraryDatabase, group_ids: Sequence[int]) -> dict[int, Version]:
    """The best version of each of these groups that has one."""
    rows = db.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} "
        "WHERE g.id IN (SELECT value FROM json_each(?)) AND v.number = g.best AND v.deleted_at IS NULL",
        (json_text(list(group_ids)),),
    )
    return {version.group_id: version for version in map(version_of, rows)}


def all_versions(db: LibraryDatabase, scope: Scope, key: str) -> list[list[Version]]:
    """All versions of each entity, newest first, in the scope's order. Two queries."""
    ids = ids_of_scope(db, scope, key)
    found = of_groups(db, [one for one in ids if one is not None])
    return [[] if one is None else found.get(one, []) for one in ids]


def of_groups(db: LibraryDatabase, group_ids: Sequence[int]) -> dict[int, list[Version]]:
    """All versions of these groups, newest first, by group."""
    rows = db.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} "
        "WHERE v.group_id IN (SELECT value FROM json_each(?)) AND v.deleted_at IS NULL "
        "ORDER BY v.group_id, v.number DESC",
        (json_text(list(group_ids)),),
    )
    found: dict[int, list[Version]] = {}
    for version in map(version_of, rows):
        found.setdefault(version.group_id, []).append(version)
    return found


def versions_by_number(
    db: LibraryDatabase, scope: Scope, key: str, numbers: Sequence[int]
) -> list[Version | None]:
    """Each entity's version of the number given for it, None where absent or deleted. Two queries.

    Raises InvalidInput unless there is one number for each entity.
    """
    check_count(scope, "numbers", len(numbers))
    ids = ids_of_scope(db, scope, key)
    wanted = [(one, number) for one, number in zip(ids, numbers, strict=True) if one is not None]
    found = by_pairs(db, wanted)
    return [
        None if one is None else found.get((one, number)) for one, number in zip(ids, numbers, strict=True)
    ]


def by_pairs(db: LibraryDatabase, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Version]:
    """The versions of these (group id, number), those that are there."""
    rows = db.all(
        f"SELECT {VERSION_COLUMNS} FROM json_each(?) j CROSS JOIN {VERSION_TABLES} "
        "WHERE v.group_id = json_extract(j.value, '$[0]') AND v.number = json_extract(j.value, '$[1]') "
        "AND v.deleted_at IS NULL",
        (json_text([list(pair) for pair in pairs]),),
    )
    return {(version.group_id, version.number): version for version in map(version_of, rows)}


def by_ids(db: LibraryDatabase, version_ids: Sequence[int]) -> list[Version]:
    """The versions with these row ids, in this order. Raises NotFound when one is not there."""
    rows = db.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE v.id IN (SELECT value FROM json_each(?)) "
        "AND v.deleted_at IS NULL",
        (json_text(list(version_ids)),),
    )
    found = {version.id: version for version in map(version_of, rows)}
    if len(found) < len(set(version_ids)):
        raise NotFound("One of these versions is not there any more.")
    return [found[one] for one in version_ids]


def next_version_number(db: LibraryDatabase, scope: Scope, key: str) -> list[int]:
    """The number that each entity's next version will get. Writes nothing. Two queries."""
    ids = ids_of_scope(db, scope, key)
    heads = {group.id: group.head for group in groups(db, [one for one in ids if one is not None])}
    return [1 if one is None else heads[one] + 1 for one in ids]


def next_free_number(db: LibraryDatabase, group_id: int, on_disk: Iterable[int] = ()) -> int:
    """The next number free in the library and on disk: what version-up takes (V6). Raises NotFound."""
    found = groups(db, [group_id])
    if not found:
        raise NotFound("There is no such version group.")
    return max([found[0].head, *on_disk], default=0) + 1


def numbers_at(db: LibraryDatabase, path: str) -> list[int]:
    """The numbers that the groups of the asset at `path` have given, deleted ones too (version-up)."""
    rows = db.all(
        "SELECT o.number FROM asset_versions o WHERE o.group_id IN (SELECT v.group_id FROM asset_versions v "
        "JOIN assets a ON a.id = v.asset_id WHERE a.path = ?)",
        (to_stored(path),),
    )
    return [row[0] for row in rows]


# -- the history picker -------------------------------------------------------------------------------------


class HistoryOrder(StrEnum):
    """How a history is sorted (V8)."""

    NEWEST = "newest"
    OLDEST = "oldest"
    QUALITY = "quality"


class HistoryFilter(StrEnum):
    """What a history shows."""

    ALL = "all"
    EVALUATED = "evaluated"
    UNEVALUATED = "unevaluated"


@dataclass(frozen=True, slots=True)
class History:
    """A group and its versions, newest first."""

    group: Group
    versions: tuple[Version, ...]

    def shown(
        self, order: HistoryOrder = HistoryOrder.NEWEST, only: HistoryFilter = HistoryFilter.ALL
    ) -> tuple[Version, ...]:
        """The versions in an order, through a filter; by quality the unevaluated come last."""
        kept = [
            one
            for one in self.versions
            if only is HistoryFilter.ALL or (one.quality is not None) is (only is HistoryFilter.EVALUATED)
        ]
        if order is HistoryOrder.OLDEST:
            kept.sort(key=lambda one: one.number)
        elif order is HistoryOrder.QUALITY:
            kept.sort(key=lambda one: (one.quality is None, -(one.quality or 0.0), -one.number))
        return tuple(kept)


def history(db: LibraryDatabase, group_id: int) -> History:
    """A group with all its versions. Raises NotFound."""
    found = groups(db, [group_id])
    if not found:
        raise NotFound("There is no such version group.")
    return History(found[0], tuple(of_groups(db, [group_id]).get(group_id, [])))


def history_of_asset(db: LibraryDatabase, asset_id: int) -> History:
    """The group that an asset is a version of. Raises NotFound, InvalidInput when it is in none."""
    group_id = db.scalar(
        "SELECT group_id FROM asset_versions WHERE asset_id = ? AND deleted_at IS NULL "
        "ORDER BY id DESC LIMIT 1",
        (asset_id,),
    )
    if group_id is None:
        raise InvalidInput(
            "This asset is a version of nothing.", remedy="Make it one with: kassettui version add"
        )
    return history(db, group_id)
