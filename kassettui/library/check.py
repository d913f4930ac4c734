"""Is the library sound? (spec: library L11). Finds and says; it mends nothing.

Every check is a function that answers with findings. What looks at the disk does so outside any transaction.
"""

from __future__ import annotations

import os
import random
import stat
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kassettui.core.kinds import Kind
from kassettui.core.lifecycle import Measured, State, lacks
from kassettui.core.text import from_stored, safe
from kassettui.library import backup, engine
from kassettui.library.engine import Mode
from kassettui.library.library import SCHEMA
from kassettui.library.models import MODELS, JsonField
from kassettui.library.stamps import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

SAMPLE: Final = 500
"""Files that are looked for, unless all are."""
_JSON: Final = {
    model._meta.table_name: tuple(
        field.column_name for field in model._meta.sorted_fields if isinstance(field, JsonField)
    )
    for model in MODELS
    if any(isinstance(field, JsonField) for field in model._meta.sorted_fields)
}
_DAY: Final = 86_400 * 1_000_000
_FRAGMENTED: Final = 0.25
_SHOWN: Final = 5
_RESTORE: Final = "Close every kassettui and put a backup in its place; library info lists them."
_HARMLESS: Final = "It does no harm."


class Severity(StrEnum):
    """How bad a finding is. DAMAGE makes the command end with code 5."""

    NOTE = "note"
    WARNING = "warning"
    DAMAGE = "damage"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `check` is the stable name of what found it; `count` how often.
    """

    check: str
    severity: Severity
    message: str
    remedy: str = ""
    fixable: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found; `checks` are the names of all that were made."""

    findings: tuple[Finding, ...]
    checks: tuple[str, ...]

    @property
    def damaged(self) -> bool:
        """Whether anything is not whole."""
        return any(finding.severity is Severity.DAMAGE for finding in self.findings)


def examine(library: Library, *, all_files: bool = False, seed: int | None = None) -> Health:
    """Look at everything; for files, at a random sample (of `seed`) or at `all_files`.

    Reads the whole database. The full-text index is compared within the writer: others wait meanwhile.
    """
    findings: list[Finding] = []
    done: list[str] = []
    structure = library.read(_structure)
    findings += structure
    done.append("structure")
    if not structure:  # what hangs on broken pages cannot be judged
        for name, check in _CHECKS.items():
            findings += library.read(check)
            done.append(name)
        if not library.operator.read_only:
            findings += library.operator.schedule_exclusive(_full_text).result()
            done.append("full-text")
        findings += _files(library, all_files=all_files, seed=seed)
        done.append("files")
    findings += _place(library)
    done.append("place")
    return Health(tuple(findings), tuple(done))


# -- the file ---------------------------------------------------------------------------------------------


def _structure(db: LibraryDatabase) -> list[Finding]:
    return [
        Finding("structure", Severity.DAMAGE, safe(message), _RESTORE, fixable=True)
        for message in engine.integrity_check(db)
    ]


def _schema(db: LibraryDatabase) -> list[Finding]:
    """Every table, index and trigger against what the migrations make."""
    expected, found = _made_by_migrations(), _objects(db)
    findings = []
    for (kind, name), sql in expected.items():
        if (kind, name) not in found:
            lost = kind == "table"
            severity = Severity.DAMAGE if lost or kind == "trigger" else Severity.WARNING
            findings.append(
                Finding(
                    "schema",
                    severity,
                    f"The {kind} {name} is missing.",
                    _RESTORE,
                    not lost,
                )
            )
        elif found[kind, name] != sql:
            findings.append(
                Finding("schema", Severity.DAMAGE, f"The {kind} {name} is not as it was made.", _RESTORE)
            )
    findings += [
        Finding("schema", Severity.WARNING, f"The {kind} {safe(name)} is not of kassettui.")
        for kind, name in found.keys() - expected.keys()
    ]
    return findings


def _made_by_migrations() -> dict[tuple[str, str], str]:
    db = engine.LibraryDatabase(":memory:", Mode.SCRATCH, busy_timeout=0)
    db.connect()
    try:
        for step in SCHEMA.steps:
            step.up(db)
        return _objects(db)
    finally:
        engine.close(db)


