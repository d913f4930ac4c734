"""The checksums of the field, by their names in ASC MHL; several of them over the same bytes
(spec: files F18).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

import xxhash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

OURS: Final = "xxh128"
"""What we make: xxh3 with 128 bits, in hex."""

_C4_LETTERS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_C4_LENGTH: Final = 88
_C4_BYTES: Final = 64


class Digest(Protocol):
    """What takes bytes and says their checksum."""

    def update(self, data: bytes | memoryview, /) -> object:
        """More bytes."""

    def hexdigest(self) -> str:
        """The checksum in hex."""


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


_MAKERS: Final[Mapping[str, Callable[[], Digest]]] = {
    "c4": hashlib.sha512,
    "md5": _md5,
    "sha1": _sha1,
    "xxh32": xxhash.xxh32,
    "xxh64": xxhash.xxh64,
    "xxh3": xxhash.xxh3_64,
    "xxh128": xxhash.xxh3_128,
}
FORMATS: Final = tuple(_MAKERS)
"""Every checksum that we can compare, by its name in ASC MHL."""


class Checksum:
    """One checksum in the making, in the spelling of its format."""

    __slots__ = ("_digest", "_format")

    def __init__(self, name: str) -> None:
        self._format = name
        self._digest = _MAKERS[name]()

    def update(self, data: bytes | memoryview) -> None:
        """More bytes."""
        self._digest.update(data)

    def text(self) -> str:
        """The checksum: hex, or a C4 id."""
        spelled = self._digest.hexdigest()
        return _c4(spelled) if self._format == "c4" else spelled


def checksum(name: str, data: bytes) -> str:
    """The checksum of `data`."""
    made = Checksum(name)
    made.update(data)
    return made.text()


def raw(name: str, text: str) -> bytes:
    """The bytes that a checksum's text stands for. Raises ValueError for what is none."""
    if name != "c4":
        return bytes.fromhex(text)
    if len(text) != _C4_LENGTH + 2 or not text.startswith("c4"):
        raise ValueError(f"{text!r} is no C4 id")
    number = 0
    for letter in text[2:]:
        number = number * len(_C4_LETTERS) + _C4_LETTERS.index(letter)
    return number.to_bytes(_C4_BYTES, "big")


def of_list(name: str, texts: Iterable[str]) -> str:
    """The checksum of a list of checksums, whatever their order: ASC MHL's hash of a directory."""
    return checksum(name, b"".join(raw(name, text) for text in sorted(texts)))


def _c4(spelled: str) -> str:
    number, letters = int(spelled, 16), []
    while number:
        number, place = divmod(number, len(_C4_LETTERS))
        letters.append(_C4_LETTERS[place])
    return "c4" + "".join(reversed(letters)).rjust(_C4_LENGTH, _C4_LETTERS[0])
