"""Where each thing of a request goes: into a directory, under a new name, to a sequence's new head (spec:
files F2).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kassettui.core import patterns
from kassettui.files import preflight, volumes
from kassettui.files.members import Scheme, scheme_of
from kassettui.files.plan import ItemKind, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.files.listing import Entry


@dataclass(frozen=True, slots=True)
class Target:
    """The place of one thing. `scheme` says how a sequence's files are to be called there."""

    directory: str
    name: str
    volume: volumes.Volume
    limit: int
    scheme: Scheme | None = None

    @property
    def path(self) -> str:
        """Directory and name; a sequence's with its identity name."""
        return os.path.join(self.directory, self.scheme.identity_name if self.scheme else self.name)

    def named(self, name: str) -> Target:
        """The same place under another name."""
        return replace(self, name=name)

    def under(self, scheme: Scheme) -> Target:
        """The same place, a sequence's files called otherwise."""
        return replace(self, scheme=scheme)


def targets(entries: Sequence[Entry], destination: str) -> tuple[list[Target], list[Problem]]:
    """One target for each entry, or what is wrong with `destination`.

    A directory, or a name that ends in `/`, takes all of them under their own names; anything else is the new
    name of a single one, for a sequence as a pattern (`beauty.####.exr`).
    """
    path = os.path.abspath(destination)
    into = destination.endswith("/") or (os.path.isdir(path) and not _is_link_to_replace(path))
    directory = path if into else os.path.dirname(path)
    if not into and not os.path.isdir(directory):
        return [], [
            Problem(
                "no_directory",
                directory,
                f"There is no directory {directory}.",
                f"A destination that ends in / is made: {directory}/",
            )
        ]
    if not into and len(entries) != 1:
        return [], [
            Problem(
                "not_a_directory", path, f"{path} is not a directory, and {len(entries)} things go there."
            )
        ]
    if problems := preflight.destination_directory(directory):
        return [], problems
    volume, limit = volumes.volume_of(directory), volumes.name_limit(directory)
    found = []
    for entry in entries:
        target = Target(directory, entry.name, volume, limit)
        if entry.group is not None:
            target = target.under(scheme_of(entry.group))
        if not into:
            target, problems = _renamed(entry, target, os.path.basename(path))
            if problems:
                return [], problems
        found.append(target)
    return found, []


def _is_link_to_replace(path: str) -> bool:
    """A dangling link is a name, not a directory; one to a directory is entered, as cp does."""
    return os.path.islink(path) and not os.path.isdir(path)


def _renamed(entry: Entry, target: Target, name: str) -> tuple[Target, list[Problem]]:
    """The target under the new name `name`, which is a pattern for a sequence."""
    if entry.group is None or entry.kind is not ItemKind.SEQUENCE:
        return target.named(name), []
    wanted = patterns.parse(name)
    if wanted is None:
        message = f"{name} is no pattern for a sequence."
        return target, [Problem("not_a_pattern", entry.path, message, "Use one such as beauty.####.exr.")]
    padding = None if name == f"{wanted.head}#{wanted.suffix}" else wanted.padding
    scheme = Scheme(wanted.head, wanted.suffix, padding)
    return target.under(scheme), []
