"""The filesystem source: a directory tree as items (spec: ingest, "Filesystem source"; I3, I4, I14).

`scan` walks and groups; here directories become items with keys and signatures, and a root that is not
what it was is told from one whose files are gone. Everything dear (ranges, health) is worked out only for
what a plan changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput, NotFound, SourceOffline
from kassettui.core.frames import FrameRanges
from kassettui.core.health import FrameState, SequenceState, examine, frame_state
from kassettui.core.identity import path_key, relative_path, scope_prefix
from kassettui.core.items import Item
from kassettui.core.kinds import Kind, split_extension
from kassettui.core.layout import Layout
from kassettui.core.signatures import file_signature, sequence_signature
from kassettui.core.text import safe
from kassettui.core.versions import version_in
from kassettui.ingest.checksum import file_hash, sequence_hash
from kassettui.ingest.ignore import IgnoreRules, left_out_by_default
from kassettui.ingest.members import Directories
from kassettui.ingest.mounts import device_of, mounts_below
from kassettui.ingest.scan import scan
from kassettui.ingest.source import ItemError, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.core.sequences import FrameGroup, Single
    from kassettui.ingest.scan import ScannedDirectory
    from kassettui.ingest.source import Found
    from kassettui.jobs.control import Control

SOURCE_TYPE: Final = "filesystem"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the library remembers of a root (I14): its device, the mounts inside it, whether it had items."""

    device: str | None = None
    inner_mounts: tuple[str, ...] = ()
    items: bool = False


class _Place:
    """What all items of one directory share."""

    __slots__ = ("absolute", "layout", "relative", "version")

    def __init__(self, root: str, relative: str, layout: Layout | None) -> None:
        self.relative = relative
        self.absolute = f"{root.rstrip('/')}/{relative}".rstrip("/") or "/"
        self.layout = layout.fields_of(relative) if layout is not None else {}
        parts = [*os.path.basename(root.rstrip("/")).split("/"), *relative.split("/")]
        self.version = version_in("", reversed(parts))

    def path_of(self, name: str) -> str:
        return f"{self.absolute.rstrip('/')}/{name}"


class FileFound:
    """One file. Implements `Found`."""

    __slots__ = ("_place", "_single", "key", "mtime_ns", "size")
    frame_count: Final = 0

    def __init__(self, place: _Place, single: Single, size: int, mtime_ns: int) -> None:
        self._place = place
        self._single = single
        self.size = size
        self.mtime_ns = mtime_ns
        self.key = path_key(place.relative, single.name)

    @property
    def signature(self) -> str:
        """Size and time (I8)."""
        return file_signature(self.size, self.mtime_ns)

    @property
    def members(self) -> tuple[str]:
        """The file's path."""
        return (self._place.path_of(self._single.name),)

    def item(self, now_ns: int, expected: str | None = None, *, was_growing: bool = False) -> Item:
        """The item; an empty file is a placeholder or broken from the start (H0)."""
        del expected, was_growing
        single, place = self._single, self._place
        state = frame_state(self.size, self.mtime_ns, now_ns)
        health = None
        if state is not FrameState.OK:
            health = SequenceState.BROKEN if state is FrameState.ZERO else SequenceState.GROWING
        return Item(
            key=self.key,
            kind=single.kind,
            path=place.path_of(single.name),
            directory=place.relative,
            name=single.name,
            extension=split_extension(single.name)[1],
            size=self.size,
            mtime_ns=self.mtime_ns,
            signature=self.signature,
            layout=place.layout,
            version_number=place.version if single.version is None else single.version,
            health=health,
            health_counts={} if health is None else {str(state): 1},
        )

    def content_hash(self, control: Control) -> str:
        """xxh3-128 of the file. Raises OSError, Cancelled."""
        return file_hash(self._place.path_of(self._single.name), control)


