"""Sequences through their frames: which stands for them, which are broken, which unlike (P4, H1, H2)."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from kassettui.core.health import FrameState, examine, summarise
from kassettui.media.facts import Verdict
from kassettui.media.messages import Checked, FailureCode
from kassettui.media.structure import check_structure
from kassettui.media.waiting import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from kassettui.core.frames import FrameRanges
    from kassettui.core.health import SequenceHealth
    from kassettui.core.sequences import FrameGroup
    from kassettui.jobs.control import Control
    from kassettui.media.decoders import Decoders, Ticket
    from kassettui.media.messages import Answer

_T = TypeVar("_T")

_FIRST: Final = 32
_SLOW_SECONDS: Final = 0.001
_THREADS: Final = 12
_TRIES: Final = 16
_AT_ONCE: Final = 256
_DECODES_UNDER_WAY: Final = 16
_DAMAGE: Final = frozenset(
    {FailureCode.TIMEOUT, FailureCode.CRASHED, FailureCode.OUT_OF_MEMORY, FailureCode.DAMAGED}
)


@dataclass(frozen=True, slots=True)
class FrameFile:
    """One frame's number and file (path in memory form)."""

    frame: int
    path: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What checking a sequence's frames found. `verdicts` holds every frame that was looked at.

    `level` is how deep was looked at all of them: 0 where structure could not tell of some.
    """

    level: int
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)

    @property
    def bad(self) -> dict[int, FrameState]:
        """The frames that are not ok, the unlike ones (the minority) among them."""
        states: dict[int, FrameState] = {
            frame: verdict.state
            for frame, verdict in self.verdicts.items()
            if verdict.state is not None and verdict.state is not FrameState.OK
        }
        makes = {frame: one.make for frame, one in self.verdicts.items() if one.make and frame not in states}
        return states | dict.fromkeys(minority(makes), FrameState.INCONSISTENT)

    def reason(self, frame: int) -> str:
        """What was found about a frame, for people."""
        verdict = self.verdicts.get(frame)
        if verdict is None:
            return ""
        if verdict.reason or verdict.state is not FrameState.OK:
            return verdict.reason
        usual = Counter(one.make for one in self.verdicts.values() if one.make).most_common(1)
        if verdict.make and usual and verdict.make != usual[0][0]:
            return f"{verdict.make}, most are {usual[0][0]}"
        return ""


def representative(frames: FrameRanges, bad: Mapping[int, FrameState]) -> int | None:
    """The frame that stands for a sequence: the middle one, or the ok one nearest to it (P4).

    The middle one all the same where none is ok; None without frames. Frames not in `bad` are ok.
    """
    count = frames.count
    if not count:
        return None
    middle = count // 2
    for distance in range(min(count, len(bad)) + 1):
        for index in dict.fromkeys((middle + distance, middle - distance)):
            if 0 <= index < count and (frame := _frame_at(frames, index)) not in bad:
                return frame
    return _frame_at(frames, middle)


def _frame_at(frames: FrameRanges, index: int) -> int:
    """The frame with so many before it."""
    for first, last, step in frames.runs:
        length = (last - first) // step + 1
        if index < length:
            return first + index * step
        index -= length
    raise IndexError(index)


def files_of(group: FrameGroup, directory: str) -> list[FrameFile]:
    """Every frame of a sequence in `directory` with its file."""
    return [FrameFile(frame, f"{directory.rstrip('/')}/{group.name_of(frame)}") for frame in group.frames]


def standing_file(group: FrameGroup, directory: str) -> FrameFile | None:
    """The frame that stands for a sequence on disk: near the middle, and whole as far as structure tells.

    The middle one where none of those looked at is whole; None for a sequence without frames.
    """
    bad: dict[int, FrameState] = {}
    middle: FrameFile | None = None
    for _ in range(_TRIES):
        frame = representative(group.ranges, bad)
        if frame is None or frame in bad:
            break
        file = FrameFile(frame, f"{directory.rstrip('/')}/{group.name_of(frame)}")
        middle = middle or file
        state = check_structure(file.path).state
        if state is None or state is FrameState.OK:
            return file
        bad[frame] = state
    return middle


def health_of(
    group: FrameGroup, findings: Findings, now_ns: int, *, expected: FrameRanges | None = None
) -> SequenceHealth:
    """A sequence's health from what `stat` and what looking into its frames said (H0 with H1 or H2)."""
    bad = dict(examine(group, now_ns, expected=expected).bad)
    for frame, state in findings.bad.items():
        if bad.get(frame) is not FrameState.PLACEHOLDER:  # an empty file that is fresh is being written
            bad[frame] = state
    return summarise(
        group.ranges,
        bad,
        level=findings.level,
        newest_ns=max(group.mtimes or (), default=0),
        now_ns=now_ns,
        writing=group.growing_evidence,
        expected=expected,
    )


