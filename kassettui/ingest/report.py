"""What a run answers: the values behind I23 and the JSON of I27. Nothing here prints."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import ExitCode
from kassettui.core.text import as_json, path_b64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.ingest.enrich import Enriched
    from kassettui.ingest.plan import Plan
    from kassettui.ingest.source import ItemError, Scope

SCHEMA_VERSION: Final = 1


class Status(StrEnum):
    """How a run ended (I27)."""

    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"
    CANCELLED = "cancelled"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Stats:
    """The counts of a run (I27). `bytes` and `frames` are of what was discovered."""

    discovered: int = 0
    ingested: int = 0
    updated: int = 0
    moved: int = 0
    skipped: int = 0
    duplicates_prevented: int = 0
    missing: int = 0
    errors: int = 0
    bytes: int = 0
    frames: int = 0

    @property
    def settled(self) -> int:
        """The sum of the six ends that a discovered item can have; equals `discovered` (I23)."""
        return (
            self.ingested + self.updated + self.moved + self.skipped + self.duplicates_prevented + self.errors
        )

    def as_json(self) -> dict[str, int]:
        """The object of I27."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one import, whatever it was. Times in ns since the epoch, duration in ms."""

    status: Status
    exit_code: ExitCode = ExitCode.DONE
    run_id: str | None = None
    collection_id: str | None = None
    collection: str | None = None
    scope: Scope | None = None
    stats: Stats = field(default_factory=Stats)
    created_assets: Sequence[str] = ()
    updated_assets: Sequence[str] = ()
    errors: Sequence[ItemError] = ()
    last_ingest_ns: int | None = None
    duration_ms: int = 0
    code: str | None = None
    message: str | None = None
    remedy: str | None = None
    plan: Plan | None = None
    enriched: Enriched | None = None

    def as_json(self) -> dict[str, object]:
        """The one object of I27."""
        document: dict[str, object] = {
            "schema_version": SCHEMA_VERSION,
            "type": "import",
            "status": str(self.status),
            "run_id": self.run_id,
            "collection_id": self.collection_id,
            "collection": None if self.collection is None else as_json(self.collection),
            "scope": {} if self.scope is None else self.scope.as_json(),
            "stats": self.stats.as_json(),
            "created_assets": list(self.created_assets),
            "updated_assets": list(self.updated_assets),
            "errors": [error_as_json(error) for error in self.errors],
            "last_ingest_time": None if self.last_ingest_ns is None else iso_utc(self.last_ingest_ns),
            "duration_ms": self.duration_ms,
        }
        if self.code is not None:
            document |= {
                "code": self.code,
                "message": as_json(self.message or ""),
                "remedy": as_json(self.remedy or ""),
            }
        return document


def error_as_json(error: ItemError) -> dict[str, object]:
    """An entry of `errors`; a path that is no UTF-8 comes as base64 too (I27)."""
    entry: dict[str, object] = {
        "path": as_json(error.path),
        "code": error.code,
        "message": as_json(error.message),
    }
    encoded = path_b64(error.path)
    return entry if encoded is None else entry | {"path_b64": encoded}


def iso_utc(time_ns: int) -> str:
    """ISO 8601 UTC with Z, to the microsecond (I27)."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
