"""For good: deleting a file or a whole directory, without following links (spec: files F11)."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.directories import Directories


def remove(path: str, directories: Directories, checkpoint: Callable[[], None]) -> None:
    """Delete `path` and, of a directory, all below. Raises OSError at the first thing that stays."""
    facts = directories.lstat(path)
    directory, name = directories.at(path)
    if not stat.S_ISDIR(facts.st_mode):
        os.unlink(name, dir_fd=directory)
        return
    directories.forget(path)
    # A stack of names, not recursion: directories may be nested deeper than Python's calls.
    top = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        _empty(top, path, checkpoint)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=directory)


def _empty(top: int, path: str, checkpoint: Callable[[], None]) -> None:
    """Delete everything in the open directory `top`; `path` names it in errors."""
    names: list[str] = []  # from `top` down to where we are
    parents: list[tuple[int, int]] = []
    fd = os.dup(top)
    try:
        while True:
            checkpoint()
            deeper = _delete_files(fd, checkpoint)
            if deeper is not None:
                child = os.open(
                    deeper, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd
                )
                names.append(deeper)
                parents.append(_identity(fd))
            elif not names:
                return
            else:
                child = _above(fd, parents.pop())
                os.rmdir(names.pop(), dir_fd=child)
            os.close(fd)
            fd = child
    except OSError as error:
        place = "/".join([path, *names])
        raise OSError(error.errno or errno.EIO, os.strerror(error.errno or errno.EIO), place) from error
    finally:
        os.close(fd)


def _above(fd: int, expected: tuple[int, int]) -> int:
    """The parent of an open directory, opened; OSError when it is not the one we came from."""
    parent = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    if _identity(parent) != expected:  # moved away meanwhile: what is above is not ours to empty
        os.close(parent)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return parent


def _identity(fd: int) -> tuple[int, int]:
    facts = os.fstat(fd)
    return facts.st_dev, facts.st_ino


def _delete_files(fd: int, checkpoint: Callable[[], None]) -> str | None:
    """Unlink what is no directory; the name of one that is, None when there is none left."""
    directory = None
    with os.scandir(fd) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directory = entry.name
            else:
                checkpoint()
                os.unlink(entry.name, dir_fd=fd)
    return directory
