"""What leaves the repository of assets: frozen values in memory form, never models."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui.core.text import from_stored
from kassettui.library.models import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Asset:
    """Everything that the library knows of one asset.

    Times in µs since the epoch; `mtime_ns` in ns; size in bytes.
    """

    id: int
    uuid: str
    collection_uuid: str
    canonical_key: str
    key_version: int
    kind: str
    state: str
    approved_for_broadcast: bool
    operator_verified: bool
    is_deleted: bool
    deleted_at: int | None
    missing_since: int | None
    rating: int | None
    size: int
    mtime_ns: int | None
    version_number: int | None
    name: str
    extension: str
    path: str
    frame_first: int | None
    frame_last: int | None
    frame_count: int | None
    frame_step: int | None
    frame_padding: int | None
    hole_count: int | None
    health: str | None
    health_level: int | None
    health_at: int | None
    damaged_count: int | None
    width: int | None
    height: int | None
    pixel_aspect: float | None
    channels: int | None
    pixel_type: str | None
    compression: str | None
    colour_space: str | None
    fps: float | None
    timecode: str | None
    duration_ms: int | None
    video_codec: str | None
    audio_codec: str | None
    container: str | None
    content_signature: str | None
    content_hash: str | None
    verified_at: int | None
    enricher_checksum: str | None
    discovered_at: int
    created_at: int
    updated_at: int
    moved_to: str | None
    last_error: str | None
    title: str
    frame_ranges: str | None
    expected_ranges: str | None
    sequence_pattern: str | None
    health_counts: Mapping[str, int]
    health_frames: Mapping[str, str]
    description: str
    metadata: Mapping[str, Any]
    layout: Mapping[str, str]


class Summary(NamedTuple):
    """What a row of a list shows. Times and sizes as in `Asset`."""

    id: int
    uuid: str
    collection_uuid: str
    kind: str
    state: str
    approved_for_broadcast: bool
    is_deleted: bool
    missing_since: int | None
    rating: int | None
    size: int
    mtime_ns: int | None
    version_number: int | None
    name: str
    extension: str
    path: str
    frame_count: int | None
    hole_count: int | None
    health: str | None
    health_level: int | None
    damaged_count: int | None
    width: int | None
    height: int | None
    duration_ms: int | None
    content_signature: str | None
    title: str
    frame_ranges: str | None
    sequence_pattern: str | None


_JSON: Final = {"health_counts", "health_frames", "metadata", "layout"}
_FLAGS: Final = {"approved_for_broadcast", "operator_verified", "is_deleted"}
_STORED: Final = {
    "canonical_key",
    "name",
    "extension",
    "path",
    "moved_to",
    "last_error",
    "title",
    "sequence_pattern",
    "description",
}
_NAMES: Final = tuple(field.name for field in fields(Asset))

ASSET_COLUMNS: Final = ", ".join("l.fields" if name == "layout" else f"a.{name}" for name in _NAMES)
"""For `SELECT … FROM assets a LEFT JOIN layouts l ON l.id = a.layout_id`."""

SUMMARY_COLUMNS: Final = ", ".join(f"a.{name}" for name in Summary._fields)
"""For `SELECT … FROM assets a`."""

_SUMMARY_STORED: Final = tuple(position for position, name in enumerate(Summary._fields) if name in _STORED)
_SUMMARY_FLAGS: Final = tuple(position for position, name in enumerate(Summary._fields) if name in _FLAGS)


def asset_of(row: tuple[Any, ...]) -> Asset:
    """The value of a row of ASSET_COLUMNS."""
    return Asset(*(_value(name, value) for name, value in zip(_NAMES, row, strict=True)))


def _value(name: str, value: Any) -> Any:
    if name in _JSON:
        return {} if value is None else json_value(value)
    if value is None:
        return None
    if name in _STORED:
        return from_stored(value)
    return bool(value) if name in _FLAGS else value


def summary_of(row: tuple[Any, ...]) -> Summary:
    """The value of a row of SUMMARY_COLUMNS."""
    values = list(row)
    for position in _SUMMARY_STORED:
        text = values[position]
        if text is not None and "\x1a" in text:
            values[position] = from_stored(text)
    for position in _SUMMARY_FLAGS:
        values[position] = bool(values[position])
    return Summary._make(values)
