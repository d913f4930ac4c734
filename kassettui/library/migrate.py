"""Schemas and their steps: making a file, moving it up or down (spec: library L9).

`PRAGMA user_version` says where a file stands. Each step is one transaction, schema and version together,
so that a step that fails leaves the file as it was. Before the first step a verified backup is made beside
it.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput, KassettuiError, LibraryTooNew, MigrationFailed
from kassettui.core.text import safe
from kassettui.library import backup, engine, place
from kassettui.library.engine import Mode
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.operator import Operator

    Work = Callable[[LibraryDatabase], None]

_MODULE: Final = re.compile(r"(\d{4})_(\w+)")
KEPT_BACKUPS: Final = 5
_log = log.get("library.migrate")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a schema: `up` takes a file from version `number - 1` to `number`, `down` back."""

    number: int
    name: str
    up: Work
    down: Work


@dataclass(frozen=True)
class Schema:
    """What a kind of file is: its mark, its steps, and what its newest version consists of."""

    title: str
    """For people: "library"."""
    application_id: int
    steps: tuple[Step, ...]
    """Numbered 1, 2, 3…"""
    tables: frozenset[str]
    triggers: frozenset[str] = frozenset()

    @cached_property
    def latest(self) -> int:
        """The newest version that this program knows."""
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did. `backup` is None when there was nothing to do."""

    before: int
    after: int
    backup: str | None


def steps_of(package: str) -> tuple[Step, ...]:
    """The steps that `package` holds as modules `NNNN_name`. They are imported when they run."""
    path = import_module(package).__path__
    found = sorted(module.name for module in pkgutil.iter_modules(path) if _MODULE.fullmatch(module.name))
    steps = []
    for position, name in enumerate(found, start=1):
        number, title = name.split("_", 1)
        if int(number) != position:
            raise RuntimeError(f"{package} has no step {position:04}.")
        steps.append(
            Step(position, title, partial(_run, package, name, "up"), partial(_run, package, name, "down"))
        )
    return tuple(steps)


def _run(package: str, module: str, direction: str, db: LibraryDatabase) -> None:
    getattr(import_module(f"{package}.{module}"), direction)(db)


def create(path: str, schema: Schema, *, wal: bool) -> bool:
    """Make the file at `path`, whole or not at all, 0600 in 0700 directories. False when one appeared
    meanwhile.

    Raises LibraryUnavailable.
    """
    directory, name = place.split(path)
    place.make_directory(directory)
    temporary = place.create_private(directory, name)
    try:
        db = engine.open_database(temporary, Mode.WRITE)
        try:
            engine.set_synchronous(db, full=True)
            db.execute_sql(f"PRAGMA application_id={schema.application_id:d}")
            for step in schema.steps:
                _take(db, step.up, step.number)
            engine.choose_journal(db, wal=wal)
        finally:
            engine.close(db)
        place.sync_file(temporary)
        return place.publish_new(temporary, path)
    except (*engine.ERRORS, OSError) as error:
        raise engine.translated(error, path) from error
    finally:
        place.remove_quietly(temporary)


def migrate(
    operator: Operator, schema: Schema, to: int | None = None, *, keep: int = KEPT_BACKUPS
) -> Migrated:
    """Take the operator's file to version `to` (the newest), up or down, keeping `keep` backups.

    Raises InvalidInput for a version that does not exist, LibraryTooNew, MigrationFailed (the file then
    stands at the version that it names), and what a write raises.
    """
    target = schema.latest if to is None else to
    if not 1 <= target <= schema.latest:
        raise InvalidInput(
            f"There is no version {target} of the {schema.title}.", remedy=f"Versions: 1 to {schema.latest}."
        )
    done = operator.schedule_exclusive(_migrate, schema, operator.path, target).result()
    direction = "up" if done.after > done.before else "down"
    if done.backup is not None:
        _log.info(
            "schema moved", path=operator.path, before=done.before, after=done.after, backup=done.backup
        )
    operator.metrics.migrations.add(abs(done.after - done.before), direction)
    operator.expect_version(done.after)
    if done.backup is not None:
        backup.rotate(operator.path, keep, spare=done.backup)
    return done


def _migrate(db: LibraryDatabase, schema: Schema, path: str, target: int) -> Migrated:
    before: int = db.scalar("PRAGMA user_version")
    if before > schema.latest:
        raise too_new(schema, path, before)
    if before == target:
        return Migrated(before, target, None)
    copy = backup.make(db, path, schema.application_id, label=f"v{before}")
    steps = schema.steps[before:target] if target > before else schema.steps[target:before][::-1]
    for step in steps:
        work, version = (step.up, step.number) if target > before else (step.down, step.number - 1)
        try:
            _take(db, work, version)
        except Exception as error:
            told = engine.translated(error, path) if engine.is_engine_error(error) else error
            version = db.scalar("PRAGMA user_version")
            raise MigrationFailed(
                f"Step {step.number} ({step.name}) of the {schema.title} failed: {safe(str(told))}",
                remedy=f"It stands at version {version}; a backup is at {safe(copy)}.",
            ) from error
    return Migrated(before, target, copy)


def _take(db: LibraryDatabase, work: Work, version: int) -> None:
    """One step in one transaction.

    Foreign keys rest meanwhile (tables may be rebuilt) and are checked before COMMIT.
    """
    db.execute_sql("PRAGMA foreign_keys=OFF")
    try:
        with db.atomic("IMMEDIATE"):
            work(db)
            broken = db.all("PRAGMA foreign_key_check")
            if broken:
                raise KassettuiError(f"{len(broken)} rows would point at nothing.")
            db.execute_sql(f"PRAGMA user_version={version:d}")
    finally:
        engine.end_transaction(db)
        db.execute_sql("PRAGMA foreign_keys=ON")


def too_new(schema: Schema, path: str, version: int) -> LibraryTooNew:
    """What is said of a file that a newer program wrote."""
    return LibraryTooNew(
        f"The {schema.title} {safe(path)} has version {version}; this kassettui knows {schema.latest}.",
        remedy="Use the newer kassettui.",
    )
