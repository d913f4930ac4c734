"""The history of a directory in ASC MHL: load it, compare with the disk, add a generation (spec: files F18,
F19).

A history stands in the directory's `ascmhl` folder: one hash list a generation, and a chain that holds their
checksums. A directory below that has a history of its own is that one's business; the outer one refers to it.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import DamageFound
from kassettui.core.text import as_json, safe
from kassettui.files import checksums, mhl
from kassettui.files.checksums import OURS
from kassettui.files.directories import Directories
from kassettui.files.removing import remove

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NUMBER: Final = re.compile(r"(\d{4,})_.*\.mhl\Z", re.ASCII | re.DOTALL)
_UNFIT: Final = re.compile(r"[^\w.\- ]+")


@dataclass(slots=True)
class History:
    """One directory's generations, oldest first, and the histories below it by their path relative
    to its root.
    """

    root: str
    links: list[mhl.Link] = field(default_factory=list)
    lists: list[mhl.HashList] = field(default_factory=list)
    below: dict[str, History] = field(default_factory=dict)
    _originals: dict[str, mhl.Hash] | None = None

    @property
    def folder(self) -> str:
        """Where the generations stand."""
        return os.path.join(self.root, mhl.FOLDER)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The patterns of what is left out, as the newest generation has them."""
        return self.lists[-1].ignored if self.lists else mhl.IGNORED

    def known(self) -> Mapping[str, mhl.Hash]:
        """Every file of this very history with the first checksum of each format that was ever
        taken of it.
        """
        if self._originals is None:
            self._originals = {}
            for listed in self.lists:
                for each in listed.hashes:
                    if not each.directory:
                        self._note(each)
        return self._originals

    def _note(self, each: mhl.Hash) -> None:
        assert self._originals is not None
        if each.previous and each.previous in self._originals:  # a rename that another tool recorded
            old = self._originals.pop(each.previous)
            self._originals[each.path] = replace(old, path=each.path)
        known = self._originals.get(each.path)
        if known is None:
            self._originals[each.path] = each
            return
        formats = {one.format for one in known.sums}
        further = tuple(one for one in each.sums if one.format not in formats and one.action != "failed")
        if further:
            self._originals[each.path] = replace(known, sums=(*known.sums, *further))

    def owner(self, path: str) -> tuple[History, str]:
        """(the history that a path relative to this root belongs to, the path relative to that
        one's root).
        """
        place = os.path.dirname(path)
        while place:
            if place in self.below:
                inner = self.below[place]
                return inner.owner(os.path.relpath(path, place))
            place = os.path.dirname(place)
        return self, path

    def everything(self) -> Iterator[tuple[str, mhl.Hash]]:
        """(path relative to this root, hash) of every file known here and below."""
        for path, each in self.known().items():
            yield path, each
        for place, inner in self.below.items():
            for path, each in inner.everything():
                yield os.path.join(place, path), each

    def inside_out(self) -> Iterator[tuple[str, History]]:
        """(place, history) of all below, the innermost first, and this one ("") last."""
        for place, inner in self.below.items():
            for deeper, history in inner.inside_out():
                yield (os.path.join(place, deeper) if deeper else place), history
        yield "", self


def load(root: str) -> History:
    """The history of `root` and of all below it, their chains checked; one without generations if there is
    none.

    Raises DamageFound for a manifest that is missing, changed or unreadable.
    """
    history = _load_one(root)
    for directory, names, _ in os.walk(root):
        if directory == root:
            names[:] = [name for name in names if name != mhl.FOLDER]
        elif mhl.FOLDER in names:
            history.below[os.path.relpath(directory, root)] = load(directory)
            names.clear()
    return history


def exists(root: str) -> bool:
    """Whether a directory has a history."""
    return os.path.isfile(os.path.join(root, mhl.FOLDER, mhl.CHAIN))


