"""Which SQL expression holds which field of the query grammar. `a` is the asset's row.

Only constants of this program stand here; whatever comes from a query is a bound parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.health import DAMAGED
from kassettui.core.query.fields import COUNTED, Field

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Column:
    """How a field of one value is read.

    `scale`: the column's units in one of the field's (times are µs, `mtime_ns` ns). `indexed`: an index
    begins with it. `covered`: that index alone can be read through in search of a part of the text.
    `positive`: what holds for every row whose value is above 0, and has an index of such rows alone.
    """

    sql: str
    scale: int = 1
    indexed: bool = False
    covered: bool = False
    positive: str = ""
    nullable: bool = True


def _column(
    name: str,
    *,
    scale: int = 1,
    indexed: bool = False,
    covered: bool = False,
    positive: str = "",
    nullable: bool = True,
) -> Column:
    return Column(f"a.{name}", scale, indexed, covered, positive, nullable)


# A count of frames in one state: known to be 0 where the frames were looked at and none is. What counts as
# damaged stands in `damaged_count` too (core.health).
_COUNTS: Final = {
    state: Column(
        "CASE WHEN a.health_counts IS NOT NULL "
        f"THEN coalesce(json_extract(a.health_counts, '$.{state}'), 0) END",
        positive="a.damaged_count > 0" if state in DAMAGED else "",
    )
    for state in COUNTED
}

COLUMNS: Final[Mapping[str, Column]] = {
    "name": _column("name", indexed=True, covered=True, nullable=False),
    "path": _column("path", indexed=True, covered=True, nullable=False),
    "kind": _column("kind", indexed=True, nullable=False),
    "rating": _column("rating", indexed=True),
    "state": _column("state", indexed=True, nullable=False),
    "version": _column("version_number", indexed=True),
    "collection": Column("(SELECT c.name FROM collections c WHERE c.uuid = a.collection_uuid)"),
    "health": _column("health", indexed=True),
    "missing": _column("hole_count", positive="a.hole_count > 0"),
    "damaged": _column("damaged_count", positive="a.damaged_count > 0"),
    **_COUNTS,
    "frames": _column("frame_count"),
    "first": _column("frame_first"),
    "last": _column("frame_last"),
    "step": _column("frame_step"),
    "padding": _column("frame_padding"),
    "ranges": _column("frame_ranges"),
    "expected": _column("expected_ranges"),
    "pattern": _column("sequence_pattern"),
    "size": _column("size", indexed=True, nullable=False),
    "mtime": _column("mtime_ns", scale=1000, indexed=True),
    "duration": _column("duration_ms"),
    "width": _column("width"),
    "height": _column("height"),
    "aspect": _column("pixel_aspect"),
    "channels": _column("channels"),
    "pixel_type": _column("pixel_type"),
    "compression": _column("compression"),
    "colour_space": _column("colour_space"),
    "fps": _column("fps"),
    "timecode": _column("timecode"),
    "video_codec": _column("video_codec"),
    "audio_codec": _column("audio_codec"),
    "container": _column("container"),
    "extension": _column("extension", nullable=False),
    "title": _column("title", nullable=False),
    "description": _column("description", nullable=False),
    "verified": _column("verified_at"),
    "missing_since": _column("missing_since", indexed=True),
    "deleted_at": _column("deleted_at"),
    "health_level": _column("health_level"),
    "health_at": _column("health_at"),
    "discovered": _column("discovered_at", nullable=False),
    "created": _column("created_at", nullable=False),
    "updated": _column("updated_at", nullable=False),
    "id": _column("uuid", indexed=True, nullable=False),
    "key": _column("canonical_key", nullable=False),
    "signature": _column("content_signature"),
    "hash": _column("content_hash", indexed=True),
    "checksum": _column("enricher_checksum"),
    "error": _column("last_error"),
}

# What has an index in the order that `sort:` asks for; rows without a value need none.
SORTED: Final = frozenset({"name", "path", "size", "mtime", "kind", "state", "rating", "version", "health"})

BEST: Final = (
    "EXISTS (SELECT 1 FROM asset_versions v JOIN version_groups g ON g.id = v.group_id AND g.best = v.number "
    "WHERE v.asset_id = a.id AND v.deleted_at IS NULL)"
)
BEST_IDS: Final = (
    "SELECT v.asset_id AS id FROM version_groups g CROSS JOIN asset_versions v "
    "ON v.group_id = g.id AND v.number = g.best WHERE g.best > 0 AND v.deleted_at IS NULL "
    "AND v.asset_id IS NOT NULL"
)

FLAGS: Final[Mapping[str, Column]] = {
    "approved": Column("a.approved_for_broadcast = 1", indexed=True),
    "operator_verified": Column("a.operator_verified = 1"),
    "gone": Column("a.missing_since IS NOT NULL", indexed=True),
    "deleted": Column("a.is_deleted = 1", indexed=True),
    "best": Column(BEST),
}

_LAYOUT_VALUE: Final = (
    "(SELECT lv.value FROM layout_values lv WHERE lv.layout_id = a.layout_id AND lv.field = '{level}')"
)


def column_of(field: Field) -> Column:
    """The column of a field that has one value. A layout level is read from its table, metadata from JSON.

    The names in dotted fields are of letters, digits, `_`, `.` and `-` alone: the grammar takes no others.
    """
    prefix, dot, name = field.name.partition(".")
    if not dot:
        return COLUMNS[field.name]
    if prefix == "layout":
        return Column(_LAYOUT_VALUE.format(level=name))
    return Column(f"CAST(json_extract(a.metadata, '$.\"{name}\"') AS TEXT)")
