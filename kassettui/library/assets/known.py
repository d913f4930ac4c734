"""What an import asks before it plans.

Which items are known, and what their rows say (spec: ingest I10, I15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.text import from_stored, to_stored
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase

_LAST: Final = "\U0010ffff"


class Known(NamedTuple):
    """One asset as a planner first sees it. `missing_since` in µs since the epoch."""

    id: int
    key: str
    signature: str | None
    enricher_checksum: str | None
    missing_since: int | None
    is_deleted: bool
    health: str | None


class Detail(NamedTuple):
    """What a planner compares before it changes a row."""

    id: int
    uuid: str
    key: str
    signature: str | None
    content_hash: str | None
    expected_ranges: str | None


def known(
    db: LibraryDatabase,
    collection_uuid: str,
    prefixes: Sequence[str] = ("",),
    *,
    after: str | None = None,
    limit: int | None = None,
) -> list[Known]:
    """Assets of a collection whose key starts with one of `prefixes`, by key, `limit` at a time after key
    `after`.

    Prefixes must not overlap. Deleted and missing ones are among them.
    """
    found: list[Known] = []
    for prefix in sorted(map(to_stored, prefixes)):
        if limit is not None and len(found) >= limit:
            break
        sql = (
            "SELECT id, canonical_key, content_signature, enricher_checksum, missing_since, is_deleted, "
            "health FROM assets WHERE collection_uuid = ? AND canonical_key >= ? AND canonical_key < ?"
        )
        parameters: list[object] = [collection_uuid, prefix, prefix + _LAST]
        if after is not None:
            sql += " AND canonical_key > ?"
            parameters.append(to_stored(after))
        sql += " ORDER BY canonical_key"
        if limit is not None:
            sql += " LIMIT ?"
            parameters.append(limit - len(found))
        found += [
            Known(id_, from_stored(key), signature, checksum, missing, bool(deleted), health)
            for id_, key, signature, checksum, missing, deleted, health in db.execute_sql(sql, parameters)
        ]
    return found


def lost(db: LibraryDatabase, collection_uuid: str) -> list[Known]:
    """The assets of a collection that are missing and not deleted.

    What a new item may turn out to be (I15).
    """
    rows = db.execute_sql(
        "SELECT id, canonical_key, content_signature, enricher_checksum, missing_since, is_deleted, health "
        "FROM assets WHERE missing_since IS NOT NULL AND is_deleted = 0 AND collection_uuid = ?",
        (collection_uuid,),
    )
    return [
        Known(id_, from_stored(key), signature, checksum, missing, bool(deleted), health)
        for id_, key, signature, checksum, missing, deleted, health in rows
    ]


def any_living(db: LibraryDatabase, collection_uuid: str) -> bool:
    """Whether the collection has an asset that is neither missing nor deleted."""
    found = db.scalar(
        "SELECT 1 FROM assets WHERE collection_uuid = ? AND missing_since IS NULL AND is_deleted = 0 LIMIT 1",
        (collection_uuid,),
    )
    return found is not None


def ids_of(db: LibraryDatabase, uuids: Sequence[str]) -> dict[str, int]:
    """The row ids of these uuids, in one query; those that are not there are left out."""
    rows = db.all(
        "SELECT uuid, id FROM assets WHERE uuid IN (SELECT value FROM json_each(?))",
        (json_text(list(uuids)),),
    )
    return dict(rows)


def details(db: LibraryDatabase, ids: Sequence[int]) -> dict[int, Detail]:
    """The rows of these ids, in one query; those that are gone are left out."""
    rows = db.all(
        "SELECT id, uuid, canonical_key, content_signature, content_hash, expected_ranges FROM assets "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (json_text(list(ids)),),
    )
    return {row[0]: Detail(row[0], row[1], from_stored(row[2]), *row[3:]) for row in rows}
