"""Titles and descriptions of assets, and of paths that are none (spec: library L6).

What is typed is saved as it is typed: `NoteBuffer` collects edits and writes them together a moment after the
last one, and all that is left when it is closed. Nothing that is loaded is written back.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from kassettui.core.errors import InvalidInput, KassettuiError
from kassettui.core.text import from_stored, to_stored
from kassettui.library import engine, stamps
from kassettui.library.changes import RowChange, record_changes
from kassettui.library.curation import counted, require_assets
from kassettui.library.events import AssetsChanged, NotesChanged, announce, some
from kassettui.library.models import json_text
from kassettui.library.staging import staged
from kassettui.library.work import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase

MAX_TITLE: Final = 500
MAX_DESCRIPTION: Final = 100_000
DEBOUNCE: Final = 0.8
"""Seconds after the last key until what was typed is written."""
LONGEST: Final = 5.0
"""Seconds after which it is written however fast somebody types."""


@dataclass(frozen=True, slots=True)
class Note:
    """A title and a description; both may be empty."""

    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What changes of a note; None leaves it as it is."""

    title: str | None = None
    description: str | None = None

    def checked(self) -> Edit:
        """Itself. Raises InvalidInput when it is too long or holds NUL."""
        for text, limit, what in (
            (self.title, MAX_TITLE, "title"),
            (self.description, MAX_DESCRIPTION, "description"),
        ):
            if text is not None and len(text) > limit:
                raise InvalidInput(f"A {what} may have {limit:,} characters; this one has {len(text):,}.")
            if text is not None and "\0" in text:
                raise InvalidInput(f"A {what} cannot hold a NUL character.")
        if self.title is not None and "\n" in self.title:
            return Edit(" ".join(self.title.split("\n")), self.description)
        return self

    def over(self, earlier: Edit) -> Edit:
        """This edit on top of an earlier one."""
        return Edit(
            earlier.title if self.title is None else self.title,
            earlier.description if self.description is None else self.description,
        )


# -- assets -------------------------------------------------------------------------------------------------


def of_assets(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, Note]:
    """The notes of these assets, in one query."""
    rows = db.all(
        "SELECT id, title, description FROM assets WHERE id IN (SELECT value FROM json_each(?))",
        (json_text(list(asset_ids)),),
    )
    return {id_: Note(from_stored(title), from_stored(text)) for id_, title, text in rows}


def write(db: LibraryDatabase, asset_ids: Sequence[int], edit: Edit) -> tuple[int, ...]:
    """Give all these assets the same title or description; the ids of those where it was another.

    Raises NotFound for an unknown id, InvalidInput; then nothing is done. Can be undone.
    """
    require_assets(db, asset_ids)
    changes = _write(db, dict.fromkeys(asset_ids, edit))
    record_changes(db, stamps.new_uuid(), "note", f"note ({counted(len(changes))})", changes, stamps.now())
    return tuple(one.key[0] for one in changes)


def write_each(db: LibraryDatabase, edits: Mapping[int, Edit]) -> tuple[int, ...]:
    """Give each asset its own note. Assets that are gone are passed over: their text has no place any more.

    Meant for text as it is typed, so it is no entry of the undo list.
    """
    return tuple(one.key[0] for one in _write(db, edits))


def _write(db: LibraryDatabase, edits: Mapping[int, Edit]) -> list[RowChange]:
    wanted = {id_: edit.checked() for id_, edit in edits.items()}
    changes: list[RowChange] = []
    for id_, before in sorted(of_assets(db, list(wanted)).items()):
        edit = wanted[id_]
        after = Note(
            before.title if edit.title is None else edit.title,
            before.description if edit.description is None else edit.description,
        )
        if after != before:
            changes.append(RowChange("assets", (id_,), _columns(before), _columns(after)))
    rows = ((one.key[0], *one.after.values()) for one in changes if one.after is not None)
    now = stamps.now()
    for _ in staged(db, ("asset_id", "title", "description"), rows):
        db.execute_sql(
            "UPDATE assets SET title = s.title, description = s.description, updated_at = ? "
            "FROM temp.staged s WHERE assets.id = s.asset_id",
            (now,),
        )
    if changes:
        announce(db, AssetsChanged(some(one.key[0] for one in changes)))
    return changes


def _columns(note: Note) -> dict[str, str]:
    return {"title": to_stored(note.title), "description": to_stored(note.description)}


# -- paths --------------------------------------------------------------------------------------------------


def of_paths(db: LibraryDatabase, paths: Iterable[str]) -> dict[str, Note]:
    """The notes on these paths, in one query; paths without one are left out."""
    rows = db.all(
        "SELECT path, title, description FROM path_notes WHERE path IN (SELECT value FROM json_each(?))",
        (json_text([to_stored(path) for path in paths]),),
    )
    return {from_stored(path): Note(from_stored(title), from_stored(text)) for path, title, text in rows}


