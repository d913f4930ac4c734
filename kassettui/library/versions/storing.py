"""Stored copies of versions, addressed by their content, and the way back to one (spec: library V7).

A copy stands once, however many versions have that content: `<store>/ab/abcdef…`, named by its xxh3-128.
Copies are written under a temporary name, synced, then named; nothing under a final name is partial.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import xxhash

from kassettui.core.errors import DamageFound, InvalidInput, NotFound, Refused
from kassettui.core.text import safe
from kassettui.library.engine import executemany
from kassettui.library.versions.creating import create_versions
from kassettui.library.versions.groups import groups
from kassettui.library.versions.reading import by_ids
from kassettui.library.versions.values import Data, DataKind, GroupKey, Scope, Version, VersionType

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

_BLOCK: Final = 1 << 20
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Checkpoint = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Copy:
    """A stored copy: its xxh3-128 in hexadecimal digits, and its bytes."""

    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Reverted:
    """What `revert` did: which file, and the version that its content until then is now (None: it had it)."""

    path: str
    backup: Version | None
    changed: bool


class CopyDamaged(DamageFound):
    """A stored copy that is not the content it is named for, or not there."""

    code = "copy_damaged"


def store_of(library_path: str) -> str:
    """Where a library's stored copies stand: beside it."""
    return f"{library_path}.versions"


def copy_path(store: str, content_hash: str) -> str:
    """Where a copy stands in the store."""
    return os.path.join(store, content_hash[:2], content_hash)


def _nothing() -> None:
    return None


# -- into the store ---------------------------------------------------------------------------------------


def store_file(path: str, store: str, checkpoint: Checkpoint = _nothing) -> Copy:
    """Copy a regular file into the store, unless its content is there. `checkpoint` may raise to stop.

    Raises NotFound, Refused for what is no regular file or changes meanwhile, OSError.
    """
    _private(store)
    temporary = os.path.join(store, f".{secrets.token_hex(8)}.part")
    source = _open_regular(path)
    try:
        before = os.fstat(source)
        copy = _write_new(temporary, 0o600, source, checkpoint)
        after = os.fstat(source)
        if (before.st_size, before.st_mtime_ns) != (
            after.st_size,
            after.st_mtime_ns,
        ) or copy.size != after.st_size:
            raise Refused(f"{safe(path)} changed while it was copied.", remedy="Try again when it is still.")
        final = copy_path(store, copy.hash)
        _private(os.path.dirname(final))
        if _size_of(final) != copy.size:
            os.replace(temporary, final)
            _sync_directory(os.path.dirname(final))
        return copy
    finally:
        os.close(source)
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def verify_copy(store: str, copy: Copy, checkpoint: Checkpoint = _nothing) -> bool:
    """Whether the stored copy is the content that it is named for. Reads it."""
    try:
        source = _open_regular(copy_path(store, copy.hash))
    except (NotFound, Refused):
        return False
    try:
        return _digest(source, None, checkpoint) == copy
    finally:
        os.close(source)


def unused_copies(store: str, used: frozenset[str]) -> list[str]:
    """Paths of copies that no version needs, and of temporary files that a crash left."""
    found: list[str] = []
    for directory, _, names in os.walk(store):
        found += [os.path.join(directory, name) for name in names if name not in used]
    return sorted(found)


def used_copies(db: LibraryDatabase) -> frozenset[str]:
    """The contents that versions need; those of deleted ones are not."""
    rows = db.all(
        "SELECT DISTINCT stored_hash FROM asset_versions WHERE stored_hash IS NOT NULL AND deleted_at IS NULL"
    )
    return frozenset(row[0] for row in rows)


# -- versions with copies ---------------------------------------------------------------------------------


def create_stored(
    db: LibraryDatabase,
    scope: Scope,
    key: str,
    type: VersionType | str,  # noqa: A002 (the word of the spec)
    data: tuple[Data, ...],
    copies: tuple[Copy, ...],
    metadata: Mapping[str, Any] | None = None,
    set_best: bool = False,
) -> tuple[Version, ...]:
    """As `create_versions`, each version with its stored copy."""
    made = create_versions(db, scope, key, type, data, metadata, set_best)
    executemany(
        db,
        "UPDATE asset_versions SET stored_hash = ?, size = ? WHERE id = ?",
        [(copy.hash, copy.size, one.id) for one, copy in zip(made, copies, strict=True)],
    )
    return tuple(by_ids(db, [one.id for one in made]))


