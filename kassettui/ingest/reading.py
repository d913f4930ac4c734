"""Reading one directory of a tree: its names, one stat a file, what is below it (spec: ingest).

Three steps, so that several threads can share a large directory: `begin` opens and lists it, `measure` stats
a slice of its names, `listed` says what was found. Nothing is opened but directories and their ignore files.
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
from kassettui.ingest.ignore import IGNORE_FILE, Uses
from kassettui.ingest.listing import Listing, ScannedDirectory, Visit
from kassettui.ingest.source import ItemError

if TYPE_CHECKING:
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

_Odd = tuple[int, os.stat_result | OSError]
"""The position of a name that is no file, and what its stat said."""


class ReaderOptions(NamedTuple):
    """How a tree is read: see `scan`."""

    follow_symlinks: bool = False
    recursive: bool = True
    all_files: bool = False


@dataclass(slots=True)
class _Slice:
    """What the stats of some names said."""

    sizes: array[int]
    mtimes: array[int]
    odd: list[_Odd]


@dataclass(slots=True, eq=False)
class Reading:
    """A directory between `begin` and `listed`.

    `links` are those of the names that are symbolic links; `maybe` those that count only if they lead to a
    directory. `left` slices are to be measured yet.
    """

    visit: Visit
    listing: Listing = field(default_factory=Listing)
    descriptor: int = -1
    links: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    slices: list[_Slice | None] = field(default_factory=list)
    left: int = 0

    def close(self) -> None:
        """Let the directory go; nothing the second time."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


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

    def first(self, scope: str, rules: IgnoreRules) -> Visit | ScannedDirectory:
        """The visit of a scope, with the rules set above it; the error when these leave it out."""
        errors: list[ItemError] = []
        above = ""
        for part in scope.split("/") if scope else ():
            rules = rules.within(above, self._patterns(self._root, above, above, rules, errors))
            above = f"{above}/{part}" if above else part
            if rules.ignores(above, is_directory=True):
                errors.append(ItemError(above, "ignored", "Left out by the ignore rules", directory=True))
                return ScannedDirectory(scope, errors=tuple(errors))
            if not self.options.follow_symlinks and self._is_link(above):
                errors.append(ItemError(above, "link", "A link, and links are not followed", directory=True))
                return ScannedDirectory(scope, errors=tuple(errors))
        follow = self.options.follow_symlinks
        over = ((0, 0),) if follow else ()
        return Visit(scope, rules, linked=not scope or follow, above=over, errors=tuple(errors))

    def list_directory(self, visit: Visit) -> Listing:
        """One directory, all three steps."""
        reading = self.begin(visit)
        for number in range(len(reading.slices)):
            self.measure(reading, number)
        return self.listed(reading)

    def begin(self, visit: Visit) -> Reading:
        """Open and list the directory. What went wrong stands in the listing, which then has no names."""
        reading = Reading(visit)
        listing = reading.listing
        listing.errors.extend(visit.errors)
        try:
            reading.descriptor = self._open(visit.path, linked=visit.linked)
            found = os.fstat(reading.descriptor)
            listing.device, listing.inode = found.st_dev, found.st_ino
            self._list(reading)
        except OSError as error:
            reading.close()
            reading.listing = Listing(listing.device, listing.inode)
            reading.listing.errors += [*visit.errors, item_error(visit.path, error, directory=True)]
        reading.left = -(-len(reading.listing.names) // SLICE)
        reading.slices = [None] * reading.left
        return reading

    def measure(self, reading: Reading, number: int) -> None:
        """Stat the names of one slice."""
        descriptor = reading.descriptor
        look = os.stat
        sizes, mtimes = array("q"), array("q")
        odd: list[_Odd] = []
        add_size, add_time = sizes.append, mtimes.append
        start = number * SLICE
        for name in reading.listing.names[start : start + SLICE]:
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

    def listed(self, reading: Reading) -> Listing:
        """What the directory holds. Closes it."""
        listing = reading.listing
        listing.sizes, listing.mtimes, odd = _joined(reading.slices)
        if odd or reading.maybe:
            names = listing.names
            keep = bytearray(b"\1") * len(names)
            for position, name in enumerate(names) if reading.maybe else ():
                keep[position] = name not in reading.maybe
            for position, found in odd:
                keep[position] = 0
                self._set_aside(reading, names[position], found)
            listing.names = list(compress(names, keep))
            listing.sizes = array("q", compress(listing.sizes, keep))
            listing.mtimes = array("q", compress(listing.mtimes, keep))
        reading.close()
        return listing

    def _is_link(self, path: str) -> bool:
        try:
            return stat.S_ISLNK(os.stat(path, dir_fd=self._root, follow_symlinks=False).st_mode)
        except OSError:
            return False  # it will be said when it is opened

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

    def _patterns(
        self, descriptor: int, directory: str, below: str, rules: IgnoreRules, errors: list[ItemError]
    ) -> tuple[str, ...]:
        """The patterns of `directory`, which stands as `below` under the open `descriptor`."""
        path = f"{below}/{IGNORE_FILE}" if below else IGNORE_FILE
        shown = f"{directory}/{IGNORE_FILE}" if directory else IGNORE_FILE
        try:
            lines = _lines(path, descriptor)
            rules.within(directory, lines)
        except FileNotFoundError:
            return ()
        except OSError as error:
            errors.append(item_error(shown, error))
            return ()
        except InvalidInput as error:
            errors.append(ItemError(shown, "bad_pattern", error.message))
            return ()
        return lines

    # -- what is in it --------------------------------------------------------------------------------------

    def _list(self, reading: Reading) -> None:
        """Fill in names and directories, without what is ignored. Raises OSError."""
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
        visit, listing, rules = reading.visit, reading.listing, reading.visit.rules
        if IGNORE_FILE in names:
            patterns = self._patterns(reading.descriptor, visit.path, "", rules, listing.errors)
            listing.patterns = patterns
            rules = rules.within(visit.path, patterns)
        prefix = visit.path_of("")
        if self.options.recursive and directories:
            directories.sort()
            listing.directories = [
                name for name in directories if not rules.ignores(prefix + name, is_directory=True)
            ]
        names = rules.left_in(prefix, names, listing.evidence)
        listing.names = self._uses.items(names, listing.evidence)
        if links:
            reading.links.update(links)
            if self.options.follow_symlinks and self.options.recursive:
                reading.maybe = reading.links.intersection(names).difference(listing.names, listing.evidence)
                listing.names = sorted({*listing.names, *reading.maybe})

    def _set_aside(self, reading: Reading, name: str, found: os.stat_result | OSError) -> None:
        """A name that is no file to be grouped: a link elsewhere, or something that failed or changed."""
        path = reading.visit.path_of(name)
        errors = reading.listing.errors
        if isinstance(found, OSError):
            gone = found.errno == errno.ENOENT
            if gone and name in reading.links:
                errors.append(ItemError(path, "broken_link", "The link's target is not there"))
            elif not (gone and is_temporary(name)):
                errors.append(item_error(path, found))
        elif name not in reading.links:
            errors.append(ItemError(path, "changed", "It was a file, and is one no more"))
        elif stat.S_ISDIR(found.st_mode) and self._may_follow(reading, path, (found.st_dev, found.st_ino)):
            reading.listing.linked.append(name)

    def _may_follow(self, reading: Reading, path: str, place: tuple[int, int]) -> bool:
        """Whether a link to a directory is followed: only when asked, and never in circles."""
        visit, listing = reading.visit, reading.listing
        if not self.options.follow_symlinks or not self.options.recursive:
            return False
        if place in visit.above or place == (listing.device, listing.inode):
            listing.warnings.append(f"{path}: a link to a directory above it is not followed")
            return False
        if visit.links >= _MOST_LINKS:
            listing.warnings.append(f"{path}: behind {_MOST_LINKS} links to directories, not followed")
            return False
        return True


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


def _lines(path: str, descriptor: int) -> tuple[str, ...]:
    """The lines of an ignore file. Raises OSError, also for what is not a file or too large to be one."""
    found = os.stat(path, dir_fd=descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_IGNORE_BYTES:
        raise OSError(errno.EINVAL, "No ignore file: not a regular file, or larger than 1 MiB")
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    with os.fdopen(file, "rb") as opened:
        text = os.fsdecode(opened.read(_MOST_IGNORE_BYTES)).removeprefix("\ufeff")
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return tuple(line for line in lines if line and "\0" not in line)