class SequenceFound:
    """One sequence. Implements `Found`."""

    __slots__ = ("_group", "_place", "key", "mtime_ns", "size")

    def __init__(self, place: _Place, group: FrameGroup) -> None:
        self._place = place
        self._group = group
        self.size = sum(group.sizes or ())
        self.mtime_ns = max(group.mtimes or (0,))
        self.key = path_key(place.relative, group.identity_name)

    @property
    def frame_count(self) -> int:
        """How many frames stand on disk."""
        return len(self._group.frames)

    @property
    def signature(self) -> str:
        """Frames, sizes and times (I8)."""
        group = self._group
        if group.sizes is None or group.mtimes is None:
            raise ValueError("a scanned sequence has sizes and times")
        extra = (*group.bad_padding, *group.duplicate_frames)
        return sequence_signature(group.ranges.text, group.frames, group.sizes, group.mtimes, extra)

    def item(self, now_ns: int, expected: str | None = None, *, was_growing: bool = False) -> Item:
        """The item with its ranges, holes and H0 health."""
        group, place = self._group, self._place
        health = examine(
            group,
            now_ns,
            expected=FrameRanges.parse(expected) if expected else None,
            previous=SequenceState.GROWING if was_growing else None,
        )
        return Item(
            key=self.key,
            kind=Kind.SEQUENCE,
            path=place.path_of(group.identity_name),
            directory=place.relative,
            name=group.identity_name,
            extension=group.extension,
            size=self.size,
            mtime_ns=self.mtime_ns,
            signature=self.signature,
            layout=place.layout,
            version_number=place.version if group.version is None else group.version,
            frame_ranges=group.ranges,
            frame_padding=group.padding,
            sequence_pattern=group.pattern,
            hole_count=health.absent.count,
            health=health.state,
            health_counts={str(state): count for state, count in health.counts.items()},
        )

    def content_hash(self, control: Control) -> str:
        """The hash of all frames, in order. Raises OSError, Cancelled."""
        group = self._group
        frames = ((frame, self._place.path_of(group.name_of(frame))) for frame in group.frames)
        return sequence_hash(frames, control)


