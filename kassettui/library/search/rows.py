"""What a list shows of an asset; tags, folders and version marks of a page come in one query each (L8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.text import from_stored
from kassettui.library.search.names import FOLDER_PATHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase


class VersionMark(NamedTuple):
    """The version that an asset is: its group, its number there, the group's best (0: none) and head."""

    group_id: int
    number: int
    best: int
    head: int

    @property
    def is_best(self) -> bool:
        """Whether this asset is the best version of its group."""
        return self.number == self.best


class Listed(NamedTuple):
    """One asset in a list. Sizes in bytes, times in µs (`mtime_ns` in ns), durations in ms.

    A tuple, because a page of a hundred has to be made within a millisecond.
    """

    id: int
    uuid: str
    collection: str
    key: str
    kind: str
    state: str
    approved: bool
    operator_verified: bool
    deleted: bool
    missing_since: int | None
    rating: int | None
    size: int
    mtime_ns: int | None
    version: int | None
    layout: Mapping[str, str]
    name: str
    extension: str
    path: str
    first: int | None
    last: int | None
    frames: int | None
    step: int | None
    padding: int | None
    missing: int | None
    ranges: str | None
    expected: str | None
    pattern: str | None
    health: str | None
    health_level: int | None
    health_at: int | None
    damaged: int | None
    health_counts: Mapping[str, int]
    width: int | None
    height: int | None
    aspect: float | None
    channels: int | None
    pixel_type: str | None
    compression: str | None
    colour_space: str | None
    fps: float | None
    timecode: str | None
    duration: int | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    verified: int | None
    discovered: int
    created: int
    updated: int
    error: str | None
    title: str
    description: str
    hash: str | None
    tags: tuple[str, ...]
    folders: tuple[str, ...]
    mark: VersionMark | None


_COLUMNS: Final = (
    "a.id", "a.uuid", "c.name", "a.canonical_key", "a.kind", "a.state", "a.approved_for_broadcast",
    "a.operator_verified", "a.is_deleted", "a.missing_since", "a.rating", "a.size", "a.mtime_ns",
    "a.version_number", "l.fields", "a.name", "a.extension", "a.path", "a.frame_first", "a.frame_last",
    "a.frame_count", "a.frame_step", "a.frame_padding", "a.hole_count", "a.frame_ranges", "a.expected_ranges",
    "a.sequence_pattern", "a.health", "a.health_level", "a.health_at", "a.damaged_count", "a.health_counts",
    "a.width", "a.height", "a.pixel_aspect", "a.channels", "a.pixel_type", "a.compression", "a.colour_space",
    "a.fps", "a.timecode", "a.duration_ms", "a.video_codec", "a.audio_codec", "a.container", "a.verified_at",
    "a.discovered_at", "a.created_at", "a.updated_at", "a.last_error", "a.title", "a.description",
    "a.content_hash",
)  # fmt: skip
_PATHS: Final = (3, 15, 16, 17, 26, 49, 50, 51)
_FLAGS: Final = (6, 7, 8)
_JSON: Final = (14, 31)
_SELECT: Final = (
    f"SELECT {', '.join(_COLUMNS)} FROM assets a JOIN collections c ON c.uuid = a.collection_uuid "
    "LEFT JOIN layouts l ON l.id = a.layout_id WHERE a.id IN (SELECT value FROM json_each(?))"
)
_TAGS: Final = (
    "SELECT m.asset_id, t.name FROM asset_tags m JOIN tags t ON t.id = m.tag_id "
    "WHERE m.asset_id IN (SELECT value FROM json_each(?)) ORDER BY m.asset_id, t.name_key"
)
_FOLDERS: Final = (
    f"{FOLDER_PATHS} SELECT m.asset_id, CASE WHEN tree.path = '' THEN '/' ELSE tree.path END "
    "FROM asset_folders m JOIN tree ON tree.id = m.folder_id "
    "WHERE m.asset_id IN (SELECT value FROM json_each(?)) ORDER BY m.asset_id, tree.path"
)
# An asset that is a version of several groups shows the one it joined last.
_MARKS: Final = (
    "SELECT v.asset_id, g.id, v.number, g.best, g.head FROM asset_versions v "
    "JOIN version_groups g ON g.id = v.group_id "
    "WHERE v.asset_id IN (SELECT value FROM json_each(?)) AND v.deleted_at IS NULL ORDER BY v.id"
)


def load(db: LibraryDatabase, ids: Sequence[int]) -> tuple[Listed, ...]:
    """The assets with these row ids, in this order; ids that are gone are left out. Four queries in all."""
    if not ids:
        return ()
    bound = (json.dumps(list(ids)),)
    tags = _texts(db, _TAGS, bound)
    folders = _texts(db, _FOLDERS, bound)
    marks = {row[0]: VersionMark(*row[1:]) for row in db.all(_MARKS, bound)}
    found: dict[int, Listed] = {}
    for row in db.all(_SELECT, bound):
        values = list(row)
        for index in _PATHS:
            values[index] = None if row[index] is None else from_stored(row[index])
        for index in _FLAGS:
            values[index] = bool(row[index])
        for index in _JSON:
            values[index] = {} if row[index] is None else json.loads(row[index])
        key = row[0]
        values += [tags.get(key, ()), folders.get(key, ()), marks.get(key)]
        found[key] = Listed._make(values)
    return tuple(found[one] for one in ids if one in found)


def _texts(db: LibraryDatabase, sql: str, bound: tuple[str]) -> dict[int, tuple[str, ...]]:
    """Names by asset, in the order of the statement."""
    found: dict[int, list[str]] = {}
    for asset_id, text in db.all(sql, bound):
        found.setdefault(asset_id, []).append(from_stored(text))
    return {asset_id: tuple(texts) for asset_id, texts in found.items()}
