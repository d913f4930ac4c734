"""How one file name is read: head, number, tail and extension (spec: sequences S1-S5, S13-S15)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kassettui.core.frames import MOST_DIGITS
from kassettui.core.kinds import is_frame_extension, split_extension

DIGITS: Final = "0123456789"

TEMPORARY_ENDINGS: Final = (".tmp", ".temp", ".part", ".partial", ".lock", ".swp", ".crdownload", "~")
_TEMPORARY_BEFORE_EXTENSION: Final = (".tmp", ".temp", ".part", ".partial")
_STRAY: Final = re.compile(
    r"(?i)(?:^copy of |^kopie von | ?\([0-9]{1,4}\)$|(?: - |[ _])copy(?: ?\(?[0-9]+\)?)?$)"
)
_DATE: Final = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_VERSION: Final = re.compile(r"(?i)(?:^|[._-])v[0-9]{1,4}$")
_WORD: Final = re.compile(r"(?s)(.*[0-9])(\.[A-Za-z][A-Za-z0-9_-]*)")
_SUBFRAME: Final = re.compile(r"(?s)(.*?)(-?)([0-9]{1,8})\.([0-9]{1,8})")


class Numbered(NamedTuple):
    """A name with a frame number.

    `width` counts the digits of its whole part. A name that has the same head, sign, width and tail is read
    alike, whatever its digits. A frame with `decimals` is scaled by 10 to that power.
    """

    head: str
    tail: str
    extension: str
    frame: int
    width: int
    negative: bool = False
    decimals: int = 0


def is_temporary(name: str) -> bool:
    """Whether a name is that of a file being written, or hidden: evidence, never a member (S15)."""
    if name.startswith((".", "~")):
        return True
    lower = name.lower()
    if lower.endswith(TEMPORARY_ENDINGS):
        return True
    stem, _ = split_extension(lower)
    return stem.endswith(_TEMPORARY_BEFORE_EXTENSION)


def is_stray(name: str) -> bool:
    """Whether a desktop's file manager made the name: `plate.1001 (1).exr`, `copy of …` (S14)."""
    return _STRAY.search(split_extension(name)[0]) is not None


def read_name(name: str, subframes: bool = False) -> Numbered | None:
    """The number directly before a known extension, else the one before a last word (S2), else None."""
    stem, extension = split_extension(name)
    if not is_frame_extension(extension) or is_temporary(name) or is_stray(name):
        return None
    if subframes:
        numbered = _subframe(stem, extension)
        if numbered is not None:
            return numbered
    return _before(stem, "", extension) or _before_word(stem, extension)


def read_word_name(name: str) -> Numbered | None:
    """The number before a last word alone: the second reading of `.0001.cam01.exr` (S2)."""
    stem, extension = split_extension(name)
    return _before_word(stem, extension)


def _before_word(stem: str, extension: str) -> Numbered | None:
    match = _WORD.fullmatch(stem)
    if match is None:
        return None
    numbered = _before(match[1], match[2], extension)
    return numbered if numbered is not None and numbered.head[-1:] in ("", ".", "_", "-") else None


def _before(stem: str, tail: str, extension: str) -> Numbered | None:
    """The digits at the end of `stem`, unless they are an id, a date or a version (S3, S13)."""
    head = stem.rstrip(DIGITS)
    digits = stem[len(head) :]
    width = len(digits)
    if not 0 < width <= MOST_DIGITS or _VERSION.search(stem) or _DATE.search(stem):
        return None
    if head[-1:] == "-" and (len(head) == 1 or head[-2] in "._"):
        if not digits.strip("0"):  # there is no frame -0
            return None
        return Numbered(head[:-1], tail, extension, -int(digits), width, negative=True)
    return Numbered(head, tail, extension, int(digits), width)


def _subframe(stem: str, extension: str) -> Numbered | None:
    """`.1001.25`: a frame with exact decimals (S10). It needs a separator before the whole number."""
    match = _SUBFRAME.fullmatch(stem)
    if match is None or match[1][-1:] not in (".", "_", "-") or _VERSION.search(f"{match[1]}{match[3]}"):
        return None
    head, sign, whole, part = match.groups()
    scaled = int(whole + part)
    if sign and scaled == 0:
        return None
    return Numbered(
        head, "", extension, -scaled if sign else scaled, len(whole), negative=bool(sign), decimals=len(part)
    )
