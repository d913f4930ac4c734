"""OpenEXR without decoding: header, chunk-offset table, last chunk (H1).

Scanline, tiled (with mip and rip levels), multi-part and deep files. After the OpenEXR file layout: magic,
version and flags, one header a part, one offset table a part, then the chunks in any order. A writer puts the
table's final values in last, so a zero entry means that it never finished.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.media.structure.reading import Finding, Nonsense, Short

if TYPE_CHECKING:
    from kassettui.media.structure.reading import Source

# Scan lines a chunk by compression number: none, rle, zips, zip, piz, pxr24, b44, b44a, dwaa, dwab, htj2k256,
# htj2k32. Anything newer is unknown to us.
_LINES: Final = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256, 256, 32)

_TILED, _LONG_NAMES, _DEEP, _MULTI_PART = 0x200, 0x400, 0x800, 0x1000
_KNOWN_FLAGS: Final = _TILED | _LONG_NAMES | _DEEP | _MULTI_PART
_MAX_ATTRIBUTES: Final = 65536
_MAX_PARTS: Final = 4096
_MAX_CHANNEL_LIST: Final = 1 << 20
_WINDOW: Final = struct.Struct("<iiii")
_INT: Final = struct.Struct("<i")
_TILES: Final = struct.Struct("<IIB")
_DEEP_SIZES: Final = struct.Struct("<QQ")


@dataclass(slots=True)
class _Part:
    """What of a part's header says how many chunks there are, and of which shape."""

    compression: int = -1
    window: tuple[int, int, int, int] | None = None
    tiles: tuple[int, int, int] | None = None
    kind: bytes = b""
    chunk_count: int = -1
    display: tuple[int, int, int, int] | None = None
    channels: int = 0

    @property
    def make(self) -> str:
        """The display window's size, the compression, and the channel list by its checksum."""
        x0, y0, x1, y1 = self.display or self.window or (0, 0, -1, -1)
        return f"{x1 - x0 + 1}x{y1 - y0 + 1} exr {self.compression} {self.channels:08x}"

    @property
    def tiled(self) -> bool:
        return self.tiles is not None and self.kind not in {b"scanlineimage", b"deepscanline"}


def examine(source: Source) -> Finding:
    """Raises Short for a truncated file, Nonsense for one that contradicts itself."""
    version = _INT.unpack_from(source.read(4, 4))[0]
    if version & 0xFF != 2:
        return Finding(f"file version {version & 0xFF}")
    flags = version & ~0xFF
    if flags & ~_KNOWN_FLAGS:
        raise Nonsense("unknown version flags")
    parts, table = _headers(source, multi=bool(flags & _MULTI_PART))
    counts = [_chunk_count(part) for part in parts]
    make = " ".join(part.make for part in parts)
    if any(count is None for count in counts):
        return Finding("a compression that is not known here", make)
    first_chunk = table + 8 * sum(count or 0 for count in counts)
    source.needs(first_chunk, "chunk table")
    for part, count in zip(parts, counts, strict=True):
        _check_chunks(source, part, table, count or 0, first_chunk, flags)
        table += 8 * (count or 0)
    return Finding(make=make)


def _headers(source: Source, *, multi: bool) -> tuple[list[_Part], int]:
    """All parts' headers and where the first offset table begins."""
    position = 8
    parts: list[_Part] = []
    while True:
        part, position = _header(source, position)
        if part is None:
            break
        parts.append(part)
        if not multi:
            break
        if len(parts) > _MAX_PARTS:
            raise Nonsense("too many parts")
    if not parts:
        raise Nonsense("no header")
    return parts, position


def _header(source: Source, position: int) -> tuple[_Part | None, int]:
    """One header from `position`; None for the empty one that ends a multi-part file's headers."""
    part = _Part()
    for seen in range(_MAX_ATTRIBUTES):
        name, position = _text(source, position)
        if not name:
            return (part if seen else None), position
        kind, position = _text(source, position)
        size = _INT.unpack_from(source.read(position, 4))[0]
        position += 4
        if size < 0:
            raise Nonsense("attribute of negative size")
        _take(part, name, kind, source, position, size)
        position += size
        source.needs(position, "header")
    raise Nonsense("too many attributes")


def _text(source: Source, position: int) -> tuple[bytes, int]:
    """A NUL-ended name (at most 255 bytes) and the position behind it."""
    head = source.head
    end = head.find(b"\0", position, position + 256)
    if end >= 0:
        return head[position:end], end + 1
    block = source.read(position, min(256, max(source.size - position, 1)))
    end = block.find(b"\0")
    if end < 0:
        if position + 256 > source.size:
            raise Short("header cut")
        raise Nonsense("name without an end")
    return block[:end], position + end + 1


