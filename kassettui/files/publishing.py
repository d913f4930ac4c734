"""From temp name to final name: atomic, never over anything unasked, and back again (spec: files
F3, F4, F9).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.files import syscalls, trash
from kassettui.files.comparing import same_content
from kassettui.files.draft import identity_of
from kassettui.files.failures import StepFailed
from kassettui.files.naming import numbered
from kassettui.files.plan import Identity, Options, Policy

if TYPE_CHECKING:
    from kassettui.files.directories import Directories
    from kassettui.files.plan import Step
    from kassettui.files.staging import Staged


@dataclass(frozen=True, slots=True)
class Published:
    """What stands under a final name now; `replaced` is where the thing before it lies in the trash."""

    path: str
    identity: Identity
    replaced: str = ""


class Skipped(Exception):
    """The answer for all says to leave what appeared meanwhile as it is (F3)."""


def publish(staged: Staged, options: Options, directories: Directories) -> Published:
    """Give a staged file its final name. Raises StepFailed, Skipped, OSError; the temp is still
    there then.
    """
    step = staged.step
    directory, name = directories.at(step.destination)
    path, replaced = step.destination, ""
    try:
        if step.replaces is not None:
            replaced = _replace(staged, options, directories)
        else:
            try:
                syscalls.rename_exclusive(directory, staged.temporary, directory, name)
            except FileExistsError:
                path, replaced = _meet(staged, options, directories)
    except OSError as error:
        raise StepFailed.of(step, error, at=step.destination) from error
    except trash.NoTrash as error:
        raise StepFailed(step, error.message.removesuffix("."), at=step.destination) from error
    return Published(path, identity_of(directories.lstat(path)), replaced)


def _replace(staged: Staged, options: Options, directories: Directories) -> str:
    """Put the temp in the place of what stands at its destination; where that lies now, "" where nothing
    stood.
    """
    path = staged.step.destination
    directory, name = directories.at(path)
    facts = directories.find(path)
    if facts is None:
        syscalls.rename_exclusive(directory, staged.temporary, directory, name)
        return ""
    kept, linked = _set_aside(staged, stat.S_ISDIR(facts.st_mode), options, directories)
    try:
        if linked:
            # One rename: the final name always stands for the old file or for the new one.
            os.rename(staged.temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            syscalls.rename_exclusive(directory, staged.temporary, directory, name)
    except OSError:
        bring_back(kept, path, directories, replace=linked)
        raise
    return kept


def _set_aside(
    staged: Staged, is_directory: bool, options: Options, directories: Directories
) -> tuple[str, bool]:
    """(where the thing in our way lies from now on, whether it also still stands under its own name)."""
    path = staged.step.destination
    if options.keep_replaced or is_directory:
        can = trash.can_for(path, fallback=options.fallback_trash)
        trash.make(can)
        if not is_directory and (kept := trash.throw_copy(can, path, directories)):
            return kept, True
        return set_aside(path, options, directories), False
    directory, name = directories.at(path)
    aside = aside_name(staged.temporary)
    kept = os.path.join(os.path.dirname(path), aside)
    try:
        os.link(name, aside, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        syscalls.rename_exclusive(directory, name, directory, aside)
        return kept, False
    return kept, True


def set_aside(path: str, options: Options, directories: Directories) -> str:
    """Throw what stands at `path` into the trash; where it lies, "" when nothing stands there any more."""
    if directories.find(path) is None:
        return ""
    can = trash.can_for(path, fallback=options.fallback_trash)
    trash.make(can)
    directories.forget(path)
    return trash.throw(can, path, directories)


def aside_name(temporary: str) -> str:
    """The hidden name of what a temp replaces, where it is not to be kept in the trash."""
    return temporary.removesuffix(".part") + ".old"


def bring_back(kept: str, path: str, directories: Directories, *, replace: bool = False) -> None:
    """Put what `_replace` set aside under its name again."""
    if not kept.endswith(".old") or not os.path.basename(kept).startswith(".kassettui-"):
        trash.put_back(kept, path, directories, replace=replace)
        return
    directory, name = directories.at(kept)
    if replace:
        os.rename(name, os.path.basename(path), src_dir_fd=directory, dst_dir_fd=directory)
    else:
        syscalls.rename_exclusive(directory, name, directory, os.path.basename(path))


def _meet(staged: Staged, options: Options, directories: Directories) -> tuple[str, str]:
    """What to do with a destination that appeared after the plan: the answer for all decides (F3)."""
    step, policy = staged.step, options.on_conflict
    directory, _ = directories.at(step.destination)
    found = directories.lstat(step.destination)
    if stat.S_ISDIR(found.st_mode) or policy in {Policy.FAIL, Policy.MERGE}:
        raise StepFailed(step, "something has appeared there meanwhile", at=step.destination, code="EEXIST")
    if policy is Policy.KEEP_BOTH:
        return _beside(directory, staged.temporary, step.destination), ""
    if policy is Policy.SKIP or not wanted(policy, staged.facts, found, step, directories):
        raise Skipped
    return step.destination, _replace(staged, options, directories)


def wanted(
    policy: Policy, source: os.stat_result, found: os.stat_result, step: Step, directories: Directories
) -> bool:
    """Whether `policy` lets the source replace what was found."""
    if policy is Policy.NEWER:
        return source.st_mtime_ns > found.st_mtime_ns
    if policy is Policy.SIZE_DIFFERS:
        return source.st_size != found.st_size
    if policy is Policy.CONTENT_DIFFERS:
        return not same_content(step.source, step.destination, directories)
    return policy is Policy.OVERWRITE


def _beside(directory: int, temporary: str, path: str) -> str:
    parent, name = os.path.split(path)
    for other in numbered(name):
        try:
            syscalls.rename_exclusive(directory, temporary, directory, other)
        except FileExistsError:
            continue
        return os.path.join(parent, other)
    raise AssertionError("numbers never end")


def settle_replaced(published: Published, options: Options, directories: Directories) -> None:
    """Let go of what was replaced, once nothing can call it back any more, where it is not kept in
    the trash.
    """
    if published.replaced and not options.keep_replaced and published.replaced.endswith(".old"):
        directory, name = directories.at(published.replaced)
        os.unlink(name, dir_fd=directory)


def take_back(published: Published, staged: Staged, directories: Directories) -> None:
    """Undo `publish` while its job still runs: the old file is back, or nothing stands there (F9).

    What somebody else put there meanwhile is left alone.
    """
    facts = directories.find(published.path)
    if facts is None or identity_of(facts) != published.identity:
        return
    directory, name = directories.at(published.path)
    if published.replaced and not stat.S_ISDIR(directories.lstat(published.replaced).st_mode):
        bring_back(published.replaced, published.path, directories, replace=True)
        return
    os.rename(name, staged.temporary, src_dir_fd=directory, dst_dir_fd=directory)
    if published.replaced:
        bring_back(published.replaced, published.path, directories)
    os.unlink(staged.temporary, dir_fd=directory)
