"""Steps that move names but no bytes: rename, trash, restore, make and remove directories, delete (F6,
F9–F12).

In the order of the plan, which never steps on what is still to be moved. Where a unit is atomic, what was
done goes back at the first failure or cancel; every single step is a rename, so a file is whole at any
moment.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from kassettui.files import removing, syscalls, trash
from kassettui.files.draft import identity_of
from kassettui.files.failures import StepFailed
from kassettui.files.outcomes import Outcome, StepState
from kassettui.files.plan import Policy, Step, StepKind
from kassettui.files.publishing import set_aside

if TYPE_CHECKING:
    from kassettui.files.copying import Unit
    from kassettui.files.execution import Execution
    from kassettui.files.plan import Identity


class CrossDevice(Exception):
    """A rename was refused for lying across devices, and nothing of its unit is done."""


class Rearranging:
    """One run of a unit of such steps."""

    def __init__(self, unit: Unit, run: Execution) -> None:
        self._unit = unit
        self._run = run
        self._options = run.plan.options
        self._done: list[tuple[Step, Outcome]] = []
        self._touched: set[str] = set()

    def execute(self) -> bool:
        """Do it; whether no step failed. Raises CrossDevice, Cancelled and the like."""
        failed = False
        try:
            for step in self._unit.steps:
                self._run.begin(step)
                try:
                    self._step(step)
                except StepFailed as error:
                    if error.failure.errno == "EXDEV" and step.kind is StepKind.RENAME and not self._done:
                        raise CrossDevice from error
                    failed = True
                    if self._unit.atomic:
                        self._take_all_back()
                        self._run.fail(error)
                        break
                    self._run.fail(error)
        except BaseException:
            if self._unit.atomic:
                self._take_all_back()
            raise
        finally:
            self._sync()
        return not failed

    def _step(self, step: Step) -> None:
        """One step, told when it is done. Raises StepFailed, Cancelled."""
        try:
            outcome = self._act(step)
        except FileExistsError as error:
            raise StepFailed.of(step, error, at=step.destination) from error
        except OSError as error:
            if step.kind is StepKind.RMDIR and error.errno == errno.ENOTEMPTY:
                self._run.skip(step)  # what came since, or was left out, keeps its directory
                return
            raise StepFailed.of(step, error) from error
        except trash.NoTrash as error:
            raise StepFailed(step, error.message.removesuffix("."), code="ENOTSUP") from error
        if outcome is None:
            self._run.skip(step)
            return
        self._done.append((step, outcome))
        self._run.done(step, outcome)

    def _act(self, step: Step) -> Outcome | None:
        """Carry one step out; None when the answer for all says to leave it."""
        match step.kind:
            case StepKind.RENAME:
                return self._rename(step)
            case StepKind.TRASH:
                return self._trash(step)
            case StepKind.RESTORE:
                return self._restore(step)
            case StepKind.MKDIR:
                return self._mkdir(step)
            case StepKind.RMDIR:
                directory, name = self._run.directories.at(step.source)
                self._run.directories.forget(step.source)
                os.rmdir(name, dir_fd=directory)
                self._touched.add(os.path.dirname(step.source))
                return Outcome(step.number, StepState.DONE)
            case StepKind.DELETE:
                removing.remove(step.source, self._run.directories, self._run.control.checkpoint)
                self._touched.add(os.path.dirname(step.source))
                return Outcome(step.number, StepState.DONE)
            case _:
                raise AssertionError(step.kind)

    def _rename(self, step: Step) -> Outcome | None:
        directories = self._run.directories
        self._check_source(step)
        source, name = directories.at(step.source)
        target, new_name = directories.at(step.destination)
        replaced = ""
        if step.replaces is not None or self._may_replace(step):
            replaced = set_aside(step.destination, self._options, directories)
        directories.forget(step.source)
        try:
            syscalls.rename_exclusive(source, name, target, new_name)
        except OSError as error:
            if replaced:
                trash.put_back(replaced, step.destination, directories)
            if isinstance(error, FileExistsError) and self._options.on_conflict is Policy.SKIP:
                return None
            raise
        self._touched |= {os.path.dirname(step.source), os.path.dirname(step.destination)}
        return Outcome(
            step.number, StepState.DONE, step.destination, self._identity(step.destination), None, replaced
        )

    def _check_source(self, step: Step) -> None:
        """A source that is another file than the planned one is not ours to move."""
        if step.was is None:
            return
        found = self._run.directories.lstat(step.source)
        if (found.st_dev, found.st_ino) != (step.was.device, step.was.inode):
            raise StepFailed(step, "another file has taken its name since the plan", at=step.source)

    def _may_replace(self, step: Step) -> bool:
        """Whether something appeared at the destination that the answer for all lets us replace (F3)."""
        if self._options.on_conflict is not Policy.OVERWRITE:
            return False
        found = self._run.directories.find(step.destination)
        return found is not None and not stat.S_ISDIR(found.st_mode)

    def _trash(self, step: Step) -> Outcome:
        self._check_source(step)
        trashed = set_aside(step.source, self._options, self._run.directories)
        if not trashed:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), step.source)
        self._touched |= {os.path.dirname(step.source), os.path.dirname(trashed)}
        return Outcome(step.number, StepState.DONE, trashed, self._identity(trashed))

    def _restore(self, step: Step) -> Outcome:
        directories = self._run.directories
        replaced = (
            set_aside(step.destination, self._options, directories) if step.replaces is not None else ""
        )
        directories.forget(step.source)
        trash.put_back(step.source, step.destination, directories)
        self._touched |= {os.path.dirname(step.source), os.path.dirname(step.destination)}
        return Outcome(
            step.number, StepState.DONE, step.destination, self._identity(step.destination), None, replaced
        )

    def _mkdir(self, step: Step) -> Outcome:
        directory, name = self._run.directories.at(step.destination)
        os.mkdir(name, 0o777, dir_fd=directory)
        if step.mode:
            os.chmod(name, stat.S_IMODE(step.mode), dir_fd=directory)
        self._touched.add(os.path.dirname(step.destination))
        return Outcome(step.number, StepState.DONE, step.destination, self._identity(step.destination))

    def _identity(self, path: str) -> Identity:
        return identity_of(self._run.directories.lstat(path))

    # -- back -----------------------------------------------------------------------------------------------

    def _take_all_back(self) -> None:
        """The unit as it was before its first step: the same steps backwards, each the other way round."""
        while self._done:
            step, outcome = self._done.pop()
            try:
                self._take_back(step, outcome)
            except OSError as error:
                # What cannot go back stays where the journal says it is; the rest still goes back.
                self._run.oddities.note("the old place", step.source or step.destination, error)
                continue
            self._run.reverted(step)

    def _take_back(self, step: Step, outcome: Outcome) -> None:
        directories = self._run.directories
        if step.kind is StepKind.MKDIR:
            directory, name = directories.at(step.destination)
            directories.forget(step.destination)
            os.rmdir(name, dir_fd=directory)
        elif step.kind is StepKind.RMDIR:
            directory, name = directories.at(step.source)
            os.mkdir(name, step.mode or 0o777, dir_fd=directory)
        elif step.kind is StepKind.TRASH:
            trash.put_back(outcome.destination, step.source, directories)
        elif step.kind in {StepKind.RENAME, StepKind.RESTORE}:
            source, name = directories.at(outcome.destination)
            directories.forget(outcome.destination)
            if step.kind is StepKind.RESTORE:
                trash.make(trash.can_of(step.source))
                trash.write_info(step.source, step.destination, directories)
            target, old_name = directories.at(step.source)
            syscalls.rename_exclusive(source, name, target, old_name)
            if outcome.replaced:
                trash.put_back(outcome.replaced, step.destination, directories)

    def _sync(self) -> None:
        """What was renamed stays renamed through a power cut."""
        if not self._options.durable:
            return
        for path in sorted(self._touched):
            try:
                os.fsync(self._run.directories.fd(path))
            except FileNotFoundError:
                continue  # a directory that the plan removed later
