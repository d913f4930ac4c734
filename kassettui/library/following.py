"""The library follows what moved on disk, in one transaction, whole directories in one statement (files F13).

An asset keeps its row, and with it its tags, rating, notes and versions; it gets another path, key and,
between collections, another collection. What leaves every collection's root is missing, with `moved_to`;
what comes back from there is found by it again. What stood at a place that another asset takes keeps its
row as missing.

Moves that are followed together are simultaneous: names may change places.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.identity import path_key
from kassettui.core.kinds import split_extension
from kassettui.core.layout import Layout
from kassettui.core.text import from_stored, to_stored
from kassettui.core.versions import version_in
from kassettui.library import collections, versions
from kassettui.library.assets import Layouts
from kassettui.library.events import AssetsChanged, announce, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.collections import Collection
    from kassettui.library.engine import LibraryDatabase

# `\x1b` begins no stored path: an asset that steps aside collides with nothing.
_ASIDE: Final = "\x1bmoving:"

# One row for each asset that follows. `collection_uuid` NULL: it leaves; `moved_to` says where to then.
_TABLE: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS following (asset_id INTEGER PRIMARY KEY, path TEXT, canonical_key TEXT, "
    "collection_uuid TEXT, name TEXT, extension TEXT, version_number INTEGER, named INTEGER, moved_to TEXT)"
)
_ARRIVING: Final = "SELECT asset_id FROM temp.following WHERE collection_uuid IS NOT NULL"
_STEP_ASIDE: Final = (
    f"UPDATE assets SET canonical_key = '{_ASIDE}' || id WHERE id IN ({_ARRIVING})",
    (
        f"UPDATE asset_folders SET sequence_pattern = '{_ASIDE}' || asset_id "
        f"WHERE sequence_pattern IS NOT NULL AND asset_id IN ({_ARRIVING})"
    ),
)
_DISPLACED: Final = (
    "SELECT a.id FROM assets a JOIN temp.following f "
    "ON a.collection_uuid = f.collection_uuid AND a.canonical_key = f.canonical_key"
)
_LEAVE: Final = (
    "UPDATE assets SET moved_to = f.moved_to, missing_since = coalesce(missing_since, ?1), updated_at = ?1 "
    "FROM temp.following f WHERE assets.id = f.asset_id AND f.collection_uuid IS NULL"
)
_ARRIVE: Final = (
    "UPDATE assets SET path = f.path, canonical_key = f.canonical_key, collection_uuid = f.collection_uuid, "
    "name = coalesce(f.name, assets.name), extension = coalesce(f.extension, assets.extension), "
    "version_number = CASE WHEN f.named THEN f.version_number ELSE assets.version_number END, "
    "moved_to = NULL, missing_since = NULL, updated_at = ?1 "
    "FROM temp.following f WHERE assets.id = f.asset_id AND f.collection_uuid IS NOT NULL"
)
_PATTERNS: Final = (
    "UPDATE asset_folders SET sequence_pattern = a.path FROM assets a "
    "WHERE a.id = asset_folders.asset_id AND asset_folders.sequence_pattern IS NOT NULL "
    f"AND a.id IN ({_ARRIVING})"
)


@dataclass(frozen=True, slots=True)
class Move:
    """`source` is now `destination` ("": gone for good); `directory`: everything below it, too.

    A sequence's path is its directory with the identity name.
    """

    source: str
    destination: str
    directory: bool = False


def follow(db: LibraryDatabase, moves: Sequence[Move], at: int) -> int:
    """Let the assets of `moves` follow; how many did. `at` in microseconds, UTC."""
    if not moves:
        return 0
    db.execute_sql(_TABLE)
    db.execute_sql("DELETE FROM temp.following")
    for move in moves:
        _gather(db, move)
    ids = [row_id for (row_id,) in db.all("SELECT asset_id FROM temp.following ORDER BY asset_id")]
    if ids:
        for statement in _STEP_ASIDE:
            db.execute_sql(statement)
        displaced = _displace(db, at)
        db.execute_sql(_LEAVE, (at,))
        db.execute_sql(_ARRIVE, (at,))
        db.execute_sql(_PATTERNS)
        _lay_out(db)
        versions.follow_moves(db, ids)
        versions.revive(db, ids)
        announce(db, AssetsChanged(some([*ids, *displaced])))
    _follow_versions(db, moves)
    _follow_notes(db, moves, at)
    return len(ids)


def _gather(db: LibraryDatabase, move: Move) -> None:
    """Note the assets of one move and where each goes."""
    target = collections.containing(db, os.path.dirname(move.destination)) if move.destination else None
    # What lies outside is known by `moved_to`. It comes first: its old path may be another asset's by now.
    for column in ("moved_to", "path"):
        where, values = _where(column, move)
        tail = f"substr({column}, {len(to_stored(move.source)) + 1})"
        present = (
            "" if column == "moved_to" else " AND NOT (missing_since IS NOT NULL AND moved_to IS NOT NULL)"
        )
        if target is None:
            place = f"? || {tail}" if move.destination else "NULL"
            given: tuple[Any, ...] = (to_stored(move.destination),) if move.destination else ()
            selected = f"id, NULL, NULL, NULL, NULL, NULL, NULL, 0, {place}"
        else:
            name, extension, version = _names(move)
            selected = f"id, ? || {tail}, ? || {tail}, ?, ?, ?, ?, ?, NULL"
            key = to_stored(_key(target, move.destination))
            named = int(not move.directory)
            given = (to_stored(move.destination), key, target.uuid, name, extension, version, named)
        db.execute_sql(
            f"INSERT OR IGNORE INTO temp.following SELECT {selected} FROM assets WHERE {where}{present}",
            (*given, *values),
        )


def _where(column: str, move: Move) -> tuple[str, tuple[str, ...]]:
    """The condition for what stands at, or below, the source."""
    source = to_stored(move.source)
    known = " AND missing_since IS NOT NULL" if column == "moved_to" else ""
    if move.directory:
        # "0" follows "/": the range holds what begins with "source/", and nothing else.
        return f"{column} >= ? AND {column} < ?{known}", (source + "/", source + "0")
    return f"{column} = ?{known}", (source,)


def _key(target: Collection, path: str) -> str:
    """The canonical key of `path` in its collection (I5); a directory's is the prefix of those below."""
    relative = path[len(target.root.rstrip("/")) + 1 :]
    directory, _, name = relative.rpartition("/")
    return path_key(directory, name)


