"""Whether two files hold the same bytes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from kassettui.files.transfer import BLOCK

if TYPE_CHECKING:
    from kassettui.files.directories import Directories

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def same_content(one: str, other: str, directories: Directories) -> bool:
    """Byte by byte, stopping at the first difference; links are equal when they point to the same text."""
    first, second = directories.lstat(one), directories.lstat(other)
    if stat.S_IFMT(first.st_mode) != stat.S_IFMT(second.st_mode):
        return False
    if stat.S_ISLNK(first.st_mode):
        return _target(one, directories) == _target(other, directories)
    if not stat.S_ISREG(first.st_mode) or first.st_size != second.st_size:
        return False
    if (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino):
        return True
    return _same_bytes(one, other, directories)


def _target(path: str, directories: Directories) -> str:
    directory, name = directories.at(path)
    return os.readlink(name, dir_fd=directory)


def _same_bytes(one: str, other: str, directories: Directories) -> bool:
    fds: list[int] = []
    try:
        for path in (one, other):
            directory, name = directories.at(path)
            fds.append(os.open(name, _READ, dir_fd=directory))
        at = 0
        while True:
            left, right = (os.pread(fd, BLOCK, at) for fd in fds)
            common = min(len(left), len(right))  # a read may be short anywhere, not only at the end
            if left[:common] != right[:common] or (not common and left != right):
                return False
            if not common:
                return True
            at += common
    finally:
        for fd in fds:
            os.close(fd)
