"""Where a library's file stands: its file system, its identity on disk, and making private files there.

Nothing here opens a database. Rules: library L3 (network file systems), reliability (0600 in 0700).
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from kassettui.core.errors import LibraryCorrupt, LibraryUnavailable, NotFound
from kassettui.core.text import safe

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_WAL_VERSION: Final = 2

# Hosts share no memory, and their locks are a matter of faith: never write-ahead logging there.
# fmt: off
_NETWORK: Final = frozenset((
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "lustre", "gpfs",
    "mmfs", "beegfs", "fhgfs", "ceph", "glusterfs", "orangefs", "pvfs2", "panfs", "ocfs2", "gfs2", "9p",
    "virtiofs", "vboxsf", "prl_fs", "drvfs", "davfs", "davfs2", "sshfs", "s3fs", "rclone", "mfs", "moosefs",
    "lizardfs", "wekafs", "quobyte", "ibrix", "acfs", "exafs", "stornext", "cvfs",
))
# fmt: on
_OCTAL: Final = re.compile(r"\\([0-7]{3})")

SIDE_FILES: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database file."""


@dataclass(frozen=True, slots=True)
class Place:
    """The directory that holds a library: its file system's name, whether hosts may share it."""

    directory: str
    filesystem: str
    network: bool


class FileIdentity(NamedTuple):
    """Which file a path stands for: unlinking or replacing it changes this."""

    device: int
    inode: int


class Content(Enum):
    """What the first bytes of a library's file say, before any database is opened."""

    ABSENT = "absent"
    EMPTY = "empty"
    FOREIGN = "foreign"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of the main file. With a `-wal` beside it, only the database itself knows what holds now."""

    content: Content
    application_id: int = 0
    user_version: int = 0
    wal: bool = False


def split(path: str) -> tuple[str, str]:
    """(directory, name) of a file, the directory absolute."""
    return os.path.split(os.path.abspath(path))


def size(path: str) -> int:
    """Bytes of the file at `path`; 0 when there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def appearance(path: str) -> tuple[int, int] | None:
    """Modification time in ns and size of the file: what changes with its content, as far as one can tell."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def unreachable(path: str, error: OSError) -> LibraryUnavailable:
    """What is said when the system refuses a path."""
    return LibraryUnavailable(f"{safe(path)} cannot be reached: {error.strerror}.", remedy="Check the disk.")


def examine(path: str) -> Place:
    """The place of the library at `path`; neither it nor its directory need to exist yet."""
    directory = os.path.dirname(os.path.realpath(path))
    filesystem = _filesystem(directory)
    return Place(directory, filesystem, is_network(filesystem))


def is_network(filesystem: str) -> bool:
    """Whether a file system of this name (as in mountinfo) may be shared by hosts, or lacks shared memory.

    A FUSE file system that is not known to be a local disk counts: it may bypass the page cache.
    """
    if filesystem == "fuseblk":
        return False
    return filesystem in _NETWORK or filesystem == "fuse" or filesystem.startswith("fuse.")


def _filesystem(directory: str) -> str:
    """The name of the file system that `directory` or its nearest existing parent lies on; "" unknown."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            mounts = [line.split(" ") for line in lines]
    except OSError:
        return ""
    best, name = -1, ""
    for fields in mounts:
        point = _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), fields[4])
        inside = directory == point or directory.startswith(point if point.endswith("/") else point + "/")
        if inside and len(point) >= best:  # a later mount on the same point covers the earlier one
            best, name = len(point), fields[fields.index("-") + 1]
    return name


def identity(path: str) -> FileIdentity | None:
    """Which file `path` stands for now, or None when it is gone."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LibraryUnavailable(f"The library {safe(path)} cannot be reached: {error.strerror}.") from error
    return FileIdentity(found.st_dev, found.st_ino)


def still(path: str, expected: FileIdentity) -> bool:
    """Whether `path` stands for the same file as before, as far as can be seen."""
    try:
        return identity(path) == expected
    except LibraryUnavailable:
        return False


def read_header(path: str) -> Header:
    """What the file at `path` is. Raises LibraryUnavailable when it cannot be read, or is no regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Header(Content.ABSENT)
    except OSError as error:
        raise LibraryUnavailable(
            f"The library {safe(path)} cannot be read: {error.strerror}.", remedy="Check its permissions."
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LibraryCorrupt(
                f"{safe(path)} is not a file.", remedy="Name a library file with --library PATH."
            )
        try:
            data = os.read(descriptor, _HEADER_BYTES)
        except OSError as error:
            raise LibraryUnavailable(f"The library {safe(path)} cannot be read: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if not data:
        return Header(Content.EMPTY)
    if len(data) < _HEADER_BYTES or not data.startswith(_MAGIC):
        return Header(Content.FOREIGN)
    user_version, application_id = struct.unpack_from(">i4xi", data, 60)
    return Header(Content.DATABASE, application_id, user_version, wal=data[18] == _WAL_VERSION)


def make_directory(directory: str) -> None:
    """Make `directory` and its parents, 0700 whatever the umask. Existing ones stay as they are."""
    missing = []
    current = os.path.abspath(directory)
    while not os.path.isdir(current):
        missing.append(current)
        parent = os.path.dirname(current)
        if parent == current:
            break
        current = parent
    for path in reversed(missing):
        try:
            os.mkdir(path, 0o700)
            os.chmod(path, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise LibraryUnavailable(f"{safe(path)} cannot be made: {error.strerror}.") from error


def create_private(directory: str, stem: str) -> str:
    """A new empty file in `directory`, 0600, hidden, its name not to be guessed. Returns its path."""
    path = os.path.join(directory, f".{stem}.{secrets.token_hex(8)}.new")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise LibraryUnavailable(f"No file can be made in {safe(directory)}: {error.strerror}.") from error
    return path


def sync_file(path: str) -> None:
    """fsync the file or directory at `path`. Raises OSError: a failing fsync is a failure (R3)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_quietly(path: str) -> None:
    """Remove a temporary database and what stands beside it; what is not there is fine."""
    for name in (path, *(path + suffix for suffix in SIDE_FILES)):
        try:
            os.unlink(name)
        except FileNotFoundError:
            continue


def publish_new(temporary: str, path: str) -> bool:
    """Give a finished file its name, only if nothing has it. False when something has."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:
        # No hard links here (FAT, some network file systems): the name is claimed first, then replaced.
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return False
        os.rename(temporary, path)
    else:
        os.unlink(temporary)
    sync_file(os.path.dirname(path))
    return True


def require(path: str) -> FileIdentity:
    """The identity of an existing library file. Raises NotFound when there is none."""
    found = identity(path)
    if found is None:
        raise NotFound(
            f"There is no library at {safe(path)}.", remedy="Make one with: kassettui library init"
        )
    return found
