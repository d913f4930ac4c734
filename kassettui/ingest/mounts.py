"""Which file system a directory lies on, told so that it survives a reboot (spec: ingest I14).

Device numbers are given anew at every mount of NFS, overlay and btrfs; so the identity is what is
mounted, not its number: type, source (a local disk by its file system's UUID) and the mounted part of it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_MOUNTINFO = "/proc/self/mountinfo"
_BY_UUID = "/dev/disk/by-uuid"
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. `point` is where it is mounted, `part` what of the file system is."""

    point: str
    part: str
    kind: str
    source: str


def mounts() -> list[Mount]:
    """All mounts that this process sees, in order; empty where the kernel does not tell."""
    try:
        with open(_MOUNTINFO, "rb") as file:
            lines = os.fsdecode(file.read()).splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) >= 5 and len(rest) >= 2:
            found.append(Mount(_plain(fields[4]), _plain(fields[3]), rest[0], _plain(rest[1])))
    return found


def device_of(directory: str) -> str:
    """The identity of the file system that holds `directory`; stable over reboots. Raises OSError."""
    real = os.path.realpath(directory, strict=True)
    holder = None
    for mount in mounts():
        if _holds(mount.point, real) and (holder is None or len(mount.point) >= len(holder.point)):
            holder = mount
    if holder is None:
        return f"dev:{os.stat(real).st_dev}"
    return f"{holder.kind} {_stable_source(holder.source)} {holder.part}"


def mounts_below(directory: str) -> list[str]:
    """The mount points inside `directory`, relative to it, sorted. Raises OSError."""
    real = os.path.realpath(directory, strict=True)
    prefix = real.rstrip("/") + "/"
    return sorted({mount.point[len(prefix) :] for mount in mounts() if mount.point.startswith(prefix)})


def _holds(point: str, path: str) -> bool:
    return point in ("/", path) or path.startswith(point.rstrip("/") + "/")


def _plain(field: str) -> str:
    """A field without mountinfo's octal escapes (space, tab, newline, backslash)."""
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 8)), field)


def _stable_source(source: str) -> str:
    """The UUID of a local disk's file system in place of a name that the next boot may give to another."""
    if not source.startswith("/dev/"):
        return source
    try:
        target = os.path.realpath(source)
        for uuid in os.listdir(_BY_UUID):
            if os.path.realpath(f"{_BY_UUID}/{uuid}") == target:
                return f"uuid:{uuid}"
    except OSError:
        pass
    return source