def _names(move: Move) -> tuple[str | None, str | None, int | None]:
    """(name, extension, version) that a renamed file gets; nothing for what lies below a directory."""
    if move.directory:
        return None, None, None
    directory, name = os.path.split(move.destination)
    version = version_in(name, reversed(directory.split("/")))
    return to_stored(name), to_stored(split_extension(name)[1]), version


def _displace(db: LibraryDatabase, at: int) -> list[int]:
    """Rows of what stood at a destination keep everything but the key, which is another's now; their ids."""
    displaced = [row_id for (row_id,) in db.all(_DISPLACED)]
    for row_id in displaced:
        db.execute_sql(
            "UPDATE assets SET canonical_key = 'displaced:' || uuid, "
            "missing_since = coalesce(missing_since, ?), updated_at = ? WHERE id = ?",
            (at, at, row_id),
        )
        db.execute_sql(
            f"UPDATE asset_folders SET sequence_pattern = '{_ASIDE}' || asset_id "
            "WHERE sequence_pattern IS NOT NULL AND asset_id = ?",
            (row_id,),
        )
    return displaced


def _lay_out(db: LibraryDatabase) -> None:
    """The layout's fields follow the directories (I2): one look for each directory that got something."""
    layouts, templates = Layouts(db), {}
    places: dict[tuple[str, str], list[int]] = {}
    for row_id, uuid, path in db.all(
        "SELECT asset_id, collection_uuid, path FROM temp.following WHERE collection_uuid IS NOT NULL"
    ):
        places.setdefault((uuid, os.path.dirname(from_stored(path))), []).append(row_id)
    for (uuid, directory), ids in places.items():
        if uuid not in templates:
            found = collections.get(db, uuid)
            templates[uuid] = (found.root.rstrip("/"), Layout(found.layout) if found.layout else None)
        root, layout = templates[uuid]
        fields = layout.fields_of(directory[len(root) + 1 :]) if layout is not None else {}
        layout_id = layouts.id_of(fields) if fields else None
        for row_id in ids:
            db.execute_sql(
                "UPDATE assets SET layout_id = ?1 WHERE id = ?2 AND layout_id IS NOT ?1", (layout_id, row_id)
            )


def _follow_versions(db: LibraryDatabase, moves: Sequence[Move]) -> None:
    """Versions that are paths, not assets, follow too."""
    if not db.scalar("SELECT EXISTS (SELECT 1 FROM asset_versions WHERE data_kind = 'path')"):
        return
    changes = [
        (to_stored(move.destination) + data[len(to_stored(move.source)) :], row_id)
        for move in moves
        if move.destination
        for row_id, data in db.all(
            f"SELECT id, data FROM asset_versions WHERE data_kind = 'path' AND {_where('data', move)[0]}",
            _where("data", move)[1],
        )
    ]
    for data, row_id in changes:
        db.execute_sql("UPDATE asset_versions SET data = ? WHERE id = ?", (data, row_id))


def _follow_notes(db: LibraryDatabase, moves: Sequence[Move], at: int) -> None:
    """Notes on paths that are no assets (L6)."""
    found = [
        (to_stored(move.destination) + path[len(to_stored(move.source)) :], path, title, description, made)
        for move in moves
        if move.destination
        for path, title, description, made in _notes(db, move)
    ]
    for _, path, *_ in found:
        db.execute_sql("DELETE FROM path_notes WHERE path = ?", (path,))
    for new, _, title, description, made in found:
        db.execute_sql(
            "INSERT OR REPLACE INTO path_notes (path, title, description, created_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?)",
            (new, title, description, made, at),
        )


def _notes(db: LibraryDatabase, move: Move) -> list[tuple[Any, ...]]:
    """Notes at the source and, of a directory, below it."""
    columns = "SELECT path, title, description, created_at FROM path_notes WHERE"
    rows = db.all(f"{columns} path = ?", (to_stored(move.source),))
    if move.directory:
        where, values = _where("path", move)
        rows += db.all(f"{columns} {where}", values)
    return rows
