"""Assets written in bulk: what an import and its enrichers found (spec: ingest I11-I16).

Each function is part of a unit of work; none commits. States come from `core.lifecycle` alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui.core.health import DAMAGED
from kassettui.core.lifecycle import Standing, State, created, updated
from kassettui.core.text import to_stored
from kassettui.library import engine, stamps
from kassettui.library.events import MANY, AssetsChanged, announce, some
from kassettui.library.models import AssetRow, json_text
from kassettui.library.staging import staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kassettui.core.items import Item
    from kassettui.library.engine import LibraryDatabase

FACTS: Final = frozenset(
    {
        "hole_count", "expected_ranges", "health", "health_level", "health_at", "health_counts",
        "health_frames", "damaged_count", "width", "height", "pixel_aspect", "channels", "pixel_type",
        "compression", "colour_space", "fps", "timecode", "duration_ms", "video_codec", "audio_codec",
        "container", "metadata", "content_hash", "verified_at", "enricher_checksum", "last_error",
    }
)  # fmt: skip
"""The columns that `write_facts` may write: what is learned by looking into files."""


class Found(NamedTuple):
    """An item as it is to be written: a new row, or `asset_id`'s. `content_hash` where it was computed."""

    item: Item
    asset_id: int | None = None
    content_hash: str | None = None


# What discovery says of an item, in the order of the staging table.
_ITEM: Final = (
    "canonical_key", "kind", "name", "extension", "path", "size", "mtime_ns", "version_number", "layout_id",
    "frame_first", "frame_last", "frame_count", "frame_step", "frame_padding", "frame_ranges", "hole_count",
    "sequence_pattern", "content_signature",
)  # fmt: skip
# What a key alone decides; it changes only when the collection's root or layout did.
_PLACED: Final = ("kind", "name", "extension", "path", "version_number", "layout_id")
_MEASURED: Final = tuple(name for name in _ITEM if name not in ("canonical_key", *_PLACED))
# What the frames' health and the content's hash say: it holds as long as the content does.
_CONTENT: Final = ("health", "health_counts", "damaged_count", "content_hash")
_STAGED: Final = ("asset_id", "uuid", *_ITEM, *_CONTENT)

_NEW: Final = created()
_INSERT: Final = (
    f"INSERT INTO assets (uuid, collection_uuid, {', '.join(_ITEM + _CONTENT)}, health_level, health_at, "
    "state, approved_for_broadcast, discovered_at, created_at, updated_at) "
    f"SELECT uuid, ?1, {', '.join(_ITEM + _CONTENT)}, CASE WHEN health IS NOT NULL THEN 0 END, "
    f"CASE WHEN health IS NOT NULL THEN ?2 END, '{_NEW.state}', {_NEW.approved:d}, ?2, ?2, ?2 "
    "FROM temp.staged ORDER BY temp.staged.rowid"
)

# I11 as a statement: the lifecycle says what becomes of each state.
_STATE_AFTER_UPDATE: Final = (
    "CASE assets.state "
    + " ".join(f"WHEN '{state}' THEN '{updated(Standing(state)).state}'" for state in State)
    + " END"
)
_CHANGED: Final = "assets.content_signature IS NOT s.content_signature"
_UPDATE: Final = (
    f"UPDATE assets SET {', '.join(f'{name} = s.{name}' for name in _MEASURED)}, "
    f"health = CASE WHEN {_CHANGED} THEN s.health ELSE assets.health END, "
    f"health_counts = CASE WHEN {_CHANGED} THEN s.health_counts ELSE assets.health_counts END, "
    f"health_level = CASE WHEN {_CHANGED} THEN CASE WHEN s.health IS NOT NULL THEN 0 END "
    "ELSE assets.health_level END, "
    f"health_at = CASE WHEN {_CHANGED} THEN CASE WHEN s.health IS NOT NULL THEN ?1 END "
    "ELSE assets.health_at END, "
    f"health_frames = CASE WHEN {_CHANGED} THEN NULL ELSE assets.health_frames END, "
    f"damaged_count = CASE WHEN {_CHANGED} THEN s.damaged_count ELSE assets.damaged_count END, "
    f"verified_at = CASE WHEN {_CHANGED} THEN NULL ELSE assets.verified_at END, "
    f"content_hash = CASE WHEN s.content_hash IS NOT NULL OR {_CHANGED} THEN s.content_hash "
    "ELSE assets.content_hash END, "
    f"state = {_STATE_AFTER_UPDATE}, approved_for_broadcast = 0, missing_since = NULL, moved_to = NULL, "
    "last_error = NULL, enricher_checksum = NULL, updated_at = ?1 FROM temp.staged s "
    "WHERE assets.id = s.asset_id"
)
_FORGET_ENRICHMENTS: Final = (
    "DELETE FROM asset_enrichments WHERE asset_id IN (SELECT s.asset_id FROM temp.staged s "
    f"JOIN assets ON assets.id = s.asset_id WHERE {_CHANGED})"
)
# What a skipped item may teach its row (found again, touched, no longer growing): the asset stays as it is.
_REFRESH: Final = (
    f"UPDATE assets SET {', '.join(f'{name} = s.{name}' for name in _MEASURED)}, "
    "health = CASE WHEN coalesce(assets.health_level, 0) = 0 OR assets.health = 'growing' THEN s.health "
    "ELSE assets.health END, "
    "health_counts = CASE WHEN coalesce(assets.health_level, 0) = 0 THEN s.health_counts "
    "ELSE assets.health_counts END, "
    "damaged_count = CASE WHEN coalesce(assets.health_level, 0) = 0 THEN s.damaged_count "
    "ELSE assets.damaged_count END, "
    "content_hash = coalesce(s.content_hash, assets.content_hash), missing_since = NULL, moved_to = NULL "
    "FROM temp.staged s WHERE assets.id = s.asset_id"
)
# Apart from the rest: naming an indexed column rewrites its index, changed or not.
_PLACE: Final = (
    f"UPDATE assets SET {', '.join(f'{name} = s.{name}' for name in _PLACED)} FROM temp.staged s "
    "WHERE assets.id = s.asset_id AND (assets.path <> s.path OR assets.layout_id IS NOT s.layout_id "
    "OR assets.kind <> s.kind)"
)
_MOVE: Final = (
    f"UPDATE assets SET {', '.join(f'{name} = s.{name}' for name in _ITEM if name != 'content_signature')}, "
    "missing_since = NULL, moved_to = NULL, updated_at = ?1 FROM temp.staged s WHERE assets.id = s.asset_id"
)
# Keys may change places (a ↔ b): all step aside before any takes its new one.
_STEP_ASIDE: Final = (
    "UPDATE assets SET canonical_key = '\x1bmoving:' || id WHERE id IN (SELECT asset_id FROM temp.staged)"
)
_LEAVE_PATTERN: Final = (
    "UPDATE asset_folders SET sequence_pattern = NULL WHERE asset_id IN (SELECT asset_id FROM temp.staged)"
)
_FOLLOW_PATTERN: Final = (
    "UPDATE asset_folders SET sequence_pattern = s.pattern_path FROM (SELECT asset_id, "
    "CASE WHEN kind = 'sequence' THEN path END AS pattern_path FROM temp.staged) s "
    "WHERE asset_folders.asset_id = s.asset_id"
)


