"""The repository of virtual folders: a tree under one Root that cannot be deleted (spec: library L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import stamps
from kassettui.library.events import FolderChanged, announce
from kassettui.library.staging import staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine import LibraryDatabase

ROOT: Final = 1
"""The row id of Root."""


class Folder(NamedTuple):
    """A folder. `search_id` is set for a smart folder, which shows what a saved search finds."""

    id: int
    uuid: str
    parent_id: int | None
    name: str
    search_id: int | None


def parts_of(path: str) -> tuple[str, ...]:
    """The names on the way from Root.

    "dailies/monday" → two. Raises InvalidInput for names that cannot be.
    """
    parts = tuple(part for part in path.split("/") if part)
    for part in parts:
        check_name(part)
    return parts


def check_name(name: str) -> str:
    """`name` if a folder may be called so. Raises InvalidInput."""
    if not name.strip() or "/" in name or "\0" in name or name in (".", ".."):
        raise InvalidInput(f"A folder cannot be called {safe(name)!r}.")
    return name


def ensure_folder(db: LibraryDatabase, path: str | Sequence[str], *, parent_id: int = ROOT) -> int:
    """The row id of the folder at `path` below `parent_id`; what is missing on the way is made, rows are
    reused.

    Raises InvalidInput for an empty path or a bad name, NotFound without the parent. It never answers with
    Root instead: who asks for a folder gets that folder or an error.
    """
    parts = parts_of(path) if isinstance(path, str) else tuple(check_name(part) for part in path)
    if not parts:
        raise InvalidInput("A folder needs a name.")
    if db.scalar("SELECT 1 FROM folders WHERE id = ?", (parent_id,)) is None:
        raise NotFound("The folder above it is not there.")
    current = parent_id
    made: list[int] = []
    for part in parts:
        name = to_stored(part)
        found = db.scalar("SELECT id FROM folders WHERE parent_id = ? AND name = ?", (current, name))
        if found is None:
            now = stamps.now()
            db.execute_sql(
                "INSERT INTO folders (uuid, parent_id, name, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
                (stamps.new_uuid(), current, name, now, now),
            )
            found = db.raw.last_insert_rowid()
            made.append(found)
        current = found
    if made:
        announce(db, FolderChanged(tuple(made)))
    return current


def find(db: LibraryDatabase, path: str) -> int:
    """The row id of the folder at `path` from Root.

    "" is Root itself. Raises NotFound, saying which name failed.
    """
    current = ROOT
    for part in parts_of(path):
        found = db.scalar(
            "SELECT id FROM folders WHERE parent_id = ? AND name = ?", (current, to_stored(part))
        )
        if found is None:
            raise NotFound(f"There is no folder {safe(part)!r} in {safe(path_of(db, current) or 'Root')!r}.")
        current = found
    return current


def get(db: LibraryDatabase, folder_id: int) -> Folder:
    """The folder of this row id. Raises NotFound."""
    row = db.one("SELECT id, uuid, parent_id, name, search_id FROM folders WHERE id = ?", (folder_id,))
    if row is None:
        raise NotFound("There is no such folder.")
    return Folder(row[0], row[1], row[2], from_stored(row[3]), row[4])


def children(db: LibraryDatabase, folder_id: int = ROOT) -> list[Folder]:
    """The folders directly below, by name."""
    rows = db.all(
        "SELECT id, uuid, parent_id, name, search_id FROM folders WHERE parent_id = ? ORDER BY name",
        (folder_id,),
    )
    return [Folder(row[0], row[1], row[2], from_stored(row[3]), row[4]) for row in rows]


def path_of(db: LibraryDatabase, folder_id: int) -> str:
    """The names from Root down, joined by "/"; "" for Root. Raises NotFound."""
    rows = db.all(
        "WITH RECURSIVE way (id, parent_id, name, depth) AS ("
        "SELECT id, parent_id, name, 0 FROM folders WHERE id = ? "
        "UNION ALL SELECT f.id, f.parent_id, f.name, way.depth + 1 FROM folders f "
        "JOIN way ON f.id = way.parent_id WHERE way.depth < 10000) "
        "SELECT name FROM way WHERE parent_id IS NOT NULL ORDER BY depth DESC",
        (folder_id,),
    )
    if not rows and folder_id != ROOT:
        raise NotFound("There is no such folder.")
    return "/".join(from_stored(row[0]) for row in rows)


def add_assets(db: LibraryDatabase, pairs: Iterable[tuple[int, int]]) -> int:
    """Put assets into folders: pairs of (asset id, folder id). Returns how many were not there yet.

    An asset may lie in many folders, a sequence in each once. Unknown ids raise ConstraintViolated.
    """
    added = 0
    touched: set[int] = set()
    now = stamps.now()
    noted = ((asset_id, folder_id) for asset_id, folder_id in pairs)
    for _ in staged(db, ("asset_id", "folder_id"), noted):
        rows = db.all(
            "INSERT INTO asset_folders (asset_id, folder_id, sequence_pattern, added_at) "
            "SELECT s.asset_id, s.folder_id, (SELECT CASE WHEN a.kind = 'sequence' THEN a.path END "
            "FROM assets a WHERE a.id = s.asset_id), ? FROM temp.staged s WHERE true "
            "ON CONFLICT DO NOTHING RETURNING folder_id",
            (now,),
        )
        added += len(rows)
        touched.update(row[0] for row in rows)
    if touched:
        announce(db, FolderChanged(tuple(sorted(touched))))
    return added
