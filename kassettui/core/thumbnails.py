"""A thumbnail as the cache keeps it, and what it is kept under (spec: media P8). Values; no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThumbnailKey:
    """Which picture of which content: path in memory form, file size in bytes, frame −1 for "the" frame."""

    path: str
    size: int
    mtime_ns: int
    frame: int
    layer: str
    look: str
    target: int


@dataclass(frozen=True, slots=True)
class StoredThumbnail:
    """A picture as it was kept; a failure where `kind` is empty: then `state` is its code."""

    kind: str
    width: int
    height: int
    picture: bytes
    state: str = "ok"
    reason: str = ""
