"""`frames --check 1|2`: what looking into the frames of sequences on disk tells (H1, H2)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.cli.disk import OnDisk
    from kassettui.cli.invocation import Invocation
    from kassettui.core.frames import FrameRanges
    from kassettui.core.health import SequenceHealth
    from kassettui.jobs.control import Control
    from kassettui.media.sequences import Findings

    Looked = tuple[SequenceHealth, Findings]


def look_into(
    invocation: Invocation, found: Sequence[tuple[OnDisk, FrameRanges | None]], level: int
) -> list[Looked]:
    """The health of each sequence by structure (1) or decoding (2), and what was found frame by frame."""
    from kassettui.cli.background import in_background

    workspace = invocation.workspace(read_only=True)
    total = sum(len(each.group.frames) for each, _ in found)
    with invocation.people.progress("frames") as shown:

        def work(control: Control, tell: Callable[[Any], None]) -> list[Looked]:
            return [_one(each, asked, level, workspace, control, tell) for each, asked in found]

        done = 0

        def heard(_path: str) -> None:
            nonlocal done
            done += 1
            if shown is not None:
                shown.update("check", done, total)

        return in_background(
            invocation.interruption, workspace.jobs, "check", work, heard, kind="check", queue="decode"
        )


def _one(
    found: OnDisk,
    expected: FrameRanges | None,
    level: int,
    workspace: Any,
    control: Control,
    tell: Callable[[Any], None],
) -> Looked:
    from kassettui.media.sequences import check_frames, files_of, health_of
    from kassettui.media.waiting import Priority

    findings = check_frames(
        files_of(found.group, found.directory or "."),
        level=level,
        decoders=workspace.decoders,
        control=control,
        looked_at=lambda file: tell(file.path),
        priority=Priority.NEAR,
    )
    return health_of(found.group, findings, time.time_ns(), expected=expected), findings
