"""The standing enrichers that look into files: probe, health, thumbnail (spec: ingest I24, media P14).

They bring what `media/` finds into the columns that each owns. Nothing is decoded in this process: headers
and pixels are read by the decoders, structure (H1) is looked at without decoding. What no decoder here reads
is no error: it is not known, and the lifecycle decides what that means.
"""

from __future__ import annotations

import os
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.frames import FrameRanges
from kassettui.core.health import FrameState, SequenceState, is_fresh
from kassettui.core.kinds import Kind
from kassettui.ingest.enricher import HEALTH_PRIORITY, PROBE_PRIORITY, THUMBNAIL_PRIORITY, Outcome
from kassettui.ingest.members import Directories
from kassettui.media.decoders import Stamp
from kassettui.media.messages import Failed, FailureCode, Probed
from kassettui.media.sequences import check_frames, files_of, health_of, standing_file, wait_for
from kassettui.media.structure import check_structure
from kassettui.media.thumbnails import Wanted
from kassettui.media.waiting import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.core.sequences import FrameGroup
    from kassettui.ingest.enricher import Enricher, Subject
    from kassettui.jobs.control import Control
    from kassettui.media.decoders import Decoders, Ticket
    from kassettui.media.facts import Facts
    from kassettui.media.thumbnails import Claim, Thumbnails

THUMBNAIL_PIXELS: Final = 256
"""The size that an import prepares; others are made when they are looked at."""

_MOST_MARKS: Final = 10_000
"""Frames that are named with their state; beyond that, the counts must do."""

_MOST_ATTRIBUTES: Final = 200
_GONE: Final = "It is not there any more."
_DRAWN: Final = frozenset({Kind.IMAGE, Kind.SEQUENCE, Kind.MOVIE})


def enrichers(decoders: Decoders, thumbnails: Thumbnails) -> tuple[Enricher, ...]:
    """The standing set, as imports and `enrich` run it."""
    return ProbeEnricher(decoders), HealthEnricher(decoders), ThumbnailEnricher(thumbnails)


class ProbeEnricher:
    """The facts of a file, of a sequence's first ok frame near its middle (P14)."""

    enricher_id: Final = "probe"
    version: Final = "media-1"
    priority: Final = PROBE_PRIORITY
    fields: Final = frozenset(
        (
            "width", "height", "pixel_aspect", "channels", "pixel_type", "compression", "colour_space", "fps",
            "timecode", "duration_ms", "video_codec", "audio_codec", "container", "metadata",
        )
    )  # fmt: skip

    def __init__(self, decoders: Decoders) -> None:
        self._decoders = decoders

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """Ask for the facts of all, then wait for each: the decoders work side by side."""
        directories = Directories(control)
        asked: list[Ticket | Outcome] = []
        try:
            for subject in batch:
                control.checkpoint()
                asked.append(self._ask(subject, directories))
            return [one if isinstance(one, Outcome) else self._outcome(one, control) for one in asked]
        finally:
            for one in asked:
                if not isinstance(one, Outcome):
                    one.cancel()  # nothing for what was answered

    def _ask(self, subject: Subject, directories: Directories) -> Ticket | Outcome:
        if subject.kind is Kind.OTHER:
            return Outcome()
        try:
            path = _standing_for(subject, directories)
            if path is None:
                return Outcome(error=_GONE)
            stamp = Stamp.of(path)
        except OSError as error:
            return Outcome(error=_unreadable(error))
        return self._decoders.probe(path, stamp=stamp, priority=Priority.BACKGROUND)

    def _outcome(self, ticket: Ticket, control: Control) -> Outcome:
        answer = wait_for(ticket, control)
        if isinstance(answer, Probed):
            return Outcome(_columns(answer.facts))
        if isinstance(answer, Failed) and answer.code is FailureCode.UNSUPPORTED:
            return Outcome(dict.fromkeys(self.fields) | {"metadata": {"not_read": answer.reason}})
        return Outcome(dict.fromkeys(self.fields), error=_reason(answer))


class HealthEnricher:
    """Whether each frame is whole: by size and time, and by structure (H0, H1); consistency too."""

    enricher_id: Final = "health"
    version: Final = "structure-1"
    priority: Final = HEALTH_PRIORITY
    fields: Final = frozenset(
        (
            "health", "health_level", "health_at", "health_counts", "health_frames", "damaged_count",
            "hole_count",
        )
    )  # fmt: skip

    def __init__(self, decoders: Decoders) -> None:
        self._decoders = decoders

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """Look at every frame; what cannot be listed is an error of its own."""
        directories = Directories(control)
        return [self._outcome(subject, directories, control) for subject in batch]

    def _outcome(self, subject: Subject, directories: Directories, control: Control) -> Outcome:
        control.checkpoint()
        try:
            if subject.kind is not Kind.SEQUENCE:
                return _health_of_file(subject)
            group = directories.group_of(subject.path)
        except OSError as error:
            return Outcome(error=_unreadable(error))
        if group is None:
            return Outcome(error=_GONE)
        return self._health_of_sequence(subject, group, control)

    def _health_of_sequence(self, subject: Subject, group: FrameGroup, control: Control) -> Outcome:
        now_ns = time.time_ns()
        expected = FrameRanges.parse(subject.expected_ranges) if subject.expected_ranges else None
        files = files_of(group, os.path.dirname(subject.path))
        findings = check_frames(files, level=1, decoders=self._decoders, control=control)
        health = health_of(group, findings, now_ns, expected=expected)
        return Outcome(
            {
                "health": str(health.state),
                "health_level": health.level,
                "health_at": now_ns // 1000,
                "health_counts": {str(state): count for state, count in health.counts.items()},
                "health_frames": {str(frame): str(state) for frame, state in health.bad[:_MOST_MARKS]}
                or None,
                "damaged_count": health.damaged_count,
                "hole_count": health.absent.count,
            }
        )


