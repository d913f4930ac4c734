"""The one table of formats (P1): how a file is recognised and who reads it.

By content first, extension second: a file's first bytes decide, the extension only where a format has no mark
of its own (TGA, RLA) or the bytes are too few. No I/O here and no decoder is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES: Final = 512
"""How much of a file's beginning `identify` wants to see."""


class Reader(StrEnum):
    """Which decoder reads a format."""

    OPENIMAGEIO = "OpenImageIO"
    PILLOW = "Pillow"
    MOVIE = "FFmpeg"


class Structure(StrEnum):
    """Which structural check knows a format (H1)."""

    EXR = "exr"
    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    DPX = "dpx"
    CINEON = "cineon"


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table. `plugin` is the reader's own name for the format."""

    name: str
    label: str
    reader: Reader
    plugin: str
    extensions: tuple[str, ...]
    magic: tuple[bytes, ...] = ()
    test: Callable[[bytes], bool] | None = None
    structure: Structure | None = None
    sound_only: bool = False

    def matches(self, head: bytes) -> bool:
        """Whether the first bytes are this format's."""
        return head.startswith(self.magic) if self.test is None else self.test(head)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands


def _quicktime(head: bytes) -> bool:
    return head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def _transport_stream(head: bytes) -> bool:
    """Sync bytes a packet apart: 188 bytes, or 192 with time stamps in front."""
    return head[:1] == b"\x47" == head[188:189] or head[4:5] == b"\x47" == head[196:197]


def _portable_map(head: bytes) -> bool:
    return head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3] in {b"\n", b"\r", b" ", b"\t"}


def _iff(head: bytes) -> bool:
    return head[:4] in {b"FOR4", b"FORM"} and head[8:12] in {b"CIMG", b"TBMP"}


def _aiff(head: bytes) -> bool:
    return head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}


def _bitmap(head: bytes) -> bool:
    return head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"


_OIIO, _PILLOW, _MOVIE = Reader.OPENIMAGEIO, Reader.PILLOW, Reader.MOVIE

