"""Content hashes, streaming (spec: ingest I8, `--hash`; I24, the `checksum` enricher).

A file's hash is the xxh3-128 of its bytes, 32 hexadecimal digits; a sequence's is `q1:` and the hash of
its frames' numbers and hashes, in order. Only regular files are opened, never through a symbolic link,
never blocking (R9).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import xxhash

from kassettui.core.kinds import Kind
from kassettui.ingest.enricher import CHECKSUM_PRIORITY, Outcome
from kassettui.ingest.members import Directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.ingest.enricher import Subject
    from kassettui.jobs.control import Control

_BLOCK: Final = 1 << 20
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class NotRegular(OSError):
    """What should be hashed is no regular file."""


def file_hash(path: str, control: Control) -> str:
    """xxh3-128 of a file's content, as hexadecimal digits. Raises OSError, and Cancelled between blocks."""
    descriptor = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular(f"{path!r} is no regular file")
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        digest = xxhash.xxh3_128()
        buffer = bytearray(_BLOCK)
        view = memoryview(buffer)
        while count := os.readv(descriptor, (buffer,)):
            control.checkpoint()
            digest.update(view[:count])
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def sequence_hash(frames: Iterable[tuple[int, str]], control: Control) -> str:
    """The hash of a sequence from its (frame, path) pairs, ascending. Raises OSError, Cancelled."""
    digest = xxhash.xxh3_128()
    for frame, path in frames:
        digest.update(f"{frame}:{file_hash(path, control)}\n".encode("ascii"))
    return f"q1:{digest.hexdigest()}"


class ChecksumEnricher:
    """Learns `content_hash`: the proof of what stood on disk when it ran. Asked for by `--hash`."""

    enricher_id: Final = "checksum"
    version: Final = "1"
    priority: Final = CHECKSUM_PRIORITY
    fields: Final = frozenset({"content_hash"})

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        """One hash a subject; a file that cannot be read is an error of its own."""
        directories = Directories(control)
        return [self._hash(subject, directories, control) for subject in batch]

    def _hash(self, subject: Subject, directories: Directories, control: Control) -> Outcome:
        control.checkpoint()
        try:
            if subject.kind is Kind.SEQUENCE:
                frames = directories.frames_of(subject.path)
                return Outcome({"content_hash": sequence_hash(frames, control)})
            return Outcome({"content_hash": file_hash(subject.path, control)})
        except OSError as error:
            return Outcome(error=f"The content cannot be read: {error.strerror or error}.")
