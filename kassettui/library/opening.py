"""Opening a file of ours: made when asked, looked at before it is trusted, brought to the present schema.

A file that is not sound is never replaced and never written: it is reported, with what to do (spec: library
L9, L11; reliability R6). What is looked at on every opening is cheap: the mark, the version, the list of
tables. SQLite itself refuses a file that is shorter than it says; all else is `library check`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kassettui.core.errors import LibraryCorrupt, NotFound, Refused
from kassettui.core.text import safe
from kassettui.library import backup, migrate, place
from kassettui.library.operator import Operator
from kassettui.library.place import Content
from kassettui.observe import log

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.events import Events
    from kassettui.library.migrate import Schema
    from kassettui.library.operator import Limits
    from kassettui.observe.metrics import Metrics


_log = log.get("library.opening")


def open_operator(
    path: str,
    schema: Schema,
    *,
    create: bool = False,
    read_only: bool = False,
    limits: Limits | None = None,
    metrics: Metrics | None = None,
    events: Events | None = None,
) -> Operator:
    """The operator of the file at `path`, made if `create` and there is none, migrated unless `read_only`.

    Raises NotFound, LibraryCorrupt (also for a foreign or an empty file), LibraryTooNew, MigrationFailed,
    LibraryUnavailable, LibraryBusy; Refused for an old file that is only to be read.
    """
    path = os.path.realpath(path)
    if not _is_there(path, schema):
        if not create or read_only:
            raise NotFound(
                f"There is no {schema.title} at {safe(path)}.",
                remedy=f"Make one with: kassettui {schema.title} init",
            )
        if migrate.create(path, schema, wal=not place.examine(path).network):
            _log.info("made", what=schema.title, path=path)
    operator = Operator(
        path,
        schema.application_id,
        read_only=read_only,
        limits=limits,
        metrics=metrics,
        events=events,
    )
    try:
        _bring_up(operator, schema)
    except BaseException:
        operator.close()
        raise
    return operator


def set_aside(path: str) -> str:
    """Rename a file that is not sound, and what SQLite keeps beside it, to `.corrupt-<time>`; returns the
    new path.

    Only when a person said so. Nothing may have it open. Raises NotFound, LibraryUnavailable.
    """
    path = os.path.realpath(path)
    place.require(path)
    aside = f"{path}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    try:
        for suffix in ("", *place.SIDE_FILES):
            if os.path.lexists(path + suffix):
                os.rename(path + suffix, aside + suffix)
        place.sync_file(os.path.dirname(path))
    except OSError as error:
        raise place.unreachable(path, error) from error
    _log.warning("set aside", path=path, aside=aside)
    return aside


def _is_there(path: str, schema: Schema) -> bool:
    """Whether a file of ours stands at `path`, by its first bytes.

    Raises LibraryCorrupt for anything else.
    """
    header = place.read_header(path)
    if header.content is Content.ABSENT:
        if place.size(path + "-wal"):
            raise _unsound(path, schema, "is gone, but its log stands there still")
        return False
    if header.content is Content.EMPTY:
        raise _unsound(path, schema, "is empty (0 bytes)")
    if header.content is Content.FOREIGN:
        raise _unsound(path, schema, f"is no kassettui {schema.title}, or its first page is damaged")
    if header.application_id != schema.application_id:
        raise _unsound(path, schema, f"is a database of another program, not a kassettui {schema.title}")
    return True


def _unsound(path: str, schema: Schema, what: str) -> LibraryCorrupt:
    copies = backup.listed(path)
    remedy = "It was left as it is."
    if copies:
        remedy += f" The last backup: {safe(copies[0].path)}"
    return LibraryCorrupt(f"The {schema.title} {safe(path)} {what}.", remedy=remedy)


def _bring_up(operator: Operator, schema: Schema) -> None:
    version, objects = operator.execute_sync_read(_outline)
    if version > schema.latest:
        raise migrate.too_new(schema, operator.path, version)
    if version < 1:
        raise _unsound(operator.path, schema, "was never finished (version 0)")
    if version < schema.latest:
        if operator.read_only:
            raise Refused(
                f"The {schema.title} {safe(operator.path)} has version {version}, older than this kassettui.",
                remedy=f"Bring it up first: kassettui {schema.title} migrate",
            )
        migrate.migrate(operator, schema)
        version, objects = operator.execute_sync_read(_outline)
    _compare(operator.path, schema, objects)
    operator.expect_version(version)


def _outline(db: LibraryDatabase) -> tuple[int, list[tuple[str, str]]]:
    """The schema's version, and the type and name of all that could hold data or run."""
    version: int = db.scalar("PRAGMA user_version")
    return version, [
        (kind, name) for kind, name in db.all("SELECT type, name FROM sqlite_schema WHERE type <> 'index'")
    ]


def _compare(path: str, schema: Schema, objects: list[tuple[str, str]]) -> None:
    tables = {name for kind, name in objects if kind == "table"}
    missing = schema.tables - tables
    if missing:
        raise _unsound(path, schema, f"lacks the table {min(missing)}")
    foreign = {name for kind, name in objects if kind != "table"} - schema.triggers
    if foreign:
        raise _unsound(path, schema, f"holds a trigger or view of somebody else ({safe(min(foreign))})")
