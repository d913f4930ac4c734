"""What the library knows of a collection, read once and kept small enough for a million assets.

Keys and signatures are kept as 64-bit hashes in sorted arrays (some 26 bytes an asset instead of 400):
whoever is told "unchanged" matched with both hashes, and every change is checked against the true row
before it is planned.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import xxhash

from kassettui.core.decisions import Known
from kassettui.core.health import SequenceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kassettui.library import assets

_MISSING: Final = 1
_DELETED: Final = 2
_OTHER_ENRICHERS: Final = 4
_GROWING: Final = 8
_SEEN: Final = 16


def hash_of(text: str) -> int:
    """64 bits that stand for a key or a signature."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


class KnownAssets:
    """The assets of a collection by key, and which of them a run has come across."""

    def __init__(self, rows: Iterable[assets.Known], enrichers: str | None) -> None:
        """`enrichers` is the checksum that the run will leave behind, None when it enriches nothing."""
        keys, signatures, ids = array("Q"), array("Q"), array("q")
        flags = bytearray()
        for asset_id, key, signature, checksum, missing_since, deleted, health in rows:
            keys.append(hash_of(key))
            signatures.append(hash_of(signature or ""))
            ids.append(asset_id)
            flags.append(
                _MISSING * (missing_since is not None)
                | _DELETED * deleted
                | _OTHER_ENRICHERS * (enrichers is not None and checksum not in (None, enrichers))
                | _GROWING * (health == SequenceState.GROWING)
            )
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys = array("Q", map(keys.__getitem__, order))
        self._signatures = array("Q", map(signatures.__getitem__, order))
        self._ids = array("q", map(ids.__getitem__, order))
        self._flags = bytearray(map(flags.__getitem__, order))

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key: str) -> int | None:
        """The position of the asset with this key."""
        hashed = hash_of(key)
        position = bisect_left(self._keys, hashed)
        return position if position < len(self._keys) and self._keys[position] == hashed else None

    def compare(self, position: int, signature: str) -> Known:
        """How the item found there compares with the asset."""
        flags = self._flags[position]
        return Known(
            same_content=self._signatures[position] == hash_of(signature),
            same_enrichers=not flags & _OTHER_ENRICHERS,
            missing=bool(flags & _MISSING),
            deleted=bool(flags & _DELETED),
        )

    def see(self, position: int) -> bool:
        """Note that the asset was found; whether that is the first time in this run (I7)."""
        first = not self._flags[position] & _SEEN
        self._flags[position] |= _SEEN
        return first

    def see_plain(self, position: int, signature: str) -> bool:
        """Note that the asset was found, if there is no more to it: first time, unchanged, settled."""
        if self._flags[position] or self._signatures[position] != hash_of(signature):
            return False
        self._flags[position] = _SEEN
        return True

    def asset_id(self, position: int) -> int:
        """The row's id."""
        return self._ids[position]

    def growing(self, position: int) -> bool:
        """Whether its frames were still being written when it was last looked at."""
        return bool(self._flags[position] & _GROWING)

    @property
    def living(self) -> int:
        """How many assets are neither missing nor deleted."""
        return sum(1 for flags in self._flags if not flags & (_MISSING | _DELETED))

    def unseen(self) -> Iterator[tuple[int, bool]]:
        """(id, already missing) of every asset that was not found and is not deleted."""
        for position, flags in enumerate(self._flags):
            if not flags & (_SEEN | _DELETED):
                yield self._ids[position], bool(flags & _MISSING)
