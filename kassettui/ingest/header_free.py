"""The enrichers that open nothing: what `stat` says (spec: ingest I24, sequences H0).

They stand in where the media part's are not wanted: a library made with them alone knows files, frames
and holes, and no asset of pictures becomes ready, because pixels are not known.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Final

from kassettui.core.frames import FrameRanges
from kassettui.core.health import FrameState, SequenceState, examine, frame_state
from kassettui.core.kinds import Kind
from kassettui.ingest.enricher import HEALTH_PRIORITY, PROBE_PRIORITY, Outcome
from kassettui.ingest.members import Directories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.ingest.enricher import Enricher, Subject
    from kassettui.jobs.control import Control

_MOST_MARKS: Final = 10_000
"""Frames that are named with their state; beyond that, the counts must do."""


class PresenceProbe:
    """That the file, or the sequence's directory, is there and is what it should be. Learns nothing else."""

    enricher_id: Final = "probe"
    version: Final = "stat-1"
    priority: Final = PROBE_PRIORITY
    fields: Final[frozenset[str]] = frozenset()

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """An error for what is gone or no regular file."""
        outcomes = []
        for subject in batch:
            control.checkpoint()
            outcomes.append(Outcome(error=_absent(subject)))
        return outcomes


class StatHealth:
    """H0: from sizes and times alone."""

    enricher_id: Final = "health"
    version: Final = "stat-1"
    priority: Final = HEALTH_PRIORITY
    fields: Final = frozenset(
        (
            "health",
            "health_level",
            "health_at",
            "health_counts",
            "health_frames",
            "damaged_count",
            "hole_count",
        )
    )

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """Look at every frame's size and time again."""
        directories = Directories(control)
        outcomes = []
        for subject in batch:
            control.checkpoint()
            try:
                outcomes.append(_examined(subject, directories))
            except OSError as error:
                outcomes.append(Outcome(error=f"It cannot be read: {error.strerror or error}."))
        return outcomes


def header_free() -> tuple[Enricher, ...]:
    """The set of both."""
    return PresenceProbe(), StatHealth()


def _absent(subject: Subject) -> str | None:
    path = os.path.dirname(subject.path) if subject.kind is Kind.SEQUENCE else subject.path
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return f"It cannot be read: {error.strerror}."
    right = stat.S_ISDIR(mode) if subject.kind is Kind.SEQUENCE else stat.S_ISREG(mode)
    return None if right else "It is no regular file any more."


def _examined(subject: Subject, directories: Directories) -> Outcome:
    now_ns = time.time_ns()
    if subject.kind is not Kind.SEQUENCE:
        status = os.stat(subject.path)
        state = frame_state(status.st_size, status.st_mtime_ns, now_ns)
        if state is FrameState.OK:
            return Outcome({"health": None, "health_counts": {}, "damaged_count": None})
        whole = SequenceState.BROKEN if state is FrameState.ZERO else SequenceState.GROWING
        return Outcome(
            {
                "health": str(whole),
                "health_level": 0,
                "health_at": now_ns // 1000,
                "health_counts": {str(state): 1},
                "damaged_count": int(state is FrameState.ZERO),
            }
        )
    group = directories.group_of(subject.path)
    if group is None:
        return Outcome(error="The sequence is not there any more.")
    expected = FrameRanges.parse(subject.expected_ranges) if subject.expected_ranges else None
    health = examine(group, now_ns, expected=expected)
    return Outcome(
        {
            "health": str(health.state),
            "health_level": health.level,
            "health_at": now_ns // 1000,
            "health_counts": {str(state): count for state, count in health.counts.items()},
            "health_frames": {str(frame): str(state) for frame, state in health.bad[:_MOST_MARKS]} or None,
            "damaged_count": health.damaged_count,
            "hole_count": health.absent.count,
        }
    )
