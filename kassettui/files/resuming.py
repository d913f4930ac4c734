"""What is left to do of a job that did not end well (spec: files F8). Reads the disk, changes nothing."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from kassettui.files.directories import Directories
from kassettui.files.execution import Earlier
from kassettui.files.outcomes import StepState
from kassettui.files.plan import Operation, Plan, StepKind, Verify
from kassettui.files.recording import items_of, outcome_of, step_of
from kassettui.files.sealing import Copied
from kassettui.files.transfer import Buffer, hash_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.files.outcomes import Outcome
    from kassettui.files.plan import Options
    from kassettui.jobs.control import Control
    from kassettui.library.journal import Entry, StepRow

_COPIES: Final = frozenset({StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO, StepKind.HARDLINK})
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def resumed(
    entry: Entry, rows: Sequence[StepRow], options: Options, control: Control
) -> tuple[Plan, Earlier]:
    """(the plan of what is left, what was done before). A plan without steps has nothing left to do.

    A finished copy is trusted by size and time, with `verify both` by its hash; one that is not there any
    more is made again while its source stands.
    """
    steps = {row.number: step_of(row) for row in rows}
    done = {row.number: outcome_of(row) for row in rows if row.state == StepState.DONE}
    skipped = {row.number for row in rows if row.state == StepState.SKIPPED}
    removed = {steps[number].link_of for number in done if steps[number].kind is StepKind.REMOVE}
    with Directories() as directories:
        lost = {
            number
            for number, outcome in done.items()
            if steps[number].kind in _COPIES
            and number not in removed
            and not _is_there(outcome, options.verify, directories, control)
        }
    open_ = [
        step
        for number, step in steps.items()
        if number not in skipped and (number not in done or number in lost)
    ]
    # Directories that were made get their modes and times again when more has come into them.
    items = {step.item for step in open_ if step.kind in _COPIES}
    left = [
        step
        for number, step in steps.items()
        if step in open_ or (step.kind is StepKind.MKDIR and step.item in items and number in done)
    ]
    made = {number: outcome.destination for number, outcome in done.items() if number not in lost}
    copied = {
        number: was
        for number, outcome in done.items()
        if number not in lost and steps[number].kind in _COPIES and (was := steps[number].was) is not None
    }
    listed = items_of(entry, rows)
    plan = Plan(
        Operation(entry.kind),
        entry.title,
        tuple(listed[number] for number in sorted(listed)),
        tuple(left) if open_ else (),
        options=options,
        reverts=entry.request.get("reverts"),
        undo_of=entry.undo_of,
    )
    hashes = {
        outcome.destination: Copied(outcome.hash, outcome.identity.size, outcome.identity.mtime_ns)
        for number, outcome in done.items()
        if number not in lost and outcome.hash and outcome.identity is not None
    }
    return plan, Earlier(made, copied, hashes, max(steps, default=-1) + 1)


def _is_there(outcome: Outcome, verify: Verify, directories: Directories, control: Control) -> bool:
    """Whether a copy still is what was recorded."""
    facts = directories.find(outcome.destination)
    made = outcome.identity
    if facts is None or made is None:
        return False
    if stat.S_ISDIR(facts.st_mode) or (facts.st_size, facts.st_mtime_ns) != (made.size, made.mtime_ns):
        return False
    if verify is not Verify.BOTH or outcome.hash is None:
        return True
    buffer = Buffer()
    directory, name = directories.at(outcome.destination)
    fd = os.open(name, _READ, dir_fd=directory)
    try:
        return hash_file(fd, buffer, lambda _: control.checkpoint(), past_cache=True) == outcome.hash
    finally:
        os.close(fd)
