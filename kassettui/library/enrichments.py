"""Which enrichers have run over which assets, so that `enrich` goes on where a kill left it (spec.

Ingest I24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui.core.lifecycle import State
from kassettui.core.text import from_stored, to_stored
from kassettui.library import stamps
from kassettui.library.models import json_text
from kassettui.library.staging import staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine import LibraryDatabase


class Subject(NamedTuple):
    """An asset that is to be enriched: what an enricher looks at, and what the lifecycle asks about."""

    id: int
    uuid: str
    kind: str
    state: State
    path: str
    name: str
    extension: str
    size: int
    mtime_ns: int | None
    content_signature: str | None
    sequence_pattern: str | None
    frame_ranges: str | None
    frame_padding: int | None
    expected_ranges: str | None
    width: int | None
    height: int | None
    frame_count: int | None
    duration_ms: int | None


_COLUMNS: Final = ", ".join(f"a.{name}" for name in Subject._fields)
_PRESENT: Final = "a.is_deleted = 0 AND a.missing_since IS NULL"
_UNFINISHED: Final = f"a.state IN ('{State.NEW}', '{State.ENRICHING}') AND {_PRESENT}"
# One condition for each state: each is a walk along the states' index, in the order of ids, from any id on.
_BY_STATE: Final = tuple(f"a.state = '{state}' AND {_PRESENT}" for state in (State.NEW, State.ENRICHING))
# Where the ids are given, they are the way in.
_AMONG: Final = _UNFINISHED.replace("a.state", "+a.state")
_LACKING: Final = (
    "NOT EXISTS (SELECT 1 FROM asset_enrichments e WHERE e.asset_id = a.id AND e.enricher = ? "
    "AND e.version = ?)"
)
_UNHASHED: Final = f"a.content_hash IS NULL AND a.state <> '{State.RETIRED}' AND {_PRESENT}"


def unfinished(
    db: LibraryDatabase,
    *,
    collection_uuid: str | None = None,
    ids: Sequence[int] | None = None,
    lacking: tuple[str, str] | None = None,
    checksum: str | None = None,
    prefixes: Sequence[str] | None = None,
    unhashed: bool = False,
    after: int = 0,
    limit: int = 500,
) -> list[Subject]:
    """Assets that are not ready, by id, `limit` at a time after id `after`; missing and deleted ones are
    left out.

    `ids` asks among these alone, `prefixes` among those whose key starts with one of them; `lacking`
    (enricher, version) for those that it has not run over, `checksum` for those whose enrichment never
    ended with it. `unhashed` asks for what has no content hash instead, ready or not.
    """
    where, parameters = _where(collection_uuid, ids, prefixes)
    where.append("a.id > ?")
    parameters.append(after)
    if lacking is not None:
        where.append(_LACKING)
        parameters += lacking
    if checksum is not None:
        where.append("a.enricher_checksum IS NOT ?")
        parameters.append(checksum)
    ways = (_UNHASHED,) if unhashed else _BY_STATE if ids is None else (_AMONG,)
    selects = (f"SELECT {_COLUMNS} FROM assets a WHERE {' AND '.join((way, *where))}" for way in ways)
    rows = db.all(f"{' UNION ALL '.join(selects)} ORDER BY 1 LIMIT ?", (*parameters * len(ways), limit))
    return [_subject(row) for row in rows]


def count_unfinished(
    db: LibraryDatabase,
    *,
    collection_uuid: str | None = None,
    ids: Sequence[int] | None = None,
    checksum: str | None = None,
    prefixes: Sequence[str] | None = None,
) -> int:
    """How many assets `unfinished` would give in all."""
    where, parameters = _where(collection_uuid, ids, prefixes)
    where.append(_UNFINISHED if ids is None else _AMONG)
    if checksum is not None:
        where.append("a.enricher_checksum IS NOT ?")
        parameters.append(checksum)
    number: int = db.scalar(f"SELECT count(*) FROM assets a WHERE {' AND '.join(where)}", parameters)
    return number


def _where(
    collection_uuid: str | None, ids: Sequence[int] | None, prefixes: Sequence[str] | None
) -> tuple[list[str], list[Any]]:
    """The conditions, and their values, that narrow a question to a part of the library."""
    where, parameters = list[str](), list[Any]()
    if collection_uuid is not None:
        where.append("+a.collection_uuid = ?")  # no way in: a collection may be all of the library
        parameters.append(collection_uuid)
    if ids is not None:
        where.append("a.id IN (SELECT value FROM json_each(?))")
        parameters.append(json_text(list(ids)))
    if prefixes is not None:
        where.append(f"({' OR '.join(['substr(a.canonical_key, 1, ?) = ?'] * len(prefixes)) or '0'})")
        for prefix in map(to_stored, prefixes):
            parameters += (len(prefix), prefix)
    return where, parameters


def note_done(
    db: LibraryDatabase, enricher: str, version: str, outcomes: Iterable[tuple[int, str | None]]
) -> None:
    """That an enricher has run over assets: pairs of (asset id, error in one line or None)."""
    now = stamps.now()
    rows = ((id_, None if error is None else to_stored(error)) for id_, error in outcomes)
    for _ in staged(db, ("asset_id", "error"), rows):
        db.execute_sql(
            "INSERT INTO asset_enrichments (asset_id, enricher, version, finished_at, error) "
            "SELECT s.asset_id, ?, ?, ?, s.error FROM temp.staged s "
            "JOIN assets a ON a.id = s.asset_id WHERE true ON CONFLICT (asset_id, enricher) "
            "DO UPDATE SET version = excluded.version, finished_at = excluded.finished_at, "
            "error = excluded.error",
            (enricher, version, now),
        )


def versions_of(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Which enrichers have run over these assets' present content: by asset id, enricher → its version."""
    found: dict[int, dict[str, str]] = {}
    for id_, enricher, version in db.execute_sql(
        "SELECT asset_id, enricher, version FROM asset_enrichments "
        "WHERE asset_id IN (SELECT value FROM json_each(?))",
        (json_text(list(asset_ids)),),
    ):
        found.setdefault(id_, {})[enricher] = version
    return found


def errors_of(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, dict[str, str | None]]:
    """What has run over these assets: by asset id, enricher → its error or None."""
    found: dict[int, dict[str, str | None]] = {}
    for id_, enricher, error in db.execute_sql(
        "SELECT asset_id, enricher, error FROM asset_enrichments "
        "WHERE asset_id IN (SELECT value FROM json_each(?)) ORDER BY asset_id, enricher",
        (json_text(list(asset_ids)),),
    ):
        found.setdefault(id_, {})[enricher] = None if error is None else from_stored(error)
    return found


def _subject(row: tuple[Any, ...]) -> Subject:
    values = dict(zip(Subject._fields, row, strict=True))
    values["state"] = State(values["state"])
    for name in ("path", "name", "extension", "sequence_pattern"):
        if values[name] is not None:
            values[name] = from_stored(values[name])
    return Subject(**values)
