"""The fields that a query may ask about: name, other names, type, what it means (spec: library L7).

Which column holds a field is the library's business. `layout.NAME` and `metadata.NAME` reach any level of a
collection's layout and any top-level entry of an asset's metadata; layout levels also go by their bare name.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kassettui.core.health import FrameState, SequenceState
from kassettui.core.kinds import Kind
from kassettui.core.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterable


class Type(StrEnum):
    """What a field holds, which decides how its value is read."""

    TEXT = "text"
    NUMBER = "number"
    SIZE = "size"
    TIME = "time"
    DURATION = "duration"
    CHOICE = "choice"
    FLAG = "yes or no"
    RATING = "rating"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `many`: an asset has a set of values of it. `sortable`: `sort:` takes it."""

    name: str
    type: Type
    help: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    many: bool = False
    sortable: bool = True


STATES: Final = tuple(state.value for state in State)
SEQUENCE_STATES: Final = tuple(state.value for state in SequenceState)
FRAME_STATES: Final = tuple(state.value for state in FrameState)
# Counts of frames by state that are fields of their own. `missing` is the count of holes, `ok` says little.
COUNTED: Final = tuple(
    state for state in FRAME_STATES if state not in (FrameState.OK.value, FrameState.MISSING.value)
)


def _text(name: str, help_: str, *aliases: str) -> Field:
    return Field(name, Type.TEXT, help_, aliases)


def _number(name: str, help_: str, *aliases: str) -> Field:
    return Field(name, Type.NUMBER, help_, aliases)


def _time(name: str, help_: str, *aliases: str) -> Field:
    return Field(name, Type.TIME, help_, aliases)


def _flag(name: str, help_: str, *aliases: str) -> Field:
    return Field(name, Type.FLAG, help_, aliases, ("yes", "no"), sortable=False)


def _set(name: str, help_: str, *aliases: str) -> Field:
    return Field(name, Type.TEXT, help_, aliases, many=True, sortable=False)


FIELDS: Final[tuple[Field, ...]] = (
    _text("name", "the file's or sequence's name"),
    _text("path", "the whole path"),
    Field("kind", Type.CHOICE, "what it is", ("type",), tuple(kind.value for kind in Kind)),
    _set("tag", "a tag, its parents included", "tags"),
    Field("rating", Type.RATING, "0 to 5, or unrated", ("stars",), ("0", "1", "2", "3", "4", "5", "unrated")),
    Field("state", Type.CHOICE, "where it stands", choices=(*STATES, *SEQUENCE_STATES)),
    _flag("approved", "approved for broadcast", "approved_for_broadcast"),
    _flag("best", "the best version of its group"),
    Field("version", Type.VERSION, "the version number in its name", ("version_number",)),
    _set("folder", "a folder's path in the library", "folders"),
    _text("collection", "the collection's name, or with = its uuid"),
    Field("health", Type.CHOICE, "what the last check found", choices=(*SEQUENCE_STATES, *FRAME_STATES)),
    _number("missing", "frames that are missing", "holes", "hole_count"),
    _number("damaged", "frames that are there and cannot be used", "damaged_count"),
    *(_number(state, f"frames that are {state.replace('_', ' ')}") for state in COUNTED),
    _number("frames", "how many frames there are", "frame_count"),
    _number("first", "the first frame", "frame_first"),
    _number("last", "the last frame", "frame_last"),
    _number("step", "the step between frames", "frame_step"),
    _number("padding", "digits of a frame number", "frame_padding"),
    _text("ranges", "the frames there are, as ranges", "frame_ranges"),
    _text("expected", "the frames there should be", "expected_ranges"),
    _text("pattern", "the sequence's pattern", "sequence_pattern"),
    Field("size", Type.SIZE, "bytes of all its files"),
    _time("mtime", "when its newest file changed", "modified"),
    Field("duration", Type.DURATION, "how long it runs", ("duration_ms",)),
    _number("width", "pixels across"),
    _number("height", "pixels down"),
    _number("aspect", "pixel aspect ratio", "pixel_aspect"),
    _number("channels", "how many channels it has"),
    _text("pixel_type", "half, float, uint8 and so on"),
    _text("compression", "how its pixels are packed"),
    _text("colour_space", "the colour space it says it is in", "color_space", "colorspace"),
    _number("fps", "frames a second"),
    _text("timecode", "its first timecode"),
    _text("video_codec", "codec of the pictures"),
    _text("audio_codec", "codec of the sound"),
    _text("container", "the movie's container"),
    _text("extension", "extension without the dot", "ext"),
    _text("title", "the title a person gave"),
    _text("description", "the description a person gave", "note"),
    _time("verified", "when its files were last proved against a manifest", "verified_at"),
    _flag("operator_verified", "looked at by a person"),
    _flag("gone", "not found by the last import"),
    _time("missing_since", "when it was first not found"),
    _flag("deleted", "deleted from the library", "is_deleted"),
    _time("deleted_at", "when it was deleted"),
    _number("health_level", "how deep the last check went: 0, 1 or 2"),
    _time("health_at", "when its frames were last checked", "checked"),
    _time("discovered", "when it was first found", "discovered_at"),
    _time("created", "when it came into the library", "created_at"),
    _time("updated", "when its row last changed", "updated_at"),
    _text("id", "its uuid, or the start of it", "uuid"),
    _text("key", "its canonical key", "canonical_key"),
    _text("signature", "its content signature", "content_signature"),
    _text("hash", "xxh3-128 of its content", "content_hash", "xxh3"),
    _text("checksum", "the enrichers that it went through", "enricher_checksum"),
    _text("error", "what the last enricher that failed said", "last_error"),
    _set("layout", "any level of its layout"),
    _set("metadata", "any value of its metadata"),
)

# Levels that productions name everywhere: known even before a collection has a layout with them.
LAYOUT_LEVELS: Final = (
    "show", "project", "season", "episode", "act", "sequence", "scene", "shot", "take", "task", "department",
    "asset", "character", "location", "prop", "element", "layer", "view",
)  # fmt: skip

SORT: Final = "sort"
_DOTTED: Final = re.compile(r"(layout|metadata)\.([a-z0-9_.-]{1,64})")

FIELD_NAMES: Final = MappingProxyType(
    {name: entry for entry in FIELDS for name in (entry.name, *entry.aliases)}
)


def layout_field(level: str) -> Field:
    """The field of a layout's level."""
    return Field(f"layout.{level}", Type.TEXT, f"the {level} that its path says")


def find_field(name: str, levels: Iterable[str] = ()) -> Field | None:
    """The field called `name`, in any case; `levels` are the layout levels of the library at hand."""
    name = name.lower()
    known = FIELD_NAMES.get(name)
    if known is not None:
        return known
    if name in LAYOUT_LEVELS or name in {level.lower() for level in levels}:
        return layout_field(name)
    dotted = _DOTTED.fullmatch(name)
    if dotted is None:
        return None
    if dotted[1] == "layout":
        return layout_field(dotted[2])
    return Field(f"metadata.{dotted[2]}", Type.TEXT, f"the {dotted[2]} of its metadata")


def similar_fields(name: str, levels: Iterable[str] = ()) -> list[str]:
    """Names of fields that look like `name`, best first; at most three."""
    return difflib.get_close_matches(name.lower(), [*FIELD_NAMES, *LAYOUT_LEVELS, *levels], n=3, cutoff=0.6)
