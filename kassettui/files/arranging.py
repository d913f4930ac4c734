"""The order of renames that step on each other: chains from their free end, cycles by a temp name
(F9, F10).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.files.plan import Identity


@dataclass(frozen=True, slots=True)
class Rename:
    """One file or directory to another name on its device. `item` is the plan's item it belongs to."""

    source: str
    destination: str
    was: Identity
    item: int = 0


def arranged(renames: Sequence[Rename], *, folded: bool = False) -> Iterator[Rename]:
    """`renames` in an order in which none takes a name that another still has; names are distinct on each
    side.

    A cycle (a ↔ b) goes over a hidden temp name, and so does a change of case only where the file system
    takes both cases for one (`folded`). A rename to its own name is left out. Same input, same order.
    """

    def key(path: str) -> str:
        return path.casefold() if folded else path

    waiting = {key(each.source): each for each in renames if each.source != each.destination}
    after = {key(each.destination): each for each in waiting.values()}  # who waits for a name to be free
    ready = [each for each in waiting.values() if key(each.destination) not in waiting]
    while waiting:
        while ready:
            each = ready.pop()
            del waiting[key(each.source)]
            yield each
            if (follower := after.get(key(each.source))) is not None and key(follower.source) in waiting:
                ready.append(follower)
        if waiting:
            yield from _opened(next(iter(waiting.values())), waiting, after, key)


def _opened(
    first: Rename, waiting: dict[str, Rename], after: dict[str, Rename], key: object
) -> Iterator[Rename]:
    """One cycle: its first name steps aside, the others move up, and it comes last."""
    assert callable(key)
    aside = _aside(first)
    yield Rename(first.source, aside, first.was, first.item)
    del waiting[key(first.source)]
    each = after[key(first.source)]
    while each is not first:
        del waiting[key(each.source)]
        yield each
        each = after[key(each.source)]
    yield Rename(aside, first.destination, first.was, first.item)


def _aside(rename: Rename) -> str:
    """A hidden name in the same directory. It holds a whole file: nothing ever takes it for a leftover."""
    digest = xxhash.xxh3_64_hexdigest(os.fsencode(rename.source))
    return os.path.join(os.path.dirname(rename.source), f".kassettui-aside-{digest}")
