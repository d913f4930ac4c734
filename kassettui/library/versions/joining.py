"""Assets from disk find their version groups: `name_v012` is version 12 of its role (spec: library V6).

The scope is what the collection's layout says of the directory: the show is the project, the levels down to
the shot (or scene, character…) are the entity. The key is the rest of the path without its version: two roles
of one shot never meet, and a version's number keeps meaning what its name says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.identity import parent_and_name
from kassettui.core.kinds import Kind
from kassettui.core.layout import Layout
from kassettui.core.text import from_stored, to_stored
from kassettui.core.versions import token_in, without_version
from kassettui.library.events import VersionsChanged, announce, some
from kassettui.library.models import json_text
from kassettui.library.staging import staged
from kassettui.library.versions.creating import NewVersion, append_versions
from kassettui.library.versions.values import MAX_NAME, Data, DataKind, GroupKey, VersionType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase

PROJECT_LEVELS: Final = ("show", "project")
ENTITY_LEVELS: Final = frozenset(
    {"season", "episode", "act", "sequence", "scene", "shot", "asset", "character", "location", "prop"}
)
TYPES: Final[Mapping[str, VersionType]] = {
    Kind.IMAGE: VersionType.IMAGE,
    Kind.SEQUENCE: VersionType.SEQUENCE,
    Kind.MOVIE: VersionType.VIDEO,
    Kind.AUDIO: VersionType.AUDIO,
}
_SLICE: Final = 10_000

_NEWCOMERS: Final = (
    "SELECT a.id, a.uuid, a.canonical_key, a.kind, a.version_number, a.size, c.name, c.layout, l.fields "
    "FROM json_each(?) j CROSS JOIN assets a ON a.id = j.value "
    "JOIN collections c ON c.uuid = a.collection_uuid LEFT JOIN layouts l ON l.id = a.layout_id "
    "WHERE a.version_number > 0 AND a.is_deleted = 0 AND a.canonical_key LIKE 'fs:%' "
    "AND NOT EXISTS (SELECT 1 FROM asset_versions v WHERE v.asset_id = a.id)"
)

_SIBLINGS: Final = (
    "SELECT g.id, g.project, g.entity_kind, g.entity, g.asset_key, a.canonical_key, c.name, c.layout, "
    "l.fields FROM version_groups g JOIN asset_versions v ON v.group_id = g.id "
    "JOIN assets a ON a.id = v.asset_id "
    "JOIN collections c ON c.uuid = a.collection_uuid LEFT JOIN layouts l ON l.id = a.layout_id "
    "WHERE v.deleted_at IS NULL AND a.canonical_key LIKE 'fs:%' AND g.id IN ("
    "SELECT m.group_id FROM asset_versions m WHERE m.deleted_at IS NULL "
    "AND m.asset_id IN (SELECT value FROM json_each(?)))"
)


def join_from_disk(db: LibraryDatabase, asset_ids: Sequence[int]) -> int:
    """Let these assets join the groups of their names, where they are in none; how many did.

    Called in the import's transaction, for what is new or moved. The number is the one in the name; one that
    the group has given already (a copy elsewhere, a deleted version) is passed over.
    """
    joined = 0
    layouts: dict[str, Layout | None] = {}
    for start in range(0, len(asset_ids), _SLICE):
        rows = db.all(_NEWCOMERS, (json_text(list(asset_ids[start : start + _SLICE])),))
        newcomers = [one for row in rows if (one := _newcomer(row, layouts)) is not None]
        newcomers.sort(key=lambda one: (one.group, one.number))
        joined += len(append_versions(db, newcomers))
    return joined


def follow_moves(db: LibraryDatabase, asset_ids: Sequence[int]) -> int:
    """Let version groups move with their assets, where all of a group moved alike; how many did.

    So that the next version found in a renamed directory joins its old ones. A group whose new name another
    one has stays what it is.
    """
    rows = db.all(_SIBLINGS, (json_text(list(asset_ids)),))
    layouts: dict[str, Layout | None] = {}
    now: dict[int, set[GroupKey]] = {}
    before: dict[int, GroupKey] = {}
    for group_id, *parts, key, collection, template, fields in rows:
        before[group_id] = GroupKey(*map(from_stored, parts))
        if template not in layouts:
            layouts[template] = Layout(template) if template else None
        levels = {} if fields is None else json.loads(fields)
        found = group_key(from_stored(key), from_stored(collection), layouts[template], levels)
        now.setdefault(group_id, set()).add(found)
    moved = {
        group_id: next(iter(keys))
        for group_id, keys in now.items()
        if len(keys) == 1 and before[group_id] not in keys and max(map(len, next(iter(keys)))) <= MAX_NAME
    }
    renamed: list[int] = []
    columns = ("id", "project", "entity_kind", "entity", "asset_key")
    stored = ((group_id, *map(to_stored, key)) for group_id, key in moved.items())
    for _ in staged(db, columns, stored):
        renamed += [
            row[0]
            for row in db.all(
                "UPDATE OR IGNORE version_groups SET project = s.project, entity_kind = s.entity_kind, "
                "entity = s.entity, asset_key = s.asset_key FROM temp.staged s "
                "WHERE version_groups.id = s.id RETURNING version_groups.id"
            )
        ]
    if renamed:
        announce(db, VersionsChanged(some(renamed)))
    return len(renamed)


def _newcomer(row: tuple[Any, ...], layouts: dict[str, Layout | None]) -> NewVersion | None:
    """The version that an asset is, None for one that is of no role."""
    id_, uuid, key, kind, number, size, collection, template, fields = row
    version_type = TYPES.get(kind)
    if version_type is None:
        return None
    if template not in layouts:
        layouts[template] = Layout(template) if template else None
    levels = {} if fields is None else json.loads(fields)
    group = group_key(from_stored(key), from_stored(collection), layouts[template], levels)
    if max(map(len, group)) > MAX_NAME:
        return None
    data = Data(DataKind.ASSET, uuid)
    return NewVersion(group, version_type, data, {}, asset_id=id_, size=size, number=number)


def group_key(key: str, collection: str, layout: Layout | None, levels: Mapping[str, str]) -> GroupKey:
    """The group of a file-system key: `levels` are its layout fields, `layout` their template."""
    directory, name = parent_and_name(key)
    parts = directory.split("/") if directory else []
    project = next((levels[level] for level in PROJECT_LEVELS if level in levels), collection)
    inside = [
        level for level in (layout.fields if layout else ()) if level in ENTITY_LEVELS and level in levels
    ]
    kind, entity, depth = "", "", 0
    if layout is not None and inside:
        kind, entity = inside[-1], "/".join(levels[level] for level in inside)
        depth = _depth(layout, parts, kind)
    elif layout is not None:
        depth = max((_depth(layout, parts, level) for level in PROJECT_LEVELS if level in levels), default=0)
    role = [without_version(part) for part in parts[depth:]]
    return GroupKey(project, kind, entity, "/".join([*filter(None, role), _role_of(name)]))


def _depth(layout: Layout, parts: Sequence[str], level: str) -> int:
    """How many directories it takes until `level` is known."""
    for depth in range(1, len(parts) + 1):
        if level in layout.fields_of("/".join(parts[:depth])):
            return depth
    return len(parts)


def _role_of(name: str) -> str:
    """A name without its version; a name that is nothing else stays."""
    return (without_version(name) if token_in(name) is not None else name) or name
