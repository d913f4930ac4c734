"""The engine's errors: what they mean for a transaction, and what a person is told (core.errors)."""

from __future__ import annotations

from enum import Enum
from typing import Final

import apsw
import peewee

from kassettui.core.errors import (
    ConstraintViolated,
    KassettuiError,
    LibraryBusy,
    LibraryCorrupt,
    LibraryReadOnly,
    LibraryUnavailable,
)
from kassettui.core.text import safe

ERRORS: Final = (apsw.Error, peewee.PeeweeException, UnicodeDecodeError)
"""What the database raises, below our own tree.

Text that is not UTF-8 was never written by us: it is damage.
"""


class Trouble(Enum):
    """What an error means for the transaction and the connection it happened on."""

    NONE = "none"
    """The statement failed; the transaction stands."""
    BUSY = "busy"
    STOPPED = "stopped"
    FULL = "full"
    """The transaction is gone; the file is sound."""
    DISK = "disk"
    """The transaction is gone; the connection and what it remembers of the file are not to be trusted."""
    DAMAGE = "damage"


_TROUBLE: Final[tuple[tuple[tuple[type[apsw.Error], ...], Trouble], ...]] = (
    ((apsw.BusyError, apsw.LockedError), Trouble.BUSY),
    ((apsw.InterruptError,), Trouble.STOPPED),
    ((apsw.FullError,), Trouble.FULL),
    ((apsw.CorruptError, apsw.NotADBError, apsw.FormatError), Trouble.DAMAGE),
    (
        (apsw.IOError, apsw.CantOpenError, apsw.ProtocolError, apsw.ReadOnlyError, apsw.PermissionsError),
        Trouble.DISK,
    ),
)


def trouble(error: BaseException) -> Trouble:
    """What `error` means. Looks behind errors that only say that the transaction had already ended."""
    link: BaseException | None = error
    while link is not None and is_engine_error(link):
        cause = engine_error(link)
        for kinds, meaning in _TROUBLE:
            if isinstance(cause, kinds):
                return meaning
        link = link.__context__ if link.__cause__ is None else link.__cause__
    return Trouble.NONE


def translated(error: BaseException, path: str = "") -> KassettuiError:
    """What a person is told of an engine's error; raise it `from` the original. Ours pass through."""
    if isinstance(error, KassettuiError):
        return error
    if isinstance(error, OSError):
        return LibraryUnavailable(
            f"{safe(path)} cannot be written: {error.strerror}.", remedy="Check the disk."
        )
    cause = engine_error(error)
    where = f" {safe(path)}" if path else ""
    if isinstance(cause, apsw.BusyError | apsw.LockedError):
        return LibraryBusy(
            f"Another process is writing to the library{where}.", remedy="Try again when it is done."
        )
    if isinstance(cause, apsw.FullError):
        return LibraryUnavailable(
            f"The disk of the library{where} is full; nothing was written.", remedy="Make room and try again."
        )
    if isinstance(cause, apsw.CorruptError | apsw.NotADBError | apsw.FormatError | UnicodeDecodeError):
        return LibraryCorrupt(
            f"The library{where} is damaged: {safe(str(cause))}.",
            remedy="Look closer with: kassettui library check",
        )
    if isinstance(cause, apsw.ReadOnlyError):
        return LibraryReadOnly(f"The library{where} cannot be written.", remedy="Check its permissions.")
    if isinstance(cause, apsw.ConstraintError):
        return ConstraintViolated(f"The library refused a row: {safe(str(cause))}.")
    if isinstance(cause, apsw.IOError | apsw.CantOpenError | apsw.ProtocolError | apsw.PermissionsError):
        return LibraryUnavailable(
            f"The library{where} cannot be reached: {safe(str(cause))}.",
            remedy="Check the disk it stands on.",
        )
    return KassettuiError(f"The library{where} answered: {safe(str(cause))}.")


def is_engine_error(error: BaseException) -> bool:
    """Whether `error` comes from the database, below our own tree."""
    return isinstance(error, ERRORS)


def engine_error(error: BaseException) -> BaseException:
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error