def write_paths(db: LibraryDatabase, edits: Mapping[str, Edit]) -> tuple[str, ...]:
    """Notes on paths that are no assets (absolute); an empty note is none. The paths whose note changed."""
    wanted = {path: edit.checked() for path, edit in edits.items()}
    for path in wanted:
        if not path.startswith("/") or "\0" in path:
            raise InvalidInput("A note belongs to an absolute path.")
    present = of_paths(db, wanted)
    kept: list[tuple[Any, ...]] = []
    dropped: list[tuple[str]] = []
    changed: list[str] = []
    now = stamps.now()
    for path, edit in wanted.items():
        before = present.get(path, Note())
        after = edit.over(Edit(before.title, before.description))
        if (after.title, after.description) == (before.title, before.description):
            continue
        changed.append(path)
        if after.title or after.description:
            kept.append(
                (to_stored(path), to_stored(after.title or ""), to_stored(after.description or ""), now, now)
            )
        else:
            dropped.append((to_stored(path),))
    engine.executemany(
        db,
        "INSERT INTO path_notes (path, title, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (path) DO UPDATE SET title = excluded.title, description = excluded.description, "
        "updated_at = excluded.updated_at",
        kept,
    )
    engine.executemany(db, "DELETE FROM path_notes WHERE path = ?", dropped)
    if changed:
        announce(db, NotesChanged(tuple(changed)))
    return tuple(changed)


def annotated_paths(db: LibraryDatabase) -> list[str]:
    """All paths with a note, for finding those that are gone."""
    return [from_stored(row[0]) for row in db.all("SELECT path FROM path_notes ORDER BY path")]


def forget_paths(db: LibraryDatabase, paths: Iterable[str]) -> int:
    """Remove the notes on these paths: orphans, when somebody asks for it. How many there were."""
    gone = [
        row[0]
        for row in db.all(
            "DELETE FROM path_notes WHERE path IN (SELECT value FROM json_each(?)) RETURNING path",
            (json_text([to_stored(path) for path in paths]),),
        )
    ]
    if gone:
        announce(db, NotesChanged(tuple(from_stored(path) for path in gone)))
    return len(gone)


# -- as typed -----------------------------------------------------------------------------------------------


class Writer(Protocol):
    """What schedules writes: the operator."""

    def schedule_write(
        self, function: Callable[..., Any], /, *arguments: Any, priority: Priority
    ) -> Future[Any]:
        """Have `function(db, *arguments)` run in a transaction."""
        ...


class NoteBuffer:
    """Edits on their way to the library: together, a moment after the last, and all of them at the end.

    Keys are row ids of assets or absolute paths. `failed` gets the keys and the error of a write that did not
    succeed, on whichever thread learned of it; those edits stay and are tried again after a while.
    """

    def __init__(
        self,
        writer: Writer,
        failed: Callable[[tuple[int | str, ...], BaseException], None],
        *,
        debounce: float = DEBOUNCE,
        longest: float = LONGEST,
    ) -> None:
        """`debounce` and `longest` in seconds."""
        self._writer = writer
        self._failed = failed
        self._debounce = debounce
        self._longest = longest
        self._typed: dict[int | str, Edit] = {}
        self._writing: dict[int | str, Edit] = {}
        self._changed = threading.Condition()
        self._first = self._last = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, key: int | str, edit: Edit) -> None:
        """Somebody typed. Raises InvalidInput for text that cannot be kept, and after close."""
        edit = edit.checked()
        now = time.monotonic()
        with self._changed:
            if self._closed:
                raise InvalidInput("The notes are closed.")
            if not self._typed:
                self._first = now
            self._last = now
            self._typed[key] = edit.over(self._typed.get(key, Edit()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_when_quiet, name="notes", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def pending(self, key: int | str) -> Edit | None:
        """What was typed for `key` and is not committed yet: who shows the library's text asks here first."""
        with self._changed:
            edits = [edit for edit in (self._writing.get(key), self._typed.get(key)) if edit is not None]
        if not edits:
            return None
        return edits[-1].over(edits[0])

    def flush(self, timeout: float | None = None) -> bool:
        """Write at once what is there, and wait for it. Whether all of it is committed."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._writing, timeout):
                return False
        future = self._write()
        if future is None:
            return True
        try:
            return future.exception(timeout) is None
        except TimeoutError:
            return False

    def close(self, timeout: float = 5.0) -> bool:
        """Write what is left and take no more. Whether it is committed within `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        return self.flush(timeout)

    def _write(self) -> Future[Any] | None:
        """Hand over what was typed; None when there is nothing to write."""
        with self._changed:
            if not self._typed:
                return None
            self._writing, self._typed = self._typed, {}
            edits = self._writing
        try:
            future = self._writer.schedule_write(_write_all, edits, priority=Priority.HIGH)
        except KassettuiError as error:
            self._keep(error)
            return _failed_future(error)
        future.add_done_callback(self._settle)
        return future

    def _settle(self, done: Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            self._keep(error)
            return
        with self._changed:
            self._writing = {}
            self._changed.notify_all()

    def _keep(self, error: BaseException) -> None:
        """Put back what could not be written, under what was typed since."""
        with self._changed:
            edits, self._writing = self._writing, {}
            for key, edit in edits.items():
                self._typed[key] = self._typed.get(key, Edit()).over(edit)
            self._first = self._last = time.monotonic() + self._longest
            self._changed.notify_all()
        self._failed(tuple(edits), error)

    def _write_when_quiet(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._typed and not self._writing))
                if self._closed:
                    return
                due = min(self._last + self._debounce, self._first + self._longest)
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
            self._write()


def _failed_future(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _write_all(db: LibraryDatabase, edits: Mapping[int | str, Edit]) -> None:
    """Notes of assets and of paths in one transaction."""
    write_each(db, {key: edit for key, edit in edits.items() if isinstance(key, int)})
    write_paths(db, {key: edit for key, edit in edits.items() if isinstance(key, str)})
