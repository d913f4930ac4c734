"""A query's tree in words, for `--explain` and the screen. Its lines are not yet safe for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kassettui.core.query.syntax import (
    And,
    Everything,
    Interval,
    IsTrue,
    Node,
    Not,
    NumberIn,
    OneOf,
    Or,
    Present,
    Query,
    Saved,
    TextIn,
    TextIs,
    TimeIn,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def explain(query: Query) -> list[str]:
    """The tree, one line a node, indented by two spaces a level, and the order as last line."""
    lines = list(_lines(query.expression, 0)) if query.expression is not None else ["everything"]
    order = ", ".join(
        f"{key.field.name} {'downwards' if key.descending else 'upwards'}" for key in query.sort
    )
    return [*lines, f"order: {order or 'as things came in'}"]


def _lines(node: Node, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(node, And | Or):
        yield f"{indent}{'all of' if isinstance(node, And) else 'any of'}"
        for operand in node.operands:
            yield from _lines(operand, depth + 1)
    elif isinstance(node, Not):
        yield f"{indent}not"
        yield from _lines(node.operand, depth + 1)
    else:
        yield indent + _leaf(node)


def _leaf(node: Node) -> str:
    match node:
        case Word(text, phrase):
            return f"the phrase {text!r}" if phrase else f"a word that begins with {text!r}"
        case TextIs(field, how, value):
            return f"{field.name} {how} {value!r}"
        case TextIn(field, low, high, low_open, high_open):
            return _between(field.name, low, high, low_open=low_open, high_open=high_open)
        case NumberIn(field, interval):
            return _interval(field.name, interval)
        case TimeIn(field, low, high):
            return _between(field.name, _moment(low), _moment(high), high_open=True)
        case OneOf(field, values):
            return f"{field.name} is {' or '.join(values)}"
        case IsTrue(field):
            return f"{field.name} is yes"
        case Present(field):
            return f"{field.name} is known"
        case Everything():
            return "everything"
        case Saved(name):
            return f"the saved search {name!r}"
    raise AssertionError(node)


def _interval(name: str, interval: Interval) -> str:
    if interval.low is not None and interval.low == interval.high:
        return f"{name} = {interval.low}"
    return _between(
        name, interval.low, interval.high, low_open=interval.low_open, high_open=interval.high_open
    )


def _between(name: str, low: object, high: object, *, low_open: bool = False, high_open: bool = False) -> str:
    parts = []
    if low is not None:
        parts.append(f"{name} {'>' if low_open else '>='} {low}")
    if high is not None:
        parts.append(f"{name} {'<' if high_open else '<='} {high}")
    return " and ".join(parts)


def _moment(microseconds: int | None) -> str | None:
    """ISO 8601 in UTC; beyond the calendar the bare number."""
    if microseconds is None:
        return None
    try:
        return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(microseconds)
