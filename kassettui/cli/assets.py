"""Assets as rows: for machines with everything, for a terminal in words; their paths in every notation."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import wording
from kassettui.cli.states import health_style, health_words, stars, state_style
from kassettui.cli.tables import Column
from kassettui.core.errors import InvalidInput
from kassettui.core.frames import FrameRanges
from kassettui.core.patterns import Notation, Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kassettui.library.assets import Asset, Attached, Summary

    Row = Mapping[str, Any]

TIMES: Final = frozenset(
    {
        "missing_since",
        "deleted_at",
        "health_at",
        "verified_at",
        "discovered_at",
        "created_at",
        "updated_at",
    }
)
_INTERNAL: Final = frozenset({"id", "collection_uuid"})
_ADDED: Final = frozenset({"collection_id", "mtime", "tags", "best", "pattern"})
SHORT_ID: Final = 8


def summary_fields() -> frozenset[str]:
    """The fields that a page of the library has at once."""
    from kassettui.library.assets import Summary

    return (frozenset(Summary._fields) | _ADDED) - _INTERNAL


def asset_fields() -> tuple[str, ...]:
    """All fields that `--fields` may name."""
    from kassettui.library.assets import Asset

    names = (*(field.name for field in dataclasses.fields(Asset)), *sorted(_ADDED))
    return tuple(name for name in names if name not in _INTERNAL)


def row_of(asset: Summary | Asset) -> dict[str, Any]:
    """An asset for machines: times in ISO 8601, the collection as `collection_id`."""
    row: dict[str, Any] = {"uuid": asset.uuid, "collection_id": asset.collection_uuid}
    for name, value in _items(asset):
        if name in _INTERNAL or name == "uuid":
            continue
        row[name] = wording.iso(value) if name in TIMES and value is not None else value
        if name == "mtime_ns":
            row["mtime"] = None if value is None else wording.iso_ns(value)
    return row


def _items(asset: Summary | Asset) -> Iterator[tuple[str, Any]]:
    if isinstance(asset, tuple):
        return iter(asset._asdict().items())
    return ((field.name, getattr(asset, field.name)) for field in dataclasses.fields(asset))


def hangs_on(asset_id: int, attached: Attached) -> dict[str, Any]:
    """Tags and version of one asset of a page."""
    version = attached.versions.get(asset_id)
    return {
        "tags": list(attached.tags.get(asset_id, ())),
        "best": version is not None and version.number == version.best,
    }


def pattern_of(asset: Row) -> Pattern | None:
    """The whole path of a sequence as a pattern with its frames; None for everything else."""
    pattern, ranges = asset.get("sequence_pattern"), asset.get("frame_ranges")
    if asset["kind"] != "sequence" or not pattern or not ranges:
        return None
    directory, identity = os.path.split(asset["path"])
    hashes = os.path.basename(pattern)
    padding = len(hashes) - len(identity) + 1
    for place in reversed(range(len(identity))):
        if identity[place] != "#":
            continue
        head, suffix = identity[:place], identity[place + 1 :]
        if hashes == f"{head}{'#' * padding}{suffix}":
            return Pattern(os.path.join(directory, head), suffix, padding, FrameRanges.parse(ranges))
    return None


def paths_of(asset: Row, notation: Notation, *, frames: bool) -> Iterator[str]:
    """What stands on disk: a file's path; a sequence as one pattern, or as the path of each frame."""
    pattern = pattern_of(asset)
    if pattern is None:
        yield asset["path"]
    elif frames:
        yield from pattern.names()
    else:
        yield pattern.text(notation)


def shown_name(row: Row) -> str:
    """`beauty.[1001-1010].exr`: the name with the frames that there are."""
    pattern = pattern_of(row)
    return row["name"] if pattern is None else os.path.basename(pattern.text())


def _frames(row: Row) -> str:
    count, holes = row.get("frame_count"), row.get("hole_count") or 0
    if count is None:
        duration = row.get("duration_ms")
        return "" if duration is None else wording.duration(duration / 1000)
    return f"{wording.number(count)}/{wording.number(count + holes)}" if holes else wording.number(count)


def state_words(row: Row) -> str:
    """An asset's state, or what counts more: that it is missing, that it is approved."""
    if row.get("missing_since"):
        return "✖ missing"
    return "✓ approved" if row.get("approved_for_broadcast") else str(row.get("state") or "")


COLUMNS: Final = (
    Column("uuid", "id", shown=lambda uuid: uuid[:SHORT_ID], style=lambda _: "dim", rank=1),
    Column("name", "name", of_row=shown_name, shrinks=True),
    Column("frame_count", "frames", of_row=_frames, right=True),
    Column("health", "health", shown=health_words, style=health_style),
    Column("state", "state", of_row=state_words, style=state_style),
    Column("rating", "rating", shown=stars, rank=3),
    Column("size", "size", shown=wording.size, right=True, rank=2),
    Column("tags", "tags", shown=", ".join, plain=lambda tags: ", ".join(tags or ()), shrinks=True, rank=4),
    Column("path", "directory", shown=os.path.dirname, shrinks=True, rank=5),
)
"""What a list shows."""


def _plain(value: Any) -> Any:
    """A cell of several values as text."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={entry}" for key, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def words(value: Any) -> str:
    """A value of any field in words."""
    return str(_plain(value))


def columns_of(fields: Sequence[str]) -> list[Column]:
    """Columns for the fields that a person asked for."""
    known = {column.key: column for column in COLUMNS}
    return [known.get(name) or Column(name, name, shown=words, plain=_plain, shrinks=True) for name in fields]


def fields_named(text: str, known: Sequence[str]) -> list[str]:
    """`--fields a,b,c`. Raises InvalidInput for one that there is not."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1)
            remedy = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(known))}."
            raise InvalidInput(f"There is no field {name!r}.", remedy=remedy)
    if not names:
        raise InvalidInput("--fields names no field.", remedy="For instance: --fields name,frame_ranges,size")
    return names
