"""From a query's text to its tree (spec: library L7). `parse` either returns a Query or raises QueryError."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from kassettui.core.query.errors import QueryError
from kassettui.core.query.fields import SORT, Field, Type, find_field, similar_fields
from kassettui.core.query.syntax import And, Node, Not, Or, Query, Saved, SortKey, Span, Word
from kassettui.core.query.terms import term
from kassettui.core.query.tokens import Sign, Token, tokens

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_TERMS: Final = 128
MAX_DEPTH: Final = 32
MAX_SORT_KEYS: Final = 4


def parse(text: str, *, levels: Collection[str] = (), now: datetime | None = None) -> Query:
    """The tree of `text`; empty text is the query for everything.

    `levels` are the layout levels that the library at hand knows beyond the usual ones. `now` (aware) is what
    relative times are seen from and whose zone dates are in; the clock's time in the local zone when None.
    """
    moment = now if now is not None else datetime.now().astimezone()
    return _Parser(text, levels, moment).parse()


class _Parser:
    """One parse: a recursive descent over the tokens, OR lowest, then AND (also unwritten), then NOT."""

    __slots__ = ("_depth", "_levels", "_now", "_position", "_sort", "_text", "_tokens")

    def __init__(self, text: str, levels: Collection[str], now: datetime) -> None:
        self._text = text
        self._levels = levels
        self._now = now
        self._tokens = tokens(text)
        self._position = 0
        self._depth = 0
        self._sort: list[SortKey] = []

    def parse(self) -> Query:
        self._tokens = self._without_sort()
        if len(self._tokens) > 4 * MAX_TERMS or self._count_terms() > MAX_TERMS:
            raise self._error(
                f"A query may have {MAX_TERMS} terms; this one has more.", self._tokens[-1].span
            )
        expression = self._any_of() if self._tokens else None
        if self._position < len(self._tokens):
            raise self._error("This parenthesis closes nothing.", self._tokens[self._position].span)
        return Query(self._text, expression, tuple(self._sort))

    # -- the order ----------------------------------------------------------------------------------------

    def _without_sort(self) -> list[Token]:
        """The tokens but for `sort:`, which may stand anywhere outside parentheses and negations."""
        rest: list[Token] = []
        depth = 0
        for token in self._tokens:
            depth += (token.sign is Sign.OPEN) - (token.sign is Sign.CLOSE)
            if token.sign is not Sign.TERM or token.text.lower() != SORT:
                rest.append(token)
                continue
            if depth > 0 or (rest and rest[-1].sign is Sign.NOT):
                raise self._error("sort: stands outside parentheses and is never excluded.", token.span)
            self._read_sort(token)
        return rest

    def _read_sort(self, token: Token) -> None:
        value = token.value
        if value is None or not value.text or token.operator not in (":", "=") or token.upper is not None:
            raise self._error("sort: takes fields, such as sort:-mtime or sort:-rating,name.", token.span)
        start = value.span.start + value.quoted
        for part in value.text.split(","):
            span = Span(start, start + len(part))
            start += len(part) + 1
            descending = part.startswith("-")
            name = part.strip().lstrip("-+")
            field = find_field(name, self._levels)
            if field is None:
                raise self._unknown_field(name, span)
            if not field.sortable:
                raise self._error(f"There is no order by {field.name}.", span)
            if any(key.field.name == field.name for key in self._sort) or len(self._sort) >= MAX_SORT_KEYS:
                raise self._error(f"sort: takes a field once, and at most {MAX_SORT_KEYS} of them.", span)
            self._sort.append(SortKey(field, descending))

    # -- the tree -----------------------------------------------------------------------------------------

    def _any_of(self) -> Node:
        """term AND term OR term AND term …"""
        start = self._place().start
        operands = [self._all_of()]
        while self._here(Sign.OR):
            self._operator_needs_term()
            operands.append(self._all_of())
        flat = [part for node in operands for part in (node.operands if isinstance(node, Or) else (node,))]
        return flat[0] if len(flat) == 1 else Or(tuple(flat), Span(start, self._end()))

    def _all_of(self) -> Node:
        """term AND term term …"""
        start = self._place().start
        operands = [self._negated()]
        while self._position < len(self._tokens) and not (self._here(Sign.OR) or self._here(Sign.CLOSE)):
            if self._here(Sign.AND):
                self._operator_needs_term()
            operands.append(self._negated())
        flat = [part for node in operands for part in (node.operands if isinstance(node, And) else (node,))]
        return flat[0] if len(flat) == 1 else And(tuple(flat), Span(start, self._end()))

    def _negated(self) -> Node:
        """NOT term, -term, term; two negations are none."""
        start = self._place().start
        negations = 0
        while self._here(Sign.NOT):
            self._operator_needs_term()
            negations += 1
        node = self._operand()
        if negations % 2 == 0:
            return node
        return node.operand if isinstance(node, Not) else Not(node, Span(start, self._end()))

    def _operand(self) -> Node:
        """A term, or an expression in parentheses."""
        token = self._tokens[self._position] if self._position < len(self._tokens) else None
        if token is None:
            raise self._error("Here a term is missing.", self._place())
        if token.sign is Sign.OPEN:
            return self._group(token)
        if token.sign in (Sign.AND, Sign.OR):
            raise self._error(
                f"{token.sign} needs a term on its left.",
                token.span,
                f'To search for the word: "{token.sign}".',
            )
        if token.sign is Sign.CLOSE:
            raise self._error("This parenthesis closes nothing.", token.span)
        self._position += 1
        return self._leaf(token)

    def _leaf(self, token: Token) -> Node:
        if token.sign is Sign.SAVED:
            return Saved(token.text, token.span)
        if token.sign is not Sign.TERM:
            if token.sign is Sign.PHRASE and not token.text.strip():
                raise self._error("There is nothing between these quotes.", token.span)
            return Word(token.text, token.sign is Sign.PHRASE, token.span)
        field = find_field(token.text, self._levels)
        if field is None:
            raise self._unknown_field(token.text, Span(token.span.start, token.span.start + len(token.text)))
        return term(self._text, token, field, self._now)

    def _group(self, opening: Token) -> Node:
        if self._depth >= MAX_DEPTH:
            raise self._error(f"Parentheses may stand {MAX_DEPTH} deep.", opening.span)
        self._position += 1
        if self._here(Sign.CLOSE):
            raise self._error("There is nothing between these parentheses.", opening.span)
        self._depth += 1
        node = self._any_of() if self._position < len(self._tokens) else None
        self._depth -= 1
        if node is None or not self._here(Sign.CLOSE):
            raise self._error("This parenthesis is never closed.", opening.span)
        self._position += 1
        return node

    # -- small talk ---------------------------------------------------------------------------------------

    def _count_terms(self) -> int:
        return sum(token.sign in (Sign.WORD, Sign.PHRASE, Sign.TERM, Sign.SAVED) for token in self._tokens)

    def _here(self, sign: Sign) -> bool:
        return self._position < len(self._tokens) and self._tokens[self._position].sign is sign

    def _operator_needs_term(self) -> None:
        """Steps over an operator, behind which something must come."""
        token = self._tokens[self._position]
        self._position += 1
        if self._position >= len(self._tokens) or self._here(Sign.CLOSE):
            name = "NOT" if token.sign is Sign.NOT else token.sign.value
            raise self._error(f"{name} needs a term on its right.", token.span)

    def _place(self) -> Span:
        if self._position < len(self._tokens):
            return self._tokens[self._position].span
        return Span(len(self._text), len(self._text))

    def _end(self) -> int:
        return self._tokens[self._position - 1].span.end if self._position else 0

    def _unknown_field(self, name: str, span: Span) -> QueryError:
        similar = similar_fields(name, self._levels)
        hint = f"Did you mean {' or '.join(similar)}? " if similar else ""
        return self._error(
            f"There is no field {name!r}.", span, f"{hint}To search for the text, put it in quotes."
        )

    def _error(self, message: str, span: Span, remedy: str = "") -> QueryError:
        return QueryError(
            message, query=self._text, position=span.start, length=span.end - span.start, remedy=remedy
        )


__all__ = ["MAX_DEPTH", "MAX_SORT_KEYS", "MAX_TERMS", "Field", "Type", "parse"]
