"""The next ASC MHL generation of what a copy made, from the hashes that it computed on the way
(spec: files F19).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.files import generations
from kassettui.files.checksums import OURS
from kassettui.files.generations import FileSums
from kassettui.files.hashing import Hashed, ToHash, hash_files
from kassettui.files.plan import ItemKind
from kassettui.files.verify import tree_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from kassettui.files.plan import PlanItem
    from kassettui.jobs.control import Control


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that a copy wrote: its xxh3-128 from the read pass, size in bytes, mtime."""

    hash: str
    size: int
    mtime_ns: int


def seal(
    items: Iterable[PlanItem], copied: Mapping[str, Copied], unproved: Container[str], control: Control
) -> list[str]:
    """Write a generation for every directory that was copied, and for those that got files or sequences.

    Nothing is read twice; a link among the copies is read as what it leads to, and `unproved` copies are read
    whose hash an interruption took. Where files are that this copy did not bring, the generation holds just
    the copied ones and no hashes of directories. Returns the manifests.
    """
    made: list[str] = []
    for root in _roots(items):
        history = generations.load(root)
        tree = tree_of(root, history.ignored, control)
        at = generations.now()
        found = {
            path: FileSums({OURS: copied[whole].hash}, copied[whole].size, copied[whole].mtime_ns, at)
            for path in tree.files
            if (whole := os.path.join(root, path)) in copied
        }
        wholes = {path: os.path.join(root, path) for path in tree.files if path not in found}
        unread = [path for path, whole in wholes.items() if whole in unproved or os.path.islink(whole)]
        found.update(_read(root, unread, at, control))
        complete = len(found) == len(tree.files) and not tree.findings
        directories = tree.directories if complete else None
        made += generations.add_generation(history, found, directories, process="transfer")
    return made


def _roots(items: Iterable[PlanItem]) -> list[str]:
    """The directories whose histories go on, the outer ones only."""
    roots = {
        item.destination if item.kind is ItemKind.DIRECTORY else os.path.dirname(item.destination)
        for item in items
        if not item.skipped
    }
    return sorted(root for root in roots if not any(root.startswith(other + "/") for other in roots))


def _read(root: str, paths: list[str], at: str, control: Control) -> dict[str, FileSums]:
    found: dict[str, FileSums] = {}

    def told(hashed: Hashed) -> None:
        if not hashed.error:
            path = os.path.relpath(hashed.path, root)
            found[path] = FileSums(hashed.sums, hashed.size, hashed.mtime_ns, at)

    hash_files([ToHash(os.path.join(root, path), follow=True) for path in paths], control, told)
    return found
