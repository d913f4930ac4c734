"""What an import tells while it runs: typed events, for a progress display or JSON lines (I26, I27)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kassettui.core.decisions import Decision, Reason
    from kassettui.ingest.report import Report


class Phase(StrEnum):
    """Where a run stands."""

    CHECK = "check"
    DISCOVER = "discover"
    PLAN = "plan"
    APPLY = "apply"
    ENRICH = "enrich"


@dataclass(frozen=True, slots=True)
class Started:
    """The gates are passed and discovery begins."""

    collection: str
    collection_id: str | None
    root: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far it is: items of the phase done, of `total` where that is known; `frames`, `bytes` so far."""

    phase: Phase
    done: int
    total: int | None = None
    frames: int = 0
    bytes: int = 0
    current: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """One item's decision. `path` is relative to the root; `previous` the old path of what moved."""

    decision: Decision
    reason: Reason
    path: str
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a person should know and that stops nothing."""

    code: str
    message: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event on every way out."""

    report: Report


Event = Started | Progressed | Decided | Warned | Finished
Observer = Callable[[Event], None]


def nobody(_event: Event) -> None:
    """The observer of a run that nobody watches."""
