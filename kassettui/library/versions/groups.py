"""Version groups: found, made, and what they stand at while versions are added (spec: library V1, V5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import NotFound
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import stamps
from kassettui.library.models import json_text
from kassettui.library.staging import staged
from kassettui.library.versions.values import Group, GroupKey, Scope, check_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine import LibraryDatabase, Row

_KEY: Final = ("project", "entity_kind", "entity", "asset_key")
_SAME: Final = " AND ".join(f"g.{name} = s.{name}" for name in _KEY)
APPROVED: Final = (
    "(v.approved = 1 OR EXISTS (SELECT 1 FROM assets aa WHERE aa.id = v.asset_id "
    "AND aa.approved_for_broadcast = 1))"
)
"""Whether version `v` is approved: by its own mark, or as its asset."""


@dataclass(slots=True)
class State:
    """What a group stands at while versions are added to it."""

    id: int
    head: int
    best: int
    locked: bool
    best_approved: bool

    def give(self, number: int, *, set_best: bool) -> None:
        """A version gets `number`. The first becomes best; none takes best from a locked or approved one."""
        first = self.head == 0
        self.head = max(self.head, number)
        if first or (set_best and not self.locked and not self.best_approved):
            self.best = number
            self.best_approved = False


def ensure_groups(db: LibraryDatabase, keys: Iterable[GroupKey], now: int) -> dict[GroupKey, State]:
    """What the groups of `keys` stand at; those that are not there are made."""
    distinct = dict.fromkeys(keys)
    stored = {tuple(to_stored(part) for part in key): key for key in distinct}
    found: dict[GroupKey, State] = {}
    fresh = iter(stamps.new_uuids(len(stored)))
    for _ in staged(db, ("uuid", *_KEY), ((next(fresh), *parts) for parts in stored)):
        names = ", ".join(_KEY)
        db.execute_sql(
            f"INSERT INTO version_groups (uuid, {names}, created_at, updated_at) "
            f"SELECT uuid, {names}, ?, ? FROM temp.staged WHERE true ON CONFLICT DO NOTHING",
            (now, now),
        )
        rows = db.all(
            "SELECT g.project, g.entity_kind, g.entity, g.asset_key, g.id, g.head, g.best, g.best_locked, "
            "EXISTS (SELECT 1 FROM asset_versions v "
            f"WHERE v.group_id = g.id AND v.number = g.best AND {APPROVED}) "
            f"FROM temp.staged s CROSS JOIN version_groups g ON {_SAME}"
        )
        for row in rows:
            found[stored[row[:4]]] = State(row[4], row[5], row[6], bool(row[7]), bool(row[8]))
    return found


def ids_of_scope(db: LibraryDatabase, scope: Scope, key: str) -> list[int | None]:
    """The row id of each entity's group, in the scope's order; None where there is none. One query."""
    check_scope(scope, key)
    names = [to_stored(entity.name) for entity in scope.entities]
    rows: dict[str, int] = dict(
        db.all(
            "SELECT entity, id FROM version_groups WHERE project = ? AND entity_kind = ? AND asset_key = ? "
            "AND entity IN (SELECT value FROM json_each(?))",
            (to_stored(scope.project), to_stored(scope.kind), to_stored(key), json_text(names)),
        )
    )
    return [rows.get(name) for name in names]


def required_of_scope(db: LibraryDatabase, scope: Scope, key: str) -> list[int]:
    """As `ids_of_scope`. Raises NotFound naming the first entity without a group."""
    found = ids_of_scope(db, scope, key)
    for entity, group_id in zip(scope.entities, found, strict=True):
        if group_id is None:
            where = f"{entity.kind} {entity.name}" if entity.kind else f"project {scope.project}"
            raise NotFound(f"{safe(where)} has no versions of {safe(key)!r}.")
    return [group_id for group_id in found if group_id is not None]


def groups_of_path(db: LibraryDatabase, path: str) -> list[Group]:
    """The groups that have versions of this plain file."""
    rows = db.all(
        "SELECT DISTINCT group_id FROM asset_versions WHERE data_kind = 'path' AND data = ? "
        "AND deleted_at IS NULL",
        (to_stored(path),),
    )
    return groups(db, [row[0] for row in rows])


_GROUP_COLUMNS: Final = (
    "g.id, g.uuid, g.project, g.entity_kind, g.entity, g.asset_key, g.head, g.best, g.best_locked, "
    "(SELECT count(*) FROM asset_versions v WHERE v.group_id = g.id AND v.deleted_at IS NULL)"
)


def groups(db: LibraryDatabase, group_ids: Sequence[int]) -> list[Group]:
    """These groups, in this order; those that are not there are left out. One query."""
    rows = db.all(
        f"SELECT {_GROUP_COLUMNS} FROM json_each(?) j CROSS JOIN version_groups g ON g.id = j.value "
        "ORDER BY j.key",
        (json_text(list(group_ids)),),
    )
    return [_group(row) for row in rows]


def listed(db: LibraryDatabase, after: int = 0, limit: int = 100) -> list[Group]:
    """Groups by id, those after `after`."""
    rows = db.all(
        f"SELECT {_GROUP_COLUMNS} FROM version_groups g WHERE g.id > ? ORDER BY g.id LIMIT ?", (after, limit)
    )
    return [_group(row) for row in rows]


def of_assets(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, int]:
    """The group of each asset that is a version, by asset id (of several, the one joined last). One query."""
    return dict(
        db.all(
            "SELECT asset_id, group_id FROM asset_versions WHERE deleted_at IS NULL "
            "AND asset_id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json_text(list(asset_ids)),),
        )
    )


def _group(row: Row) -> Group:
    key = GroupKey(*(from_stored(part) for part in row[2:6]))
    return Group(row[0], row[1], key, row[6], row[7], bool(row[8]), row[9])