# Order matters where marks overlap: the particular (AVIF, M4A) before the general (QuickTime).
FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "exr",
        "OpenEXR",
        _OIIO,
        "openexr",
        ("exr", "sxr", "mxr"),
        (b"\x76\x2f\x31\x01",),
        structure=Structure.EXR,
    ),
    Format("dpx", "DPX", _OIIO, "dpx", ("dpx",), (b"SDPX", b"XPDS"), structure=Structure.DPX),
    Format(
        "cineon",
        "Cineon",
        _OIIO,
        "cineon",
        ("cin",),
        (b"\x80\x2a\x5f\xd7", b"\xd7\x5f\x2a\x80"),
        structure=Structure.CINEON,
    ),
    Format(
        "jpeg",
        "JPEG",
        _PILLOW,
        "JPEG",
        ("jpg", "jpeg", "jpe", "jif", "jfif", "jfi"),
        (b"\xff\xd8\xff",),
        structure=Structure.JPEG,
    ),
    Format("png", "PNG", _PILLOW, "PNG", ("png",), (b"\x89PNG\r\n\x1a\n",), structure=Structure.PNG),
    Format(
        "tiff",
        "TIFF, BigTIFF, tx",
        _OIIO,
        "tiff",
        ("tif", "tiff", "tx", "env", "sm", "vsm", "rat"),
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        structure=Structure.TIFF,
    ),
    Format("psd", "Photoshop", _OIIO, "psd", ("psd", "psb", "pdd"), (b"8BPS",)),
    Format("hdr", "Radiance HDR", _OIIO, "hdr", ("hdr", "rgbe"), (b"#?RADIANCE", b"#?RGBE")),
    Format("sgi", "SGI", _OIIO, "sgi", ("sgi", "rgb", "rgba", "bw", "int", "inta"), (b"\x01\xda",)),
    Format("softimage", "Softimage PIC", _OIIO, "softimage", ("pic",), (b"\x53\x80\xf6\x34",)),
    Format("iff", "Maya IFF", _OIIO, "iff", ("iff", "z"), test=_iff),
    Format("dds", "DDS", _OIIO, "dds", ("dds",), (b"DDS ",)),
    Format("fits", "FITS", _OIIO, "fits", ("fits",), (b"SIMPLE  =",)),
    Format(
        "jpeg2000",
        "JPEG 2000",
        _OIIO,
        "jpeg2000",
        ("jp2", "j2k", "j2c", "jph"),
        (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    ),
    Format("jpegxl", "JPEG XL", _OIIO, "jpegxl", ("jxl",), (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    Format("pnm", "PNM, PFM", _OIIO, "pnm", ("ppm", "pgm", "pbm", "pnm", "pfm"), test=_portable_map),
    Format("gif", "GIF", _PILLOW, "GIF", ("gif",), (b"GIF87a", b"GIF89a")),
    Format("webp", "WebP", _PILLOW, "WEBP", ("webp",), test=_riff(b"WEBP")),
    Format("avif", "AVIF", _PILLOW, "AVIF", ("avif", "avifs"), test=_brand(b"avif", b"avis")),
    Format("bmp", "BMP", _PILLOW, "BMP", ("bmp", "dib"), test=_bitmap),
    Format("ico", "ICO", _OIIO, "ico", ("ico",), (b"\0\0\1\0",)),
    Format("zfile", "Z buffer", _OIIO, "zfile", ("zfile",), (b"\x2f\x08\x67\xab", b"\xab\x67\x08\x2f")),
    Format("rla", "Wavefront RLA", _OIIO, "rla", ("rla",)),
    Format("targa", "TGA", _OIIO, "targa", ("tga", "tpic")),
    Format("wav", "WAV", _MOVIE, "wav", ("wav", "bwf", "w64"), test=_riff(b"WAVE"), sound_only=True),
    Format("aiff", "AIFF", _MOVIE, "aiff", ("aif", "aiff", "aifc"), test=_aiff, sound_only=True),
    Format("flac", "FLAC", _MOVIE, "flac", ("flac",), (b"fLaC",), sound_only=True),
    Format(
        "mp3",
        "MP3",
        _MOVIE,
        "mp3",
        ("mp3",),
        (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
        sound_only=True,
    ),
    Format("aac", "AAC", _MOVIE, "aac", ("aac",), (b"\xff\xf1", b"\xff\xf9"), sound_only=True),
    Format("m4a", "MPEG-4 audio", _MOVIE, "mov", ("m4a",), test=_brand(b"M4A "), sound_only=True),
    Format("avi", "AVI", _MOVIE, "avi", ("avi",), test=_riff(b"AVI ")),
    Format("matroska", "Matroska, WebM", _MOVIE, "matroska", ("mkv", "webm", "mka"), (b"\x1a\x45\xdf\xa3",)),
    Format("mxf", "MXF", _MOVIE, "mxf", ("mxf",), (b"\x06\x0e\x2b\x34",)),
    Format("flv", "FLV", _MOVIE, "flv", ("flv",), (b"FLV\x01",)),
    Format("ogg", "Ogg", _MOVIE, "ogg", ("ogg", "ogv", "oga", "opus"), (b"OggS",)),
    Format("asf", "Windows Media", _MOVIE, "asf", ("wmv", "wma", "asf"), (b"\x30\x26\xb2\x75",)),
    Format("mpeg", "MPEG", _MOVIE, "mpeg", ("mpg", "mpeg", "vob", "m2v"), (b"\0\0\1\xba", b"\0\0\1\xb3")),
    Format("y4m", "YUV4MPEG2", _MOVIE, "yuv4mpegpipe", ("y4m",), (b"YUV4MPEG2",)),
    Format("quicktime", "QuickTime, MP4", _MOVIE, "mov", ("mov", "mp4", "m4v", "qt", "3gp"), test=_quicktime),
    Format(
        "mpegts", "MPEG transport stream", _MOVIE, "mpegts", ("ts", "mts", "m2ts"), test=_transport_stream
    ),
)

BY_NAME: Final = {row.name: row for row in FORMATS}
_BY_EXTENSION: Final = {extension: row for row in FORMATS for extension in row.extensions}

# What libavformat may open (media P2): nothing that reads other files or the network (hls, concat, sdp…).
DEMUXERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,yuv4mpegpipe,"
    "wav,w64,aiff,flac,mp3,aac,dv,gxf"
)


def identify(head: bytes, extension: str = "") -> Format | None:
    """The format of a file that begins with `head`, or None when nobody here reads it.

    `extension` is without its dot, in any case; it decides only where the content has no say: no mark matched
    and the format of that extension has none, or nothing of the file is there yet.
    """
    for row in FORMATS:
        if (row.magic or row.test is not None) and row.matches(head):
            return row
    named = _BY_EXTENSION.get(extension.lower())
    if named is None or not head:
        return named
    return named if not named.magic and named.test is None else None


def by_extension(extension: str) -> Format | None:
    """The format that files with this extension should have; what a wrong beginning is judged against."""
    return _BY_EXTENSION.get(extension.lower())
