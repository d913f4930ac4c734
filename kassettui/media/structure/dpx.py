"""DPX and Cineon without decoding: the size that the header's picture needs against the file's (H1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kassettui.media.structure.reading import Finding, Nonsense

if TYPE_CHECKING:
    from kassettui.media.structure.reading import Source

_UNDEFINED: Final = 0xFFFFFFFF
_LARGEST_SIDE: Final = 1 << 20
# Samples a pixel by DPX descriptor: R, G, B, A, Y, chroma, depth, RGB, RGBA, ABGR, YCbCr 4:2:2 (and with
# alpha), 4:4:4 (and with alpha). Composite video and user-defined elements are left out.
_SAMPLES: Final = {
    1: 1,
    2: 1,
    3: 1,
    4: 1,
    6: 1,
    7: 1,
    8: 1,
    50: 3,
    51: 4,
    52: 4,
    100: 2,
    101: 3,
    102: 3,
    103: 4,
}


def examine(source: Source) -> Finding:
    """Raises Short or Nonsense."""
    order = ">" if source.head[:4] == b"SDPX" else "<"
    header = source.read(0, 1408)  # generic header without film and television parts
    first, declared = (
        struct.unpack_from(order + "I", header, 4)[0],
        struct.unpack_from(order + "I", header, 16)[0],
    )
    elements, width, height = struct.unpack_from(order + "HII", header, 770)
    if not 0 < elements <= 8 or not 0 < width <= _LARGEST_SIDE or not 0 < height <= _LARGEST_SIDE:
        raise Nonsense("impossible picture size")
    known, make = True, f"{width}x{height} dpx"
    for number in range(elements):
        place = 780 + 72 * number
        descriptor, bits = header[place + 20], header[place + 23]
        packing, encoding, offset = struct.unpack_from(order + "HHI", header, place + 24)
        offset = first if offset in {0, _UNDEFINED} else offset
        size = None
        if encoding == 0 and descriptor in _SAMPLES:
            size = _raw_size(width, height, _SAMPLES[descriptor], bits, packing)
        known = known and size is not None
        make += f" {descriptor}/{bits}/{packing}/{encoding}"
        source.needs(offset + (size or 1), "picture data")
    return Finding("" if known else _fall_back(source, declared), make)


def examine_cineon(source: Source) -> Finding:
    """The same for Cineon."""
    order = ">" if source.head[:4] == b"\x80\x2a\x5f\xd7" else "<"
    header = source.read(0, 1024)
    offset, declared = (
        struct.unpack_from(order + "I", header, 4)[0],
        struct.unpack_from(order + "I", header, 20)[0],
    )
    channels, bits = header[193], header[198]
    width, height = struct.unpack_from(order + "II", header, 200)
    if not 0 < channels <= 8 or not 0 < width <= _LARGEST_SIDE or not 0 < height <= _LARGEST_SIDE:
        raise Nonsense("impossible picture size")
    packing = {0: 0, 5: 1, 6: 1}.get(header[681])
    size = None if packing is None else _raw_size(width, height, channels, bits, packing)
    source.needs(offset + (size or 1), "picture data")
    reason = _fall_back(source, declared) if size is None else ""
    return Finding(reason, f"{width}x{height} cineon {channels}/{bits}")


def _raw_size(width: int, height: int, samples: int, bits: int, packing: int) -> int | None:
    """The least bytes that uncompressed data can have: lines without padding where writers differ."""
    row = width * samples
    if bits in {8, 16, 32, 64}:
        return row * height * (bits // 8)
    if bits == 10 and packing in {1, 2}:  # three samples in 32 bits
        return -(-row * height // 3) * 4
    if bits == 12 and packing in {1, 2}:  # one sample in 16 bits
        return row * height * 2
    if bits in {1, 10, 12} and packing == 0:
        return row * height * bits // 8
    return None


def _fall_back(source: Source, declared: int) -> str:
    """Compressed or unusual data: the file size in the header must do, where there is one."""
    if declared in {0, _UNDEFINED}:
        return "an encoding that is not known here"
    source.needs(declared, "file")
    return ""
