"""Changes of folders by a person: make, move, rename, delete, put assets in and out (spec: library L4).

Each is one transaction, noted so that it can be undone. Assets are never deleted with a folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import Refused
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import saved, stamps
from kassettui.library.changes import RowChange, record_changes
from kassettui.library.curation import counted, require_assets
from kassettui.library.events import AssetsChanged, FolderChanged, announce, some
from kassettui.library.folders import ROOT, check_name, ensure_folder, get, parts_of, path_of
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase

_SUBTREE: Final = (
    "WITH RECURSIVE below (id, depth) AS (SELECT ?, 0 UNION ALL SELECT f.id, below.depth + 1 FROM folders f "
    "JOIN below ON f.parent_id = below.id WHERE below.depth < 10000) "
)


@dataclass(frozen=True, slots=True)
class Node:
    """A folder in the tree: its depth below the first, how many assets lie directly in it, its search."""

    id: int
    uuid: str
    path: str
    name: str
    depth: int
    assets: int
    search: str | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion took: folders, and how many memberships of assets ended or moved."""

    folders: int
    memberships: int


def tree(db: LibraryDatabase, folder_id: int = ROOT) -> list[Node]:
    """The folder and all below it, each after its parent and in the order of names, in one query."""
    above = path_of(db, folder_id)
    rows = db.all(
        "WITH RECURSIVE below (id, uuid, path, name, depth, search_id) AS ("
        "SELECT id, uuid, ?, name, 0, search_id FROM folders WHERE id = ? "
        "UNION ALL SELECT f.id, f.uuid, "
        "CASE WHEN below.path = '' THEN f.name ELSE below.path || '/' || f.name END, "
        "f.name, below.depth + 1, f.search_id FROM folders f JOIN below ON f.parent_id = below.id "
        "WHERE below.depth < 10000 ORDER BY 5 DESC, 4) "
        "SELECT b.id, b.uuid, b.path, b.name, b.depth, "
        "(SELECT count(*) FROM asset_folders m WHERE m.folder_id = b.id), s.name "
        "FROM below b LEFT JOIN saved_searches s ON s.id = b.search_id",
        (to_stored(above), folder_id),
    )
    return [
        Node(id_, uuid, from_stored(path), from_stored(name), depth, number, search and from_stored(search))
        for id_, uuid, path, name, depth, number, search in rows
    ]


def make(db: LibraryDatabase, path: str) -> int:
    """The row id of the folder at `path`; what is missing on the way is made. Raises InvalidInput."""
    before: int = db.scalar("SELECT max(id) FROM folders")
    folder_id = ensure_folder(db, path)
    rows = _rows(db, "id > ?", (before,))
    changes = [RowChange("folders", (id_,), None, columns) for id_, columns in rows]
    record_changes(db, stamps.new_uuid(), "folder", f"make folder {safe(path)}", changes, stamps.now())
    return folder_id


def make_smart(db: LibraryDatabase, path: str, search: str) -> int:
    """A folder at `path` that shows what a saved search finds. Raises Refused where a folder is, NotFound."""
    *above, name = parts_of(path) or ("",)
    check_name(name)
    found = saved.find(db, search)
    parent = ensure_folder(db, above) if above else ROOT
    _require_free(db, parent, name)
    folder_id = ensure_folder(db, [name], parent_id=parent)
    db.execute_sql("UPDATE folders SET search_id = ? WHERE id = ?", (found.id, folder_id))
    changes = [RowChange("folders", (id_,), None, row) for id_, row in _rows(db, "id = ?", (folder_id,))]
    title = f"make smart folder {safe(path)}"
    record_changes(db, stamps.new_uuid(), "folder", title, changes, stamps.now())
    return folder_id


