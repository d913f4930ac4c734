"""TIFF and BigTIFF without decoding: the chain of directories and their strips or tiles in the file (H1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Final

from kassettui.media.structure.reading import Finding, Nonsense, Short

if TYPE_CHECKING:
    from kassettui.media.structure.reading import Source

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_WIDTH, _HEIGHT = 256, 257
_MAKE: Final = (258, 259, 262, 277, 339)  # bits, compression, photometry, samples a pixel, sample format
_WANTED: Final = frozenset(
    {_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS, _WIDTH, _HEIGHT, *_MAKE}
)
_SIZES: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_INTEGERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MAX_DIRECTORIES: Final = 10_000
_MAX_ENTRIES: Final = 65_535


@dataclass(slots=True)
class _Shape:
    """How this file's directories are laid out."""

    order: str
    count: struct.Struct
    entry: struct.Struct
    pointer: struct.Struct
    inline: int


@dataclass(slots=True)
class _Directory:
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    next: int = 0

    @property
    def make(self) -> str:
        """Size, and bits, samples, photometry and compression by their numbers."""
        width, height = (self.values.get(tag, (0,))[0] for tag in (_WIDTH, _HEIGHT))
        rest = " ".join(f"{tag}={','.join(map(str, self.values.get(tag, (1,))))}" for tag in _MAKE)
        return f"{width}x{height} tiff {rest}"


def examine(source: Source) -> Finding:
    """Raises Short or Nonsense."""
    shape, offset = _start(source)
    if offset == 0:
        raise Short("no directory was written")
    seen: set[int] = set()
    reason = make = ""
    while offset:
        if offset in seen or len(seen) > _MAX_DIRECTORIES:
            raise Nonsense("directories run in a circle")
        seen.add(offset)
        directory = _read_directory(source, shape, offset)
        reason = _check_data(source, directory) or reason
        make = make or directory.make
        offset = directory.next
    return Finding(reason, make)


def _start(source: Source) -> tuple[_Shape, int]:
    order = "<" if source.head[:1] == b"I" else ">"
    if 43 in source.head[2:4]:
        shape = _Shape(
            order, struct.Struct(order + "Q"), struct.Struct(order + "HHQ8s"), struct.Struct(order + "Q"), 8
        )
        return shape, shape.pointer.unpack_from(source.read(8, 8))[0]
    shape = _Shape(
        order, struct.Struct(order + "H"), struct.Struct(order + "HHI4s"), struct.Struct(order + "I"), 4
    )
    return shape, shape.pointer.unpack_from(source.read(4, 4))[0]


def _read_directory(source: Source, shape: _Shape, offset: int) -> _Directory:
    source.needs(offset + shape.count.size, "directory")
    entries = shape.count.unpack_from(source.read(offset, shape.count.size))[0]
    if not 0 < entries <= _MAX_ENTRIES:
        raise Nonsense("directory of impossible length")
    offset += shape.count.size
    size = entries * shape.entry.size
    source.needs(offset + size + shape.pointer.size, "directory")
    block = source.read(offset, size + shape.pointer.size)
    directory = _Directory(next=shape.pointer.unpack_from(block, size)[0])
    for tag, kind, count, value in shape.entry.iter_unpack(block[:size]):
        length = _SIZES.get(kind, 0) * count
        place = 0
        if length > shape.inline:
            place = shape.pointer.unpack(value)[0]
            source.needs(place + length, f"tag {tag}")
        if tag in _WANTED and kind in _INTEGERS:
            data = source.read(place, length) if place else value[:length]
            directory.values[tag] = struct.unpack(f"{shape.order}{count}{_INTEGERS[kind]}", data)
    return directory


def _check_data(source: Source, directory: _Directory) -> str:
    """Every strip or tile inside the file."""
    values = directory.values
    if not all(values.get(tag, (1,))[0] for tag in (_WIDTH, _HEIGHT)):
        raise Nonsense("empty picture")
    offsets = values.get(_STRIP_OFFSETS) or values.get(_TILE_OFFSETS)
    counts = values.get(_STRIP_COUNTS) or values.get(_TILE_COUNTS)
    if not offsets:
        return "a directory without picture data"
    if counts and len(counts) != len(offsets):
        raise Nonsense("strips and their lengths do not match")
    end = max(map(int.__add__, offsets, counts or repeat(1)))
    source.needs(end, "picture data")
    return "" if counts else "strips without lengths"