def _load_one(root: str) -> History:
    history = History(root)
    chain = os.path.join(history.folder, mhl.CHAIN)
    if not os.path.lexists(history.folder):
        return history
    if not os.path.isfile(chain):
        raise DamageFound(f"{safe(history.folder)} has no chain file.")
    history.links = sorted(mhl.read_chain(chain), key=lambda link: link.number)
    for link in history.links:
        path = os.path.join(history.folder, link.name)
        try:
            with open(path, "rb") as file:
                found = _c4(file.read())
        except FileNotFoundError as error:
            raise DamageFound(f"The manifest {safe(path)} is missing.") from error
        if found != link.c4:
            raise DamageFound(f"The manifest {safe(path)} was changed after it was written.")
        history.lists.append(mhl.read(path))
    return history


def _forget_unlinked(history: History) -> None:
    """Remove what a crash left of a generation of ours: a list that never came into the chain."""
    linked = {link.name for link in history.links}
    last = history.links[-1].number if history.links else 0
    for name in os.listdir(history.folder):
        path = os.path.join(history.folder, name)
        number = _NUMBER.match(name)
        if name in linked or number is None or int(number[1]) <= last:
            continue
        if mhl.read(path).tool == mhl.TOOL:
            os.unlink(path)


def _c4(data: bytes) -> str:
    return checksums.checksum("c4", data)


# -- a new generation ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileSums:
    """What was found of one file: checksums by format, size in bytes, mtime, and when it was read
    (ISO 8601).
    """

    sums: Mapping[str, str]
    size: int
    mtime_ns: int
    at: str


def now() -> str:
    """The time as ASC MHL writes it, with microseconds."""
    return dt.datetime.now().astimezone().isoformat()


