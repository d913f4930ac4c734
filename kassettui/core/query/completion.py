"""What may stand at the cursor: fields, operators, values. The library adds the values that only it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.query.fields import FIELDS, LAYOUT_LEVELS, SORT, Field, Type, find_field, layout_field
from kassettui.core.query.syntax import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_EXAMPLES: Final[dict[Type, tuple[tuple[str, str], ...]]] = {
    Type.SIZE: ((">2G", "larger than 2 GiB"), ("<100M", "smaller than 100 MiB")),
    Type.TIME: ((">-7d", "in the last 7 days"), ("today", "today"), ("yesterday", "yesterday")),
    Type.DURATION: ((">10s", "longer than 10 seconds"), ("<1m", "shorter than a minute")),
    Type.NUMBER: ((">0", "more than none"),),
    Type.VERSION: ((">1", "above version 1"),),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One completion: `text` replaces the completion's span; `help` says what it means."""

    text: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What is at the cursor. `field` is set in a value; `prefix` is the part of the word already there.

    `span` is what a candidate replaces. `open_value` says that the library may know more values of `field`.
    """

    span: Span
    prefix: str
    field: Field | None = None
    candidates: tuple[Candidate, ...] = ()
    open_value: bool = False


def complete(text: str, cursor: int, *, levels: Collection[str] = ()) -> Completion:
    """The completion at `cursor` (an offset into `text`). Never raises: unfinished text is what it is for."""
    cursor = max(0, min(cursor, len(text)))
    start = _term_start(text, cursor)
    written = text[start:cursor]
    name, operator, value = _split(written)
    field = find_field(name, levels) if operator else None
    if name.lower() == SORT and operator:
        return _sort_keys(start + len(name) + len(operator), cursor, value, levels)
    if field is None:
        return Completion(Span(start, cursor), written, candidates=tuple(_names(written, levels)))
    value_start = start + len(name) + len(operator)
    prefix = value.lstrip('"')
    return Completion(
        Span(value_start, cursor),
        prefix,
        field,
        tuple(_values(field, prefix)),
        open_value=field.type is Type.TEXT,
    )


def quoted(value: str) -> str:
    """`value` as a query may hold it: in quotes where it has to be."""
    plain = value and not any(character.isspace() or character in '()"*' for character in value)
    if plain and ".." not in value and value[0] not in "<>=!~":
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _term_start(text: str, cursor: int) -> int:
    """Where the cursor's term begins: after the last space or parenthesis outside quotes, and its `-`."""
    start = 0
    in_quotes = False
    position = 0
    while position < cursor:
        character = text[position]
        if in_quotes and character == "\\":
            position += 1
        elif character == '"':
            in_quotes = not in_quotes
        elif not in_quotes and (character.isspace() or character in "()"):
            start = position + 1
        position += 1
    start = min(start, cursor)
    return start + 1 if text[start:cursor].startswith("-") else start


def _split(written: str) -> tuple[str, str, str]:
    """(field name, operator, value) of an unfinished term; the operator is empty before there is one."""
    for position, character in enumerate(written):
        if character in ":=~<>":
            end = position + 1
            while end < len(written) and written[end] in "<>=~":
                end += 1
            return written[:position], written[position:end], written[end:]
        if not (character.isalnum() or character in "_.-"):
            break
    return "", "", written


def _names(prefix: str, levels: Iterable[str]) -> Iterable[Candidate]:
    lowered = prefix.lower()
    known = [*FIELDS, *(layout_field(level) for level in dict.fromkeys((*LAYOUT_LEVELS, *levels)))]
    names = [(field.name.removeprefix("layout."), field.help) for field in known]
    for name, help_ in [*names, (SORT, "the order: sort:-mtime")]:
        if lowered and name.startswith(lowered):
            yield Candidate(f"{name}:", help_)


def _values(field: Field, prefix: str) -> Iterable[Candidate]:
    lowered = prefix.lower()
    for choice in field.choices:
        if choice.startswith(lowered):
            yield Candidate(choice)
    for text, help_ in _EXAMPLES.get(field.type, ()):
        if text.startswith(lowered):
            yield Candidate(text, help_)
    if not lowered:
        yield Candidate("*", "any, as long as there is one")


def _sort_keys(start: int, cursor: int, value: str, levels: Iterable[str]) -> Completion:
    written = value.rpartition(",")[2]
    key_start = cursor - len(written)
    sign = "-" if written.startswith("-") else ""
    lowered = written.lstrip("-+").lower()
    fields = [*FIELDS, *(layout_field(level) for level in dict.fromkeys((*LAYOUT_LEVELS, *levels)))]
    candidates = tuple(
        Candidate(sign + field.name.removeprefix("layout."), field.help)
        for field in fields
        if field.sortable and field.name.removeprefix("layout.").startswith(lowered)
    )
    return Completion(Span(max(start, key_start), cursor), written, candidates=candidates)
