"""Emptying the trash: for good, and only what lies in a can of ours (spec: files F11)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from kassettui.core.errors import NotFound
from kassettui.files import removing, trash
from kassettui.files.directories import Directories
from kassettui.files.disposing import measured
from kassettui.files.listing import entry_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.files.trash import Trashed


def older_than(things: Sequence[Trashed], days: int) -> list[Trashed]:
    """Those that were thrown away `days` days ago or earlier (local time, as the trash keeps it)."""
    limit = dt.datetime.now() - dt.timedelta(days=days)  # noqa: DTZ005 (the rules say local time)
    return [thing for thing in things if thing.deleted_at <= limit]


def measure(things: Sequence[Trashed]) -> tuple[int, int]:
    """(files, bytes) of `things`, all below them included."""
    files = size = 0
    for thing in things:
        try:
            entry, count = measured(entry_at(thing.path))
        except NotFound:
            continue
        files += count
        size += entry.size
    return files, size


def empty(things: Sequence[Trashed], checkpoint: Callable[[], None] = lambda: None) -> list[str]:
    """Delete `things`; the reasons why some are still there."""
    failed = []
    with Directories() as directories:
        for thing in things:
            checkpoint()
            try:
                removing.remove(thing.path, directories, checkpoint)
            except FileNotFoundError:
                pass  # somebody else emptied it meanwhile; its info file goes all the same
            except OSError as error:
                failed.append(f"Could not delete {thing.original}: {error.strerror}.")
                continue
            trash.forget_info(thing.path)
    return failed
