"""The journal: file jobs with every step's plan and outcome, and the undo stack (spec: files F12, F16).

Functions with the database first. What the steps mean is `files/`'s business; here they are rows. Changes of
rows alone (a tag, a rating) are entries of the same journal: `changes` makes and reverts them.

An entry with `undo_of` is an undo. Undoing an undo is a redo: an entry of its own without `undo_of`, which
the undo stack shows again. Whichever it reverts, it says so in its request's `reverts`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import Ambiguous, NotFound, Refused
from kassettui.core.text import from_stored, to_stored
from kassettui.library.engine import executemany
from kassettui.library.events import JobsChanged, announce
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase

KEPT: Final = 1_000
"""Finished jobs that are kept; older ones go with their steps."""

_COLUMNS: Final = (
    "id, uuid, kind, title, state, request, host, pid, items_total, bytes_total, items_done, bytes_done, "
    "warnings, error, undoable, undo_of, undone_at, queued_at, started_at, finished_at"
)
_STEP_COLUMNS: Final = (
    "number, kind, state, source, destination, temporary, bytes, size, mtime_ns, content_hash, before, error"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One job, or one change of rows. Times are microseconds since the epoch, UTC."""

    id: int
    uuid: str
    kind: str
    title: str
    state: str
    request: Mapping[str, Any]
    host: str | None = None
    pid: int | None = None
    items_total: int | None = None
    bytes_total: int | None = None
    items_done: int = 0
    bytes_done: int = 0
    warnings: tuple[str, ...] = ()
    error: str | None = None
    undoable: bool = False
    undo_of: int | None = None
    undone_at: int | None = None
    queued_at: int = 0
    started_at: int | None = None
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as the journal keeps it. `size` (bytes), `mtime_ns` and `content_hash` are of what it made."""

    number: int
    kind: str
    state: str = "pending"
    source: str | None = None
    destination: str | None = None
    temporary: str | None = None
    bytes: int | None = None
    size: int | None = None
    mtime_ns: int | None = None
    content_hash: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A job about to begin."""

    uuid: str
    kind: str
    title: str
    request: Mapping[str, Any]
    host: str
    pid: int
    items_total: int
    bytes_total: int
    undo_of: int | None = None


# -- jobs ---------------------------------------------------------------------------------------------------


def begin(db: LibraryDatabase, entry: NewEntry, steps: Iterable[StepRow], at: int) -> int:
    """Write down a job and its steps before anything is done; its id."""
    db.execute_sql(
        "INSERT INTO journal (uuid, kind, title, state, request, host, pid, items_total, bytes_total, "
        "undo_of, queued_at, started_at) VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.uuid,
            entry.kind,
            to_stored(entry.title),
            json_text(dict(entry.request)),
            entry.host,
            entry.pid,
            entry.items_total,
            entry.bytes_total,
            entry.undo_of,
            at,
            at,
        ),
    )
    job: int = db.scalar("SELECT last_insert_rowid()")
    add_steps(db, job, steps)
    announce(db, JobsChanged((entry.uuid,)))
    return job


def again(db: LibraryDatabase, job: int, host: str, pid: int, process: Mapping[str, Any], at: int) -> None:
    """An ended job goes on, in another process perhaps. Raises Refused when somebody else has taken it up."""
    request = {**entry(db, job).request, "process": dict(process)}
    db.execute_sql(
        "UPDATE journal SET state = 'running', host = ?, pid = ?, request = ?, finished_at = NULL, "
        "error = NULL, started_at = ? WHERE id = ? AND finished_at IS NOT NULL",
        (host, pid, json_text(request), at, job),
    )
    if db.changes() != 1:
        raise Refused("This job is at work already.")
    _tell(db, job)


def add_steps(db: LibraryDatabase, job: int, steps: Iterable[StepRow]) -> None:
    """More steps of a job."""
    executemany(
        db,
        f"INSERT INTO journal_steps (job_id, {_STEP_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                job,
                step.number,
                step.kind,
                step.state,
                _stored(step.source),
                _stored(step.destination),
                _stored(step.temporary),
                step.bytes,
                step.size,
                step.mtime_ns,
                step.content_hash,
                json_text(dict(step.before)) if step.before else None,
                _stored(step.error),
            )
            for step in steps
        ),
    )


