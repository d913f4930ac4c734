"""Reading one directory of a tree: its names, one stat each, what is below it (spec: ingest).

Three steps, so that several threads can share a large directory: `begin` opens and lists it, `measure` stats
a slice of its names, `finish` groups them. Nothing is opened but directories and their ignore files.
"""

from __future__ import annotations

import errno
import os
import stat
from array import array
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.errors import InvalidInput
from kassettui.core.naming import is_temporary
from kassettui.core.sequences import Grouping, group
from kassettui.ingest.ignore import IGNORE_FILE, Uses
from kassettui.ingest.source import ItemError

if TYPE_CHECKING:
    from kassettui.core.sequences import Single
    from kassettui.ingest.ignore import IgnoreRules

SLICE: Final = 256
"""So many names are measured at a time: between two slices a scan can stop, or call for more threads."""

_OPEN: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LONGEST_PATH: Final = 4000  # bytes; the kernel refuses paths from 4096 on
_MOST_LINKS: Final = 8  # links to directories on one path; beyond that it is a maze
_MOST_IGNORE_BYTES: Final = 1 << 20
_FORMAT: Final = 0o170000

_CODES: Final = {
    errno.EACCES: "permission_denied",
    errno.EPERM: "permission_denied",
    errno.ENOENT: "vanished",
    errno.ENOTDIR: "not_a_directory",
    errno.ESTALE: "vanished",
    errno.ELOOP: "link_loop",
    errno.EIO: "io_error",
}

Ancestors = tuple["Ancestors", int, int] | None
"""The directories above one, nearest first: (those above it, device, inode)."""


@dataclass(frozen=True, slots=True)
class ScannedDirectory:
    """One directory as it was found.

    `path` is relative to the root ("" is the root); `device` is its file system's number. `sizes` (bytes) and
    `mtimes` (ns) run parallel to the names that were grouped, so a `Single`'s index finds its own. `errors`
    are what could not be read in it, or the directory itself: then there is nothing else.
    """

    path: str
    device: int = 0
    grouping: Grouping = field(default_factory=Grouping)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    errors: tuple[ItemError, ...] = ()
    warnings: tuple[str, ...] = ()

    def size_and_time(self, single: Single) -> tuple[int, int]:
        """Bytes and mtime_ns of a file that stands alone."""
        return self.sizes[single.index], self.mtimes[single.index]


@dataclass(frozen=True, slots=True)
class Visit:
    """A directory to be read, and the rules that hold around it. `links`: how many links led here."""

    path: str
    rules: IgnoreRules
    ancestors: Ancestors = None
    links: int = 0
    linked: bool = False
    errors: tuple[ItemError, ...] = ()

    @property
    def order(self) -> str:
        """Sorts visits as a walk meets them: a directory before what is in it, siblings by name."""
        return self.path.replace("/", "\0")


Read = tuple[ScannedDirectory, list[Visit]]
"""A directory, and what is to be visited below it, by name."""


_Odd = tuple[int, os.stat_result | OSError]
"""The position of a name that is no file, and what its stat said."""


@dataclass(slots=True)
class _Slice:
    """What the stats of some names said."""

    sizes: array[int]
    mtimes: array[int]
    odd: list[_Odd]


