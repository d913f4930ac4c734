"""What an answer means for a destination that is taken (spec: files F3). Rules only; `planning` asks them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from kassettui.files.plan import ConflictKind, ItemKind, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.plan import Side


class Verdict(Enum):
    """What to do with one thing whose destination is taken."""

    FAIL = "fail"
    REPLACE = "replace"
    SKIP = "skip"
    RENAME = "rename"
    MERGE = "merge"


def kind_of_conflict(source: ItemKind, destination: ItemKind) -> ConflictKind:
    """How `destination` stands in the way of `source`."""
    if source is ItemKind.DIRECTORY and destination is ItemKind.DIRECTORY:
        return ConflictKind.DIRECTORY
    if ItemKind.DIRECTORY in {source, destination}:
        return ConflictKind.KIND
    return ConflictKind.SEQUENCE if source is ItemKind.SEQUENCE else ConflictKind.FILE


def verdict(
    policy: Policy,
    kind: ConflictKind,
    source: Side,
    destination: Side,
    same: Callable[[], bool],
    *,
    asked: bool,
) -> Verdict:
    """What `policy` says. `same` compares the contents when it must; `asked`: this very conflict was
    answered.

    The answer for all merges directories under every answer but `fail` and `keep-both`; a directory is left
    out as a whole only when that was the answer for it.
    """
    if policy is Policy.FAIL:
        return Verdict.FAIL
    if policy is Policy.KEEP_BOTH:
        return Verdict.RENAME
    if kind is ConflictKind.DIRECTORY:
        return Verdict.SKIP if asked and policy is Policy.SKIP else Verdict.MERGE
    if policy is Policy.SKIP:
        return Verdict.SKIP
    if policy is Policy.OVERWRITE:
        return Verdict.REPLACE
    if kind is ConflictKind.KIND:
        return Verdict.FAIL  # a file is neither newer nor larger than a directory
    return _compared(policy, source, destination, same)


def _compared(policy: Policy, source: Side, destination: Side, same: Callable[[], bool]) -> Verdict:
    if policy is Policy.NEWER:
        replace = source.mtime_ns > destination.mtime_ns
    elif policy is Policy.SIZE_DIFFERS:
        replace = source.size != destination.size
    elif policy is Policy.CONTENT_DIFFERS:
        replace = not same()
    else:
        return Verdict.FAIL  # `merge` settles directories alone
    return Verdict.REPLACE if replace else Verdict.SKIP