def record(
    db: LibraryDatabase, job: int, steps: Sequence[StepRow], done: int, done_bytes: int, at: int
) -> None:
    """How steps ended: all but their number, kind, source and bytes is written anew."""
    executemany(
        db,
        "UPDATE journal_steps SET state = ?, destination = coalesce(?, destination), size = ?, mtime_ns = ?, "
        "content_hash = ?, before = ?, error = ?, finished_at = ? "
        "WHERE job_id = ? AND number = ?",
        (
            (
                step.state,
                _stored(step.destination),
                step.size,
                step.mtime_ns,
                step.content_hash,
                json_text(dict(step.before)) if step.before else None,
                _stored(step.error),
                at,
                job,
                step.number,
            )
            for step in steps
        ),
    )
    db.execute_sql("UPDATE journal SET items_done = ?, bytes_done = ? WHERE id = ?", (done, done_bytes, job))


def end(
    db: LibraryDatabase,
    job: int,
    state: str,
    *,
    undoable: bool,
    error: str | None = None,
    warnings: Sequence[str] = (),
    at: int,
) -> None:
    """A job ended, as `state`. What a complete one reverts counts as undone from now on."""
    db.execute_sql(
        "UPDATE journal SET state = ?, undoable = ?, error = ?, warnings = ?, finished_at = ? WHERE id = ?",
        (state, int(undoable), _stored(error), json_text(list(warnings)), at, job),
    )
    if state in {"done", "done_with_warnings"}:
        db.execute_sql(
            "UPDATE journal SET undone_at = ? "
            "WHERE id = (SELECT json_extract(request, '$.reverts') FROM journal WHERE id = ?)",
            (at, job),
        )
    forget_old(db)
    _tell(db, job)


def forget_old(db: LibraryDatabase) -> None:
    """Let finished entries go that are older than the newest `KEPT`."""
    db.execute_sql(
        "DELETE FROM journal WHERE finished_at IS NOT NULL AND id <= "
        "(SELECT id FROM journal WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (KEPT,),
    )


def forget(db: LibraryDatabase, job: int) -> None:
    """Remove a job and its steps."""
    _tell(db, job)
    db.execute_sql("DELETE FROM journal WHERE id = ?", (job,))


# -- looking ------------------------------------------------------------------------------------------------


def jobs(db: LibraryDatabase, limit: int) -> list[Entry]:
    """Jobs, newest first; changes of rows, which have no process, are not among them."""
    return [
        _entry(row)
        for row in db.all(
            f"SELECT {_COLUMNS} FROM journal WHERE pid IS NOT NULL ORDER BY id DESC LIMIT ?", (limit,)
        )
    ]


def entries(db: LibraryDatabase, limit: int = 100, *, unfinished: bool = False) -> list[Entry]:
    """Jobs and changes, newest first; only those that have not ended, if `unfinished`."""
    where = "WHERE finished_at IS NULL" if unfinished else ""
    return [
        _entry(row)
        for row in db.all(f"SELECT {_COLUMNS} FROM journal {where} ORDER BY id DESC LIMIT ?", (limit,))
    ]


def entry(db: LibraryDatabase, job: int) -> Entry:
    """One job by its id. Raises NotFound."""
    row = db.one(f"SELECT {_COLUMNS} FROM journal WHERE id = ?", (job,))
    if row is None:
        raise NotFound(f"There is no job {job} in the journal.")
    return _entry(row)


def find(db: LibraryDatabase, text: str) -> Entry:
    """One job by its uuid or a unique prefix of it. Raises NotFound, Ambiguous."""
    rows = db.all(
        f"SELECT {_COLUMNS} FROM journal WHERE substr(uuid, 1, ?) = ? ORDER BY id DESC LIMIT 2",
        (len(text), text),
    )
    if not text or not rows:
        raise NotFound(f"There is no job {text!r} in the journal.", remedy="kassettui jobs lists them.")
    if len(rows) > 1 and rows[0][1] != text:
        raise Ambiguous(f"Several jobs begin with {text!r}.", remedy="Give more of the id.")
    return _entry(rows[0])