@dataclass(slots=True, eq=False)
class Reading:
    """A directory between `begin` and `finish`.

    `names` are files and links to be measured, ascending; `evidence` are names that only say that somebody
    writes (S15). `rules` hold inside; `ancestors` begins with the directory itself. `left` slices are to be
    measured yet.
    """

    visit: Visit
    descriptor: int = -1
    device: int = 0
    rules: IgnoreRules | None = None
    ancestors: Ancestors = None
    names: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    directories: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    slices: list[_Slice | None] = field(default_factory=list)
    left: int = 0
    errors: list[ItemError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def path_of(self, name: str) -> str:
        """The path of what the directory holds as `name`, relative to the root."""
        return f"{self.visit.path}/{name}" if self.visit.path else name

    def close(self) -> None:
        """Let the directory go; nothing the second time."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class ReaderOptions(NamedTuple):
    """How a tree is read: see `scan`."""

    follow_symlinks: bool = False
    recursive: bool = True
    all_files: bool = False


class Reader:
    """Reads directories below a root that stays open, so that a scan never wanders into another tree."""

    def __init__(self, root: str | int, options: ReaderOptions) -> None:
        """Open `root`, or take it over open. Raises OSError when it cannot be opened."""
        self.options = options
        self._uses = Uses(all_files=options.all_files)
        self._root = root if isinstance(root, int) else os.open(root, _OPEN)

    @property
    def root(self) -> int:
        """The open root's descriptor."""
        return self._root

    def close(self) -> None:
        """Let the root go; nothing the second time."""
        root, self._root = self._root, -1
        if root >= 0:
            os.close(root)

    def read(self, visit: Visit) -> Read:
        """One directory, all three steps."""
        reading = self.begin(visit)
        for number in range(len(reading.slices)):
            self.measure(reading, number)
        return self.finish(reading)

    def first(self, scope: str, rules: IgnoreRules) -> Visit | ScannedDirectory:
        """The visit of a scope, with the rules set above it; the error when these leave it out."""
        errors: list[ItemError] = []
        above = ""
        for part in scope.split("/") if scope else ():
            rules = self._rules(rules, self._root, above, above, errors)
            above = f"{above}/{part}" if above else part
            if rules.ignores(above, is_directory=True):
                message = "Left out by the ignore rules"
                errors.append(ItemError(above, "ignored", message, directory=True))
                return ScannedDirectory(scope, errors=tuple(errors))
        return Visit(scope, rules, linked=not scope or self.options.follow_symlinks, errors=tuple(errors))

    def begin(self, visit: Visit) -> Reading:
        """Open and list the directory. What went wrong stands in the reading, which then has no names."""
        reading = Reading(visit, errors=list(visit.errors))
        try:
            reading.descriptor = self._open(visit.path, linked=visit.linked)
            found = os.fstat(reading.descriptor)
            reading.device = found.st_dev
            reading.ancestors = (visit.ancestors, found.st_dev, found.st_ino)
            self._list(reading)
        except OSError as error:
            reading.close()
            reading.names.clear()
            reading.directories.clear()
            reading.errors.append(item_error(visit.path, error, directory=True))
        reading.slices = [None] * (-(-len(reading.names) // SLICE))
        reading.left = len(reading.slices)
        return reading

    def measure(self, reading: Reading, number: int) -> None:
        """Stat the names of one slice."""
        descriptor = reading.descriptor
        look = os.stat
        sizes, mtimes = array("q"), array("q")
        odd: list[_Odd] = []
        add_size, add_time = sizes.append, mtimes.append
        start = number * SLICE
        for name in reading.names[start : start + SLICE]:
            try:
                found = look(name, dir_fd=descriptor)
            except OSError as error:
                odd.append((start + len(sizes), error))
                add_size(0)
                add_time(0)
                continue
            if found.st_mode & _FORMAT != stat.S_IFREG:
                odd.append((start + len(sizes), found))
            add_size(found.st_size)
            add_time(found.st_mtime_ns)
        reading.slices[number] = _Slice(sizes, mtimes, odd)

    def finish(self, reading: Reading) -> Read:
        """The directory as a value, and the visits of those below it, by name. Closes it."""
        sizes, mtimes, odd = _joined(reading.slices)
        names = reading.names
        linked: dict[str, os.stat_result] = {}
        if odd:
            keep = bytearray(b"\1") * len(names)
            for position, found in odd:
                keep[position] = 0
                self._set_aside(reading, names[position], found, linked)
            names = list(compress(names, keep))
            sizes, mtimes = array("q", compress(sizes, keep)), array("q", compress(mtimes, keep))
        reading.close()
        scanned = ScannedDirectory(
            path=reading.visit.path,
            device=reading.device,
            grouping=group([*names, *reading.evidence] if reading.evidence else names, sizes, mtimes),
            sizes=sizes,
            mtimes=mtimes,
            errors=tuple(reading.errors),
            warnings=tuple(reading.warnings),
        )
        return scanned, self._below(reading, linked)

    # -- opening --------------------------------------------------------------------------------------------

    def _open(self, path: str, *, linked: bool) -> int:
        """Open a directory below the root, through a link only if that is how it was found."""
        descriptor, rest = self._near(path)
        try:
            return os.open(rest or b".", _OPEN if linked else _OPEN | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            if descriptor != self._root:
                os.close(descriptor)

    def _near(self, path: str) -> tuple[int, bytes]:
        """(descriptor, rest): a directory so near to `path` that the kernel takes the rest as a path."""
        rest = os.fsencode(path)
        descriptor = self._root
        while len(rest) > _LONGEST_PATH:
            cut = rest.rindex(b"/", 0, _LONGEST_PATH)
            try:
                nearer = os.open(rest[:cut], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
            finally:
                if descriptor != self._root:
                    os.close(descriptor)
            descriptor, rest = nearer, rest[cut + 1 :]
        return descriptor, rest

    def _rules(
        self, above: IgnoreRules, descriptor: int, directory: str, below: str, errors: list[ItemError]
    ) -> IgnoreRules:
        """The rules inside `directory`, which stands as `below` under the open `descriptor`."""
        path = f"{below}/{IGNORE_FILE}" if below else IGNORE_FILE
        shown = f"{directory}/{IGNORE_FILE}" if directory else IGNORE_FILE
        try:
            return above.within(directory, _patterns(path, descriptor))
        except FileNotFoundError:
            pass
        except OSError as error:
            errors.append(item_error(shown, error))
        except InvalidInput as error:
            errors.append(ItemError(shown, "bad_pattern", error.message))
        return above

    # -- what is in it --------------------------------------------------------------------------------------

    def _list(self, reading: Reading) -> None:
        """Fill in names, links and directories, without what is ignored. Raises OSError."""
        names: list[str] = []
        links: list[str] = []
        directories: list[str] = []
        with os.scandir(reading.descriptor) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
                elif entry.is_symlink():
                    links.append(entry.name)
        names += links
        names.sort()
        directories.sort()
        rules, path = reading.visit.rules, reading.visit.path
        if IGNORE_FILE in names:
            rules = self._rules(rules, reading.descriptor, path, "", reading.errors)
        reading.rules = rules
        reading.links.update(links)
        prefix = reading.path_of("")
        reading.directories = [
            name for name in directories if not rules.ignores(prefix + name, is_directory=True)
        ]
        names = rules.left_in(prefix, names, reading.evidence)
        reading.names = self._uses.items(names, reading.evidence)

    def _set_aside(
        self,
        reading: Reading,
        name: str,
        found: os.stat_result | OSError,
        linked: dict[str, os.stat_result],
    ) -> None:
        """A name that is no file to be grouped: a link elsewhere, or something that failed or changed."""
        path = reading.path_of(name)
        if isinstance(found, OSError):
            gone = found.errno == errno.ENOENT
            if gone and name in reading.links:
                reading.errors.append(ItemError(path, "broken_link", "The link's target is not there"))
            elif not (gone and is_temporary(name)):
                reading.errors.append(item_error(path, found))
        elif name not in reading.links:
            reading.errors.append(ItemError(path, "changed", "It was a file, and is one no more"))
        elif stat.S_ISDIR(found.st_mode) and self._may_follow(reading, path, found):
            linked[name] = found

    def _may_follow(self, reading: Reading, path: str, found: os.stat_result) -> bool:
        """Whether a link to a directory is followed: only when asked, and never in circles."""
        if not self.options.follow_symlinks:
            return False
        above = reading.ancestors
        while above is not None:
            if above[1:] == (found.st_dev, found.st_ino):
                reading.warnings.append(f"{path}: a link to a directory above it is not followed")
                return False
            above = above[0]
        if reading.visit.links >= _MOST_LINKS:
            reading.warnings.append(f"{path}: behind {_MOST_LINKS} links to directories, not followed")
            return False
        return True

    def _below(self, reading: Reading, linked: dict[str, os.stat_result]) -> list[Visit]:
        if not self.options.recursive:
            return []
        rules = reading.rules or reading.visit.rules
        links = reading.visit.links
        visits = [
            Visit(reading.path_of(name), rules, reading.ancestors, links) for name in reading.directories
        ]
        if linked:
            visits += [
                Visit(reading.path_of(name), rules, reading.ancestors, links + 1, linked=True)
                for name in linked
            ]
            visits.sort(key=lambda visit: visit.path)
        return visits


def _joined(slices: list[_Slice | None]) -> tuple[array[int], array[int], list[_Odd]]:
    measured = [part for part in slices if part is not None]
    if len(measured) == 1:
        return measured[0].sizes, measured[0].mtimes, measured[0].odd
    sizes, mtimes = array("q"), array("q")
    odd: list[_Odd] = []
    for part in measured:
        sizes.extend(part.sizes)
        mtimes.extend(part.mtimes)
        odd.extend(part.odd)
    return sizes, mtimes, odd


def item_error(path: str, error: OSError, *, directory: bool = False) -> ItemError:
    """What the report says of a path (relative to the root) that could not be read."""
    number = error.errno or 0
    code = _CODES.get(number) or errno.errorcode.get(number, "os_error").lower()
    return ItemError(path, code, error.strerror or str(error), directory)


def _patterns(path: str, descriptor: int) -> list[str]:
    """The lines of an ignore file. Raises OSError, also for what is not a file or too large to be one."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_IGNORE_BYTES:
            raise OSError(errno.EINVAL, "No ignore file: not a regular file, or larger than 1 MiB")
        return os.fsdecode(opened.read(_MOST_IGNORE_BYTES)).splitlines()
