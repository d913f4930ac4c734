"""What is checked before the first byte (spec: files F2). Questions to the disk; nothing is written."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from kassettui.files import volumes
from kassettui.files.plan import Problem, SpaceNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def destination_directory(path: str) -> list[Problem]:
    """Whether things can be put into `path`, a directory or the nearest parent that exists."""
    place = volumes.existing_parent(path)
    if not os.path.isdir(place):
        return [Problem("not_a_directory", place, f"{place} is not a directory.")]
    volume = volumes.volume_of(place)
    if volume.read_only or not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        why = "its file system is read-only" if volume.read_only else "permission denied"
        return [Problem("not_writable", place, f"Nothing can be written to {place}: {why}.")]
    return []


def source_directory(path: str) -> list[Problem]:
    """Whether things can be taken away from the directory `path`."""
    if os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        return []
    return [Problem("not_writable", path, f"Nothing can be taken out of {path}: permission denied.")]


def readable(path: str, mode: int) -> list[Problem]:
    """Whether `path` can be read; one that cannot fails alone."""
    want = os.R_OK | os.X_OK if stat.S_ISDIR(mode) else os.R_OK
    if os.geteuid() == 0 or os.access(path, want, effective_ids=True, follow_symlinks=False):
        return []
    return [Problem("not_readable", path, f"{path} cannot be read: permission denied.", fatal=False)]


def into_itself(source: str, destination: str) -> list[Problem]:
    """Whether the directory `source` would be put below itself, whatever links lead there."""
    facts = os.stat(source)
    place = os.path.realpath(volumes.existing_parent(destination))
    while True:
        if os.path.samestat(facts, os.stat(place)):
            message = f"{source} cannot be put into itself, at {destination}."
            return [Problem("into_itself", source, message)]
        if place == "/":
            return []
        place = os.path.dirname(place)


def name(path: str, limit: int, volume: volumes.Volume) -> list[Problem]:
    """Whether the destination's file system takes the name of `path`."""
    last = os.path.basename(path)
    length = len(os.fsencode(last))
    if length > limit:
        return [
            Problem(
                "name_too_long",
                path,
                f"The name of {path} has {length} bytes; at most {limit} are allowed there.",
            )
        ]
    if why := volumes.forbidden_in(last, volume):
        return [Problem("name_not_allowed", path, f"The name of {path} is not allowed there: {why}.")]
    return []


def one_each(destinations: Iterable[str]) -> list[Problem]:
    """Destinations that are one, on a file system that takes names that differ in case only for the same."""
    seen: dict[str, str] = {}
    problems = []
    for destination in destinations:
        other = seen.setdefault(destination.casefold(), destination)
        if other != destination:
            message = f"{other} and {destination} are one name on this file system."
            problems.append(Problem("collision", destination, message))
    return problems


def space(needs: Mapping[str, int], reserved: Callable[[int], int]) -> tuple[list[SpaceNeed], list[Problem]]:
    """What `needs` (bytes by destination directory) costs on each device, and where there is too
    little room.
    """
    by_device: dict[int, SpaceNeed] = {}
    for path, size in needs.items():
        place = volumes.existing_parent(path)
        device = os.stat(place).st_dev
        known = by_device.get(device)
        before = known.needed if known else 0
        by_device[device] = SpaceNeed(
            device, place, before + size, volumes.free_bytes(place), reserved(device)
        )
    problems = []
    for need in by_device.values():
        if need.needed > need.free - need.reserved:
            also = f", {need.reserved:,} of them reserved by other jobs" if need.reserved else ""
            problems.append(
                Problem(
                    "no_space",
                    need.path,
                    f"{need.needed:,} bytes are needed at {need.path}, {need.free:,} are free{also}.",
                    "Free some space, or choose another destination.",
                )
            )
    return list(by_device.values()), problems
