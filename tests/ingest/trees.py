"""Trees of small real files, and what a test asks about a library after an import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import apsw

from kassettui.ingest.importing import run_import
from kassettui.ingest.request import ImportRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kassettui.ingest.enricher import Enricher
    from kassettui.ingest.progress import Observer
    from kassettui.ingest.report import Report
    from kassettui.jobs.control import Control
    from kassettui.library.library import Library

OLD_NS = 1_700_000_000_123_456_789
"""A modification time long ago, so that nothing counts as growing or in doubt."""


def write(path: Path, content: bytes = b"pixels", mtime_ns: int = OLD_NS) -> Path:
    """A file with its directories and a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def frames(
    directory: Path, numbers: Iterable[int], name: str = "beauty.{:04}.exr", content: bytes = b"pixels"
) -> list[Path]:
    """The frames of a sequence, each with its own time."""
    return [
        write(directory / name.format(number), content, OLD_NS + number * 1_000_000) for number in numbers
    ]


def touch(path: Path, later_ns: int = 5_000_000_000) -> None:
    """Another time, the same content."""
    before = path.stat().st_mtime_ns
    os.utime(path, ns=(before + later_ns, before + later_ns))


def bring_in(
    library: Library | None,
    path: Path | None,
    *,
    enrichers: Sequence[Enricher] = (),
    control: Control | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Report:
    """One import."""
    request = ImportRequest(path=None if path is None else str(path), **options)
    if observer is None:
        return run_import(library, request, enrichers=enrichers, control=control)
    return run_import(library, request, enrichers=enrichers, control=control, observer=observer)


def rows(library: Library, columns: str = "*", where: str = "1") -> list[dict[str, Any]]:
    """Rows of assets, by key."""
    return table(library, f"SELECT {columns} FROM assets WHERE {where} ORDER BY canonical_key")


def row(library: Library, where: str = "1") -> dict[str, Any]:
    """The one asset that fits."""
    (found,) = rows(library, "*", where)
    return found


def table(library: Library, sql: str) -> list[dict[str, Any]]:
    """What a statement finds, as dictionaries."""

    def ask(db: Any) -> list[dict[str, Any]]:
        cursor = db.execute_sql(sql)
        try:
            names = [column[0] for column in cursor.getdescription()]
        except apsw.ExecutionCompleteError:  # there is no row
            return []
        return [dict(zip(names, values, strict=True)) for values in cursor]

    return library.read(ask)


def everything(library: Library, *, but: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, for comparing before and after."""

    def ask(db: Any) -> dict[str, list[tuple[Any, ...]]]:
        names = [name for (name,) in db.all("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: db.all(f"SELECT * FROM {name}") for name in names if name not in but}

    return library.read(ask)


def adds_up(report: Report) -> bool:
    """I23: every discovered item ended once."""
    return report.stats.discovered == report.stats.settled
