"""Every error that a person may meet, in one tree, each with its remedy and exit code (spec: cli).

What a module raises beyond these is a bug and ends in the log with its traceback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process answers to the shell."""

    DONE = 0
    FAILED = 1
    NOT_FOUND = 2
    OFFLINE = 3
    PARTIAL = 4
    DAMAGED = 5
    BUSY = 7
    STALE_PLAN = 8
    INTERRUPTED = 130


class KassettuiError(Exception):
    """An expected failure: one line that says what and why, and a remedy that says what to do.

    `code` is the stable name that JSON output carries.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


class InvalidInput(KassettuiError):
    """An argument, option, setting or query that cannot mean anything."""

    code = "invalid"


class Ambiguous(KassettuiError):
    """A name that stands for more than one thing."""

    code = "ambiguous"


class Refused(KassettuiError):
    """Understood, possible, and not allowed: a rule or a protection stands against it."""

    code = "refused"


class NotFound(KassettuiError):
    """A scope, asset, folder, collection, version, path or run that is not there."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND


class SourceOffline(KassettuiError):
    """A collection's root that cannot be reached, or that looks as if it were not mounted (I14)."""

    code = "offline"
    exit_code = ExitCode.OFFLINE


class PartialFailure(KassettuiError):
    """Some items failed, the others are done (I21, F17)."""

    code = "partial"
    exit_code = ExitCode.PARTIAL


class DamageFound(KassettuiError):
    """Frames, files or the library itself are not whole."""

    code = "damaged"
    exit_code = ExitCode.DAMAGED


class LibraryCorrupt(DamageFound):
    """The library's file is not a sound kassettui library (L11)."""

    code = "library_corrupt"


class LibraryBusy(KassettuiError):
    """Another process held the library's write lock for longer than we were willing to wait (L3)."""

    code = "library_busy"
    exit_code = ExitCode.BUSY


class LibraryReadOnly(Refused):
    """A write to a library that was opened, or can only be opened, for reading."""

    code = "library_read_only"


class LibraryTooNew(Refused):
    """A library written by a newer kassettui; it is never touched (L9)."""

    code = "library_too_new"


class LibraryUnavailable(KassettuiError):
    """The library's file system failed us: full, gone, or an I/O error. Nothing was written."""

    code = "library_unavailable"


class LibraryClosed(KassettuiError):
    """A request to a library that is closed or closing (L3)."""

    code = "library_closed"


class ConstraintViolated(KassettuiError):
    """A row that the library's own rules (UNIQUE, CHECK, foreign keys) stopped: the net under the code."""

    code = "constraint"


class MigrationFailed(KassettuiError):
    """A schema step failed; the library stands at its old version, untouched (L9)."""

    code = "migration_failed"


class RunFailed(KassettuiError):
    """An ingest whose transaction was rolled back; the library is as before (I18)."""

    code = "rolled_back"


class StalePlan(KassettuiError):
    """A stored plan whose assumptions no longer hold (I20)."""

    code = "stale_plan"
    exit_code = ExitCode.STALE_PLAN


class Interrupted(KassettuiError):
    """Stopped on request: Ctrl-C, SIGTERM or the screen's cancel (I22)."""

    code = "cancelled"
    exit_code = ExitCode.INTERRUPTED
