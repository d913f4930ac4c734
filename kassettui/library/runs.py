"""The repository of runs.

What each ingest did, and why (spec: ingest I17, I23, I28). Decisions are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui import __version__
from kassettui.core.errors import Ambiguous, NotFound
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import engine, stamps
from kassettui.library.events import RunFinished, announce
from kassettui.library.models import RunRow, json_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kassettui.library.engine import LibraryDatabase

DECISIONS_PER_RUN: Final = 20_000
DECISIONS_KEPT: Final = 500_000
RUNS_KEPT: Final = 1_000

COUNTS: Final = (
    "discovered",
    "ingested",
    "updated",
    "moved",
    "skipped",
    "duplicates_prevented",
    "missing",
    "errors",
    "bytes",
    "frames",
)
"""The names of a run's counts, as in I27."""


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest of one collection or a scope of it. Times in µs since the epoch."""

    uuid: str
    kind: str
    collection_uuid: str | None
    collection_name: str
    scope: Mapping[str, Any] = field(hash=False)
    arguments: Mapping[str, Any] = field(hash=False)
    status: str
    code: str | None
    message: str | None
    program_version: str
    started_at: int
    finished_at: int | None
    counts: Mapping[str, int] = field(hash=False)
    reasons: Mapping[str, int] = field(hash=False)


class RunDecision(NamedTuple):
    """What a run did with one item.

    `decision` and `reason` as in core.decisions; `asset_id` where there is a row.
    """

    canonical_key: str
    decision: str
    reason: str
    asset_id: int | None = None
    detail: str | None = None


class AssetDecision(NamedTuple):
    """A decision about an asset, with the run that took it. `time` in µs since the epoch."""

    run_uuid: str
    time: int
    decision: str
    reason: str
    detail: str | None


_COLUMNS: Final = (
    "uuid, kind, collection_uuid, collection_name, scope, arguments, status, code, message, program_version, "
    f"started_at, finished_at, reasons, {', '.join(COUNTS)}"
)


def record(
    db: LibraryDatabase,
    *,
    uuid: str,
    collection_uuid: str,
    collection_name: str,
    status: str,
    started_at: int,
    counts: Mapping[str, int],
    kind: str = "import",
    scope: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    code: str | None = None,
    message: str | None = None,
    reasons: Mapping[str, int] | None = None,
    decisions: Iterable[RunDecision] = (),
) -> None:
    """A run that ended now, in one row, with its first DECISIONS_PER_RUN decisions.

    In the apply's own transaction for a run that succeeded, so that a failing COMMIT leaves none (I18).
    """
    row = {
        "uuid": uuid,
        "kind": kind,
        "collection_uuid": collection_uuid,
        "collection_name": to_stored(collection_name),
        "scope": dict(scope or {}),
        "arguments": dict(arguments or {}),
        "status": status,
        "code": code,
        "message": message,
        "program_version": __version__,
        "started_at": started_at,
        "finished_at": stamps.now(),
        "reasons": dict(reasons or {}),
        **{name: counts.get(name, 0) for name in COUNTS},
    }
    run_id = RunRow.insert(row).bind(db).execute()
    add_decisions(db, run_id, decisions)
    trim(db)
    announce(db, RunFinished(uuid, collection_uuid, status))


def add_decisions(db: LibraryDatabase, run_id: int, decisions: Iterable[RunDecision]) -> None:
    """Keep decisions of a run, up to its bound. `asset_id` None is looked up by the key."""
    engine.executemany(
        db,
        "INSERT INTO run_decisions (run_id, asset_id, canonical_key, decision, reason, detail) "
        "VALUES (?1, coalesce(?2, (SELECT a.id FROM assets a "
        "JOIN runs r ON r.collection_uuid = a.collection_uuid "
        "WHERE r.id = ?1 AND a.canonical_key = ?3)), ?3, ?4, ?5, ?6)",
        (
            (
                run_id,
                one.asset_id,
                to_stored(one.canonical_key),
                str(one.decision),
                str(one.reason),
                None if one.detail is None else to_stored(one.detail),
            )
            for one in islice(decisions, DECISIONS_PER_RUN)
        ),
    )


def trim(db: LibraryDatabase) -> None:
    """Forget the oldest runs and decisions beyond their bounds."""
    db.execute_sql(
        "DELETE FROM runs WHERE id <= (SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?)", (RUNS_KEPT,)
    )
    newest = db.scalar("SELECT max(id) FROM run_decisions")
    if newest is not None:
        db.execute_sql("DELETE FROM run_decisions WHERE id <= ?", (newest - DECISIONS_KEPT,))


def find(db: LibraryDatabase, selector: str) -> Run:
    """The run of this uuid or the start of it (4 characters or more). Raises NotFound, Ambiguous."""
    start = selector.lower()
    rows = (
        db.all(f"SELECT {_COLUMNS} FROM runs WHERE uuid >= ? AND uuid < ? LIMIT 2", (start, start + "g"))
        if len(start) >= 4
        else []
    )
    if not rows:
        raise NotFound(f"There is no run {safe(selector)}.", remedy="See them with: kassettui runs")
    if len(rows) > 1:
        raise Ambiguous(f"More than one run begins with {safe(selector)}.", remedy="Give more of its id.")
    return _run(rows[0])


def latest(db: LibraryDatabase, *, collection_uuid: str | None = None, limit: int = 20) -> list[Run]:
    """The newest runs first, of one collection or of all."""
    where, values = ("collection_uuid = ?", (collection_uuid,)) if collection_uuid is not None else ("1", ())
    rows = db.all(
        f"SELECT {_COLUMNS} FROM runs WHERE {where} ORDER BY started_at DESC, id DESC LIMIT ?",
        (*values, limit),
    )
    return [_run(row) for row in rows]


def decisions_of(db: LibraryDatabase, run_uuid: str, *, limit: int = 200) -> list[RunDecision]:
    """What a run did, in its order, at most `limit` of what was kept."""
    rows = db.all(
        "SELECT d.canonical_key, d.decision, d.reason, d.asset_id, d.detail FROM run_decisions d "
        "JOIN runs r ON r.id = d.run_id WHERE r.uuid = ? ORDER BY d.id LIMIT ?",
        (run_uuid, limit),
    )
    return [RunDecision(from_stored(row[0]), row[1], row[2], row[3], _restored(row[4])) for row in rows]


def decisions_about(db: LibraryDatabase, asset_id: int, *, limit: int = 10) -> list[AssetDecision]:
    """The last decisions about an asset, newest first (I28)."""
    rows = db.all(
        "SELECT r.uuid, r.started_at, d.decision, d.reason, d.detail FROM run_decisions d "
        "JOIN runs r ON r.id = d.run_id WHERE d.asset_id = ? ORDER BY d.id DESC LIMIT ?",
        (asset_id, limit),
    )
    return [AssetDecision(row[0], row[1], row[2], row[3], _restored(row[4])) for row in rows]


def _restored(text: str | None) -> str | None:
    return None if text is None else from_stored(text)


def _run(row: tuple[Any, ...]) -> Run:
    uuid, kind, collection, name, scope, arguments, status, code, message, version, began, ended, reasons = (
        row[:13]
    )
    return Run(
        uuid,
        kind,
        collection,
        from_stored(name),
        json_value(scope),
        json_value(arguments),
        status,
        code,
        _restored(message),
        version,
        began,
        ended,
        dict(zip(COUNTS, row[13:], strict=True)),
        json_value(reasons),
    )
