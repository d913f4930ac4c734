"""What an enricher is (spec: ingest I9, I24): values in, values out, no database handle.

The media part's enrichers and the header-free ones here look alike to the runner (`enrich.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from kassettui.core.signatures import EnricherVersion, enricher_checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kassettui.core.kinds import Kind
    from kassettui.jobs.control import Control

PROBE_PRIORITY: Final = 10
HEALTH_PRIORITY: Final = 20
THUMBNAIL_PRIORITY: Final = 30
CHECKSUM_PRIORITY: Final = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """An asset as an enricher sees it. Paths in memory form; sizes in bytes; ranges as their text.

    A sequence's `path` is its directory with the identity name; `sequence_pattern` has the padding's hashes.
    """

    asset_id: int
    uuid: str
    kind: Kind
    path: str
    name: str
    extension: str
    size: int
    mtime_ns: int
    content_signature: str
    sequence_pattern: str | None = None
    frame_ranges: str | None = None
    frame_padding: int | None = None
    expected_ranges: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an enricher found about one subject: columns of `assets` that it owns, or why it could not.

    `error` is one line for people. Beside an error, `facts` may still hold what was learned (a damage mark).
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None


class Enricher(Protocol):
    """Learns something about assets. Idempotent; touches its own fields only (I24)."""

    @property
    def enricher_id(self) -> str:
        """`probe`, `health`, `thumbnail`, `checksum`…"""

    @property
    def version(self) -> str:
        """Changes whenever its results would: then every asset is enriched again (I9, I10)."""

    @property
    def priority(self) -> int:
        """Lower runs first."""

    @property
    def fields(self) -> frozenset[str]:
        """The columns of `assets` that it owns; facts about others are refused."""

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """One outcome a subject, in order. Raises nothing expected but Control's Cancelled."""


def checksum_of(enrichers: Iterable[Enricher]) -> str:
    """The checksum of a set of enrichers (I9)."""
    return enricher_checksum(
        EnricherVersion(enricher.enricher_id, enricher.version, enricher.priority) for enricher in enrichers
    )