def revert(
    library: Library, version_id: int, path: str | None = None, checkpoint: Checkpoint = _nothing
) -> Reverted:
    """Give a file the content of a stored version: its present content becomes a version first.

    `path` is the live file, by default the one that the version is of. It is replaced by a temporary file in
    its directory, synced and renamed: whatever fails before, the live file stays as it was. Raises NotFound,
    Refused, CopyDamaged, OSError.
    """
    [version] = library.read(by_ids, [version_id])
    if version.stored_hash is None or version.size is None:
        raise Refused(
            f"Version {version.number} has no stored copy.", remedy="Store copies with: version add --store"
        )
    live = path if path is not None else library.read(_live_path, version)
    store, wanted = store_of(library.path), Copy(version.stored_hash, version.size)
    backup: Version | None = None
    facts: os.stat_result | None = None
    if os.path.lexists(live):
        present = store_file(live, store, checkpoint)
        facts = os.lstat(live)
        if present == wanted:
            return Reverted(live, None, changed=False)
        backup = library.write(_back_up, version, live, present)
    elif not os.path.isdir(os.path.dirname(live)):
        raise NotFound(f"The directory of {safe(live)} is not there.")
    _replace(live, copy_path(store, wanted.hash), wanted, facts, checkpoint)
    return Reverted(live, backup, changed=True)


def _live_path(db: LibraryDatabase, version: Version) -> str:
    if version.data.kind is DataKind.PATH:
        return version.data.value
    if version.asset_id is not None:
        from kassettui.library import assets

        return assets.get(db, version.asset_id).path
    raise Refused("This version is of no file.", remedy="Say which file to replace.")


def _back_up(db: LibraryDatabase, version: Version, live: str, present: Copy) -> Version:
    """The live file's content as the newest version of the group. It never becomes best by itself."""
    [group] = groups(db, [version.group_id])
    key: GroupKey = group.key
    scope = Scope(key.project, key.kind, (key.entity,) if key.kind else ())
    metadata = {"backup_before_revert_to": version.number}
    data = (Data(DataKind.PATH, live),)
    [made] = create_stored(db, scope, key.key, version.type, data, (present,), metadata)
    return made


def _replace(
    live: str, stored: str, wanted: Copy, before: os.stat_result | None, checkpoint: Checkpoint
) -> None:
    directory = os.path.dirname(live)
    temporary = os.path.join(directory, f".kassettui-{secrets.token_hex(8)}.part")
    try:
        source = _open_regular(stored)
    except (NotFound, Refused) as error:
        raise CopyDamaged(f"The stored copy {wanted.hash} is not there.") from error
    try:
        mode = stat.S_IMODE(before.st_mode) if before is not None else 0o644
        if _write_new(temporary, mode, source, checkpoint) != wanted:
            raise CopyDamaged(
                f"The stored copy {wanted.hash} is damaged.", remedy="The file was left as it is."
            )
        if before is not None:
            now = os.lstat(live)
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (
                before.st_ino,
                before.st_size,
                before.st_mtime_ns,
            ):
                raise Refused(f"{safe(live)} changed meanwhile.", remedy="Try again when it is still.")
        os.replace(temporary, live)
        _sync_directory(directory)
    finally:
        os.close(source)
        with suppress(FileNotFoundError):
            os.unlink(temporary)


# -- bytes ------------------------------------------------------------------------------------------------


def _open_regular(path: str) -> int:
    """A descriptor for reading a regular file; nothing else is ever waited for or followed."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError as error:
        raise NotFound(f"{safe(path)} is not there.") from error
    except OSError as error:
        raise Refused(f"{safe(path)} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"{safe(path)} is no regular file.")
    return descriptor


def _write_new(path: str, mode: int, source: int, checkpoint: Checkpoint) -> Copy:
    """A new file with the bytes of `source`, on disk when this returns."""
    target = os.open(path, _NEW, 0o600)
    try:
        copy = _digest(source, target, checkpoint)
        os.fchmod(target, mode)
        os.fsync(target)
        return copy
    finally:
        os.close(target)


def _digest(source: int, target: int | None, checkpoint: Checkpoint) -> Copy:
    """Read `source` once, hashing and, with a `target`, writing: to its end, or just beyond what it is now.

    A file that grows as fast as it is read has no end.
    """
    digest = xxhash.xxh3_128()
    size, limit = 0, os.fstat(source).st_size
    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    while size <= limit and (count := os.readv(source, [buffer])):
        checkpoint()
        digest.update(view[:count])
        size += count
        done = 0
        while target is not None and done < count:
            done += os.write(target, view[done:count])
    return Copy(digest.hexdigest(), size)


def _size_of(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return None


def _private(directory: str) -> None:
    """A directory that only its owner enters, whatever the umask."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if stat.S_IMODE(os.stat(directory).st_mode) & 0o077:
        raise InvalidInput(f"{safe(directory)} is open to others.", remedy=f"chmod 700 {safe(directory)}")


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