def minority(makes: Mapping[int, str]) -> list[int]:
    """The frames whose make is not the most frequent one; of equals, the one that came first counts."""
    if len(set(makes.values())) < 2:
        return []
    usual = Counter(makes.values()).most_common(1)[0][0]
    return [frame for frame, make in makes.items() if make != usual]


def check_frames(
    files: Sequence[FrameFile],
    *,
    level: int,
    decoders: Decoders | None = None,
    control: Control | None = None,
    looked_at: Callable[[FrameFile], None] = lambda _: None,
    priority: Priority = Priority.BACKGROUND,
) -> Findings:
    """Look into the files of a sequence: level 1 by structure, level 2 by decoding all of each.

    At level 1 what structure leaves open for a format that it knows is decoded, given `decoders`; formats
    without a structural check are left at level 0. `looked_at` hears of each file once, for a progress
    display. Raises Control's Cancelled.
    """
    verdicts: dict[int, Verdict] = {}
    if level < 2:
        for file, verdict in _by_structure(files, control):
            verdicts[file.frame] = verdict
            looked_at(file)
    doubtful = [
        file
        for file in files
        if level >= 2 or (verdicts[file.frame].state is None and verdicts[file.frame].level >= 1)
    ]
    if decoders is not None:
        for file, verdict in _by_decoding(doubtful, decoders, control, priority):
            verdicts[file.frame] = verdict
            if level >= 2:
                looked_at(file)
    reached = min((verdict.level for verdict in verdicts.values()), default=level)
    return Findings(min(reached, level), verdicts)


def _by_structure(files: Sequence[FrameFile], control: Control | None) -> Iterator[tuple[FrameFile, Verdict]]:
    """One after the other on a fast file system, several at once where each takes long to come."""
    began = time.monotonic()
    for file in files[:_FIRST]:
        if control is not None:
            control.checkpoint()
        yield file, check_structure(file.path)
    rest = files[_FIRST:]
    if not rest:
        return
    slow = (time.monotonic() - began) / _FIRST > _SLOW_SECONDS
    if not slow:
        for number, file in enumerate(rest):
            if control is not None and number % 16 == 0:
                control.checkpoint()
            yield file, check_structure(file.path)
        return
    with ThreadPoolExecutor(_THREADS, "kassettui-frames") as pool:
        for start in range(0, len(rest), _AT_ONCE):
            if control is not None:
                control.checkpoint()
            part = rest[start : start + _AT_ONCE]
            yield from zip(part, pool.map(check_structure, (file.path for file in part)), strict=True)


def _by_decoding(
    files: Sequence[FrameFile], decoders: Decoders, control: Control | None, priority: Priority
) -> Iterator[tuple[FrameFile, Verdict]]:
    """A few under way at any time; a cancel drops what was not begun."""
    waiting = iter(files)
    under_way: list[tuple[FrameFile, Ticket]] = []
    try:
        while True:
            more = islice(waiting, _DECODES_UNDER_WAY - len(under_way))
            under_way.extend((file, decoders.check(file.path, priority=priority)) for file in more)
            if not under_way:
                return
            file, ticket = under_way.pop(0)
            answer = wait_for(ticket, control)
            yield file, _as_verdict(answer)
    finally:
        for _, ticket in under_way:
            ticket.cancel()


class Awaited(Protocol[_T]):
    """A ticket or a claim: a future, and a way to give it up."""

    @property
    def future(self) -> Future[_T]:
        """Where the answer comes."""

    def cancel(self) -> None:
        """Not wanted any more."""


def wait_for(awaited: Awaited[_T], control: Control | None) -> _T | None:
    """The answer, None when it was cancelled.

    A cancel of `control` gives it up and raises Control's Cancelled.
    """
    if control is None:
        return _result(awaited)
    try:
        with control.at_cancel(awaited.cancel):
            control.checkpoint()
            answer = _result(awaited)
    except BaseException:
        awaited.cancel()
        raise
    control.checkpoint()
    return answer


def _result(awaited: Awaited[_T]) -> _T | None:
    try:
        return awaited.future.result()
    except CancelledError:
        return None


def _as_verdict(answer: Answer | None) -> Verdict:
    """A decoder's word on one file; a decoder that broke over a file is a word on the file too."""
    if isinstance(answer, Checked):
        return answer.verdict
    code = getattr(answer, "code", FailureCode.CANCELLED)
    reason = getattr(answer, "reason", "not checked")
    if code in _DAMAGE:
        return Verdict(FrameState.UNREADABLE, level=2, reason=reason)
    if code is FailureCode.GONE:
        return Verdict(FrameState.MISSING, level=2, reason=reason)
    if code is FailureCode.UNREADABLE:
        return Verdict(FrameState.UNREADABLE, level=2, reason=reason)
    return Verdict(None, level=1, reason=reason)
