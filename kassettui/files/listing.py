"""What lies in a directory, sequences folded to one entry each: values for panes, plans and the command line.

Sequences follow the rules of core/sequences; nothing is opened and links are not followed.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kassettui.core import health, patterns, sequences
from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import safe
from kassettui.files.directories import Directories, open_directory
from kassettui.files.members import only
from kassettui.files.plan import ItemKind, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kassettui.core.sequences import FrameGroup

_PATTERN_MARKS: Final = ("#", "@", "%", "$F", "[")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory, link or whole sequence. `size` in bytes (a sequence's: of all), `mtime_ns` the
    newest.

    A sequence's path is its directory with its identity name (one `#`).
    """

    path: str
    kind: ItemKind
    size: int = 0
    mtime_ns: int = 0
    mode: int = 0
    device: int = 0
    inode: int = 0
    links: int = 1
    target: str = ""  # of a symbolic link, as it is written
    group: FrameGroup | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)

    @property
    def directory(self) -> str:
        """The directory that holds it."""
        return os.path.dirname(self.path) or "/"

    def members(self) -> Iterator[str]:
        """The names of a sequence's files, in its directory; else its own name."""
        return self.group.names() if self.group is not None else iter((self.name,))

    @property
    def count(self) -> int:
        """How many files it is (a directory: 1)."""
        if self.group is None:
            return 1
        return len(self.group.frames) + len(self.group.bad_padding) + len(self.group.duplicate_frames)

    @property
    def frames(self) -> str:
        """A sequence's frame ranges as text; "" for anything else."""
        return self.group.ranges.text if self.group is not None else ""

    def side(self) -> Side:
        """The entry as one side of a conflict (F3)."""
        return Side(self.path, self.kind, self.size, self.mtime_ns, self.count, self.frames, self.health)

    @property
    def health(self) -> str:
        """A sequence's state as far as names, sizes and times tell (H0); "" for anything else."""
        if self.group is None:
            return ""
        return str(health.examine(self.group, time.time_ns()).state)


@dataclass(frozen=True, slots=True)
class Listing:
    """A directory's entries in the order of their names, and what could not be looked at."""

    path: str
    entries: tuple[Entry, ...]
    errors: tuple[str, ...] = ()


def list_directory(path: str, *, fold: bool = True, hidden: bool = False) -> Listing:
    """The entries of `path`, directories first, one stat each. Raises NotFound, OSError."""
    facts, errors = _read(path, hidden=hidden)
    entries = _fold(path, facts) if fold else []
    entries += [entry_of(os.path.join(path, name), fact) for name, fact in facts.items()]
    entries.sort(key=lambda entry: (entry.kind is not ItemKind.DIRECTORY, entry.path))
    return Listing(path, tuple(entries), tuple(errors))


def _fold(directory: str, facts: dict[str, os.stat_result]) -> list[Entry]:
    """The sequences among `facts`, whose members are taken out of it."""
    names = [name for name, fact in facts.items() if stat.S_ISREG(fact.st_mode)]
    sizes = [facts[name].st_size for name in names]
    mtimes = [facts[name].st_mtime_ns for name in names]
    entries = []
    for group in sequences.group(names, sizes, mtimes).groups:
        members = [facts.pop(name) for name in group.names()]
        entries.append(
            Entry(
                os.path.join(directory, group.identity_name),
                ItemKind.SEQUENCE,
                size=sum(member.st_size for member in members),
                mtime_ns=max(member.st_mtime_ns for member in members),
                mode=members[0].st_mode,
                device=members[0].st_dev,
                group=group,
            )
        )
    return entries


def _read(path: str, *, hidden: bool) -> tuple[dict[str, os.stat_result], list[str]]:
    facts: dict[str, os.stat_result] = {}
    errors: list[str] = []
    try:
        fd = open_directory(path)
    except FileNotFoundError as error:
        raise NotFound(f"There is no directory {safe(path)}.") from error
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    continue
                try:
                    facts[entry.name] = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone between the name and the look
                except OSError as error:
                    errors.append(f"{os.path.join(path, entry.name)}: {error.strerror}")
    finally:
        os.close(fd)
    return facts, errors


