"""Changes of rows that can be undone: tags, ratings, notes, folders, best versions (spec: files F12).

Whoever makes such a change calls `record_changes` in the same transaction; `revert_changes` puts back what
stood there, when nothing has touched those rows since. The entries stand in the journal beside the file jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import Refused
from kassettui.core.text import to_stored
from kassettui.library import journal
from kassettui.library.events import (
    AssetsChanged,
    FolderChanged,
    JobsChanged,
    TagsChanged,
    VersionsChanged,
    announce,
    some,
)
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase

_CHANGEABLE: Final[Mapping[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "assets": (("id",), frozenset({"rating", "title", "description", "tag_text"})),
    "asset_tags": (("asset_id", "tag_id"), frozenset({"added_at"})),
    "asset_folders": (("asset_id", "folder_id"), frozenset({"sequence_pattern", "added_at"})),
    "folders": (("id",), frozenset({"uuid", "parent_id", "name", "search_id", "created_at", "updated_at"})),
    "tags": (("id",), frozenset({"uuid", "name", "name_key", "created_at"})),
    "version_groups": (("id",), frozenset({"best", "best_locked"})),
    "asset_versions": (("id",), frozenset({"deleted_at"})),
}
"""What `record_changes` takes: by table, its key and the columns that may be put back."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: what stood in `columns` before and after. None: there was, or is, no such row.

    Values are as the database has them (paths stored, booleans 0 and 1).
    """

    table: str
    key: tuple[int, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def record_changes(
    db: LibraryDatabase, uuid: str, kind: str, title: str, changes: Sequence[RowChange], at: int
) -> int | None:
    """Note a change just made, in its own transaction, so that it can be undone; the entry's id.

    `kind` is the verb (`tag`, `rate`, `folder`, `best`). Nothing is noted for no change.
    """
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return None
    for change in changes:
        _checked(change)
    db.execute_sql(
        "INSERT INTO journal (uuid, kind, title, state, items_total, items_done, undoable, queued_at, "
        "started_at, finished_at) VALUES (?, ?, ?, 'done', ?, ?, 1, ?, ?, ?)",
        (uuid, kind, to_stored(title), len(changes), len(changes), at, at, at),
    )
    job: int = db.scalar("SELECT last_insert_rowid()")
    journal.add_steps(
        db,
        job,
        (
            journal.StepRow(
                number,
                "row",
                "done",
                before={
                    "table": change.table,
                    "key": list(change.key),
                    "before": change.before,
                    "after": change.after,
                },
            )
            for number, change in enumerate(changes)
        ),
    )
    journal.forget_old(db)
    announce(db, JobsChanged((uuid,)))
    return job


def revert_changes(db: LibraryDatabase, job: int, uuid: str, at: int) -> list[RowChange]:
    """Put back what an entry of changes changed, as an entry of its own; the changes made now.

    Raises Refused, and changes nothing, when any of those rows is not as the entry left it (F12).
    """
    old = journal.entry(db, job)
    if old.undone_at is not None or not old.undoable:
        raise Refused(f"“{old.title}” is undone already.")
    made = []
    for step in reversed(journal.steps(db, job)):
        detail = step.before
        change = RowChange(detail["table"], tuple(detail["key"]), detail["after"], detail["before"])
        _checked(change)
        if _present(db, change) != change.before:
            raise Refused(f"“{old.title}” cannot be undone: what it changed has changed since.")
        _apply(db, change)
        made.append(change)
    undone = record_changes(db, uuid, old.kind, old.title, made, at)
    db.execute_sql(
        "UPDATE journal SET undo_of = ?, request = ? WHERE id = ?",
        (old.id if old.undo_of is None else None, json_text({"reverts": old.id}), undone),
    )
    db.execute_sql("UPDATE journal SET undone_at = ? WHERE id = ?", (at, job))
    _announce(db, made)
    return made


def _announce(db: LibraryDatabase, made: Sequence[RowChange]) -> None:
    """The events that panes of these rows wait for."""
    rows: dict[str, set[int]] = {}
    for change in made:
        rows.setdefault(change.table, set()).add(change.key[0])
        if change.table == "asset_folders":
            rows.setdefault("folders", set()).add(change.key[1])
    assets = set().union(*(rows.get(table, set()) for table in ("assets", "asset_tags", "asset_folders")))
    for ids, event in (
        (assets, AssetsChanged),
        (rows.get("folders"), FolderChanged),
        (rows.get("tags"), TagsChanged),
        (rows.get("version_groups"), VersionsChanged),
    ):
        if ids:
            announce(db, event(some(sorted(ids))))


def _checked(change: RowChange) -> None:
    """A table or column that is not in `_CHANGEABLE` is a bug of the caller: ValueError."""
    keys, columns = _CHANGEABLE[change.table]
    for side in (change.before, change.after):
        if len(change.key) != len(keys) or (side is not None and not set(side) <= columns):
            raise ValueError(f"{change.table} {change.key} {side} cannot be journalled")


def _present(db: LibraryDatabase, change: RowChange) -> dict[str, Any] | None:
    """What the row holds now, in the columns that the change is about."""
    keys, _ = _CHANGEABLE[change.table]
    columns = sorted((change.before or change.after or {}).keys())
    where = " AND ".join(f"{key} = ?" for key in keys)
    row = db.one(f"SELECT {', '.join(columns) or '1'} FROM {change.table} WHERE {where}", change.key)
    return None if row is None else dict(zip(columns, row, strict=False))


def _apply(db: LibraryDatabase, change: RowChange) -> None:
    keys, _ = _CHANGEABLE[change.table]
    where = " AND ".join(f"{key} = ?" for key in keys)
    if change.after is None:
        db.execute_sql(f"DELETE FROM {change.table} WHERE {where}", change.key)
        return
    columns, values = tuple(change.after), tuple(change.after.values())
    if change.before is None:
        names = ", ".join((*keys, *columns))
        marks = ", ".join("?" * (len(keys) + len(columns)))
        db.execute_sql(f"INSERT INTO {change.table} ({names}) VALUES ({marks})", (*change.key, *values))
        return
    sets = ", ".join(f"{column} = ?" for column in columns)
    db.execute_sql(f"UPDATE {change.table} SET {sets} WHERE {where}", (*values, *change.key))