class ThumbnailEnricher:
    """A picture of each asset in the thumbnail cache, before anybody looks (P4, P8). Owns no column."""

    enricher_id: Final = "thumbnail"
    version: Final = "media-1"
    priority: Final = THUMBNAIL_PRIORITY
    fields: Final[frozenset[str]] = frozenset()

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """Claim all, then wait for each. A file that cannot be drawn is an error; sound is not."""
        directories = Directories(control)
        claims: list[Claim | Outcome] = []
        try:
            for subject in batch:
                control.checkpoint()
                claims.append(self._claim(subject, directories))
            return [one if isinstance(one, Outcome) else self._outcome(one, control) for one in claims]
        finally:
            for one in claims:
                if not isinstance(one, Outcome):
                    one.cancel()

    def _claim(self, subject: Subject, directories: Directories) -> Claim | Outcome:
        if subject.kind not in _DRAWN:
            return Outcome()
        try:
            path = _standing_for(subject, directories)
            if path is None:
                return Outcome(error=_GONE)
            wanted = Wanted(Stamp.of(path), THUMBNAIL_PIXELS)
        except OSError as error:
            return Outcome(error=_unreadable(error))
        return self._thumbnails.fetch(wanted, Priority.BACKGROUND)

    def _outcome(self, claim: Claim, control: Control) -> Outcome:
        picture = wait_for(claim, control)
        if not isinstance(picture, Failed) or picture.code is FailureCode.UNSUPPORTED:
            return Outcome()
        return Outcome(error=_reason(picture))


# -- inside -------------------------------------------------------------------------------------------------


def _standing_for(subject: Subject, directories: Directories) -> str | None:
    """The file that stands for the asset: of a sequence the ok frame nearest to its middle (P4).

    None when the sequence is gone. Raises OSError.
    """
    if subject.kind is not Kind.SEQUENCE:
        return subject.path
    group = directories.group_of(subject.path)
    if group is None:
        return None
    file = standing_file(group, os.path.dirname(subject.path))
    return None if file is None else file.path


def _health_of_file(subject: Subject) -> Outcome:
    """One file: its structure, where its format has one to look at."""
    now_ns = time.time_ns()
    verdict = check_structure(subject.path)
    if verdict.state is FrameState.MISSING:
        return Outcome(error=_GONE)
    state = verdict.state
    if state is FrameState.ZERO and is_fresh(os.stat(subject.path).st_mtime_ns, now_ns):
        state = FrameState.PLACEHOLDER
    whole = {None: None, FrameState.OK: SequenceState.COMPLETE, FrameState.PLACEHOLDER: SequenceState.GROWING}
    health = whole.get(state, SequenceState.BROKEN)
    return Outcome(
        {
            "health": None if health is None else str(health),
            "health_level": verdict.level if health is not None else 0,
            "health_at": now_ns // 1000,
            "health_counts": {} if state is None else {str(state): 1},
            "health_frames": None,
            "damaged_count": int(health is SequenceState.BROKEN),
        }
    )


def _columns(facts: Facts) -> Mapping[str, object]:
    """What was probed, as the columns of `assets`."""
    fps = Fraction(facts.fps) if facts.fps else None
    return {
        "width": facts.width or None,
        "height": facts.height or None,
        "pixel_aspect": facts.pixel_aspect if facts.width else None,
        "channels": len(facts.channels) or None,
        "pixel_type": facts.pixel_type or None,
        "compression": facts.compression or None,
        "colour_space": facts.colour_space or None,
        "fps": float(fps) if fps else None,
        "timecode": facts.timecode or None,
        "duration_ms": round(facts.duration * 1000) or None,
        "video_codec": facts.codec or None,
        "audio_codec": facts.audio[0].codec if facts.audio else None,
        "container": facts.format,
        "metadata": dict(_details(facts)),
    }


def _details(facts: Facts) -> Iterator[tuple[str, Any]]:
    """What has no column of its own, the empty left out."""
    if facts.layers:
        yield "layers", [[layer.name, list(layer.channels), layer.pixel_type] for layer in facts.layers]
    for name in ("display_window", "data_window"):
        window = getattr(facts, name)
        if window is not None:
            yield name, [window.x, window.y, window.width, window.height]
    if facts.chromaticities is not None:
        yield "chromaticities", list(facts.chromaticities)
    for name in ("parts", "orientation", "frame_count"):
        value = getattr(facts, name)
        if value > 1:
            yield name, value
    for name in ("alpha", "deep"):
        if getattr(facts, name):
            yield name, True
    if facts.audio:
        yield "audio", [[one.codec, one.channels, one.rate, one.language] for one in facts.audio]
    if facts.attributes:
        yield "attributes", dict(facts.attributes[:_MOST_ATTRIBUTES])


def _unreadable(error: OSError) -> str:
    return f"It cannot be read: {error.strerror or error}."


def _reason(answer: object) -> str:
    if isinstance(answer, Failed):
        return answer.reason
    return "The decoder was closed." if answer is None else "The decoder answered something else."