def _objects(db: LibraryDatabase) -> dict[tuple[str, str], str]:
    rows = db.all(
        "SELECT type, name, sql FROM sqlite_schema "
        "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    return {(kind, name): " ".join(sql.split()) for kind, name, sql in rows}


def _fragmentation(db: LibraryDatabase) -> list[Finding]:
    pages, free = db.scalar("PRAGMA page_count"), db.scalar("PRAGMA freelist_count")
    if pages < 1_000 or free / pages < _FRAGMENTED:
        return []
    message = f"{free / pages:.0%} of the file is unused."
    return [Finding("fragmentation", Severity.NOTE, message, "", True)]


def _place(library: Library) -> list[Finding]:
    findings = [Finding("place", Severity.WARNING, warning) for warning in library.warnings]
    mode = stat.S_IMODE(os.stat(library.path).st_mode)
    if mode & 0o077:
        findings.append(
            Finding(
                "place", Severity.WARNING, f"Others may read the library (mode {mode:04o}).", "chmod 600 it."
            )
        )
    if engine.sqlite_version() < engine.SOUND_SQLITE:
        version = ".".join(map(str, engine.sqlite_version()))
        findings.append(
            Finding(
                "place", Severity.WARNING, f"SQLite {version} can damage a library.", "Install a newer apsw."
            )
        )
    if not backup.listed(library.path):
        findings.append(Finding("place", Severity.NOTE, "There is no backup."))
    return findings


# -- the rows ---------------------------------------------------------------------------------------------


def _foreign_keys(db: LibraryDatabase) -> list[Finding]:
    tables: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in db.execute_sql("PRAGMA foreign_key_check"):
        tables[table, parent] = tables.get((table, parent), 0) + 1
    return [
        Finding(
            "foreign-keys",
            Severity.DAMAGE,
            f"{count} rows of {table} point at no {parent}.",
            _RESTORE,
            True,
            count,
        )
        for (table, parent), count in tables.items()
    ]


def _folders(db: LibraryDatabase) -> list[Finding]:
    lost = db.all(
        "WITH RECURSIVE tree (id) AS (SELECT id FROM folders WHERE parent_id IS NULL "
        "UNION SELECT f.id FROM folders f JOIN tree ON f.parent_id = tree.id) "
        "SELECT id, name FROM folders WHERE id NOT IN (SELECT id FROM tree)"
    )
    if not lost:
        return []
    names = ", ".join(safe(from_stored(name)) for _, name in lost[:_SHOWN])
    message = f"{len(lost)} folders do not lie under Root ({names})."
    return [Finding("folders", Severity.DAMAGE, message, _RESTORE, True, len(lost))]


def _states(db: LibraryDatabase) -> list[Finding]:
    """I12 and I13: what CHECK constraints hold, and what only the lifecycle knows."""
    states = ", ".join(f"'{state}'" for state in State)
    findings = []
    for rule, condition in {
        "approved without being ready": f"approved_for_broadcast = 1 AND state <> '{State.READY}'",
        "deleted without a time, or with one and not deleted": "(is_deleted = 1) <> (deleted_at IS NOT NULL)",
        "of an unknown state": f"state NOT IN ({states})",
    }.items():
        count = db.scalar(f"SELECT count(*) FROM assets WHERE {condition}")
        if count:
            findings.append(
                Finding("states", Severity.DAMAGE, f"{count} assets are {rule}.", _RESTORE, True, count)
            )
    for kind, width, height, frames, duration, count in db.execute_sql(
        "SELECT kind, coalesce(width, 0) > 0, coalesce(height, 0) > 0, coalesce(frame_count, 0) > 0, "
        f"coalesce(duration_ms, 0) > 0, count(*) FROM assets WHERE state = '{State.READY}' "
        "GROUP BY 1, 2, 3, 4, 5"
    ):
        lacking = lacks(Kind(kind), Measured(width, height, frames, duration))
        if lacking is not None:
            message = f"{count} assets of kind {kind} are ready, but {lacking}."
            findings.append(Finding("states", Severity.WARNING, message, "kassettui enrich", True, count))
    return findings


def _versions(db: LibraryDatabase) -> list[Finding]:
    findings = []
    for rule, condition in {
        "have a version above their head": "head < (SELECT max(number) FROM asset_versions v "
        "WHERE v.group_id = g.id)",
        "call a version best that is not there": "best > 0 AND NOT EXISTS (SELECT 1 FROM asset_versions v "
        "WHERE v.group_id = g.id AND v.number = g.best AND v.deleted_at IS NULL)",
    }.items():
        count = db.scalar(f"SELECT count(*) FROM version_groups g WHERE {condition}")
        if count:
            findings.append(
                Finding("versions", Severity.DAMAGE, f"{count} version groups {rule}.", _RESTORE, True, count)
            )
    return findings


def _texts(db: LibraryDatabase) -> list[Finding]:
    """JSON that is none: pages of long text have no structure of their own that could show damage."""
    findings = []
    for table, columns in _JSON.items():
        wrong = " OR ".join(f"({name} IS NOT NULL AND NOT json_valid({name}))" for name in columns)
        count = db.scalar(f"SELECT count(*) FROM {table} WHERE {wrong}")
        if count:
            message = f"{count} rows of {table} hold text that is damaged."
            findings.append(Finding("texts", Severity.DAMAGE, message, _RESTORE, fixable=False, count=count))
    return findings


def _orphans(db: LibraryDatabase) -> list[Finding]:
    findings = []
    layouts = db.scalar(
        "SELECT count(*) FROM layouts l WHERE NOT EXISTS (SELECT 1 FROM assets a WHERE a.layout_id = l.id)"
    )
    if layouts:
        message = f"{layouts} layouts belong to no asset any more."
        findings.append(Finding("orphans", Severity.NOTE, message, _HARMLESS, True, layouts))
    runs = db.scalar("SELECT count(*) FROM runs WHERE status = 'running' AND started_at < ?", (now() - _DAY,))
    if runs:
        message = f"{runs} runs began more than a day ago and never ended."
        findings.append(Finding("orphans", Severity.NOTE, message, _HARMLESS, True, runs))
    return findings


def _full_text(db: LibraryDatabase) -> list[Finding]:
    fault = engine.full_text_fault(db)
    if fault is None:
        return []
    message = f"The full-text index does not match the assets: {safe(fault)}"
    return [Finding("full-text", Severity.DAMAGE, message, _RESTORE, fixable=True)]


# -- the files --------------------------------------------------------------------------------------------


def _files(library: Library, *, all_files: bool, seed: int | None) -> list[Finding]:
    """Whether what the library calls present is there; collections whose root is not are left out."""
    roots = library.read(_roots)
    findings, offline = [], set()
    for uuid, name, root in roots:
        if not os.path.isdir(root):
            offline.add(uuid)
            message = f"The root of {safe(name)} is not reachable; its files were not looked for."
            findings.append(Finding("files", Severity.NOTE, message))
    looked = gone = 0
    examples: list[str] = []
    for collection, kind, path in _listed(library, all_files=all_files, seed=seed):
        if collection in offline:
            continue
        looked += 1
        wanted = os.path.dirname(path) if kind == Kind.SEQUENCE else path
        if not os.path.lexists(wanted):
            gone += 1
            examples += [safe(path)] if len(examples) < _SHOWN else []
    if gone:
        message = f"{gone} of {looked} files that were looked for are not there ({', '.join(examples)})."
        remedy = "Import again: what is gone becomes missing."
        findings.append(Finding("files", Severity.WARNING, message, remedy, True, gone))
    return findings


def _listed(library: Library, *, all_files: bool, seed: int | None) -> Iterator[tuple[str, str, str]]:
    """(collection, kind, path) of present assets: all, a slice at a time, or a random sample."""
    if not all_files:
        highest = library.read(lambda db: db.scalar("SELECT coalesce(max(id), 0) FROM assets"))
        chosen = random.Random(seed)  # noqa: S311 - a sample, no secret
        starts = [chosen.randint(0, highest) for _ in range(SAMPLE)] if highest else []
        yield from library.read(_after_each, starts)
        return
    last = 0
    while rows := library.read(_after, last, 10_000):
        yield from ((collection, kind, path) for _, collection, kind, path in rows)
        last = rows[-1][0]


def _roots(db: LibraryDatabase) -> list[tuple[str, str, str]]:
    rows = db.all("SELECT uuid, name, root FROM collections WHERE source_type = 'filesystem'")
    return [(uuid, from_stored(name), from_stored(root)) for uuid, name, root in rows]


def _after(db: LibraryDatabase, last: int, limit: int) -> list[tuple[int, str, str, str]]:
    rows = db.all(
        "SELECT id, collection_uuid, kind, path FROM assets WHERE id > ? AND missing_since IS NULL "
        "AND is_deleted = 0 AND canonical_key LIKE 'fs:%' ORDER BY id LIMIT ?",
        (last, limit),
    )
    return [(id_, collection, kind, from_stored(path)) for id_, collection, kind, path in rows]


def _after_each(db: LibraryDatabase, starts: list[int]) -> list[tuple[str, str, str]]:
    found = {row[0]: row[1:] for start in starts for row in _after(db, start, 1)}
    return [(collection, kind, path) for collection, kind, path in found.values()]


_CHECKS: Final[dict[str, Callable[[LibraryDatabase], list[Finding]]]] = {
    "schema": _schema,
    "foreign-keys": _foreign_keys,
    "folders": _folders,
    "states": _states,
    "versions": _versions,
    "texts": _texts,
    "orphans": _orphans,
    "fragmentation": _fragmentation,
}