class FilesystemSource:
    """Enumerates a directory tree. Implements `Source`."""

    source_type: Final = SOURCE_TYPE

    def __init__(
        self,
        root: str,
        *,
        layout: str = "",
        ignore: Sequence[str] = (),
        all_files: bool = False,
        follow_symlinks: bool = False,
        expectation: Expectation | None = None,
        accept_device: bool = False,
        accept_empty: bool = False,
    ) -> None:
        """`root` is absolute;

        `layout` a template; `ignore` patterns in gitignore's syntax. Raises InvalidInput.
        """
        self.root = root
        self._layout = Layout(layout) if layout else None
        self._rules = IgnoreRules.of(ignore)
        self._all_files = all_files
        self._follow = follow_symlinks
        self._expected = expectation if expectation is not None else Expectation()
        self._accept_device = accept_device
        self._accept_empty = accept_empty
        self.device: str | None = None
        self.inner_mounts: tuple[str, ...] = ()
        self._lost_mounts: tuple[str, ...] = ()

    def validate(self) -> None:
        """See that the root is there, on its device, and not bare where it had items.

        Raises SourceOffline.
        """
        try:
            with os.scandir(self.root) as entries:
                bare = all(left_out_by_default(entry.name) for entry in entries)
            self.device = device_of(self.root)
            mounted = mounts_below(self.root)
        except OSError as error:
            raise SourceOffline(
                f"The root {safe(self.root)} cannot be read: {error.strerror}.",
                remedy="Mount it, or: kassettui collections edit NAME --root PATH",
            ) from error
        expected = self._expected
        if not self._accept_device:
            self._lost_mounts = tuple(sorted(set(expected.inner_mounts) - set(mounted)))
        self.inner_mounts = tuple(sorted({*mounted, *self._lost_mounts}))
        if expected.device is not None and self.device != expected.device and not self._accept_device:
            raise SourceOffline(
                f"The root {safe(self.root)} lies on another file system than before "
                f"({safe(self.device)} instead of {safe(expected.device)}). Nothing was changed.",
                remedy="Is it mounted? If this is right, run again with --accept-device.",
            )
        if bare and expected.items and not self._accept_empty:
            raise SourceOffline(
                f"The root {safe(self.root)} is empty, but the library has assets there.",
                remedy="Is it mounted? If all is really gone, run again with --accept-missing.",
            )

    # -- scopes ---------------------------------------------------------------------------------------------

    def narrow(self, fields: Mapping[str, str]) -> Scope:
        """The directories that layout fields mean (I2). Raises InvalidInput, NotFound, SourceOffline."""
        layout = self._layout if self._layout is not None else Layout("")
        return Scope(tuple(layout.narrow(fields, self._directories)), fields=dict(fields))

    def scope_of(self, relative: str, control: Control) -> Scope:
        """The scope that a path below the root means: a directory, or a file and the sequence that it is of.

        Raises NotFound when nothing is there, InvalidInput when it is nothing that an import takes in.
        """
        path = f"{self.root.rstrip('/')}/{relative}" if relative else self.root
        try:
            if os.path.isdir(path):
                return Scope((relative,))
            os.lstat(path)
        except OSError as error:
            raise NotFound(f"There is no {safe(path)}.") from error
        directory, _, name = relative.rpartition("/")
        for scanned in self._scan(Scope((directory,), only=name), control):
            only = _item_of(scanned, name)
            if only is not None:
                return Scope((directory,), only=only)
        raise InvalidInput(
            f"{safe(path)} is nothing that an import takes in.",
            remedy="Files of no known kind are taken in with --all-files.",
        )

    def _directories(self, relative: str) -> list[str]:
        """The names of the directories directly below; only ever asked on the way to a scope (I3)."""
        path = f"{self.root.rstrip('/')}/{relative}" if relative else self.root
        try:
            with os.scandir(path) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if not left_out_by_default(entry.name) and entry.is_dir(follow_symlinks=self._follow)
                )
        except OSError as error:
            raise SourceOffline(f"{safe(path)} cannot be read: {error.strerror}.") from error

    # -- enumeration ----------------------------------------------------------------------------------------

    def enumerate(self, scope: Scope, control: Control) -> Iterator[Found | ItemError]:
        """Every file and sequence in the scope, directory by directory. Raises SourceOffline, Cancelled."""
        yield from self._offline(scope)
        for scanned in self._scan(scope, control):
            for error in scanned.errors:
                if not error.path:
                    raise SourceOffline(f"The root {safe(self.root)} cannot be read: {error.message}.")
                yield error
            grouping = scanned.grouping
            if not (grouping.groups or grouping.singles or grouping.strays):
                continue
            place = _Place(self.root, scanned.path, self._layout)
            for group in grouping.groups:
                if scope.only in (None, group.identity_name):
                    yield SequenceFound(place, group)
            for singles in (grouping.singles, grouping.strays):
                for single in singles:
                    if scope.only in (None, single.name):
                        yield FileFound(place, single, *scanned.size_and_time(single))

    def left_out(self, keys: Sequence[str], control: Control) -> set[str]:
        """Of keys that were not enumerated: those that stand on disk as items. Raises Cancelled."""
        directories = Directories(control)
        found = set()
        for key in sorted(keys):
            try:
                if directories.has(f"{self.root.rstrip('/')}/{relative_path(key)}"):
                    found.add(key)
            except OSError:  # its directory is gone, or not to be read: it was told as an error
                continue
        return found

    def content_hash(self, found: Found, control: Control) -> str:
        """xxh3-128 of what `found` stands for, read now. Raises OSError, Cancelled."""
        if not isinstance(found, FileFound | SequenceFound):
            raise TypeError(f"{found!r} is no file")
        return found.content_hash(control)

    def _scan(self, scope: Scope, control: Control) -> Iterator[ScannedDirectory]:
        try:
            yield from scan(
                self.root,
                scopes=scope.directories,
                ignore=self._rules,
                follow_symlinks=self._follow,
                all_files=self._all_files,
                recursive=scope.only is None,
                control=control,
            )
        except OSError as error:
            raise SourceOffline(f"The root {safe(self.root)} cannot be read: {error.strerror}.") from error

    def _offline(self, scope: Scope) -> Iterator[ItemError]:
        """What was mounted inside the root before and is not now: nothing below it counts as gone (R4)."""
        for point in self._lost_mounts:
            inside = scope_prefix(point)
            if any(
                scope_prefix(directory).startswith(inside) or inside.startswith(scope_prefix(directory))
                for directory in scope.directories
            ):
                yield ItemError(point, "offline", "is not mounted; it was at the last import", directory=True)


def _item_of(scanned: ScannedDirectory, name: str) -> str | None:
    """The identity name of the item that the file `name` belongs to."""
    grouping = scanned.grouping
    if any(single.name == name for single in (*grouping.singles, *grouping.strays)):
        return name
    for group in grouping.groups:
        if name.startswith(group.head) and name.endswith(group.suffix) and name in group.names():
            return group.identity_name
    return None
