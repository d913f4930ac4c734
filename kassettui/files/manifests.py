"""Lists of sums as xxhsum writes and checks them: `<xxh3-128 in hex>  <path>` a line (spec: files F18).

Paths are relative to the list's directory and stand as raw bytes. A name with a newline is escaped the way
that xxhsum 0.8.2 and the coreutils do, with a backslash before the sum; older ones cannot check such a name
at all.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDING: Final = ".xxh128"
_LINE: Final = re.compile(rb"(\\)?(?:XXH3_)?([0-9a-fA-F]+) [ *](.+)\Z", re.DOTALL)
_TAGGED: Final = re.compile(
    rb"(\\)?(XXH32|XXH64|XXH128|XXH3) \((.+)\) = (?:XXH3_)?([0-9a-fA-F]+)\Z", re.DOTALL
)
_BY_LENGTH: Final[Mapping[int, str]] = {8: "xxh32", 16: "xxh64", 32: "xxh128"}
_BY_TAG: Final[Mapping[bytes, str]] = {
    b"XXH32": "xxh32",
    b"XXH64": "xxh64",
    b"XXH128": "xxh128",
    b"XXH3": "xxh3",
}
_LARGEST: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Line:
    """One file of a list: its path as written, the checksum's format and text."""

    path: str
    format: str
    sum: str


def written(lines: Iterable[Line]) -> bytes:
    """The list as bytes, in the order given."""
    return b"".join(_line(line) for line in lines)


def _line(line: Line) -> bytes:
    path = os.fsencode(line.path)
    if b"\n" in path:
        escaped = path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        return b"\\" + line.sum.encode() + b"  " + escaped + b"\n"
    return line.sum.encode() + b"  " + path + b"\n"


def parsed(data: bytes, name: str) -> list[Line]:
    """What a list says, BSD style lines included. Raises InvalidInput for a line that is none;
    `name` is for that.
    """
    lines = []
    for number, text in enumerate(data.split(b"\n"), 1):
        if not text or text.startswith(b"#"):
            continue
        line = _parsed(text)
        if line is None:
            raise InvalidInput(
                f"Line {number} of {safe(name)} is no sum and path.", remedy="Is it a list of xxhsum?"
            )
        lines.append(line)
    return lines


def _parsed(text: bytes) -> Line | None:
    if match := _TAGGED.match(text):
        escaped, tag, path, spelled = match.groups()
        kind = _BY_TAG[tag]
    elif match := _LINE.match(text):
        escaped, spelled, path = match.groups()
        found = _BY_LENGTH.get(len(spelled))
        if found is None:
            return None
        # XXH3 with 64 bits is as long as XXH64: xxhsum puts its name in front.
        kind = "xxh3" if text.removeprefix(b"\\").startswith(b"XXH3_") else found
    else:
        return None
    if escaped:
        path = re.sub(rb"\\(.)", lambda each: b"\n" if each[1] == b"n" else each[1], path)
    return Line(os.fsdecode(path), kind, spelled.decode().lower())


def read(path: str) -> list[Line]:
    """The list in the file `path`. Raises InvalidInput, OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise InvalidInput(f"{safe(path)} is too large for a list of sums.")
    return parsed(data, path)


def looks_like_one(path: str) -> bool:
    """Whether a file is a list of sums, by its first line."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            first = file.readline(1 << 16).removesuffix(b"\n")
    except OSError:
        return False
    return bool(first) and _parsed(first) is not None
