"""Copies of a library that are proved before they get their name (spec: library L10).

A copy is made by SQLite's online backup into a private temporary file in the same directory, checked,
synced, and only then renamed; it is a single file without a log beside it. Nobody's writes are held up.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import LibraryCorrupt, LibraryUnavailable
from kassettui.core.text import safe
from kassettui.library import engine, place, stamps
from kassettui.library.engine import Mode
from kassettui.observe import log

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase

_log = log.get("library.backup")
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_NAME: Final = re.compile(r"\.backup-(\d{8}T\d{6}\.\d{6}Z)-([a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy beside the library.

    `made_at` in microseconds since the epoch; `label` says what it was made before.
    """

    path: str
    made_at: int
    label: str
    size: int


def make(db: LibraryDatabase, path: str, application_id: int, *, label: str) -> str:
    """A verified copy of the library at `path` beside it, read through `db`. Returns its path.

    `label` is of lower-case letters, digits and dashes. Raises LibraryUnavailable, or LibraryCorrupt when
    what was copied is not sound.
    """
    stamp = datetime.fromtimestamp(stamps.now() / 1_000_000, UTC).strftime(_STAMP)
    target = f"{path}.backup-{stamp}-{label}"
    write_copy(db, target, application_id)
    _log.info("backup made", path=target)
    return target


def write_copy(db: LibraryDatabase, target: str, application_id: int) -> None:
    """A verified copy of what `db` is open on, as `target`, which must not exist. Errors as in `make`."""
    directory, name = place.split(target)
    temporary = place.create_private(directory, name)
    try:
        copy = engine.open_database(temporary, Mode.WRITE)
        try:
            engine.set_synchronous(copy, full=True)
            engine.copy_into(db, copy)
            engine.choose_journal(copy, wal=False)
        finally:
            engine.close(copy)
        verify(temporary, application_id)
        place.sync_file(temporary)
        if not place.publish_new(temporary, target):
            raise LibraryUnavailable(f"{safe(target)} exists already.")
    except (*engine.ERRORS, OSError) as error:
        raise engine.translated(error, target) from error
    finally:
        place.remove_quietly(temporary)


def verify(path: str, application_id: int) -> None:
    """Read all of a copy. Raises LibraryCorrupt unless it is a sound file of ours."""
    db = engine.open_database(path, Mode.FROZEN)
    try:
        engine.require_application(db, application_id, path)
        findings = engine.integrity_check(db, limit=1)
    finally:
        engine.close(db)
    if findings:
        raise LibraryCorrupt(f"The copy {safe(path)} is damaged: {findings[0]}")


def listed(path: str) -> list[Backup]:
    """The backups beside the library at `path`, newest first."""
    directory, name = place.split(path)
    found = []
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return []
    for entry in entries:
        match = _NAME.fullmatch(entry.name.removeprefix(name)) if entry.name.startswith(name) else None
        if match is not None and entry.is_file(follow_symlinks=False):
            made = datetime.strptime(match.group(1), _STAMP).replace(tzinfo=UTC)
            size = entry.stat(follow_symlinks=False).st_size
            found.append(Backup(entry.path, round(made.timestamp() * 1_000_000), match.group(2), size))
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def rotate(path: str, keep: int, *, spare: str) -> list[str]:
    """Remove all but the newest `keep` backups of the library at `path`; returns what went.

    `spare`, the one just made, stays whatever the clock says.
    """
    gone = []
    others = [one for one in listed(path) if one.path != spare]
    for old in others[max(0, keep - 1) :]:
        os.unlink(old.path)
        gone.append(old.path)
    return gone
