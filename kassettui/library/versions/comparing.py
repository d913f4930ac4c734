"""Versions side by side: range, size, health, resolution, hash, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import NotFound
from kassettui.core.text import from_stored
from kassettui.library.models import json_text
from kassettui.library.versions.reading import by_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.versions.values import Version

FACTS: Final = (
    "frame_ranges", "frame_count", "hole_count", "size", "mtime_ns", "health", "damaged_count", "width",
    "height", "pixel_aspect", "channels", "pixel_type", "compression", "colour_space", "fps", "duration_ms",
    "video_codec", "content_hash", "state", "approved_for_broadcast", "rating", "path",
)  # fmt: skip
"""What is compared of an asset, in this order. Sizes in bytes, `mtime_ns` in ns, durations in ms."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Facts of several assets: a row a fact, a column an asset. None where it is not known."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Any, ...]], ...]
    versions: tuple[Version | None, ...] = ()

    @property
    def differing(self) -> tuple[str, ...]:
        """The facts that are not the same for all."""
        return tuple(name for name, values in self.rows if len(set(values)) > 1)


def compare_assets(db: LibraryDatabase, asset_ids: Sequence[int]) -> Comparison:
    """Assets side by side, in this order, in one query. Raises NotFound when one is not there."""
    found = _facts(db, asset_ids)
    if len(found) < len(set(asset_ids)):
        raise NotFound("One of these assets is not in the library any more.")
    return _comparison([found[one]["name"] for one in asset_ids], [found[one] for one in asset_ids])


def compare_versions(db: LibraryDatabase, version_ids: Sequence[int]) -> Comparison:
    """Versions side by side, in this order; one that is no asset has what itself says. Two queries."""
    versions = by_ids(db, version_ids)
    found = _facts(db, [one.asset_id for one in versions if one.asset_id is not None])
    facts = []
    for version in versions:
        own: dict[str, Any] = dict(found.get(version.asset_id or 0, {}))
        if not own:
            own = {"size": version.size, "content_hash": version.stored_hash, "path": version.data.value}
        facts.append(own)
    compared = _comparison([f"v{one.number:03}" for one in versions], facts)
    return Comparison(compared.titles, compared.rows, tuple(versions))


def _comparison(titles: Sequence[str], facts: Sequence[dict[str, Any]]) -> Comparison:
    rows = tuple((name, tuple(one.get(name) for one in facts)) for name in FACTS)
    known = tuple(row for row in rows if any(value is not None for value in row[1]))
    return Comparison(tuple(titles), known)


def _facts(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = db.all(
        f"SELECT id, name, {', '.join(FACTS)} FROM assets WHERE id IN (SELECT value FROM json_each(?))",
        (json_text(list(asset_ids)),),
    )
    found: dict[int, dict[str, Any]] = {}
    for id_, name, *values in rows:
        facts: dict[str, Any] = {"name": from_stored(name), **dict(zip(FACTS, values, strict=True))}
        facts["path"] = from_stored(facts["path"])
        facts["approved_for_broadcast"] = bool(facts["approved_for_broadcast"])
        found[id_] = facts
    return found
