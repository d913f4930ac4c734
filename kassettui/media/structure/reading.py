"""Bounded reads of a file that nobody vouches for: regular files only, never blocking, never mapped.

A file may shrink, grow or vanish while it is looked at. What lies beyond its end raises `Short`, what makes
no sense raises `Nonsense`; the caller turns both into a verdict.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

FIRST: Final = 8192
"""Bytes read at once from the beginning; most headers fit."""

LARGEST: Final = 64 * 1024 * 1024
"""Bytes; no header, table or tag is believed to be longer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that shows no damage. `undecided`: why only decoding could tell, "" when nothing is open.

    `make` is what must agree across a sequence: resolution, channels, pixel type, compression.
    """

    undecided: str = ""
    make: str = ""


class Short(Exception):
    """The file ends before what its own structure announces."""


class Nonsense(Exception):
    """The file's structure contradicts itself."""


class NotRegular(Exception):
    """A FIFO, socket, device or directory: never read."""


def open_regular(path: str | bytes) -> int:
    """A descriptor for reading the plain file at `path`, which is never anything else.

    Raises OSError; NotRegular, without having opened it, for a FIFO, socket, device or directory.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a device can already do something
        raise NotRegular
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)  # it was replaced in between
    raise NotRegular


class Source:
    """An open file with its beginning already read. Use as a context manager."""

    __slots__ = ("_fd", "head", "mtime_ns", "size")

    def __init__(self, path: str | bytes) -> None:
        """Open `path`. Raises OSError, or NotRegular for anything that is not a plain file."""
        self._fd = open_regular(path)
        try:
            status = os.fstat(self._fd)
            self.size = status.st_size
            self.mtime_ns = status.st_mtime_ns
            self.head = os.pread(self._fd, FIRST, 0)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`. Raises Short, Nonsense or OSError."""
        if offset < 0 or length < 0 or length > LARGEST:
            raise Nonsense(f"{length} bytes at {offset}")
        end = offset + length
        if end <= len(self.head):
            return self.head[offset:end]
        if end > self.size:
            raise Short(f"{end - self.size} bytes missing")
        data = os.pread(self._fd, length, offset)
        while len(data) < length:
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                raise Short("it shrank while it was read")
            data += more
        return data

    def needs(self, end: int, what: str) -> None:
        """Raise Short unless the file reaches to byte `end`."""
        if end > self.size:
            raise Short(f"{what} {end - self.size} bytes short")
