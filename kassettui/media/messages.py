"""What the program and its decoder processes say to each other: typed, msgpack, never pickle (P2).

A frame on the pipe is a 4-byte little-endian length and that many bytes of msgpack. Paths are bytes, as the
file system has them.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Final

import msgspec

from kassettui.core.health import FrameState
from kassettui.media.facts import Facts, Look, Tile, Verdict

MAX_MESSAGE: Final = 512 * 1024 * 1024
"""Bytes; a longer answer is taken for a broken decoder."""

LENGTH: Final = struct.Struct("<I")


class Encoding(StrEnum):
    """What the pixels of a rendered picture come as."""

    STORED = "stored"
    """A thumbnail to keep: JPEG 85 when opaque, PNG with alpha (P7)."""
    RAW = "raw"
    """Packed 8-bit RGB rows, alpha laid over a checkerboard: ready to send to a terminal (P13)."""
    PNG = "png"
    """Lossless, alpha kept."""
    JPEG = "jpeg"
    """JPEG 85, alpha laid over a checkerboard."""


class FailureCode(StrEnum):
    """Why a request gave nothing. All but `GONE` and `CANCELLED` stay with the file until it changes."""

    TIMEOUT = "timeout"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    NO_LAYER = "no_layer"
    GONE = "gone"
    CANCELLED = "cancelled"


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a decoder process is told once, when it starts.

    `memory` is its address space in bytes, `pixels` the most a picture may have, `threads` what a decoder may
    use at once. `display` and `view` are names of the colour configuration, "" for its defaults.
    """

    seconds: float = 10.0
    memory: int = 4 * 1024**3
    pixels: int = 512 * 1024**2
    threads: int = 1
    display: str = ""
    view: str = ""


class Probe(msgspec.Struct, frozen=True, tag="probe"):
    """Read the facts of a file."""

    path: bytes


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Decode the whole file and look at every sample (H2)."""

    path: bytes


class Render(msgspec.Struct, frozen=True, tag="render"):
    """Make a picture that fits `width` × `height` pixels and is never more than `grow` times its own size.

    `draft` may be coarse where that is quick (B11). `frame` is a movie's or an animation's frame number
    from 0, None: the one that stands for it (P4).
    """

    path: bytes
    width: int
    height: int
    look: Look = Look()
    frame: int | None = None
    draft: bool = False
    encoding: Encoding = Encoding.STORED
    grow: float = 1.0


class Sheet(msgspec.Struct, frozen=True, tag="sheet"):
    """Lay encoded pictures out as one PNG of `columns` columns of `cell` × `cell` pixels (P11)."""

    tiles: tuple[Tile, ...]
    columns: int
    cell: int
    title: str = ""


class Report(msgspec.Struct, frozen=True, tag="report"):
    """Say which decoders, formats and colour configuration the process has (doctor)."""


Request = Probe | Check | Render | Sheet | Report


class Probed(msgspec.Struct, frozen=True, tag="probed"):
    """The answer to `Probe`."""

    facts: Facts


class Checked(msgspec.Struct, frozen=True, tag="checked"):
    """The answer to `Check`."""

    verdict: Verdict


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """The answer to `Render` and `Sheet`: a picture, and whether all of the file went into it (P3).

    `kind` is "jpeg", "png" or "rgb" (packed rows); `state` and `reason` say what was wrong with the file.
    """

    data: bytes
    kind: str
    width: int
    height: int
    alpha: bool = False
    state: FrameState = FrameState.OK
    reason: str = ""
    draft: bool = False


class Reported(msgspec.Struct, frozen=True, tag="reported"):
    """The answer to `Report`: name and value pairs, in the order to print them."""

    lines: tuple[tuple[str, str], ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The request could not be met, and why."""

    code: FailureCode
    reason: str


Answer = Probed | Checked | Rendered | Reported | Failed


class Asked(msgspec.Struct, frozen=True):
    """A request on its way to a decoder process."""

    number: int
    request: Request


class Answered(msgspec.Struct, frozen=True):
    """An answer on its way back; `memory` is what the process holds now, in bytes."""

    number: int
    answer: Answer
    memory: int


_encoder = msgspec.msgpack.Encoder()
_asked = msgspec.msgpack.Decoder(Asked)
_answered = msgspec.msgpack.Decoder(Answered)


def pack(message: Asked | Answered) -> bytes:
    """`message` as it goes over the pipe, length in front."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def unpack_asked(body: bytes | bytearray) -> Asked:
    """The request in `body`. Raises msgspec.DecodeError."""
    return _asked.decode(body)


def unpack_answered(body: bytes | bytearray) -> Answered:
    """The answer in `body`. Raises msgspec.DecodeError when the process sent anything else."""
    return _answered.decode(body)
