"""What a file is by its name: the known extensions and their kinds (spec: sequences S2, S5).

The decoders look at the content; this table only says what may be a frame, a movie or a sound, and where the
name of a file ends and its extension begins.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an asset is."""

    IMAGE = "image"
    SEQUENCE = "sequence"
    MOVIE = "movie"
    AUDIO = "audio"
    OTHER = "other"


FRAME_EXTENSIONS: Final = frozenset(
    {
        # pictures
        "avif", "bmp", "cin", "dds", "dng", "dpx", "exr", "fits", "gif", "hdr", "heic", "heif", "hif", "ico",
        "iff", "j2c", "j2k", "jp2", "jpe", "jpeg", "jpg", "jpx", "jxl", "pbm", "pfm", "pgm", "pic", "png",
        "ppm", "psb", "psd", "rat", "rgb", "rgba", "rla", "rpf", "sgi", "sxr", "tga", "tif", "tiff", "tx",
        "webp", "xpm", "z", "zfile",
        # camera raw
        "ari", "arw", "cr2", "cr3", "nef", "orf", "raf", "rw2",
        # caches and scenes that are written frame by frame
        "abc", "ass", "bgeo", "geo", "ptc", "usd", "usda", "usdc", "vdb",
    }
)  # fmt: skip
"""Extensions, lower case, directly before which digits are a frame number (S2)."""

COMPOUND_EXTENSIONS: Final = frozenset(
    {"ass.gz", "bgeo.gz", "bgeo.sc", "exr.gz", "geo.gz", "geo.sc", "tif.gz", "vdb.gz"}
)
"""Extensions of two parts, lower case; all are frame extensions (S2)."""

SCENE_EXTENSIONS: Final = frozenset({"abc", "ass", "bgeo", "geo", "ptc", "usd", "usda", "usdc", "vdb"})
"""Frame extensions that are no pictures: a single one is of kind other."""

MOVIE_EXTENSIONS: Final = frozenset(
    {
        "3gp", "asf", "avi", "braw", "dv", "flv", "m2t", "m2ts", "m2v", "m4v", "mj2", "mkv", "mov", "mp4",
        "mpeg", "mpg", "mts", "mxf", "ogv", "qt", "r3d", "ts", "vob", "webm", "wmv", "y4m",
    }
)  # fmt: skip

AUDIO_EXTENSIONS: Final = frozenset(
    {
        "aac", "ac3", "aif", "aifc", "aiff", "amr", "bwf", "caf", "flac", "m4a", "mka", "mp2", "mp3", "oga",
        "ogg", "opus", "rf64", "w64", "wav", "wma",
    }
)  # fmt: skip

_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(FRAME_EXTENSIONS - SCENE_EXTENSIONS, Kind.IMAGE),
    **dict.fromkeys(("exr.gz", "tif.gz"), Kind.IMAGE),
    **dict.fromkeys(MOVIE_EXTENSIONS, Kind.MOVIE),
    **dict.fromkeys(AUDIO_EXTENSIONS, Kind.AUDIO),
}
_PACKED: Final = frozenset(extension.partition(".")[2] for extension in COMPOUND_EXTENSIONS)


def split_extension(name: str) -> tuple[str, str]:
    """(stem, extension) of a file's name: extension without dot, case kept, compound ones whole.

    A name without a dot, or whose only dot is the first character, has no extension.
    """
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        return name, ""
    if extension.lower() in _PACKED:
        inner_stem, inner_dot, inner = stem.rpartition(".")
        if inner_dot and inner_stem and f"{inner}.{extension}".lower() in COMPOUND_EXTENSIONS:
            return inner_stem, f"{inner}.{extension}"
    return stem, extension


def is_frame_extension(extension: str) -> bool:
    """Whether digits directly before `extension` (any case, without dot) are a frame number (S2)."""
    lower = extension.lower()
    return lower in FRAME_EXTENSIONS or lower in COMPOUND_EXTENSIONS


def kind_of(extension: str) -> Kind:
    """The kind of one file with `extension` (any case, without dot)."""
    return _KINDS.get(extension.lower(), Kind.OTHER)