def sequence_side(path: str, members: Mapping[str, os.stat_result]) -> Side:
    """Frames that stand in the way of a sequence, as one side of a conflict."""
    names = list(members)
    sizes = [members[name].st_size for name in names]
    mtimes = [members[name].st_mtime_ns for name in names]
    groups = sequences.group(names, sizes, mtimes).groups
    frames = ",".join(group.ranges.text for group in groups)
    state = str(health.examine(groups[0], time.time_ns()).state) if len(groups) == 1 else ""
    return Side(path, ItemKind.SEQUENCE, sum(sizes), max(mtimes), len(names), frames, state)


def entry_of(path: str, facts: os.stat_result) -> Entry:
    """The thing at `path` with facts that were taken already."""
    kind = kind_of(facts.st_mode)
    target = ""
    if kind is ItemKind.SYMLINK:
        try:
            target = os.readlink(path)
        except OSError:
            target = "?"  # gone, or not ours to read; whoever copies it will say so
    return Entry(
        path,
        kind,
        facts.st_size if kind in {ItemKind.FILE, ItemKind.SYMLINK} else 0,
        facts.st_mtime_ns,
        facts.st_mode,
        facts.st_dev,
        facts.st_ino,
        facts.st_nlink,
        target,
    )


def kind_of(mode: int) -> ItemKind:
    """What a mode says a thing is."""
    if stat.S_ISREG(mode):
        return ItemKind.FILE
    if stat.S_ISDIR(mode):
        return ItemKind.DIRECTORY
    if stat.S_ISLNK(mode):
        return ItemKind.SYMLINK
    return ItemKind.FIFO if stat.S_ISFIFO(mode) else ItemKind.OTHER


def entry_at(path: str) -> Entry:
    """The thing at `path` itself. Raises NotFound, OSError."""
    with Directories() as directories:
        try:
            facts = directories.lstat(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"There is no {safe(path)}.") from error
    return entry_of(path, facts)


def select(texts: Iterable[str], *, fold: bool = True) -> list[Entry]:
    """The entries that a person named: paths, sequence patterns, or many frames of a sequence one by one.

    Frames that belong together come back as one sequence of just those frames (what a shell made of
    `beauty.*`). Raises NotFound, InvalidInput.
    """
    entries: list[Entry] = []
    files: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        path = os.path.abspath(text)
        if not os.path.lexists(path) and any(mark in os.path.basename(path) for mark in _PATTERN_MARKS):
            entries.append(sequence_at(path))
            continue
        entry = entry_at(path)
        if fold and entry.kind is ItemKind.FILE:
            files.setdefault(entry.directory, []).append(entry.name)
        entries.append(entry)
    return _folded(entries, files)


def _folded(entries: Sequence[Entry], files: dict[str, list[str]]) -> list[Entry]:
    """`entries` with those of one sequence replaced by the sequence, in the place of its first frame."""
    instead: dict[str, Entry | None] = {}
    for directory, names in files.items():
        if len(names) < 2:
            continue
        with Directories() as directories:
            facts = {name: directories.lstat(os.path.join(directory, name)) for name in names}
        for folded in _fold(directory, facts):
            if folded.count > 1:
                first, *rest = (os.path.join(directory, name) for name in folded.members())
                instead[first] = folded
                instead.update(dict.fromkeys(rest))
    kept = [instead.get(entry.path, entry) for entry in entries]
    return [entry for entry in kept if entry is not None]


def sequence_at(path: str) -> Entry:
    """The sequence that a pattern means: `beauty.####.exr`, `beauty.%04d.exr`, `beauty.[1001-1010].exr`.

    A pattern that says which frames means just those. Raises NotFound when there are none, InvalidInput for
    what is no pattern.
    """
    directory, name = os.path.split(path)
    wanted = patterns.parse(name)
    if wanted is None:
        raise InvalidInput(f"{safe(name)} is no sequence pattern.")
    for entry in list_directory(directory or "/").entries:
        group = entry.group
        if group is None or (group.head, group.suffix) != (wanted.head, wanted.suffix):
            continue
        if not wanted.frames:
            return entry
        chosen = only(group, wanted.frames)
        if chosen.frames:
            return _chosen(entry, chosen)
    raise NotFound(f"There are no frames of {safe(path)}.")


def _chosen(entry: Entry, group: FrameGroup) -> Entry:
    """`entry` with only the frames of `group`."""
    sizes, mtimes = group.sizes or (), group.mtimes or ()
    return replace(entry, group=group, size=sum(sizes), mtime_ns=max(mtimes, default=0))
