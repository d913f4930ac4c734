"""PNG without decoding: every chunk's length inside the file, IHDR first, data, IEND last (H1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kassettui.media.structure.reading import Finding, Nonsense

if TYPE_CHECKING:
    from kassettui.media.structure.reading import Source

_CHUNK: Final = struct.Struct(">I4s")
_SIZE: Final = struct.Struct(">IIBB")
_MAX_CHUNKS: Final = 1_000_000


def examine(source: Source) -> Finding:
    """A PNG's structure says it all. Raises Short or Nonsense."""
    length, kind = _CHUNK.unpack_from(source.read(8, 8))
    if kind != b"IHDR" or length != 13:
        raise Nonsense("no IHDR")
    width, height, depth, colour = _SIZE.unpack_from(source.read(16, 10))
    if not width or not height:
        raise Nonsense("empty picture")
    position, data = 33, False
    for _ in range(_MAX_CHUNKS):
        length, kind = _CHUNK.unpack_from(source.read(position, 8))
        if length > 0x7FFFFFFF or not kind.isalpha():
            raise Nonsense("not a chunk where one should begin")
        position += 12 + length
        source.needs(position, kind.decode("ascii"))
        if kind == b"IEND":
            if not data:
                raise Nonsense("no picture data")
            return Finding(make=f"{width}x{height} png type {colour} {depth} bit")
        data = data or kind == b"IDAT"
    raise Nonsense("too many chunks")