def create_many(
    db: LibraryDatabase, collection_uuid: str, founds: Iterable[Found], *, now: int | None = None
) -> list[str]:
    """New assets, in the order given; returns their uuids. State new, approved by nobody (I12).

    Raises ConstraintViolated when a key is known already: that is a bug of who planned it (I7).
    """
    time = stamps.now() if now is None else now
    before: int = db.scalar("SELECT coalesce(max(id), 0) FROM assets")
    uuids: list[str] = []
    for _ in staged(db, _STAGED, _rows(db, founds, uuids)):
        db.execute_sql(_INSERT, (collection_uuid, time))
    if uuids:
        rows = db.all("SELECT id FROM assets WHERE id > ? LIMIT ?", (before, MANY + 1))
        announce(db, AssetsChanged(some(row[0] for row in rows)))
    return uuids


def update_many(db: LibraryDatabase, founds: Iterable[Found], *, now: int | None = None) -> int:
    """Known assets whose content or enrichers changed: new again, approval gone (I11). Returns how many.

    What was learned from content that has changed (health, hash, finished enrichers) is forgotten; the rest
    stays until it is learned anew.
    """
    time = stamps.now() if now is None else now
    return _change(db, founds, (_FORGET_ENRICHMENTS, ()), (_UPDATE, (time,)), (_PLACE, ()))


def refresh_many(db: LibraryDatabase, founds: Iterable[Found]) -> int:
    """Skipped assets of which the row learns something small, without becoming new again.

    Returns how many.
    """
    return _change(db, founds, (_REFRESH, ()), (_PLACE, ()))


def move_many(db: LibraryDatabase, founds: Iterable[Found], *, now: int | None = None) -> int:
    """Assets that now have another key and path; everything that hangs on them stays (I15). Returns how many.

    Give all moves of a run at once: keys may change places. What changed as well is updated afterwards.
    """
    time = stamps.now() if now is None else now
    moves = list(founds)
    for _ in staged(db, ("asset_id",), ((move.asset_id,) for move in moves)):
        db.execute_sql(_STEP_ASIDE)
        db.execute_sql(_LEAVE_PATTERN)
    return _change(db, moves, (_MOVE, (time,)), (_FOLLOW_PATTERN, ()))


def mark_missing(db: LibraryDatabase, ids: Iterable[int], *, now: int | None = None) -> int:
    """Assets that were not found.

    Missing since now, unless they were before (I14). Returns how many are new.
    """
    time = stamps.now() if now is None else now
    changed: list[int] = []
    for _ in staged(db, ("asset_id",), ((id_,) for id_ in ids)):
        rows = db.execute_sql(
            "UPDATE assets SET missing_since = ? WHERE id IN (SELECT asset_id FROM temp.staged) "
            "AND missing_since IS NULL RETURNING id",
            (time,),
        )
        changed += [row[0] for row in rows]
    if changed:
        announce(db, AssetsChanged(some(changed)))
    return len(changed)


