"""Names beside a taken one: `name (2).ext`; a sequence gets a new head, never another frame number (spec:
files F3).
"""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING, Final

from kassettui.core.text import is_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERED: Final = re.compile(r" \((\d{1,6})\)$")
_LIMIT: Final = 255


def numbered(name: str) -> Iterator[str]:
    """`name (2).ext`, `name (3).ext` …; a name that has a number goes on from it. Never longer than 255
    bytes.
    """
    stem, extension = split(name)
    start = 2
    if found := _NUMBERED.search(stem):
        stem, start = stem[: found.start()], int(found.group(1)) + 1
    for number in itertools.count(start):
        yield _fitted(stem, f" ({number}){extension}")


def numbered_heads(head: str) -> Iterator[str]:
    """`beauty.` → `beauty (2).`, `beauty (3).` …: heads of sequences, the separator kept at the end."""
    stem = head.rstrip("._-")
    separator = head[len(stem) :]
    start = 2
    if found := _NUMBERED.search(stem):
        stem, start = stem[: found.start()], int(found.group(1)) + 1
    for number in itertools.count(start):
        yield f"{stem} ({number}){separator}"


def split(name: str) -> tuple[str, str]:
    """(stem, extension with its dot) as the field counts extensions; hidden files have none."""
    from kassettui.core.kinds import split_extension

    stem, extension = split_extension(name)
    return (stem, f".{extension}") if extension else (name, "")


def _fitted(stem: str, ending: str) -> str:
    """`stem` cut so that the name is no longer than a file system takes, and never inside a character."""
    raw, room = os.fsencode(stem), _LIMIT - len(os.fsencode(ending))
    if len(raw) > room:
        stem = raw[:room].decode("utf-8", "ignore") if is_utf8(stem) else os.fsdecode(raw[:room])
    return stem + ending