def _second(mtime_ns: int) -> str:
    when = dt.datetime.fromtimestamp(mtime_ns // 10**9).astimezone()
    return when.isoformat()


def compared(known: mhl.Hash | None, found: FileSums) -> tuple[mhl.Sum, ...]:
    """The checksums of a file with what they say: original, verified or failed."""
    sums = []
    first = {one.format: one.text for one in known.sums} if known is not None else {}
    sound = all(found.sums[name] == text for name, text in first.items() if name in found.sums)
    for name, text in found.sums.items():
        if known is None:
            action = "original"
        elif name in first:
            action = "verified" if first[name] == text else "failed"
        else:
            action = "verified" if sound else "failed"  # a further format, vouched for by the one before
        sums.append(mhl.Sum(name, text, action, found.at))
    return tuple(sums)


def add_generation(
    history: History,
    found: Mapping[str, FileSums],
    directories: Iterable[str] | None,
    *,
    process: str = "in-place",
) -> list[str]:
    """Write the next generation of every history that `found` (relative path → sums) touches; their paths.

    `directories`: every directory there is below the root, when `found` is all the files there are; they get
    their hashes then. None for a part of a tree. The innermost histories come first, for the outer ones refer
    to them. A manifest is complete under its name, or not there.
    """
    by_owner: dict[str, dict[str, FileSums]] = {}
    places = {id(inner): place for place, inner in history.inside_out()}
    for path, sums in found.items():
        owner, inner_path = history.owner(path)
        by_owner.setdefault(places[id(owner)], {})[inner_path] = sums
    hashed = {} if directories is None else _directory_hashes(history.root, found, directories)
    made: list[str] = []
    fresh: dict[str, mhl.Link] = {}
    for place, owner in history.inside_out():
        references = _references(owner, place, fresh)
        if place not in by_owner and not references and place:
            continue
        hashes = _hashes(owner, by_owner.get(place, {}), hashed, place)
        listed = mhl.HashList(
            hashes,
            hashed.get(place or "."),
            owner.ignored,
            references,
            created=_second_now(),
            host=socket.gethostname(),
            process=process,
        )
        link = _write(owner, listed)
        fresh[place] = link
        made.append(os.path.join(owner.folder, link.name))
    return made


def _second_now() -> str:
    return dt.datetime.now().astimezone().replace(microsecond=0).isoformat()


def _references(owner: History, place: str, fresh: Mapping[str, mhl.Link]) -> tuple[mhl.Reference, ...]:
    return tuple(
        mhl.Reference(os.path.join(below, mhl.FOLDER, link.name), link.c4)
        for below in owner.below
        if (link := fresh.get(os.path.join(place, below) if place else below)) is not None
    )


def _hashes(
    owner: History, found: Mapping[str, FileSums], directories: Mapping[str, mhl.Hash], place: str
) -> tuple[mhl.Hash, ...]:
    known = owner.known()
    hashes = [
        mhl.Hash(path, compared(known.get(path), sums), sums.size, _second(sums.mtime_ns))
        for path, sums in found.items()
    ]
    for path, each in directories.items():
        inner = os.path.relpath(path, place) if place else path
        if inner == "." or inner.startswith(".."):
            continue
        # A directory with a history of its own is named here, too; what is below it is not.
        if any(inner != below and inner.startswith(below + "/") for below in owner.below):
            continue
        hashes.append(replace(each, path=inner))
    return tuple(sorted(hashes, key=lambda each: each.path))


def _directory_hashes(
    root: str, found: Mapping[str, FileSums], directories: Iterable[str]
) -> dict[str, mhl.Hash]:
    """The content and structure hash of every directory, "." being the root, from the files' xxh128."""
    contents: dict[str, list[tuple[str, str, str]]] = {".": []}  # name, content, structure
    contents.update((place, []) for place in directories)
    for path, sums in found.items():
        text = sums.sums[OURS]
        contents[os.path.dirname(path) or "."].append((os.path.basename(path), text, text))
    hashes: dict[str, mhl.Hash] = {}
    for place in sorted(contents, key=lambda place: (place != ".", place.count("/"), place), reverse=True):
        entries = contents[place]
        content = checksums.of_list(OURS, (entry[1] for entry in entries))
        structure = checksums.of_list(
            OURS,
            (
                checksums.checksum(OURS, os.fsencode(name) + checksums.raw(OURS, inner))
                for name, _, inner in entries
            ),
        )
        date = _second(os.stat(os.path.join(root, place)).st_mtime_ns)
        hashes[place] = mhl.Hash(
            place, (mhl.Sum(OURS, content, "", now(), structure),), None, date, directory=True
        )
        if place != ".":
            contents[os.path.dirname(place) or "."].append((os.path.basename(place), content, structure))
    return hashes


def _write(history: History, listed: mhl.HashList) -> mhl.Link:
    """Put a hash list and the longer chain on disk. The first generation appears with its folder, at once."""
    data = mhl.written(listed)
    number = history.links[-1].number + 1 if history.links else 1
    stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d_%H%M%SZ")
    title = _UNFIT.sub("_", as_json(os.path.basename(history.root.rstrip("/")))) or "root"
    name = f"{number:04d}_{title[:80]}_{stamp}{mhl.ENDING}"
    link = mhl.Link(number, name, _c4(data))
    chain = mhl.written_chain([*history.links, link])
    first = not os.path.lexists(history.folder)
    folder = _fresh_folder(history.root) if first else history.folder
    if not first:
        _forget_unlinked(history)
    put_file(os.path.join(folder, name), data)
    put_file(os.path.join(folder, mhl.CHAIN), chain)
    sync_directory(folder)
    if first:
        os.rename(folder, history.folder)
        sync_directory(history.root)
    history.links.append(link)
    return link


def _fresh_folder(root: str) -> str:
    """An empty folder under a temp name; what a crash left of another one goes. Raises OSError."""
    folder = os.path.join(root, ".kassettui-ascmhl.part")
    if os.path.lexists(folder):
        with Directories() as directories:
            remove(folder, directories, lambda: None)
    os.mkdir(folder)
    return folder


def sync_directory(path: str) -> None:
    """Bring a directory's entries to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def put_file(path: str, data: bytes) -> None:
    """Write a file by temp, fsync and rename: whole under its name, or not there. Raises OSError."""
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f".kassettui-{name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(temporary, flags, 0o644)
    except FileExistsError:  # what a crash left of the same file
        os.unlink(temporary)
        fd = os.open(temporary, flags, 0o644)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
