"""Trash by the freedesktop rules, one can a volume, and `.kassettui-trash` where a volume has none (spec:
files F11).

https://specifications.freedesktop.org/trash-spec/ 1.0. What is thrown away is renamed, never copied, so a can
is always on the volume of what goes into it. Send2Trash is not used: it does not say where a thing went,
reserves names without O_EXCL, refuses dangling links and copies across volumes; tests hold the two
compatible.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import secrets
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from kassettui.core.errors import Refused
from kassettui.files import syscalls, volumes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.files.directories import Directories

FALLBACK: Final = ".kassettui-trash"
_INFO: Final = ".trashinfo"
_LONGEST: Final = 255 - len(_INFO) - 12  # bytes of a name, with room for what makes it unique
_EXCLUSIVE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INFO_LIMIT: Final = 64 << 10


class NoTrash(Refused):
    """A volume without a trash, and none can be made (F11)."""

    code = "no_trash"


@dataclass(frozen=True, slots=True)
class Can:
    """One trash directory; `top` is the volume's top that its paths are relative to, "" for the
    home trash.
    """

    root: str
    top: str = ""

    @property
    def files(self) -> str:
        """Where the things lie."""
        return f"{self.root}/files"

    @property
    def info(self) -> str:
        """Where it is written what they were."""
        return f"{self.root}/info"

    def info_of(self, trashed: str) -> str:
        """The info file of a path in `files`."""
        return f"{self.info}/{os.path.basename(trashed)}{_INFO}"


@dataclass(frozen=True, slots=True)
class Trashed:
    """A thing in a can: where it lies, where it was, when it went (local time, as the rules say)."""

    path: str
    original: str
    deleted_at: dt.datetime
    can: Can


def home_can() -> Can:
    """The user's own trash."""
    data = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):
        data = os.path.join(os.path.expanduser("~"), ".local", "share")
    return Can(os.path.join(os.path.realpath(data), "Trash"))


def can_for(path: str, *, fallback: bool = False) -> Can:
    """The can for `path`, which need not exist yet; nothing is made. Raises NoTrash, with what to do."""
    parent = os.path.dirname(path) or "/"
    device = os.stat(volumes.existing_parent(parent)).st_dev
    home = home_can()
    if os.stat(volumes.existing_parent(home.root)).st_dev == device:
        return home
    top = _top(parent, device)
    shared = f"{top.rstrip('/')}/.Trash"
    own = f"{top.rstrip('/')}/.Trash-{os.geteuid()}"
    if _is_shared_trash(shared):
        return Can(f"{shared}/{os.geteuid()}", top)
    if _is_ours(own) or (not os.path.lexists(own) and os.access(top, os.W_OK | os.X_OK, effective_ids=True)):
        return Can(own, top)
    if fallback and (place := _highest_writable(parent, device)):
        return Can(f"{place.rstrip('/')}/{FALLBACK}", place)
    raise NoTrash(
        f"There is no trash on the volume of {path}.",
        remedy=f"--fallback-trash keeps it in {FALLBACK} there, --permanently deletes it.",
    )


def _top(directory: str, device: int) -> str:
    """The highest directory above `directory` on its device: the volume's top, as far as names go."""
    place = os.path.realpath(volumes.existing_parent(directory))
    while place != "/" and os.stat(os.path.dirname(place)).st_dev == device:
        place = os.path.dirname(place)
    return place


def _is_shared_trash(path: str) -> bool:
    """Whether an administrator made a trash for all here: a real directory with the sticky bit."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def _is_ours(path: str) -> bool:
    try:
        facts = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()


def _highest_writable(directory: str, device: int) -> str:
    place = os.path.realpath(volumes.existing_parent(directory))
    best = ""
    while os.stat(place).st_dev == device:
        if os.access(place, os.W_OK | os.X_OK, effective_ids=True):
            best = place
        if place == "/":
            break
        place = os.path.dirname(place)
    return best


def make(can: Can) -> None:
    """Make a can's directories, private. Raises OSError, and NoTrash where somebody else's thing stands
    there.
    """
    os.makedirs(os.path.dirname(can.root), mode=0o700, exist_ok=True)
    for directory in (can.root, can.files, can.info):
        try:
            os.mkdir(directory, 0o700)
        except FileExistsError:
            if not _is_ours(directory):
                raise NoTrash(f"{directory} is not a directory of ours.") from None


def throw(can: Can, path: str, directories: Directories) -> str:
    """Move `path` into the can; where it lies now. Raises OSError; EXDEV when the can is on
    another device.
    """
    trashed = _reserve(can, path, directories)
    source, name = directories.at(path)
    target, trashed_name = directories.at(trashed)
    try:
        syscalls.rename_exclusive(source, name, target, trashed_name)
    except OSError:
        os.unlink(can.info_of(trashed))
        raise
    return trashed


def throw_copy(can: Can, path: str, directories: Directories) -> str:
    """Give the file `path` a second name in the can, so that it may be replaced in one step; "" if it cannot
    be.

    Some file systems have no hard links; `throw` first and a moment without the name are the way there.
    """
    trashed = _reserve(can, path, directories)
    source, name = directories.at(path)
    target, trashed_name = directories.at(trashed)
    try:
        os.link(name, trashed_name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except OSError as error:
        os.unlink(can.info_of(trashed))
        if error.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}:
            return ""
        raise
    return trashed


def put_back(trashed: str, destination: str, directories: Directories, *, replace: bool = False) -> None:
    """Move a thing from a can to `destination`. Raises FileExistsError unless `replace`, and OSError."""
    source, name = directories.at(trashed)
    target, destination_name = directories.at(destination)
    if replace:
        os.rename(name, destination_name, src_dir_fd=source, dst_dir_fd=target)
    else:
        syscalls.rename_exclusive(source, name, target, destination_name)
    forget_info(trashed)


def forget_info(trashed: str) -> None:
    """Remove the info file of what no longer lies in its can."""
    try:
        os.unlink(can_of(trashed).info_of(trashed))
    except FileNotFoundError:
        return


def can_of(trashed: str) -> Can:
    """The can that a path in a can's `files` belongs to."""
    root = os.path.dirname(os.path.dirname(trashed))
    name = os.path.basename(root)
    if name == FALLBACK or name.startswith(".Trash-"):
        return Can(root, os.path.dirname(root) or "/")
    parent = os.path.dirname(root)
    if os.path.basename(parent) == ".Trash":
        return Can(root, os.path.dirname(parent) or "/")
    return Can(root)


