"""The checksums of many files at once, by a few threads (spec: files F18; performance B12)."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kassettui.files.checksums import OURS, Checksum
from kassettui.files.crew import Crew
from kassettui.files.directories import Directories
from kassettui.files.transfer import BLOCK, Buffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kassettui.jobs.control import Control

WORKERS: Final = max(2, min(8, os.cpu_count() or 2))
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_BATCH: Final = 64  # files that one thread takes at a time
_BATCH_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class ToHash:
    """A file, and in which formats. `follow`: a link is read, not refused."""

    path: str
    formats: tuple[str, ...] = (OURS,)
    follow: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Hashed:
    """What was read: checksums by format, size in bytes, mtime; or why it could not be read."""

    path: str
    sums: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    mtime_ns: int = 0
    error: str = ""


def hash_files(files: Sequence[ToHash], control: Control, told: Callable[[Hashed], None]) -> None:
    """Read every file once. `told` hears of each, from several threads, in no order. Raises Cancelled."""
    local = threading.local()
    readers: list[_Reader] = []

    def work(batch: Sequence[ToHash]) -> None:
        reader: _Reader | None = getattr(local, "reader", None)
        if reader is None:
            reader = local.reader = _Reader(control)
            readers.append(reader)
        for file in batch:
            control.checkpoint()
            control.progress(current=file.path)
            told(reader.read(file))
            control.advance(items=1)

    try:
        Crew[Sequence[ToHash]](WORKERS, control).run(_batches(files), work)
    finally:
        for reader in readers:
            reader.close()


def _batches(files: Sequence[ToHash]) -> Iterable[Sequence[ToHash]]:
    batch: list[ToHash] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Reader:
    """One thread's buffer and open directories."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._buffer = Buffer()
        self._directories = Directories()

    def read(self, file: ToHash) -> Hashed:
        """The checksums of one file; a reason where there are none."""
        try:
            directory, name = self._directories.at(file.path)
            fd = os.open(name, _READ | (0 if file.follow else os.O_NOFOLLOW), dir_fd=directory)
        except OSError as error:
            return Hashed(file.path, error=error.strerror or str(error))
        try:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                return Hashed(file.path, error="it is no regular file")
            sums = self._sums(fd, file.formats)
            after = os.fstat(fd)
            if (facts.st_size, facts.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                return Hashed(file.path, error="it changed while it was read")
            return Hashed(file.path, sums, facts.st_size, facts.st_mtime_ns)
        except OSError as error:
            return Hashed(file.path, error=error.strerror or str(error))
        finally:
            os.close(fd)

    def _sums(self, fd: int, formats: Sequence[str]) -> dict[str, str]:
        made = {name: Checksum(name) for name in formats}
        sums = tuple(made.values())
        view, at = self._buffer.view, 0
        while count := os.preadv(fd, [view], at):
            part = view[:count]
            for each in sums:
                each.update(part)
            at += count
            self._control.advance(bytes=count)
            self._control.checkpoint()
            if count < BLOCK and at >= os.fstat(fd).st_size:
                break
        return {name: each.text() for name, each in made.items()}

    def close(self) -> None:
        """Give descriptors back."""
        self._directories.close()
