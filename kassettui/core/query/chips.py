"""A query as chips: its top-level terms one by one, to be taken out, added or replaced (for a filter bar).

Everything works on the text, so that what stands in the bar is what is searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.query.fields import SORT
from kassettui.core.query.parser import parse
from kassettui.core.query.syntax import And, Node, Not, Or, Query, Span
from kassettui.core.query.tokens import Sign, tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(frozen=True, slots=True)
class Chip:
    """One term that has to hold. `field` is set where it is about one field alone."""

    text: str
    field: str | None
    negated: bool
    span: Span


def chips(query: Query) -> tuple[Chip, ...]:
    """The terms of `query` that all have to hold; an alternative (`a OR b`) is one chip."""
    if query.expression is None:
        return ()
    if isinstance(query.expression, And):
        return tuple(_chip(query, operand) for operand in query.expression.operands)
    return (_chip(query, query.expression),)


def without(query: Query, chip: Chip) -> str:
    """The text of `query` without one of its chips."""
    before, after = query.text[: chip.span.start].rstrip(), query.text[chip.span.end :].lstrip()
    return f"{before} {after}".strip()


def replaced(query: Query, field: str, term: str, *, levels: Collection[str] = ()) -> str:
    """The text of `query` with `term` instead of its chips about `field`; an empty term takes them out.

    Terms in alternatives with other fields, and excluded ones, stay: somebody wrote them on purpose. `levels`
    are the layout levels that `query` was parsed with.
    """
    while True:
        about = next((chip for chip in chips(query) if chip.field == field and not chip.negated), None)
        if about is None:
            break
        query = parse(without(query, about), levels=levels)
    if not term:
        return query.text.strip()
    text, order = _parted(query.text)
    if isinstance(query.expression, Or):
        text = f"({text})"
    return " ".join(part for part in (text, term, order) if part)


def _parted(text: str) -> tuple[str, str]:
    """A query's text without its `sort:` terms, and these."""
    order: list[str] = []
    rest = text
    for token in reversed(tokens(text)):
        if token.sign is Sign.TERM and token.text.lower() == SORT:
            start, end = token.span
            order.insert(0, text[start:end])
            rest = f"{rest[:start].rstrip()} {rest[end:].lstrip()}"
    return rest.strip(), " ".join(order)


def _chip(query: Query, node: Node) -> Chip:
    start, end = _outer(query.text, node)
    negated = isinstance(node, Not)
    fields = set(_fields(node))
    field = fields.pop() if len(fields) == 1 else None
    return Chip(query.text[start:end], field, negated, Span(start, end))


def _outer(text: str, node: Node) -> Span:
    """The place of `node` with the parentheses around it."""
    start, end = node.span
    while True:
        before, after = text[:start].rstrip(), text[end:].lstrip()
        if not (before.endswith("(") and after.startswith(")")):
            return Span(start, end)
        start = len(before) - 1
        end = len(text) - len(after) + 1


def _fields(node: Node) -> Iterator[str | None]:
    if isinstance(node, And | Or):
        for operand in node.operands:
            yield from _fields(operand)
    elif isinstance(node, Not):
        yield from _fields(node.operand)
    else:
        found = getattr(node, "field", None)
        yield None if found is None else found.name
