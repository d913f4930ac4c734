"""Everything below a directory, parents first, without following links and at any depth (spec: R9)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.files.directories import open_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Found:
    """One thing below: its path relative to the top, its facts, or why there are none."""

    relative: str
    facts: os.stat_result | None
    error: OSError | None = None


def walk(top: str, checkpoint: Callable[[], None] = lambda: None) -> Iterator[Found]:
    """All below `top`, a directory before what it holds, names in order; errors are items, never raised."""
    waiting = [""]
    while waiting:
        checkpoint()
        relative = waiting.pop()
        try:
            fd = open_directory(os.path.join(top, relative) if relative else top)
        except OSError as error:
            yield Found(relative, None, error)
            continue
        try:
            children = _children(fd, relative)
        except OSError as error:
            yield Found(relative, None, error)
            continue
        finally:
            os.close(fd)
        below = []
        for found, is_directory in children:
            yield found
            if is_directory:
                below.append(found.relative)
        waiting += reversed(below)


def _children(fd: int, relative: str) -> list[tuple[Found, bool]]:
    found = []
    with os.scandir(fd) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = f"{relative}/{entry.name}" if relative else entry.name
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone between the name and the look
            except OSError as error:
                found.append((Found(path, None, error), False))
                continue
            found.append((Found(path, facts), entry.is_dir(follow_symlinks=False)))
    return found
