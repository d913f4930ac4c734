"""Linux calls that `os` lacks, each with what it means where a file system cannot do it.

Everything takes directory descriptors and names, so that neither depth nor a swapped parent matters.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from functools import cache
from typing import Any, Final

_FICLONE: Final = 0x40049409
_RENAME_NOREPLACE: Final = 1
_SYNC_FILE_RANGE_WRITE: Final = 2
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EPERM})


@cache
def _libc() -> Any:
    """The C library, with the types of what is called here declared."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)  # absent before glibc 2.28 and in old musl
    if renameat2 is not None:
        text, number = ctypes.c_char_p, ctypes.c_int
        renameat2.argtypes = [number, text, number, text, ctypes.c_uint]
    sync_file_range = getattr(libc, "sync_file_range", None)
    if sync_file_range is not None:
        sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return libc


def rename_exclusive(source_fd: int, source: str, destination_fd: int, destination: str) -> None:
    """Rename within a device, never over anything: FileExistsError where `destination` exists (F3, F4).

    Atomic by renameat2; where the file system lacks it, a hard link and an unlink, as safe for files; where
    it lacks links too (and for directories, which a rename replaces only when they are empty) a check and a
    rename.
    """
    renameat2 = getattr(_libc(), "renameat2", None)
    if renameat2 is not None:
        answer = renameat2(
            source_fd, os.fsencode(source), destination_fd, os.fsencode(destination), _RENAME_NOREPLACE
        )
        if answer == 0:
            return
        code = ctypes.get_errno()
        if code not in {errno.ENOSYS, errno.EINVAL}:
            raise OSError(code, os.strerror(code), source, None, destination)
    _rename_by_link(source_fd, source, destination_fd, destination)


def _rename_by_link(source_fd: int, source: str, destination_fd: int, destination: str) -> None:
    """What `rename_exclusive` does on file systems without renameat2's flag."""
    try:
        os.link(source, destination, src_dir_fd=source_fd, dst_dir_fd=destination_fd, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        # Directories and file systems without hard links.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EISDIR, errno.EMLINK}:
            raise
        if exists_at(destination_fd, destination):
            raise FileExistsError(
                errno.EEXIST, os.strerror(errno.EEXIST), source, None, destination
            ) from None
        os.rename(source, destination, src_dir_fd=source_fd, dst_dir_fd=destination_fd)
    else:
        os.unlink(source, dir_fd=source_fd)


def exists_at(directory_fd: int, name: str) -> bool:
    """Whether `name` stands in the directory, a dangling link included."""
    try:
        os.lstat(name, dir_fd=directory_fd)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def clone(source_fd: int, destination_fd: int) -> bool:
    """Share the source's extents with the (empty) destination; False where the file system cannot (F5)."""
    try:
        fcntl.ioctl(destination_fd, _FICLONE, source_fd)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True


def start_writeback(fd: int, offset: int = 0, length: int = 0) -> None:
    """Ask the kernel to begin writing a file's dirty pages, without waiting (length 0: to its end).

    A hint: a later fsync then waits for little, and tells of any error.
    """
    sync_file_range = getattr(_libc(), "sync_file_range", None)
    if sync_file_range is not None:
        sync_file_range(fd, offset, length, _SYNC_FILE_RANGE_WRITE)


def data_ranges(fd: int, size: int) -> list[tuple[int, int]]:
    """(start, end) of each stretch of a file that holds data, holes left out (F5)."""
    ranges: list[tuple[int, int]] = []
    position = 0
    while position < size:
        try:
            start = os.lseek(fd, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole to the end
                break
            if error.errno in _CANNOT:
                return [(0, size)]
            raise
        end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        if end <= start:
            break
        ranges.append((start, end))
        position = end
    return ranges
