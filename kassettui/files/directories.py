"""Open directories: names are always used against a descriptor, at any depth, whatever is renamed above
(spec: R9).

One cache a thread: what it hands out stays open only until a few dozen others were asked for.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

_KEPT: Final = 32
_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ROOM: Final = 3_000  # bytes of a path that surely fit PATH_MAX


def open_directory(path: str) -> int:
    """A descriptor of the directory `path`; longer than the system's limit on paths, if need be."""
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    fd = os.open("/" if path.startswith("/") else ".", _FLAGS)
    try:
        for piece in _pieces(path):
            deeper = os.open(piece, _FLAGS, dir_fd=fd)
            os.close(fd)
            fd = deeper
    except BaseException:
        os.close(fd)
        raise
    return fd


def _pieces(path: str) -> list[str]:
    """`path` in relative pieces that each fit the system's limit."""
    pieces, piece, length = [], [], 0
    for part in path.split("/"):
        if not part:
            continue
        piece.append(part)
        length += len(os.fsencode(part)) + 1
        if length > _ROOM:
            pieces.append("/".join(piece))
            piece, length = [], 0
    if piece:
        pieces.append("/".join(piece))
    return pieces


class Directories:
    """Descriptors by path, the latest few dozen; for one thread."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, int] = OrderedDict()

    def fd(self, path: str) -> int:
        """The descriptor of the directory `path`."""
        found = self._open.get(path)
        if found is not None:
            self._open.move_to_end(path)
            return found
        found = self._open[path] = open_directory(path or "/")
        if len(self._open) > _KEPT:
            os.close(self._open.popitem(last=False)[1])
        return found

    def at(self, path: str) -> tuple[int, str]:
        """(descriptor of the parent, name) of `path`."""
        parent, _, name = path.rpartition("/")
        return self.fd(parent or "/"), name

    def lstat(self, path: str) -> os.stat_result:
        """The facts of `path` itself, links not followed."""
        fd, name = self.at(path)
        return os.lstat(name, dir_fd=fd) if name else os.fstat(fd)

    def find(self, path: str) -> os.stat_result | None:
        """The facts of `path`, or None where nothing stands."""
        try:
            return self.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def forget(self, path: str) -> None:
        """Close what is kept for `path` and below, before it is moved or removed."""
        for known in [known for known in self._open if known == path or known.startswith(path + "/")]:
            os.close(self._open.pop(known))

    def close(self) -> None:
        """Close all."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
