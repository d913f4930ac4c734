"""What can go wrong with one step, in words: the path, the operation, the cause and its errno (spec: files
F17).
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Self

from kassettui.files.plan import Step, StepKind

_DOING = {
    StepKind.MKDIR: "make the directory",
    StepKind.RMDIR: "remove the directory",
    StepKind.COPY: "copy",
    StepKind.SYMLINK: "copy the link",
    StepKind.FIFO: "copy the FIFO",
    StepKind.HARDLINK: "link",
    StepKind.REMOVE: "remove the moved file",
    StepKind.RENAME: "rename",
    StepKind.TRASH: "trash",
    StepKind.RESTORE: "restore",
    StepKind.DELETE: "delete",
}


@dataclass(frozen=True, slots=True)
class StepFailure:
    """One step that failed: for reports, the journal and the screen."""

    number: int
    item: int
    path: str
    message: str
    errno: str = ""
    damage: bool = False


class StepFailed(Exception):
    """Carries a StepFailure up to whoever decides what it means for the item."""

    def __init__(self, step: Step, cause: str, *, at: str = "", code: str = "", damage: bool = False) -> None:
        path = at or step.source or step.destination
        named = f" ({code})" if code else ""
        message = f"Could not {_DOING[step.kind]} {step.source or step.destination}: {cause}{named}"
        if at and at != (step.source or step.destination):
            message += f", at {at}"
        super().__init__(message + ".")
        self.failure = StepFailure(step.number, step.item, path, message + ".", code, damage)

    @classmethod
    def of(cls, step: Step, error: OSError, *, at: str = "") -> Self:
        """From what the system said."""
        code = errno.errorcode.get(error.errno or 0, "")
        return cls(step, os.strerror(error.errno) if error.errno else str(error), at=at, code=code)