def rename(db: LibraryDatabase, folder_id: int, name: str) -> None:
    """Call a folder otherwise. Raises Refused for Root and for the name of its neighbour, InvalidInput."""
    folder = get(db, folder_id)
    check_name(name)
    if folder.parent_id is None:
        raise Refused("Root keeps its name.")
    if name == folder.name:
        return
    _require_free(db, folder.parent_id, name)
    title = f"rename folder {safe(folder.name)} to {safe(name)}"
    _update(db, folder_id, "name", to_stored(folder.name), to_stored(name), title)


def move(db: LibraryDatabase, folder_id: int, parent_id: int) -> None:
    """Put a folder, with all that is in it, into another one.

    Raises Refused for Root, for a folder below itself, and where a folder of its name is; NotFound.
    """
    folder, parent = get(db, folder_id), get(db, parent_id)
    if folder.parent_id is None:
        raise Refused("Root cannot be moved.")
    if parent.search_id is not None:
        raise Refused(f"{safe(parent.name)!r} is a smart folder; it holds no folders.")
    if folder.parent_id == parent_id:
        return
    if db.scalar(f"{_SUBTREE} SELECT 1 FROM below WHERE id = ?", (folder_id, parent_id)):
        raise Refused(f"{safe(folder.name)!r} cannot be put into itself.")
    _require_free(db, parent_id, folder.name)
    title = f"move folder {safe(folder.name)} to {safe(path_of(db, parent_id) or 'Root')}"
    _update(db, folder_id, "parent_id", folder.parent_id, parent_id, title)


def delete(
    db: LibraryDatabase, folder_id: int, recursive: bool = False, move_to: int | None = None
) -> Deleted:
    """Delete a folder and all below it; the assets stay in the library.

    What is not empty goes only with `recursive`, or with `move_to`: the folder that takes its assets. Raises
    Refused otherwise, for Root, and when `move_to` would go too; NotFound.
    """
    folder = get(db, folder_id)
    if folder.parent_id is None:
        raise Refused("Root cannot be deleted.")
    subtree = [row[0] for row in db.all(f"{_SUBTREE} SELECT id FROM below ORDER BY depth DESC", (folder_id,))]
    going = json_text(subtree)
    inside = "folder_id IN (SELECT value FROM json_each(?))"
    memberships = db.scalar(f"SELECT count(*) FROM asset_folders WHERE {inside}", (going,))
    if (len(subtree) > 1 or memberships) and not recursive and move_to is None:
        raise Refused(
            f"{safe(folder.name)!r} holds {len(subtree) - 1} folders and {counted(memberships)}.",
            remedy="Delete it with --recursive, or give its assets a place with --move-to.",
        )
    changes: list[RowChange] = []
    now = stamps.now()
    if move_to is not None:
        if get(db, move_to).search_id is not None or move_to in subtree:
            raise Refused("The assets need a folder that stays and that is no smart one.")
        moved = json_text(
            sorted({row[0] for row in db.all(f"SELECT asset_id FROM asset_folders WHERE {inside}", (going,))})
        )
        changes += _put(db, moved, move_to, now)
    changes += _take(db, inside, (going,))
    touched = sorted({change.key[0] for change in changes})
    columns = dict(_rows(db, "id IN (SELECT value FROM json_each(?))", (going,)))
    for id_ in subtree:  # the deepest first: no folder goes before what is in it
        db.execute_sql("DELETE FROM folders WHERE id = ?", (id_,))
        changes.append(RowChange("folders", (id_,), columns[id_], None))
    record_changes(db, stamps.new_uuid(), "folder", f"delete folder {safe(folder.name)}", changes, now)
    announce(db, FolderChanged(some(subtree if move_to is None else [*subtree, move_to])))
    if touched:
        announce(db, AssetsChanged(some(touched)))
    return Deleted(len(subtree), memberships)