def _take(part: _Part, name: bytes, kind: bytes, source: Source, position: int, size: int) -> None:
    """Keep the attributes that shape the chunk table."""
    if name == b"compression" and size == 1:
        part.compression = source.read(position, 1)[0]
    elif name == b"dataWindow" and size == 16:
        part.window = _WINDOW.unpack_from(source.read(position, 16))
    elif name == b"displayWindow" and size == 16:
        part.display = _WINDOW.unpack_from(source.read(position, 16))
    elif name == b"channels" and size < _MAX_CHANNEL_LIST:
        part.channels = zlib.crc32(source.read(position, size))
    elif name == b"tiles" and kind == b"tiledesc" and size == 9:
        part.tiles = _TILES.unpack_from(source.read(position, 9))
    elif name == b"type" and kind == b"string" and size < 64:
        part.kind = source.read(position, size)
    elif name == b"chunkCount" and size == 4:
        part.chunk_count = _INT.unpack_from(source.read(position, 4))[0]


def _chunk_count(part: _Part) -> int | None:
    """Entries in the part's offset table; None when only an unknown compression could tell."""
    if part.window is None or part.compression < 0:
        raise Nonsense("header without data window or compression")
    x0, y0, x1, y1 = part.window
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if width < 1 or height < 1:
        raise Nonsense("empty data window")
    if part.chunk_count > 0:
        return part.chunk_count
    if part.tiles is not None and part.tiled:
        return _tile_count(width, height, *part.tiles)
    if part.compression >= len(_LINES):
        return None
    lines = _LINES[part.compression]
    return -(-height // lines)


def _tile_count(width: int, height: int, tile_x: int, tile_y: int, mode: int) -> int:
    """Tiles over all levels; `mode`'s low nibble: one level, mip, rip; high nibble: round down or up."""
    if not tile_x or not tile_y or tile_x > 1 << 24 or tile_y > 1 << 24:
        raise Nonsense("impossible tile size")
    kind, up = mode & 0xF, bool(mode >> 4)

    def tiles(size: int, level: int, tile: int) -> int:
        size = -(-size >> level) if up else size >> level
        return -(-max(size, 1) // tile)

    def levels(size: int) -> int:
        return ((size - 1).bit_length() if up else size.bit_length() - 1) + 1

    if kind == 0:
        return tiles(width, 0, tile_x) * tiles(height, 0, tile_y)
    if kind == 1:
        return sum(
            tiles(width, level, tile_x) * tiles(height, level, tile_y)
            for level in range(levels(max(width, height)))
        )
    if kind == 2:
        across = sum(tiles(width, level, tile_x) for level in range(levels(width)))
        return across * sum(tiles(height, level, tile_y) for level in range(levels(height)))
    raise Nonsense("unknown level mode")


def _check_chunks(source: Source, part: _Part, table: int, count: int, first_chunk: int, flags: int) -> None:
    """The part's offsets all set and inside the file, and the chunk that lies last complete."""
    offsets = array("Q")
    offsets.frombytes(source.read(table, 8 * count))
    if sys.byteorder == "big":
        offsets.byteswap()
    lowest, last = min(offsets), max(offsets)
    if lowest == 0:
        raise Short(f"{offsets.count(0)} of {count} chunks never written")
    if lowest < first_chunk:
        raise Nonsense("chunk inside the header")
    _check_last(source, part, last, flags)


def _check_last(source: Source, part: _Part, offset: int, flags: int) -> None:
    if flags & _MULTI_PART:
        offset += 4
    deep = part.kind.startswith(b"deep") or bool(flags & _DEEP and not flags & _MULTI_PART)
    place = 16 if part.tiled else 4
    source.needs(offset + place + (24 if deep else 4), "chunk data")
    if not part.tiled and part.window is not None:
        line = _INT.unpack_from(source.read(offset, 4))[0]
        if not part.window[1] <= line <= part.window[3]:
            raise Nonsense("last chunk is not one of this picture's")
    offset += place
    if deep:
        table_size, data_size = _DEEP_SIZES.unpack_from(source.read(offset, 16))
        source.needs(offset + 24 + table_size + data_size, "chunk data")
        return
    size = _INT.unpack_from(source.read(offset, 4))[0]
    if size < 0:
        raise Nonsense("chunk of negative size")
    if size == 0:
        raise Short("last chunk is empty")
    source.needs(offset + 4 + size, "chunk data")
