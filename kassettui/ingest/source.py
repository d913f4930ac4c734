"""What every source offers to the planner (spec: ingest, "Terms").

A source enumerates. It is given no database handle and can therefore not write; what it finds comes as
values, and what it cannot read comes as values too (I21).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kassettui.core.errors import NotFound
from kassettui.core.identity import parent_and_name, scope_prefix
from kassettui.core.text import as_json, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.core.items import Item
    from kassettui.jobs.control import Control


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a collection that a run looks at (I2, I3).

    `directories` are relative to the root ("" is all of it); `only` names the one file or sequence of the one
    directory that is meant, without what stands below. `fields` is what the person asked for.
    """

    directories: tuple[str, ...] = ("",)
    only: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it is the whole collection."""
        return self.only is None and "" in self.directories

    def within(self, directory: str) -> Scope:
        """The part of it that lies below `directory` (relative to the root).

        Raises NotFound when there is none.
        """
        if not directory:
            return self
        inside = [each for each in self.directories if f"{each}/".startswith(f"{directory}/")]
        if not inside and any(f"{directory}/".startswith(f"{each}/") for each in self.directories):
            inside = [directory]
        if not inside:
            raise NotFound(f"Nothing of the scope lies below {safe(directory)}.")
        return Scope(tuple(inside), fields=self.fields)

    def prefixes(self) -> tuple[str, ...]:
        """The prefixes of the canonical keys that may lie in the scope."""
        return tuple(scope_prefix(directory) for directory in self.directories)

    def covers(self, key: str) -> bool:
        """Whether the item with this key belongs to the scope."""
        if self.only is not None:
            return parent_and_name(key) == (self.directories[0], self.only)
        return key.startswith(self.prefixes())

    def as_json(self) -> dict[str, object]:
        """What I27 shows: the fields asked for and the directories they stand for."""
        return {
            "fields": {name: as_json(value) for name, value in self.fields.items()},
            "directories": [as_json(directory) or "." for directory in self.directories],
            "only": None if self.only is None else as_json(self.only),
        }


@dataclass(frozen=True, slots=True)
class ItemError:
    """One thing that could not be read (I21). `path` is relative to the root; `code` a short stable name.

    `directory` says that it is a directory of which nothing is known, so that nothing below counts as gone.
    """

    path: str
    code: str
    message: str
    directory: bool = False


class Found(Protocol):
    """An item that a source came across: enough to decide about it, and the rest on demand."""

    @property
    def key(self) -> str:
        """The canonical key (I5)."""

    @property
    def signature(self) -> str:
        """The content signature (I8)."""

    @property
    def size(self) -> int:
        """Bytes; a sequence's are the sum."""

    @property
    def mtime_ns(self) -> int:
        """The newest modification time."""

    @property
    def frame_count(self) -> int:
        """Frames of a sequence, 0 for everything else."""

    def item(self, now_ns: int, expected: str | None = None, *, was_growing: bool = False) -> Item:
        """Everything that is known without opening the files.

        `now_ns` is what health is judged by, `expected` the frame ranges that should be there, if anybody
        said so, and `was_growing` whether it was still being written at the last look.
        """


class Source(Protocol):
    """An enumerator of items. Nothing here may write, and nothing has a database handle."""

    @property
    def source_type(self) -> str:
        """`filesystem`, `plex`…: what the collection's row says."""

    def validate(self) -> None:
        """Raise SourceOffline (or another expected error) when the source cannot be enumerated now (I4)."""

    def narrow(self, fields: Mapping[str, str]) -> Scope:
        """The scope that layout fields mean. Raises InvalidInput or NotFound (I2)."""

    def enumerate(self, scope: Scope, control: Control) -> Iterator[Found | ItemError]:
        """Everything in `scope` and nothing outside it (I3). Stops by Control's Cancelled."""

    def left_out(self, keys: Sequence[str], control: Control) -> set[str]:
        """Of keys that were not enumerated: those that stand there all the same, left out by a rule.

        A pattern to ignore, or files of no known kind in a run without them: that is not gone (I14).
        """

    def content_hash(self, found: Found, control: Control) -> str:
        """xxh3-128 of the content, read now (I8, `--hash`). Raises OSError when it cannot be read."""
