"""What belongs to a file beside its bytes: mode, times, owner, extended attributes (spec: files F4).

What cannot be kept is a warning, never a failure, and one warning for all files that lack the same thing.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_UNSUPPORTED: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})
# What only a privileged process may set and the destination computes for itself.
_SKIPPED: Final = ("security.", "trusted.overlay.", "system.nfs4_acl", "system.cifs", "system.ntfs", "btrfs.")


class Oddities:
    """What could not be kept, counted by what and why; told at the end, each once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def note(self, what: str, path: str, error: OSError) -> None:
        """`what` of `path` could not be kept."""
        key = (what, os.strerror(error.errno or 0))
        with self._lock:
            count, first = self._found.get(key, (0, path))
            self._found[key] = (count + 1, first)

    def sentences(self) -> list[str]:
        """A sentence for each kind."""
        with self._lock:
            return [
                f"{what.capitalize()} could not be kept ({why}): {first}"
                + (f" and {count - 1} more." if count > 1 else ".")
                for (what, why), (count, first) in self._found.items()
            ]


def keep(source: int, destination: int, facts: os.stat_result, path: str, oddities: Oddities) -> None:
    """Give the open `destination` what the open `source` has; `path` names it in warnings."""

    def attempt(what: str, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as error:
            oddities.note(what, path, error)
            return False
        return True

    owned = _keep_owner(destination, facts, attempt)
    _keep_attributes(source, destination, path, oddities)
    mode = stat.S_IMODE(facts.st_mode)
    if not owned:
        mode &= ~(stat.S_ISUID | stat.S_ISGID)  # never another owner's rights
    attempt("mode", lambda: os.fchmod(destination, mode))
    attempt("times", lambda: os.utime(destination, ns=(facts.st_atime_ns, facts.st_mtime_ns)))


def keep_link(
    directory: int, name: str, facts: os.stat_result, path: str, oddities: Oddities, *, chmod: bool = False
) -> None:
    """The same for what cannot be opened: a link, a FIFO (times and owner; its mode with `chmod`)."""
    if os.geteuid() == 0:
        try:
            os.chown(name, facts.st_uid, facts.st_gid, dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            oddities.note("owner", path, error)
    try:
        if chmod:
            os.chmod(name, stat.S_IMODE(facts.st_mode), dir_fd=directory)
        os.utime(name, ns=(facts.st_atime_ns, facts.st_mtime_ns), dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        oddities.note("times", path, error)


def _keep_owner(
    destination: int, facts: os.stat_result, attempt: Callable[[str, Callable[[], None]], bool]
) -> bool:
    """Whether the destination belongs to the source's owner and group now."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        if (facts.st_uid, facts.st_gid) == (user, group):
            return True
        return attempt("owner", lambda: os.fchown(destination, facts.st_uid, facts.st_gid))
    kept = facts.st_uid == user or attempt("owner", lambda: os.fchown(destination, facts.st_uid, -1))
    if facts.st_gid != group:
        kept = attempt("group", lambda: os.fchown(destination, -1, facts.st_gid)) and kept
    return kept


def _keep_attributes(source: int, destination: int, path: str, oddities: Oddities) -> None:
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            oddities.note("extended attributes", path, error)
        return
    for name in names:
        if name.startswith(_SKIPPED):
            continue
        try:
            os.setxattr(destination, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno != errno.ENODATA:
                oddities.note("extended attributes", path, error)