def set_standings(
    db: LibraryDatabase, standings: Iterable[tuple[int, Standing]], *, now: int | None = None
) -> None:
    """States and approvals as the lifecycle decided them, by asset id."""
    time = stamps.now() if now is None else now
    changed: list[int] = []
    rows = ((id_, str(standing.state), int(standing.approved)) for id_, standing in standings)
    for _ in staged(db, ("asset_id", "state", "approved"), rows):
        done = db.execute_sql(
            "UPDATE assets SET state = s.state, approved_for_broadcast = s.approved, updated_at = ? "
            "FROM temp.staged s WHERE assets.id = s.asset_id RETURNING assets.id",
            (time,),
        )
        changed += [row[0] for row in done]
    if changed:
        announce(db, AssetsChanged(some(changed)))


def write_facts(db: LibraryDatabase, facts: Iterable[tuple[int, Mapping[str, object]]]) -> None:
    """What enrichers learned, by asset id: columns of FACTS and their values in memory form.

    Raises ValueError for a column that is not among them.
    """
    groups: defaultdict[tuple[str, ...], list[tuple[object, ...]]] = defaultdict(list)
    ids: list[int] = []
    for id_, values in facts:
        columns = tuple(sorted(values))
        if not FACTS.issuperset(columns):
            raise ValueError(f"No facts: {sorted(set(columns) - FACTS)}")
        if columns:
            ids.append(id_)
            groups[columns].append((id_, *(_stored(name, values[name]) for name in columns)))
    for columns, rows in groups.items():
        setting = ", ".join(f"{name} = s.{name}" for name in columns)
        for _ in staged(db, ("asset_id", *columns), rows):
            db.execute_sql(f"UPDATE assets SET {setting} FROM temp.staged s WHERE assets.id = s.asset_id")
    if ids:
        announce(db, AssetsChanged(some(ids)))


def _stored(column: str, value: object) -> object:
    return getattr(AssetRow, column).db_value(value)


def _change(db: LibraryDatabase, founds: Iterable[Found], *statements: tuple[str, Sequence[object]]) -> int:
    ids: list[int] = []
    for _ in staged(db, _STAGED, _rows(db, _noting(founds, ids), None)):
        for sql, parameters in statements:
            db.execute_sql(sql, parameters)
    if ids:
        announce(db, AssetsChanged(some(ids)))
    return len(ids)


def _noting(founds: Iterable[Found], ids: list[int]) -> Iterator[Found]:
    for found in founds:
        if found.asset_id is None:
            raise ValueError(f"{found.item.key!r} has no asset to change")
        ids.append(found.asset_id)
        yield found


def _rows(
    db: LibraryDatabase, founds: Iterable[Found], uuids: list[str] | None
) -> Iterator[tuple[object, ...]]:
    """Rows of the staging table. New assets get uuids, which are appended to `uuids`."""
    layouts = Layouts(db)
    fresh: list[str] = []
    for found in founds:
        item = found.item
        ranges = item.frame_ranges
        uuid = None
        if uuids is not None:
            if not fresh:
                fresh = stamps.new_uuids(1_000)
            uuid = fresh.pop()
            uuids.append(uuid)
        numbers: tuple[Any, ...] = (None,) * 6
        if ranges is not None:
            numbers = (ranges.first, ranges.last, ranges.count, ranges.step, item.frame_padding, ranges.text)
        yield (
            found.asset_id,
            uuid,
            to_stored(item.key),
            str(item.kind),
            to_stored(item.name),
            to_stored(item.extension),
            to_stored(item.path),
            item.size,
            item.mtime_ns,
            item.version_number,
            layouts.id_of(item.layout) if item.layout else None,
            *numbers,
            item.hole_count if ranges is not None else None,
            None if item.sequence_pattern is None else to_stored(item.sequence_pattern),
            item.signature,
            item.health,
            json_text(dict(item.health_counts)) if item.health_counts else None,
            sum(item.health_counts.get(state, 0) for state in DAMAGED) if item.health_counts else None,
            found.content_hash,
        )


class Layouts:
    """The ids of sets of layout fields, each made when it is first met. Good for one unit of work."""

    def __init__(self, db: LibraryDatabase) -> None:
        self._db = db
        self._ids: dict[tuple[tuple[str, str], ...], int] = {}

    def id_of(self, fields: Mapping[str, str]) -> int:
        """The row id of this set of fields (values in memory form)."""
        key = tuple(fields.items())
        found = self._ids.get(key)
        if found is None:
            text = json_text(dict(fields))
            found = self._db.scalar("SELECT id FROM layouts WHERE fields = ?", (text,))
            if found is None:
                found = self._make(text, fields)
            self._ids[key] = found
        return found

    def _make(self, text: str, fields: Mapping[str, str]) -> int:
        self._db.execute_sql("INSERT INTO layouts (fields) VALUES (?)", (text,))
        made = self._db.raw.last_insert_rowid()
        engine.executemany(
            self._db,
            "INSERT INTO layout_values (field, value, layout_id) VALUES (?, ?, ?)",
            [(field, to_stored(value), made) for field, value in fields.items()],
        )
        return made