def put(db: LibraryDatabase, asset_ids: Sequence[int], folder_id: int) -> tuple[int, ...]:
    """Put assets into a folder, beside the folders that they lie in already; the ids of the new ones.

    Raises NotFound, Refused for a smart folder.
    """
    folder = get(db, folder_id)
    if folder.search_id is not None:
        raise Refused(f"{safe(folder.name)!r} is a smart folder: it shows what its search finds.")
    require_assets(db, asset_ids)
    now = stamps.now()
    changes = _put(db, json_text(sorted(set(asset_ids))), folder_id, now)
    return _told(db, changes, folder_id, f"put {counted(len(changes))} into {safe(folder.name)}")


def take_out(db: LibraryDatabase, asset_ids: Sequence[int], folder_id: int) -> tuple[int, ...]:
    """Take assets out of a folder; the ids of those that were in it. Raises NotFound."""
    folder = get(db, folder_id)
    changes = _take(
        db,
        "folder_id = ? AND asset_id IN (SELECT value FROM json_each(?))",
        (folder_id, json_text(list(asset_ids))),
    )
    return _told(db, changes, folder_id, f"take {counted(len(changes))} out of {safe(folder.name)}")


# -- inside -------------------------------------------------------------------------------------------------


def _told(db: LibraryDatabase, changes: list[RowChange], folder_id: int, title: str) -> tuple[int, ...]:
    """Note and announce what changed in a folder; the ids of the assets."""
    record_changes(db, stamps.new_uuid(), "folder", title, changes, stamps.now())
    touched = tuple(change.key[0] for change in changes)
    if touched:
        announce(db, FolderChanged((folder_id,)))
        announce(db, AssetsChanged(some(touched)))
    return touched


def _put(db: LibraryDatabase, asset_ids: str, folder_id: int, now: int) -> list[RowChange]:
    """`asset_ids` as JSON."""
    rows = db.all(
        "INSERT INTO asset_folders (asset_id, folder_id, sequence_pattern, added_at) "
        "SELECT a.id, ?, CASE WHEN a.kind = 'sequence' THEN a.path END, ? FROM json_each(?) j "
        "JOIN assets a ON a.id = j.value WHERE true ON CONFLICT DO NOTHING "
        "RETURNING asset_id, folder_id, sequence_pattern",
        (folder_id, now, asset_ids),
    )
    return [
        RowChange("asset_folders", (row[0], row[1]), None, {"sequence_pattern": row[2], "added_at": now})
        for row in rows
    ]


def _take(db: LibraryDatabase, where: str, parameters: Sequence[object]) -> list[RowChange]:
    rows = db.all(
        f"DELETE FROM asset_folders WHERE {where} RETURNING asset_id, folder_id, sequence_pattern, added_at",
        parameters,
    )
    return [
        RowChange("asset_folders", (row[0], row[1]), {"sequence_pattern": row[2], "added_at": row[3]}, None)
        for row in rows
    ]


def _rows(
    db: LibraryDatabase, where: str, parameters: Sequence[object]
) -> list[tuple[int, dict[str, object]]]:
    """Whole rows of folders, as undo needs them."""
    names = ("uuid", "parent_id", "name", "search_id", "created_at", "updated_at")
    rows = db.all(f"SELECT id, {', '.join(names)} FROM folders WHERE {where} ORDER BY id", parameters)
    return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows]


def _require_free(db: LibraryDatabase, parent_id: int, name: str) -> None:
    if db.scalar("SELECT 1 FROM folders WHERE parent_id = ? AND name = ?", (parent_id, to_stored(name))):
        raise Refused(f"There is a folder {safe(name)!r} already.")


def _update(
    db: LibraryDatabase, folder_id: int, column: str, before: object, after: object, title: str
) -> None:
    now = stamps.now()
    db.execute_sql(f"UPDATE folders SET {column} = ?, updated_at = ? WHERE id = ?", (after, now, folder_id))
    change = RowChange("folders", (folder_id,), {column: before}, {column: after})
    record_changes(db, stamps.new_uuid(), "folder", title, [change], now)
    announce(db, FolderChanged((folder_id,)))
