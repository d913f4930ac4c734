"""The thumbnails' own database: what was drawn once, and what could not be drawn (spec: media P8).

A cache: its file may be deleted at any time, a damaged one is thrown away and made anew, and a disk that is
full costs speed, never an answer. Functions with the database first; `thumbnail_file` puts an operator of its
own behind them. What the pictures mean is `media/`'s business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import xxhash

from kassettui.core.text import from_stored, to_stored
from kassettui.core.thumbnails import StoredThumbnail
from kassettui.library import migrate
from kassettui.library.engine import executemany
from kassettui.library.stamps import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.core.thumbnails import ThumbnailKey
    from kassettui.library.engine import LibraryDatabase

APPLICATION_ID: Final = 0x4B535448
"""`PRAGMA application_id` of a thumbnail cache: "KSTH"."""

FRESH_USE: Final = 3600 * 1_000_000
"""Microseconds; a use is written down at most once an hour."""

_EVICT_TO: Final = 0.9

_TABLE: Final = """
CREATE TABLE thumbnails (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  frame INTEGER NOT NULL,
  layer TEXT NOT NULL,
  look TEXT NOT NULL,
  target INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  kind TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  picture BLOB NOT NULL,
  UNIQUE (path, frame, layer, look, target)
) STRICT;
CREATE INDEX thumbnails_by_use ON thumbnails (used_at, bytes);
"""

_PUT: Final = """
INSERT INTO thumbnails (path, frame, layer, look, target, size, mtime_ns, kind, width, height, state, reason,
  bytes, digest, created_at, used_at, picture)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (path, frame, layer, look, target) DO UPDATE SET
  size = excluded.size, mtime_ns = excluded.mtime_ns, kind = excluded.kind, width = excluded.width,
  height = excluded.height, state = excluded.state, reason = excluded.reason, bytes = excluded.bytes,
  digest = excluded.digest, created_at = excluded.created_at, used_at = excluded.used_at,
  picture = excluded.picture
"""


# -- units of work ------------------------------------------------------------------------------------------


def create_schema(db: LibraryDatabase) -> None:
    """Step 1, up."""
    for statement in filter(str.strip, _TABLE.split(";")):
        db.execute_sql(statement)


def drop_schema(db: LibraryDatabase) -> None:
    """Step 1, down."""
    db.execute_sql("DROP TABLE thumbnails")


SCHEMA: Final = migrate.Schema(
    title="thumbnail cache",
    application_id=APPLICATION_ID,
    steps=(migrate.Step(1, "initial", create_schema, drop_schema),),
    tables=frozenset({"thumbnails"}),
)


def find(
    db: LibraryDatabase, keys: Sequence[ThumbnailKey]
) -> tuple[list[StoredThumbnail | None], list[int], list[int]]:
    """What is kept for each key; the rows whose use is worth writing down; the rows that are corrupt."""
    found: list[StoredThumbnail | None] = []
    used: list[int] = []
    corrupt: list[int] = []
    stale = now() - FRESH_USE
    for key in keys:
        row = db.one(
            "SELECT id, kind, width, height, state, reason, digest, used_at, picture FROM thumbnails "
            "WHERE path = ? AND frame = ? AND layer = ? AND look = ? AND target = ? "
            "AND size = ? AND mtime_ns = ?",
            (*_identity(key), key.size, key.mtime_ns),
        )
        if row is None:
            found.append(None)
            continue
        number, kind, width, height, state, reason, digest, used_at, picture = row
        if digest != _digest(picture):
            corrupt.append(number)
            found.append(None)
            continue
        if used_at < stale:
            used.append(number)
        found.append(StoredThumbnail(kind, width, height, bytes(picture), state, from_stored(reason)))
    return found, used, corrupt


def put(db: LibraryDatabase, kept: Sequence[tuple[ThumbnailKey, StoredThumbnail]]) -> None:
    """Keep pictures and failures; what was kept for the same picture of older content goes."""
    at = now()
    executemany(
        db,
        _PUT,
        (
            (
                *_identity(key),
                *(key.size, key.mtime_ns, one.kind, one.width, one.height, one.state, to_stored(one.reason)),
                *(len(one.picture), _digest(one.picture), at, at, one.picture),
            )
            for key, one in kept
        ),
    )


def touch(db: LibraryDatabase, rows: Iterable[int]) -> None:
    """Write down that these rows were used just now."""
    at = now()
    executemany(db, "UPDATE thumbnails SET used_at = ? WHERE id = ?", ((at, row) for row in rows))


def drop(db: LibraryDatabase, rows: Iterable[int]) -> None:
    """Remove rows."""
    executemany(db, "DELETE FROM thumbnails WHERE id = ?", ((row,) for row in rows))


def evict(db: LibraryDatabase, limit_bytes: int) -> int:
    """Remove the least recently used until the pictures take at most `limit_bytes`; what they take then."""
    total: int = db.scalar("SELECT COALESCE(SUM(bytes), 0) FROM thumbnails")
    if total <= limit_bytes:
        return total
    goal = int(limit_bytes * _EVICT_TO)
    doomed = []
    for row, size in db.execute_sql("SELECT id, bytes FROM thumbnails ORDER BY used_at, id"):
        if total <= goal:
            break
        doomed.append(row)
        total -= size
    drop(db, doomed)
    return total


def outline(db: LibraryDatabase) -> tuple[int, int, int, int | None]:
    """How many pictures, how many failures, the pictures' bytes, the oldest use."""
    row = db.one(
        "SELECT COUNT(*) FILTER (WHERE kind <> ''), COUNT(*) FILTER (WHERE kind = ''), "
        "COALESCE(SUM(bytes), 0), MIN(used_at) FROM thumbnails"
    )
    return (0, 0, 0, None) if row is None else (row[0], row[1], row[2], row[3])


def contents(db: LibraryDatabase, after: int, limit: int) -> list[tuple[int, str, int, int, str]]:
    """A page of rows for cleaning: id, path, size, mtime_ns, kind."""
    return [
        (row, from_stored(path), size, mtime_ns, kind)
        for row, path, size, mtime_ns, kind in db.all(
            "SELECT id, path, size, mtime_ns, kind FROM thumbnails WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
    ]


def delete_all(db: LibraryDatabase) -> int:
    """Remove everything; how many rows there were."""
    count: int = db.scalar("SELECT COUNT(*) FROM thumbnails")
    db.execute_sql("DELETE FROM thumbnails")
    return count


def compact(db: LibraryDatabase) -> None:
    """Give free pages back to the file system. For `schedule_exclusive`."""
    db.execute_sql("VACUUM")


def _identity(key: ThumbnailKey) -> tuple[str, int, str, str, int]:
    return (to_stored(key.path), key.frame, to_stored(key.layer), to_stored(key.look), key.target)


def _digest(picture: bytes) -> int:
    """xxh3-64 as SQLite's signed integer."""
    return xxhash.xxh3_64_intdigest(picture) - (1 << 63)
