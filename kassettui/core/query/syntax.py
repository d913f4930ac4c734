"""The query's tree as values. The parser makes it, the library compiles it, the screen reads chips from it.

Every predicate is two-valued: a field that is not known matches nothing, and NOT of that matches. Comparing
text ignores the case of ASCII letters, and of all letters where the value has others (`fold`); `=` is to the
letter. Times are microseconds since the epoch, sizes bytes, durations milliseconds.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kassettui.core.query.fields import Field


class Span(NamedTuple):
    """Where in the query's text something stands: offsets, the end excluded."""

    start: int
    end: int


_NOWHERE = Span(0, 0)


class Match(StrEnum):
    """How text is compared. A glob is matched against the whole text; a regex anywhere in it."""

    CONTAINS = "contains"
    EXACT = "is"
    GLOB = "is like"
    REGEX = "matches"


class Interval(NamedTuple):
    """From `low` to `high`; None is without bound; `open` ends exclude the bound itself."""

    low: float | int | None = None
    high: float | int | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """Full text: the start of a word (`phrase` False), or the words of a quoted phrase as they stand."""

    text: str
    phrase: bool = False
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TextIs:
    """A text field, or any one of a set of texts (tags, folders), compared with `value`."""

    field: Field
    match: Match
    value: str
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TextIn:
    """A text field between two texts, in the order of code points after `fold` of ASCII."""

    field: Field
    low: str | None
    high: str | None
    low_open: bool = False
    high_open: bool = False
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class NumberIn:
    """A number, size (bytes), duration (ms), rating or version in an interval."""

    field: Field
    interval: Interval
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TimeIn:
    """A time in the half-open `low <= t < high`; None is without bound."""

    field: Field
    low: int | None
    high: int | None
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field with a closed list of values is one of `values`."""

    field: Field
    values: tuple[str, ...]
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class IsTrue:
    """A yes-or-no field is yes. No is `Not` of it."""

    field: Field
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value: `field:*`. Empty text and empty sets are none."""

    field: Field
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Everything:
    """Every asset: what a saved search without terms stands for."""

    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved search by its name: `@name`. Whoever evaluates puts its expression here."""

    name: str
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """All that `operand` is not."""

    operand: Node
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more operands; none of them is an And."""

    operands: tuple[Node, ...]
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more operands; none of them is an Or."""

    operands: tuple[Node, ...]
    span: Span = dataclasses.field(default=_NOWHERE, compare=False)


Predicate = Word | TextIs | TextIn | NumberIn | TimeIn | OneOf | IsTrue | Present
Node = Predicate | Everything | Saved | Not | And | Or


@dataclass(frozen=True, slots=True)
class SortKey:
    """One level of the order. What has no value comes first upwards and last downwards."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. No expression means everything; no sort means the order in which things came in."""

    text: str
    expression: Node | None = None
    sort: tuple[SortKey, ...] = ()


def fold(text: str, value: str) -> str:
    """`text` as it is compared with `value`: ASCII letters lowered, or folded where `value` has others."""
    return ascii_lower(text) if value.isascii() else text.casefold()


_LOWER = {code: code + 32 for code in range(65, 91)}


def ascii_lower(text: str) -> str:
    """`text` with A-Z lowered and nothing else changed: what SQLite's lower() does."""
    return text.lower() if text.isascii() else text.translate(_LOWER)
