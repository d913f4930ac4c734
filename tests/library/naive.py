"""The query grammar once more, in plain Python over plain values: what search is compared with."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from kassettui.core.query.syntax import (
    And,
    Everything,
    Interval,
    IsTrue,
    Match,
    Node,
    Not,
    NumberIn,
    OneOf,
    Or,
    Present,
    Query,
    TextIn,
    TextIs,
    TimeIn,
    Word,
    ascii_lower,
)
from kassettui.core.text import to_stored
from tests.library.stock import NOW, asset_uuid, collection_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.core.query.fields import Field
    from tests.library.stock import Stocked

COLLECTIONS = ("abc", "xyz")
COLUMNS = {
    "rating": "rating", "version": "version_number", "missing": "hole_count",
    "damaged": "damaged_count", "frames": "frame_count", "first": "frame_first", "size": "size",
    "duration": "duration_ms", "width": "width", "fps": "fps", "health": "health",
    "pattern": "sequence_pattern", "title": "title", "description": "description",
    "missing_since": "missing_since", "deleted_at": "deleted_at", "verified": "verified_at",
    "compression": "compression", "hash": "content_hash", "error": "last_error",
    "health_level": "health_level",
}  # fmt: skip
DEFAULTS: dict[str, Any] = {"size": 0, "title": "", "description": ""}


def find(assets: Sequence[Stocked], query: Query) -> list[int]:
    """The ids that `query` finds, in its order."""
    found = [n for n, one in enumerate(assets, 1) if _shown(query, one) and _matches(query, n, one)]

    def compare(left: int, right: int) -> int:
        for key in query.sort:
            a, b = (_rank(value_of(n, assets[n - 1], key.field)) for n in (left, right))
            if a != b:
                return (-1 if a < b else 1) * (-1 if key.descending else 1)
        down = bool(query.sort) and query.sort[-1].descending
        return (left - right) * (-1 if down else 1)

    return sorted(found, key=functools.cmp_to_key(compare))


def _rank(value: Any) -> tuple[int, Any]:
    """What has no value is below everything; text goes by its stored bytes."""
    if value is None:
        return (0, 0)
    return (1, to_stored(value).encode() if isinstance(value, str) else value)


def _matches(query: Query, number: int, one: Stocked) -> bool:
    return query.expression is None or matches(query.expression, number, one)


def _shown(query: Query, one: Stocked) -> bool:
    asks = query.expression is not None and _asks_for_deleted(query.expression)
    return asks or not one.columns.get("is_deleted")


def _asks_for_deleted(node: Node) -> bool:
    if isinstance(node, And | Or):
        return any(map(_asks_for_deleted, node.operands))
    if isinstance(node, Not):
        return _asks_for_deleted(node.operand)
    return hasattr(node, "field") and node.field.name in ("deleted", "deleted_at")


def matches(node: Node, number: int, one: Stocked) -> bool:
    """Whether the asset with this id meets `node`."""
    match node:
        case And(operands):
            return all(matches(operand, number, one) for operand in operands)
        case Or(operands):
            return any(matches(operand, number, one) for operand in operands)
        case Not(operand):
            return not matches(operand, number, one)
        case Everything():
            return True
    return _meets(node, number, one)


def _meets(node: Node, number: int, one: Stocked) -> bool:
    match node:
        case Word(text, phrase):
            return _word(one, text, phrase=phrase)
        case TextIs(field, how, value):
            return any(_text(field, text, how, value) for text in texts_of(number, one, field))
        case TextIn(field, low, high, low_open, high_open):
            interval = (_stored(low), _stored(high), low_open, high_open)
            return any(_within(_stored(text), *interval) for text in texts_of(number, one, field))
        case NumberIn(field, Interval(low, high, low_open, high_open)):
            return _within(value_of(number, one, field), low, high, low_open, high_open)
        case TimeIn(field, low, high):
            value = value_of(number, one, field)
            if field.name == "mtime":
                low, high = (None if bound is None else bound * 1000 for bound in (low, high))
            return _within(value, low, high, False, True)
        case OneOf(field, values):
            return value_of(number, one, field) in values
        case IsTrue(field):
            return _flag(one, field.name)
        case Present(field):
            if field.type.value == "text":
                return any(texts_of(number, one, field))
            return value_of(number, one, field) is not None
    raise AssertionError(node)


def _stored(text: str | None) -> bytes | None:
    return None if text is None else to_stored(ascii_lower(text)).encode()


def _within(value: Any, low: Any, high: Any, low_open: bool, high_open: bool) -> bool:
    if value is None:
        return False
    above = low is None or (value > low if low_open else value >= low)
    return above and (high is None or (value < high if high_open else value <= high))


def value_of(number: int, one: Stocked, field: Field) -> Any:
    """The one value of a field, None where it is not known."""
    name = field.name
    plain: dict[str, Any] = {
        "kind": one.columns.get("kind", "image"),
        "state": one.columns.get("state", "new"),
        "mtime": one.columns.get("mtime_ns"),
        "name": one.name,
        "path": one.path,
        "extension": one.name.rpartition(".")[2] if "." in one.name else "",
        "collection": COLLECTIONS[one.collection - 1],
        "id": asset_uuid(number),
        "created": NOW,
        "updated": NOW,
        "discovered": NOW,
    }
    if name in plain:
        return plain[name]
    if name.startswith("layout."):
        return one.layout.get(name.removeprefix("layout."))
    if name.startswith("metadata."):
        value = metadata_of(one).get(name.removeprefix("metadata."))
        return None if value is None else str(value)
    if name in COLUMNS:
        return one.columns.get(COLUMNS[name], DEFAULTS.get(name))
    counts = one.columns.get("health_counts")
    if counts is None:
        return None
    import json

    return json.loads(counts).get(name, 0)


def metadata_of(one: Stocked) -> dict[str, Any]:
    import json

    text = one.columns.get("metadata")
    found: dict[str, Any] = {} if text is None else json.loads(text)
    return found


def texts_of(number: int, one: Stocked, field: Field) -> list[str]:
    """All texts of a field."""
    if field.name == "tag":
        return list(one.tags)
    if field.name == "folder":
        return [folder or "/" for folder in one.folders]
    if field.name == "layout":
        return list(one.layout.values())
    if field.name == "metadata":
        return [str(value) for value in metadata_of(one).values()]
    value = value_of(number, one, field)
    return [] if value is None else [value]


def _text(field: Field, text: str, how: Match, value: str) -> bool:
    text, value = to_stored(text), to_stored(value)
    if field.name == "id":
        return text == value.lower() if how is Match.EXACT else _id(text, how, value.lower())
    if how is Match.EXACT:
        if field.name == "tag":
            return text.casefold() == value.casefold()
        if field.name == "folder":
            return text.strip("/") == value.strip("/")
        if field.name == "collection":
            return text == value.casefold() or collection_uuid(COLLECTIONS.index(text) + 1) == value
        return text == value
    if how is Match.REGEX:
        return re.search(value, text, re.IGNORECASE | re.ASCII) is not None
    if value.isascii():
        text, value = ascii_lower(text), ascii_lower(value)
    else:
        text, value = text.casefold(), value.casefold()
    if how is Match.CONTAINS:
        return value in text
    pattern = ".*".join(re.escape(part) for part in value.split("*"))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def _id(text: str, how: Match, value: str) -> bool:
    return text.startswith(value) if how is Match.CONTAINS else _text(_NAME, text, how, value)


def _flag(one: Stocked, name: str) -> bool:
    return {
        "approved": bool(one.columns.get("approved_for_broadcast")),
        "operator_verified": bool(one.columns.get("operator_verified")),
        "gone": one.columns.get("missing_since") is not None,
        "deleted": bool(one.columns.get("is_deleted")),
        "best": one.best is True,
    }[name]


# -- words --------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """The words of a text as the full-text index takes them: letters and digits, without case and accents."""
    plain = "".join(
        one for one in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(one) != "Mn"
    )
    return re.findall(r"[^\W_]+", plain)


def _word(one: Stocked, text: str, *, phrase: bool) -> bool:
    columns = [one.name, one.path, *(one.columns.get(name, "") for name in ("title", "description"))]
    columns.append("\n".join(sorted(one.tags)))
    stored = [to_stored(column) for column in columns]
    wanted = to_stored(text if phrase else text.rstrip("*"))
    words = tokens(wanted)
    if not words:
        literal = ascii_lower(wanted or text)
        return any(literal in ascii_lower(column) for column in stored)
    return any(_follow(tokens(column), words, phrase=phrase) for column in stored)


def _follow(text: list[str], words: list[str], *, phrase: bool) -> bool:
    """Whether `words` stand in `text` one after the other; the last may be a beginning unless a phrase."""
    for start in range(len(text) - len(words) + 1):
        part = text[start : start + len(words)]
        last = part[-1] == words[-1] if phrase else part[-1].startswith(words[-1])
        if part[:-1] == words[:-1] and last:
            return True
    return False


def _name_field() -> Field:
    from kassettui.core.query.fields import FIELD_NAMES

    return FIELD_NAMES["name"]


_NAME = _name_field()
