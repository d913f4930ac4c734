"""Planned changes, in order; many are kept packed, so that a plan of a million files fits in memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from kassettui.core.decisions import Decision, Reason
from kassettui.core.frames import FrameRanges
from kassettui.core.items import Item
from kassettui.core.kinds import Kind
from kassettui.core.text import from_stored, to_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK: Final = 4096
"""Changes that stay as they are; beyond that, whole blocks of so many are packed (some 50 bytes a file)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One item that the apply writes: a new row, or a change of the row `asset_id`.

    `previous` is the key that a moved asset had. `content_hash` is set where it was computed while planning.
    """

    decision: Decision
    reason: Reason
    item: Item
    asset_id: int | None = None
    uuid: str | None = None
    previous: str | None = None
    content_hash: str | None = None


class Changes:
    """A list of changes that can only grow."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._packed: list[bytes] = []
        self._open: list[Change] = []
        for change in changes:
            self.append(change)

    def append(self, change: Change) -> None:
        """Add one at the end."""
        self._open.append(change)
        if len(self._open) == _BLOCK:
            self._packed.append(_pack(self._open))
            self._open = []

    def __len__(self) -> int:
        return len(self._packed) * _BLOCK + len(self._open)

    def __iter__(self) -> Iterator[Change]:
        for block in self._packed:
            yield from _unpack(block)
        yield from self._open


_Texts = tuple[str, str, str, str, str, str]
_Numbers = tuple[int, int, int | None, int | None, int]
_Sequence = tuple[str | None, str | None, str | None]
_Row = tuple[
    str, str, int | None, str | None, str | None, str | None, str,
    _Texts, _Numbers, _Sequence, dict[str, str], dict[str, int],
]  # fmt: skip
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Row])


def _stored(text: str | None) -> str | None:
    return None if text is None else to_stored(text)


def _restored(text: str | None) -> str | None:
    return None if text is None else from_stored(text)


def _pack(changes: list[Change]) -> bytes:
    return zlib.compress(_encoder.encode([_row(change) for change in changes]), 1)


def _unpack(block: bytes) -> Iterator[Change]:
    return map(_change, _decoder.decode(zlib.decompress(block)))


def _row(change: Change) -> _Row:
    item = change.item
    return (
        change.decision,
        change.reason,
        change.asset_id,
        change.uuid,
        _stored(change.previous),
        change.content_hash,
        item.kind,
        (
            to_stored(item.key),
            to_stored(item.path),
            to_stored(item.directory),
            to_stored(item.name),
            to_stored(item.extension),
            item.signature,
        ),
        (item.size, item.mtime_ns, item.version_number, item.frame_padding, item.hole_count),
        (
            None if item.frame_ranges is None else item.frame_ranges.text,
            _stored(item.sequence_pattern),
            item.health,
        ),
        {name: to_stored(value) for name, value in item.layout.items()},
        dict(item.health_counts),
    )


def _change(row: _Row) -> Change:
    (
        decision,
        reason,
        asset_id,
        uuid,
        previous,
        content_hash,
        kind,
        texts,
        numbers,
        sequence,
        layout,
        counts,
    ) = row
    key, path, directory, name, extension = map(from_stored, texts[:5])
    size, mtime_ns, version_number, frame_padding, hole_count = numbers
    ranges, pattern, health = sequence
    item = Item(
        key=key,
        kind=Kind(kind),
        path=path,
        directory=directory,
        name=name,
        extension=extension,
        size=size,
        mtime_ns=mtime_ns,
        signature=texts[5],
        layout={field: from_stored(value) for field, value in layout.items()},
        version_number=version_number,
        frame_ranges=None if ranges is None else FrameRanges.parse(ranges),
        frame_padding=frame_padding,
        sequence_pattern=_restored(pattern),
        hole_count=hole_count,
        health=health,
        health_counts=counts,
    )
    return Change(Decision(decision), Reason(reason), item, asset_id, uuid, _restored(previous), content_hash)
