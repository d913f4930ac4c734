"""Copying items: directories, then bytes to temps by a small pool, then final names; a move's sources last
(F4–F7).

Works on a unit: steps that stand or fall together where `atomic` (a sequence: all frames or none, F9), or
files that do not care about each other. What to copy, and where to, was settled by the plan.
"""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kassettui.files import metadata
from kassettui.files.crew import Crew
from kassettui.files.draft import identity_of
from kassettui.files.failures import StepFailed
from kassettui.files.outcomes import Outcome, StepState
from kassettui.files.plan import Policy, Step, StepKind
from kassettui.files.publishing import Skipped, publish, set_aside, settle_replaced, take_back
from kassettui.files.staging import Staged, Stager, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.files.directories import Directories
    from kassettui.files.execution import Execution
    from kassettui.files.publishing import Published

WORKERS: Final = min(4, max(2, os.cpu_count() or 2))
_BATCH_FILES: Final = 128  # descriptors that one worker holds until they are synced together
_BATCH_BYTES: Final = 64 << 20
_TRANSFERS: Final = frozenset({StepKind.COPY, StepKind.SYMLINK, StepKind.FIFO})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


@dataclass(frozen=True, slots=True)
class Unit:
    """Steps of one item; or, `independent`, of many single files. `atomic`: all of them or none."""

    steps: tuple[Step, ...]
    atomic: bool = False
    independent: bool = False

    def of(self, *kinds: StepKind) -> Iterator[Step]:
        """The steps of these kinds, in order."""
        return (step for step in self.steps if step.kind in kinds)


class _UnitFailed(Exception):
    """One step of an atomic unit failed: none of it is to be seen."""


