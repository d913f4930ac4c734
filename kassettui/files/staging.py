"""One file to a hidden temp name beside its destination, whole and on disk, ready to be published (spec:
files F4).

The final name is `publishing`'s. A worker thread has a `Stager` of its own.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from kassettui.files import metadata, syscalls
from kassettui.files.directories import Directories
from kassettui.files.failures import StepFailed
from kassettui.files.plan import Options, Step, StepKind, Verify
from kassettui.files.transfer import Buffer, Manner, SourceChanged, Transferred, hash_file, transfer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Staged:
    """A finished temp: its name in the destination's directory, the source's facts, the hash if
    one was made.
    """

    step: Step
    temporary: str
    facts: os.stat_result
    hash: str | None = None
    how: str = ""


def temporary_name(job: str, number: int) -> str:
    """The temp name of a job's step: hidden, short, and never guessable (`job` is random)."""
    return f".kassettui-{job}-{number}.part"


def is_temporary(name: str) -> bool:
    """Whether `name` is one that `temporary_name` makes."""
    return name.startswith(".kassettui-") and name.endswith(".part")


class Stager:
    """Copies files to temps. Not for two threads at a time; close it when its thread is done."""

    def __init__(
        self, job: str, options: Options, oddities: metadata.Oddities, pulse: Callable[[int], None]
    ) -> None:
        self._job = job
        self._options = options
        self._oddities = oddities
        self._pulse = pulse
        self._buffer = Buffer()
        must_hash = options.verify is Verify.BOTH or options.mhl
        self._manner = Manner(
            hashing=options.verify is not Verify.SIZE or must_hash,
            cloning=not must_hash,
            durable=options.durable,
        )
        self.directories = Directories()

    def stage(self, step: Step) -> tuple[Staged, int]:
        """Make the temp of `step`; (what was staged, its open descriptor or -1).

        The file is complete but not yet synced: `settle` does that, for many at a time. A failure leaves
        nothing behind. Raises StepFailed, or what `pulse` raises.
        """
        fd, directory = -1, -1
        temporary = temporary_name(self._job, step.number)
        try:
            directory, _ = self._destination(step)
            if step.kind is StepKind.COPY:
                return self._stage_file(step, directory, temporary)
            return self._stage_other(step, directory, temporary), fd
        except OSError as error:
            raise StepFailed.of(step, error) from error

    def _destination(self, step: Step) -> tuple[int, str]:
        try:
            return self.directories.at(step.destination)
        except OSError as error:
            raise StepFailed.of(step, error, at=os.path.dirname(step.destination)) from error

    def _stage_file(self, step: Step, directory: int, temporary: str) -> tuple[Staged, int]:
        source = self._open_source(step)
        target = -1
        try:
            facts = os.fstat(source)
            target = self._make(directory, temporary)
            done = self._fill(step, source, target, facts)
            metadata.keep(source, target, facts, step.destination, self._oddities)
            _same_still(step, facts, os.fstat(source))
            if self._options.durable:
                syscalls.start_writeback(target)  # so that `settle` waits for many at once, not for each
        except BaseException:
            if target >= 0:
                os.close(target)
                _drop(directory, temporary)
            raise
        finally:
            os.close(source)
        return Staged(step, temporary, facts, done.hash, done.how), target

    def _open_source(self, step: Step) -> int:
        """The source, open for reading; a FIFO or device that took its place is never waited for."""
        directory, name = self.directories.at(step.source)
        source = os.open(name, _READ, dir_fd=directory)
        if not stat.S_ISREG(os.fstat(source).st_mode):
            os.close(source)
            raise StepFailed(step, "it is no regular file any more", at=step.source)
        return source

    def _make(self, directory: int, temporary: str) -> int:
        try:
            return os.open(temporary, _MAKE, 0o600, dir_fd=directory)
        except FileExistsError:
            # Only a temp of this very job and step can have this name: what an interruption left.
            os.unlink(temporary, dir_fd=directory)
            return os.open(temporary, _MAKE, 0o600, dir_fd=directory)

    def _fill(self, step: Step, source: int, target: int, facts: os.stat_result) -> Transferred:
        try:
            done = transfer(source, target, facts, self._manner, self._buffer, self._pulse)
        except SourceChanged as error:
            raise StepFailed(step, "the source changed while it was read", at=step.source) from error
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            raise StepFailed.of(step, error, at=step.destination if full else "") from error
        if os.fstat(target).st_size != facts.st_size:
            raise StepFailed(step, "fewer bytes arrived than were sent", at=step.destination)
        return done

    def _stage_other(self, step: Step, directory: int, temporary: str) -> Staged:
        """A symbolic link or a FIFO, made again."""
        parent, name = self.directories.at(step.source)
        facts = os.lstat(name, dir_fd=parent)
        _drop(directory, temporary)
        if step.kind is StepKind.SYMLINK:
            os.symlink(os.readlink(name, dir_fd=parent), temporary, dir_fd=directory)
        else:
            os.mkfifo(temporary, 0o600, dir_fd=directory)
        fifo = step.kind is StepKind.FIFO
        metadata.keep_link(directory, temporary, facts, step.destination, self._oddities, chmod=fifo)
        return Staged(step, temporary, facts)

    def settle(self, staged: Staged, fd: int) -> None:
        """Bring a staged file to the disk; for `--verify both`, read it back past the cache. Closes `fd`."""
        if fd < 0:
            return
        try:
            if self._options.durable or self._options.verify is Verify.BOTH:
                os.fsync(fd)
            if self._options.verify is Verify.BOTH:
                self._read_back(staged, fd)
        except BaseException as error:
            self.discard(staged)
            if isinstance(error, OSError):
                raise StepFailed.of(staged.step, error, at=staged.step.destination) from error
            raise
        finally:
            os.close(fd)

    def _read_back(self, staged: Staged, fd: int) -> None:
        """Compare what the disk holds now with what was read from the source (F7)."""
        found = hash_file(fd, self._buffer, lambda _: self._pulse(0), past_cache=True)
        if found != staged.hash:
            cause = "the copy differs from what was read: the disk or its path is damaged"
            raise StepFailed(staged.step, cause, at=staged.step.destination, damage=True)

    def discard(self, staged: Staged) -> None:
        """Remove a temp that will not be published."""
        _drop(self.directories.at(staged.step.destination)[0], staged.temporary)

    def close(self) -> None:
        """Give descriptors back."""
        self.directories.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _same_still(step: Step, before: os.stat_result, after: os.stat_result) -> None:
    """Raise StepFailed for a file that was written while it was read (F7)."""
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise StepFailed(step, "the source changed while it was read", at=step.source)


def _drop(directory: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
