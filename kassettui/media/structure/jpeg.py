"""JPEG without decoding: SOI, the segments up to the first scan, and an EOI behind it (H1).

What may follow the EOI (maker trailers, further pictures of a multi-picture file, padding) is looked through
from the end in bounded steps.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kassettui.media.structure.reading import Finding, Nonsense, Short

if TYPE_CHECKING:
    from kassettui.media.structure.reading import Source

_LENGTH: Final = struct.Struct(">H")
_FRAME: Final = struct.Struct(">BHHB")
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _END = 0xDA, 0xD9
_MAX_SEGMENTS: Final = 4096
_STEP: Final = 65536
_FURTHEST: Final = 64 * 1024 * 1024


def examine(source: Source) -> Finding:
    """A JPEG's structure says it all. Raises Short or Nonsense."""
    start, make = _first_scan(source)
    _find_end(source, start)
    return Finding(make=make)


def _first_scan(source: Source) -> tuple[int, str]:
    """Where the first scan's data begins, and what the frame header says of the picture."""
    position, make = 2, ""
    for _ in range(_MAX_SEGMENTS):
        mark, kind = source.read(position, 2)
        if mark != 0xFF:
            raise Nonsense("no marker where one should be")
        if kind == 0xFF:  # fill byte
            position += 1
            continue
        position += 2
        if kind in _ALONE:
            continue
        if kind == _END:
            raise Nonsense("no picture data")
        length: int = _LENGTH.unpack_from(source.read(position, 2))[0]
        if length < 2:
            raise Nonsense("segment of impossible length")
        if kind in _FRAMES:
            make = _read_frame(source, position)
        position += length
        source.needs(position, "header")
        if kind == _SCAN:
            if not make:
                raise Nonsense("scan without a frame header")
            return position, make
    raise Nonsense("too many segments")


def _read_frame(source: Source, position: int) -> str:
    bits, height, width, components = _FRAME.unpack_from(source.read(position + 2, 6))
    if not width or not components:
        raise Nonsense("empty picture")
    return f"{width}x{height} jpeg {components} components {bits} bit"


def _find_end(source: Source, start: int) -> None:
    """Look for EOI from the end of the file back to `start`, where the data begins."""
    end, stop = source.size, max(start, source.size - _FURTHEST)
    while end > stop:
        begin = max(stop, end - _STEP)
        if b"\xff\xd9" in source.read(begin, min(end + 1, source.size) - begin):  # may span the step's edge
            return
        end = begin
    raise Short("no end of image")
