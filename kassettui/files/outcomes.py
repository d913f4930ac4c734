"""How each step ended, and who is told: the journal in life, a list in tests (spec: files F16)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.files.failures import StepFailure
    from kassettui.files.plan import Identity, Step


class StepState(StrEnum):
    """Where a step stands, in the journal's words."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended. `destination` is where the thing really went; `identity` what stands there now.

    `replaced` is where lies what stood there before; `hash` the xxh3-128 of what was copied, in hex.
    """

    number: int
    state: StepState
    destination: str = ""
    identity: Identity | None = None
    hash: str | None = None
    replaced: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that the library may know has another path now; `directory`: all below it, too (F13).

    `destination` "" means that it is gone for good; a path inside a trash, that it can come back.
    """

    source: str
    destination: str
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a job did. `failures` are of single steps; the job's other items are done (F17)."""

    job: str
    items_done: int
    items_skipped: int
    bytes_done: int
    failures: tuple[StepFailure, ...] = ()
    warnings: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()  # the ASC MHL manifests that were made (F19)


class Recorder(Protocol):
    """Who keeps the outcomes. Called from several threads; none of it waits for a disk but `flush`."""

    def record(self, outcome: Outcome) -> None:
        """One step ended."""

    def add(self, steps: Sequence[Step]) -> None:
        """The job got further steps; they are on disk when this returns."""

    def moved(self, moves: Iterable[Moved]) -> None:
        """What the library follows, with the outcomes recorded so far, in one transaction."""

    def flush(self) -> None:
        """Wait until all of it is committed. Raises what the library raises."""
