"""What a source yields and the planner reads: one item, a file or a sequence, as values (spec: ingest)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.core.frames import FrameRanges
    from kassettui.core.kinds import Kind


@dataclass(frozen=True, slots=True)
class Item:
    """A file or sequence with everything that is known without opening it.

    `path` is absolute; a sequence's is its directory with the identity name (one `#`). `directory` is
    relative to the collection's root. `size` is in bytes (a sequence's: the sum), `mtime_ns` the newest one.
    """

    key: str
    kind: Kind
    path: str
    directory: str
    name: str
    extension: str
    size: int
    mtime_ns: int
    signature: str
    layout: Mapping[str, str] = field(default_factory=dict)
    version_number: int | None = None
    frame_ranges: FrameRanges | None = None
    frame_padding: int | None = None
    sequence_pattern: str | None = None
    hole_count: int = 0
    health: str | None = None
    health_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """How many frames stand on disk; 0 for what is no sequence."""
        return 0 if self.frame_ranges is None else self.frame_ranges.count
