"""What tells that an asset changed: content signatures and the enrichers' checksum (spec: ingest I8, I9).

A signature is compared for equality alone. Its first letter carries kind and rule version, so that a changed
rule shows as a changed signature and never as a false "unchanged".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

import xxhash

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable

SECOND_NS: Final = 1_000_000_000
_FINE_NS: Final = 10_000_000
_COARSE_NS: Final = 2 * SECOND_NS


class EnricherVersion(NamedTuple):
    """What the checksum knows of an enricher (I9)."""

    enricher_id: str
    version: str
    priority: int


def file_signature(size: int, mtime_ns: int) -> str:
    """The signature of one file: size in bytes and modification time in nanoseconds (I8)."""
    return f"f1:{size}:{mtime_ns}"


def sequence_signature(
    ranges: str, frames: array[int], sizes: array[int], mtimes: array[int], extra: Iterable[str] = ()
) -> str:
    """The signature of a sequence (I8): count, total bytes, newest mtime_ns and a digest of the rest.

    `frames` is sorted ascending, `sizes` (bytes) and `mtimes` (ns) run parallel to it; `ranges` is the text
    of the frame ranges; `extra` names members that are no frame of it (bad padding, duplicates).
    """
    digest = xxhash.xxh3_128()
    digest.update(ranges.encode("ascii"))
    for column in (frames, sizes, mtimes):
        digest.update(b"\0")
        digest.update(column)
    for name in sorted(extra):
        digest.update(b"\0")
        digest.update(name.encode("utf-8", "surrogatepass"))
    return f"q1:{len(frames)}:{sum(sizes)}:{max(mtimes, default=0)}:{digest.hexdigest()}"


def settles_at(mtime_ns: int) -> int:
    """The time in ns from which a change of the file gets another mtime than `mtime_ns` (I8).

    A signature taken before that moment is in doubt: a second write within the same tick of the file system's
    clock would not show. Whole seconds hint at a file system that keeps one- or two-second times (R7).
    """
    return mtime_ns + (_COARSE_NS if mtime_ns % SECOND_NS == 0 else _FINE_NS)


def enricher_checksum(enrichers: Iterable[EnricherVersion]) -> str:
    """A stable hash of the set of enrichers, whatever their order (I9)."""
    text = json.dumps(sorted(set(enrichers)), separators=(",", ":"))
    return f"e1:{xxhash.xxh3_128_hexdigest(text.encode())}"
