"""The bytes of one file from one descriptor to another: the fastest way that the file systems allow (spec:
files F5, F7).

Knows nothing of names, temps or jobs. `pulse` is called with the number of bytes after every block, at the
latest every 100 ms on anything faster than 640 KB/s; what it raises (a cancel) ends the transfer at once.
"""

from __future__ import annotations

import errno
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import xxhash

from kassettui.files import syscalls

BLOCK: Final = 1 << 20
"""Bytes a read: 4 MiB blocks leave the processor's cache and are three times slower to hash."""
_SMALLEST: Final = 64 << 10
_SLOW: Final = 0.04  # seconds a block may take before the next one is halved
_FAST: Final = 0.01
_WRITEBACK: Final = 32 << 20  # so that the fsync at the end, which nothing can stop, has little left to do
_ZEROS: Final = bytes(BLOCK)
_UNABLE: Final = frozenset(
    {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}
)

Pulse = Callable[[int], None]


class SourceChanged(Exception):
    """The file is not what it was when its copy began (F7)."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """`size` bytes went over; `hash` is their xxh3-128 in hex where it was asked for; `how` names the way."""

    size: int
    hash: str | None
    how: str


class Buffer:
    """One reused block of page-aligned memory: fresh buffers cost three times as much on small files.

    It goes when the last one who holds a part of it does: after a cancel, that is the traceback.
    """

    def __init__(self, size: int = BLOCK) -> None:
        self.view = memoryview(mmap.mmap(-1, size))


@dataclass(frozen=True, slots=True)
class Manner:
    """How bytes may go. `cloning`: by shared extents, which are no transfer that could go wrong and leave no
    hash.
    """

    hashing: bool = True
    cloning: bool = True
    durable: bool = True


def transfer(
    source: int, destination: int, facts: os.stat_result, manner: Manner, buffer: Buffer, pulse: Pulse
) -> Transferred:
    """Copy what `facts` says is in `source` into the empty `destination`.

    Raises SourceChanged when the file is shorter than it was, and OSError.
    """
    size = facts.st_size
    if size and manner.cloning and syscalls.clone(source, destination):
        pulse(size)
        return Transferred(size, None, "clone")
    dense = facts.st_blocks * 512 >= size
    if size and dense and not manner.hashing and _copy_in_kernel(source, destination, size, pulse):
        return Transferred(size, None, "kernel")
    ranges = [(0, size)] if dense else syscalls.data_ranges(source, size)
    return _Flow(source, destination, size, manner, buffer, pulse).run(ranges)


def _copy_in_kernel(source: int, destination: int, size: int, pulse: Pulse) -> bool:
    """copy_file_range in blocks; False when it cannot, nothing being written then."""
    done, block = 0, BLOCK * 8
    while done < size:
        began = time.monotonic()
        try:
            count = os.copy_file_range(source, destination, min(block, size - done), done, done)
        except OSError as error:
            if done == 0 and error.errno in _UNABLE:
                return False
            raise
        if count == 0:
            # Some pseudo file systems answer 0 for files that have bytes.
            if done == 0:
                return False
            raise SourceChanged
        done += count
        block = _next_block(block, time.monotonic() - began, BLOCK * 64)
        pulse(count)
    return True


def _next_block(block: int, took: float, most: int) -> int:
    """Smaller blocks where they take long, so that a cancel is heard within 100 ms."""
    if took > _SLOW:
        return max(_SMALLEST, block // 2)
    return min(most, block * 2) if took < _FAST else block


class _Flow:
    """A read and write loop, hashing what passes."""

    def __init__(
        self,
        source: int,
        destination: int,
        size: int,
        manner: Manner,
        buffer: Buffer,
        pulse: Pulse,
    ) -> None:
        self._source, self._destination, self._size = source, destination, size
        self._digest = xxhash.xxh3_128() if manner.hashing else None
        self._durable = manner.durable
        self._view = buffer.view
        self._pulse = pulse
        self._block = len(buffer.view)
        self._flushed = 0

    def run(self, ranges: list[tuple[int, int]]) -> Transferred:
        at = 0
        for start, end in ranges:
            self._skip(start - at)
            self._copy(start, end)
            at = end
        self._skip(self._size - at)
        if at < self._size or not ranges:
            os.ftruncate(self._destination, self._size)
        digest = self._digest.hexdigest() if self._digest is not None else None
        return Transferred(self._size, digest, "sparse" if ranges != [(0, self._size)] else "stream")

    def _skip(self, length: int) -> None:
        """A hole: nothing is written, but its zeros belong to the hash."""
        while length > 0 and self._digest is not None:
            count = min(length, len(_ZEROS))
            self._digest.update(_ZEROS[:count] if count < len(_ZEROS) else _ZEROS)
            length -= count
            self._pulse(0)

    def _copy(self, start: int, end: int) -> None:
        source, destination, view, digest = self._source, self._destination, self._view, self._digest
        at = start
        while at < end:
            began = time.monotonic()
            count = os.preadv(source, [view[: min(self._block, end - at)]], at)
            if count == 0:
                raise SourceChanged
            part = view[:count]
            if digest is not None:
                digest.update(part)
            written = 0
            while written < count:
                written += os.pwrite(destination, part[written:], at + written)
            at += count
            if self._durable and at - self._flushed >= _WRITEBACK:
                syscalls.start_writeback(destination, self._flushed, at - self._flushed)
                self._flushed = at
            self._block = _next_block(self._block, time.monotonic() - began, len(view))
            self._pulse(count)


def hash_file(fd: int, buffer: Buffer, pulse: Pulse, *, past_cache: bool = False) -> str:
    """xxh3-128 in hex of everything in `fd`; `past_cache` reads what the disk holds, where the system lets us
    (F7).
    """
    if past_cache:
        # Only clean pages can be dropped; whoever asks has synced the file before.
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    else:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    digest = xxhash.xxh3_128()
    view, at = buffer.view, 0
    while count := os.preadv(fd, [view], at):
        digest.update(view[:count])
        at += count
        pulse(count)
    return digest.hexdigest()
