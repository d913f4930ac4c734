"""What a place on disk can take: its mount, its file system, its limits, the room that is left (spec: files
F2, F5).

Only questions; nothing here writes, so a dry run may ask them all.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from kassettui.library.place import is_network

_OCTAL: Final = re.compile(rb"\\([0-7]{3})")
_FORBIDDEN_ON_WINDOWS: Final = frozenset('<>:"\\|?*') | {chr(code) for code in range(32)}
_WINDOWS_TYPES: Final = frozenset({"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "msdos", "cifs", "smb3"})


@dataclass(frozen=True, slots=True)
class Volume:
    """One mounted file system."""

    device: int
    mount_point: str
    type: str
    read_only: bool

    @property
    def network(self) -> bool:
        """Whether it lies behind a wire."""
        return is_network(self.type)


def mounts() -> tuple[Volume, ...]:
    """What is mounted, in the order of mounting (a later one hides an earlier one at the same place)."""
    found = []
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:  # no /proc, as in a bare chroot
        return ()
    for line in lines:
        fields = line.split(b" ")
        major, _, minor = fields[2].partition(b":")
        place = os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match.group(1), 8)]), fields[4]))
        kind = fields[fields.index(b"-", 6) + 1].decode("ascii", "replace")
        read_only = b"ro" in fields[5].split(b",")
        found.append(Volume(os.makedev(int(major), int(minor)), place, kind, read_only))
    return tuple(found)


def volume_of(path: str) -> Volume:
    """The volume that holds `path`, or would: its nearest existing parent counts. Follows links."""
    place = existing_parent(path)
    device = os.stat(place).st_dev
    real = os.path.realpath(place)
    best = None
    for volume in mounts():
        inside = real == volume.mount_point or real.startswith(volume.mount_point.rstrip("/") + "/")
        # st_dev differs from mountinfo's number on btrfs; the longest mount point decides either way.
        if inside and (best is None or len(volume.mount_point) >= len(best.mount_point)):
            best = volume
    if best is None:
        return Volume(device, "/", "unknown", read_only=False)
    return Volume(device, best.mount_point, best.type, best.read_only)


def existing_parent(path: str) -> str:
    """`path`, or the nearest of its parents that exists."""
    place = path
    while not os.path.exists(place):
        parent = os.path.dirname(place)
        if parent == place:
            break
        place = parent
    return place or "/"


def free_bytes(path: str) -> int:
    """Bytes that we may still write where `path` lies (root may use what is kept for root)."""
    facts = os.statvfs(existing_parent(path))
    blocks = facts.f_bfree if os.geteuid() == 0 else facts.f_bavail
    return blocks * facts.f_frsize


def name_limit(directory: str) -> int:
    """The longest name there, in bytes."""
    return os.statvfs(existing_parent(directory)).f_namemax or 255


def forbidden_in(name: str, volume: Volume) -> str:
    """Why a file system refuses `name`, in words; "" when it takes it. Length is `name_limit`'s."""
    if volume.type in _WINDOWS_TYPES:
        bad = sorted({character for character in name if character in _FORBIDDEN_ON_WINDOWS})
        if bad:
            return f"{volume.type} takes no {' '.join(map(ascii, bad))} in names"
        if name.endswith((" ", ".")):
            return f"{volume.type} takes no names that end in a space or a dot"
    return ""


def umask() -> int:
    """The process's umask, read without setting it."""
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except FileNotFoundError:  # no /proc, as in a bare chroot
        return 0o022
    return 0o022


def folds_case(directory: str) -> bool:
    """Whether `directory` takes `A` and `a` for one name; asked by looking up an existing name, nothing is
    written.
    """
    place = existing_parent(directory)
    if place == directory:
        try:
            with os.scandir(place) as entries:
                for _, entry in zip(range(64), entries, strict=False):
                    twins = entry.is_file(follow_symlinks=False) and entry.stat().st_nlink > 1
                    if entry.name.swapcase() != entry.name and not twins:
                        return _same(entry.path, os.path.join(place, entry.name.swapcase()))
        except (PermissionError, NotADirectoryError):
            return False
    parent, name = os.path.split(os.path.realpath(place))
    if name.swapcase() == name:
        return False
    return _same(os.path.join(parent, name), os.path.join(parent, name.swapcase()))


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except OSError:
        return False