def write_info(trashed: str, original: str, directories: Directories) -> None:
    """Write down what the thing at `trashed` is, or is about to be. Raises FileExistsError for a
    taken name.
    """
    can = can_of(trashed)
    where = original_of(can, original)
    if can.top:
        where = os.path.relpath(where, can.top)
    now = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
    text = f"[Trash Info]\nPath={quote_from_bytes(os.fsencode(where))}\nDeletionDate={now}\n"
    name = os.path.basename(trashed) + _INFO
    info = os.open(name, _EXCLUSIVE, 0o600, dir_fd=directories.fd(can.info))
    with os.fdopen(info, "wb") as file:
        file.write(text.encode())


def _reserve(can: Can, path: str, directories: Directories) -> str:
    """Write the info file of `path` under a free name; the path in `files` that it stands for."""
    for name in _names(os.path.basename(path)):
        trashed = f"{can.files}/{name}"
        try:
            write_info(trashed, path, directories)
        except FileExistsError:
            continue
        if directories.find(trashed) is None:
            return trashed
        os.unlink(can.info_of(trashed))  # something without an info file lies there: leave it alone
    raise AssertionError("names never end")


def _names(name: str) -> Iterator[str]:
    """Names to try in a can: the thing's own, then numbered ones, then random ones; never too long."""
    raw = os.fsencode(name)
    if len(raw) > _LONGEST:
        head, _, extension = raw.rpartition(b".")
        keep = extension if head and len(extension) < 32 else b""
        raw = raw[: _LONGEST - len(keep) - 1].rstrip(b".") + (b"." + keep if keep else b"")
    whole = os.fsdecode(raw)
    yield whole
    stem, dot, extension_text = whole.rpartition(".")
    if not stem:
        stem, dot, extension_text = whole, "", ""
    for number in range(2, 12):
        yield f"{stem}.{number}{dot}{extension_text}"
    while True:
        yield f"{stem}.{secrets.token_hex(4)}{dot}{extension_text}"


def cans(also: tuple[str, ...] = ()) -> list[Can]:
    """Every can of ours that exists: home, the tops of all mounts, and the fallback ones named in `also`."""
    found = {home_can().root: home_can()}
    for volume in volumes.mounts():
        top = volume.mount_point.rstrip("/")
        for root in (f"{top}/.Trash/{os.geteuid()}", f"{top}/.Trash-{os.geteuid()}", f"{top}/{FALLBACK}"):
            found.setdefault(root, Can(root, top or "/"))
    for root in also:
        found.setdefault(root, Can(root, os.path.dirname(root) or "/"))
    return [can for can in found.values() if _is_ours(can.root) and _is_ours(can.files)]


def listed(can: Can) -> Iterator[Trashed]:
    """What lies in a can, by name. Broken info files are left out, their things untouched."""
    return (entry for entry in entries(can) if os.path.lexists(entry.path))


def entries(can: Can) -> Iterator[Trashed]:
    """What the can's info files say, whether or not the things are there."""
    try:
        names = sorted(os.listdir(can.info))
    except OSError:
        return
    for name in names:
        entry = read_info(can, name.removesuffix(_INFO)) if name.endswith(_INFO) else None
        if entry is not None:
            yield entry


def original_of(can: Can, path: str) -> str:
    """How the can's `entries` call the thing that was at `path`."""
    if not can.top:
        return os.path.normpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def read_info(can: Can, name: str) -> Trashed | None:
    """What the info file of `name` says; None when it says nothing that can be used."""
    try:
        fd = os.open(f"{can.info}/{name}{_INFO}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            lines = file.read(_INFO_LIMIT).split(b"\n")
    except OSError:
        return None
    values = dict(line.split(b"=", 1) for line in reversed(lines) if b"=" in line)
    path = os.fsdecode(unquote_to_bytes(values.get(b"Path", b"")))
    if not path or "\0" in path:
        return None
    if can.top:
        if ".." in path.split("/"):
            return None  # the rules forbid it: a way out of the volume
        path = os.path.join(can.top, path)
    elif not os.path.isabs(path):
        return None
    try:
        when = dt.datetime.fromisoformat(values.get(b"DeletionDate", b"").decode("ascii").strip())
    except ValueError:
        when = dt.datetime.fromtimestamp(0)  # noqa: DTZ006 (the rules say local time)
    return Trashed(f"{can.files}/{name}", os.path.normpath(path), when, can)
