"""The log read back: older files first, then on with what comes, over rotations (`kassettui log [-f]`)."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from kassettui.observe.entries import Entry, Level, from_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = 1 << 20
"""Bytes of a line that are read as one."""
_LOOK: Final = 0.25
"""Seconds between two looks for new lines."""


def read_log(
    path: str | os.PathLike[str],
    *,
    follow: bool = False,
    level: str = "debug",
    stop: threading.Event | None = None,
) -> Iterator[Entry]:
    """The entries of the log at `path` and its older files that weigh `level` or more, oldest first.

    With `follow` it goes on with what is written later, until `stop` is set. No log is an empty one. Raises
    OSError where a file cannot be read.
    """
    least = Level.of(level)
    stop = stop or threading.Event()
    for line in _lines(os.fspath(path), follow=follow, stop=stop):
        entry = from_line(line)
        if entry.level >= least:
            yield entry


def log_files(path: str | os.PathLike[str]) -> list[str]:
    """The files of the log at `path` that exist, oldest first."""
    directory, name = os.path.split(os.path.abspath(os.fspath(path)))
    numbered = re.compile(re.escape(name) + r"\.([1-9][0-9]{0,2})")
    try:
        found = os.listdir(directory)
    except FileNotFoundError:
        return []
    numbers = sorted((int(match[1]) for entry in found if (match := numbered.fullmatch(entry))), reverse=True)
    older = [os.path.join(directory, f"{name}.{number}") for number in numbers]
    return [*older, os.path.join(directory, name)] if name in found else older


def _lines(path: str, *, follow: bool, stop: threading.Event) -> Iterator[bytes]:
    newest: BinaryIO | None = None
    try:
        for name in log_files(path):
            opened = _open(name)
            if opened is None:  # rotated away since we looked
                continue
            if newest is not None:
                newest.close()
            newest = opened
            yield from _whole_lines(newest, last=not follow)
        while follow and not stop.is_set():
            current = newest is not None and _is_current(newest, path)
            if newest is not None:
                # What is in a file that was put aside is whole; else an unfinished line may still grow.
                yield from _whole_lines(newest, last=not current)
            opened = None if current else _open(path)
            if opened is None:
                stop.wait(_LOOK)
                continue
            if newest is not None:
                newest.close()
            newest = opened
    finally:
        if newest is not None:
            newest.close()


def _whole_lines(file: BinaryIO, *, last: bool) -> Iterator[bytes]:
    """The lines from here on; one without its newline only when it is the `last` that this file will have."""
    while line := file.readline(_LONGEST):
        if not line.endswith(b"\n") and len(line) < _LONGEST and not last:
            file.seek(-len(line), os.SEEK_CUR)
            return
        if line.strip():
            yield line


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None


def _is_current(file: BinaryIO, path: str) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return True  # between two files: nothing to go on to yet