def steps(db: LibraryDatabase, job: int, states: Sequence[str] = ()) -> list[StepRow]:
    """The steps of a job, in order; only those in `states`, if any are given."""
    marks = ", ".join("?" * len(states))
    only = f"AND state IN ({marks})" if states else ""
    rows = db.all(
        f"SELECT {_STEP_COLUMNS} FROM journal_steps WHERE job_id = ? {only} ORDER BY number", (job, *states)
    )
    return [_step(row) for row in rows]


def step_counts(db: LibraryDatabase, job: int) -> dict[str, int]:
    """How many steps of a job stand in each state."""
    return dict(db.all("SELECT state, count(*) FROM journal_steps WHERE job_id = ? GROUP BY state", (job,)))


def undo_stack(db: LibraryDatabase, limit: int = 50) -> list[Entry]:
    """What `undo` would undo, newest first: jobs and changes that stand and are no undo themselves."""
    return [
        _entry(row)
        for row in db.all(
            f"SELECT {_COLUMNS} FROM journal WHERE undoable = 1 AND undone_at IS NULL AND undo_of IS NULL "
            "ORDER BY finished_at DESC, id DESC LIMIT ?",
            (limit,),
        )
    ]


def redo_stack(db: LibraryDatabase, limit: int = 50) -> list[Entry]:
    """What `redo` would redo, newest first: undone with nothing new done since."""
    return [
        _entry(row)
        for row in db.all(
            f"SELECT {_COLUMNS} FROM journal "
            "WHERE undoable = 1 AND undone_at IS NULL AND undo_of IS NOT NULL "
            "AND id > coalesce((SELECT max(id) FROM journal WHERE undo_of IS NULL "
            "AND json_extract(request, '$.reverts') IS NULL), 0) "
            "ORDER BY finished_at DESC, id DESC LIMIT ?",
            (limit,),
        )
    ]


def fallback_trashes(db: LibraryDatabase) -> list[str]:
    """Trash directories of ours outside the volumes' own places that jobs have used."""
    stored = db.all("SELECT value FROM settings WHERE key = 'fallback_trashes'")
    found: list[str] = json.loads(stored[0][0]) if stored else []
    return found


def remember_fallback_trash(db: LibraryDatabase, root: str, at: int) -> None:
    """Note such a directory, so that `trash list` looks there."""
    known = fallback_trashes(db)
    if root not in known:
        db.execute_sql(
            "INSERT INTO settings (key, value, updated_at) VALUES ('fallback_trashes', ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            (json_text([*known, root]), at),
        )


# -- inside -------------------------------------------------------------------------------------------------


def _tell(db: LibraryDatabase, job: int) -> None:
    announce(
        db, JobsChanged(tuple(uuid for (uuid,) in db.all("SELECT uuid FROM journal WHERE id = ?", (job,))))
    )


def _stored(text: str | None) -> str | None:
    return None if text is None else to_stored(text)


def _restored(text: str | None) -> str | None:
    return None if text is None else from_stored(text)


def _entry(row: Sequence[Any]) -> Entry:
    values: Iterator[Any] = iter(row)
    return Entry(
        id=next(values),
        uuid=next(values),
        kind=next(values),
        title=from_stored(next(values)),
        state=next(values),
        request=json.loads(next(values)),
        host=next(values),
        pid=next(values),
        items_total=next(values),
        bytes_total=next(values),
        items_done=next(values),
        bytes_done=next(values),
        warnings=tuple(json.loads(next(values))),
        error=_restored(next(values)),
        undoable=bool(next(values)),
        undo_of=next(values),
        undone_at=next(values),
        queued_at=next(values),
        started_at=next(values),
        finished_at=next(values),
    )


def _step(row: Sequence[Any]) -> StepRow:
    number, kind, state, source, destination, temporary, size_in, size, mtime_ns, digest, before, error = row
    return StepRow(
        number,
        kind,
        state,
        _restored(source),
        _restored(destination),
        _restored(temporary),
        size_in,
        size,
        mtime_ns,
        digest,
        json.loads(before) if before else {},
        _restored(error),
    )