class CopyUnit:
    """One run of a unit. `run` gives control, recorder and options, and takes what failed."""

    def __init__(self, unit: Unit, run: Execution) -> None:
        self._unit = unit
        self._run = run
        self._options = run.plan.options
        self._local = threading.local()
        self._lock = threading.Lock()
        self._stagers: list[Stager] = []
        self._staged: dict[int, Staged] = {}  # whole and on disk, not under their final names yet
        self._published: list[tuple[Staged, Published]] = []
        self._facts: dict[int, os.stat_result] = {}  # of the sources, for `_remove_sources`
        self._made: list[Step] = []
        self._lost: set[str] = set()  # directories that could not be made
        self._touched: set[str] = set()
        self._failed = False

    def execute(self) -> bool:
        """Do it all; whether no step failed. Raises Cancelled and the like, having cleaned up."""
        try:
            self._make_directories()
            batches = list(self._batches())
            Crew[list[Step]](WORKERS, self._run.control).run(batches, self._do_batch)
            self._link()
            self._publish_atomically()
        except _UnitFailed:
            self._take_all_back()
            self._finish_directories()
            return False
        except BaseException:
            self._take_all_back()
            self._finish_directories()
            raise
        finally:
            for stager in self._stagers:
                stager.close()
        self._finish_directories()
        if not self._failed or self._unit.independent:
            self._remove_sources()
        return not self._failed

    def _fail(self, error: StepFailed) -> None:
        """Note a failing step; in an atomic unit it is the end of all of it."""
        self._failed = True
        self._run.fail(error)
        if self._unit.atomic:
            raise _UnitFailed from error

    # -- directories ----------------------------------------------------------------------------------------

    def _make_directories(self) -> None:
        directories = self._run.directories
        for step in self._unit.of(StepKind.MKDIR):
            self._run.control.checkpoint()
            if step.number in self._run.earlier.made:
                os.fchmod(directories.fd(step.destination), 0o700)  # its own mode may not let anything in
                self._made.append(step)
                continue
            replaced = ""
            try:
                if step.replaces is not None:
                    replaced = set_aside(step.destination, self._options, directories)
                fd, name = directories.at(step.destination)
                os.mkdir(name, 0o700, dir_fd=fd)
            except OSError as error:
                if isinstance(error, FileExistsError) and self._may_merge(step):
                    self._run.skip(step)
                else:
                    self._lost.add(step.destination)
                    self._fail(StepFailed.of(step, error, at=step.destination))
                continue
            self._made.append(step)
            self._touched |= {os.path.dirname(step.destination), step.destination}
            identity = identity_of(directories.lstat(step.destination))
            done = Outcome(step.number, StepState.DONE, step.destination, identity, None, replaced)
            self._run.done(step, done)

    def _may_merge(self, step: Step) -> bool:
        """Whether a directory that appeared meanwhile is as good as ours (F3)."""
        return (
            self._options.on_conflict not in {Policy.FAIL, Policy.KEEP_BOTH}
            and os.path.isdir(step.destination)
            and not os.path.islink(step.destination)
        )

    def _finish_directories(self) -> None:
        """Modes and times of the directories made, deepest first; then all that changed goes to disk."""
        directories = self._run.directories
        for step in reversed(self._made):
            try:
                target = directories.fd(step.destination)
                if step.source:
                    source = directories.fd(step.source)
                    metadata.keep(source, target, os.fstat(source), step.destination, self._run.oddities)
                else:
                    os.fchmod(target, step.mode)
            except OSError as error:
                self._run.oddities.note("metadata", step.destination, error)
        self._made.clear()
        if self._options.durable:
            for path in sorted(self._touched):
                os.fsync(directories.fd(path))
        self._touched.clear()

    # -- bytes ----------------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[list[Step]]:
        """Steps in portions that are synced together: enough to share a commit, few enough to hold open."""
        batch: list[Step] = []
        size = 0
        for step in self._unit.of(*_TRANSFERS):
            if self._is_lost(step):
                continue
            batch.append(step)
            size += step.size
            if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _is_lost(self, step: Step) -> bool:
        """Whether its directory is not there; that step has failed then."""
        lost = any(step.destination.startswith(place + "/") for place in self._lost)
        if lost:
            self._fail(StepFailed(step, "its directory could not be made", at=step.destination))
        return lost

    def _stager(self) -> Stager:
        """This thread's own."""
        stager: Stager | None = getattr(self._local, "stager", None)
        if stager is None:
            run = self._run
            stager = self._local.stager = Stager(run.job, self._options, run.oddities, run.pulse)
            with self._lock:
                self._stagers.append(stager)
        return stager

    def _do_batch(self, batch: list[Step]) -> None:
        """Stage, sync and (unless atomic) publish one portion."""
        stager = self._stager()
        waiting: list[tuple[Staged, int]] = []
        try:
            for step in batch:
                self._run.begin(step)
                try:
                    waiting.append(stager.stage(step))
                except StepFailed as error:
                    self._fail(error)
            waiting.reverse()
            while waiting:
                self._settle(stager, *waiting.pop())
        except BaseException:
            for staged, fd in waiting:
                if fd >= 0:
                    os.close(fd)
                stager.discard(staged)
            raise

    def _settle(self, stager: Stager, staged: Staged, fd: int) -> None:
        """Sync one staged file; publish it, or keep it for `_publish_atomically`."""
        try:
            stager.settle(staged, fd)
        except StepFailed as error:
            self._fail(error)
            return
        if self._unit.atomic:
            with self._lock:
                self._staged[staged.step.number] = staged
        else:
            self._publish(staged, stager.directories)

    # -- hard links -----------------------------------------------------------------------------------------

    def _link(self) -> None:
        """Further names of files that this job copies: links again, or copies where there are none (F5)."""
        for step in self._unit.of(StepKind.HARDLINK):
            if self._is_lost(step):
                continue
            self._run.begin(step)
            try:
                staged = self._staged_link(step)
            except StepFailed as error:
                self._fail(error)
                continue
            if staged is None:
                self._do_batch([replace(step, kind=StepKind.COPY)])
            elif self._unit.atomic:
                self._staged[step.number] = staged
            else:
                self._publish(staged, self._run.directories)

    def _staged_link(self, step: Step) -> Staged | None:
        """A temp that is one more name of what another step made; None where that cannot be."""
        directories = self._run.directories
        first = self._staged.get(step.link_of)
        made = self._run.link_targets.get(step.link_of)
        if first is not None:
            made = os.path.join(os.path.dirname(first.step.destination), first.temporary)
        if not made:
            return None  # skipped or failed: this name carries the bytes itself
        temporary = temporary_name(self._run.job, step.number)
        try:
            source, name = directories.at(made)
            target, _ = directories.at(step.destination)
            facts = directories.lstat(step.source)
            os.link(name, temporary, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NO_LINKS:
                return None
            raise StepFailed.of(step, error, at=step.destination) from error
        return Staged(step, temporary, facts, None, "link")

    # -- final names ----------------------------------------------------------------------------------------

    def _publish(self, staged: Staged, directories: Directories) -> None:
        """One file that stands alone gets its final name."""
        try:
            published = publish(staged, self._options, directories)
        except (Skipped, StepFailed) as error:
            self._drop(staged, directories)
            if isinstance(error, StepFailed):
                self._fail(error)
            else:
                self._run.skip(staged.step)
            return
        settle_replaced(published, self._options, directories)
        with self._lock:
            self._facts[staged.step.number] = staged.facts
            self._touched.add(os.path.dirname(published.path))
        self._tell(staged, published)

    def _publish_atomically(self) -> None:
        """All staged files get their final names, or, at the first trouble, none keeps it (F9)."""
        directories = self._run.directories
        for number in list(self._staged):
            self._run.control.checkpoint()
            staged = self._staged[number]
            try:
                published = publish(staged, self._options, directories)
            except Skipped:
                self._drop(self._staged.pop(number), directories)
                self._run.skip(staged.step)
                continue
            except StepFailed as error:
                self._fail(error)
                continue
            del self._staged[number]
            self._published.append((staged, published))
            self._touched.add(os.path.dirname(published.path))
        for staged, published in self._published:
            settle_replaced(published, self._options, directories)
            self._facts[staged.step.number] = staged.facts
            self._tell(staged, published)
        self._published.clear()

    def _tell(self, staged: Staged, published: Published) -> None:
        kept = published.replaced if self._options.keep_replaced else ""
        self._run.done(
            staged.step,
            Outcome(
                staged.step.number, StepState.DONE, published.path, published.identity, staged.hash, kept
            ),
        )

    def _take_all_back(self) -> None:
        """What an atomic unit made is not to be seen; what it replaced is back."""
        directories = self._run.directories
        for staged, published in reversed(self._published):
            take_back(published, staged, directories)
        self._published.clear()
        for staged in self._staged.values():
            self._drop(staged, directories)
        self._staged.clear()

    def _drop(self, staged: Staged, directories: Directories) -> None:
        fd, _ = directories.at(staged.step.destination)
        try:
            os.unlink(staged.temporary, dir_fd=fd)
        except FileNotFoundError:
            return

    # -- a move's sources -----------------------------------------------------------------------------------

    def _remove_sources(self) -> None:
        """Only now, with every destination complete and on disk (F6)."""
        directories = self._run.directories
        for step in self._unit.of(StepKind.REMOVE, StepKind.RMDIR):
            self._run.control.checkpoint()
            try:
                fd, name = directories.at(step.source)
                if step.kind is StepKind.RMDIR:
                    directories.forget(step.source)
                    os.rmdir(name, dir_fd=fd)
                elif not self._may_remove(step, os.lstat(name, dir_fd=fd)):
                    self._run.skip(step)
                    continue
                else:
                    os.unlink(name, dir_fd=fd)
            except OSError as error:
                self._remain(step, error)
                continue
            self._run.done(step, Outcome(step.number, StepState.DONE))

    def _may_remove(self, step: Step, now: os.stat_result) -> bool:
        """Whether a source was copied, and is still what was copied; raises for one that changed since."""
        facts = self._facts.get(step.link_of)
        copied = identity_of(facts) if facts is not None else self._run.earlier.copied.get(step.link_of)
        if copied is None:
            return False
        if copied != identity_of(now):
            raise OSError(errno.ESTALE, "it changed after it was copied, and stays", step.source)
        return True

    def _remain(self, step: Step, error: OSError) -> None:
        """A source that could not be removed."""
        if step.kind is StepKind.RMDIR and error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            self._run.skip(step)  # what was left out of the move, or came since, keeps its directory
            return
        self._failed = True
        self._run.fail(StepFailed.of(step, error))
