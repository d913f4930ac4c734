"""From a query's text to tokens. Quotes and field terms are settled here, meaning in the parser.

A term is `field` + operator + value without spaces between; all else that is no operator or parenthesis is a
word. `-` excludes when it stands directly before a term. `AND`, `OR`, `NOT` count in capitals only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.query.errors import QueryError
from kassettui.core.query.syntax import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH: Final = 4096

_SPACE: Final = " \t\r\n\f\v\u00a0\u3000"
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)(:|!=|>=|<=|=|~|>|<)")
_OPERATOR = re.compile(r">=|<=|!=|=|~|>|<")


class Sign(StrEnum):
    """What a token is."""

    OPEN = "("
    CLOSE = ")"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    WORD = "word"
    PHRASE = "phrase"
    TERM = "term"
    SAVED = "saved"


class Piece(NamedTuple):
    """A value or an end of a range, with its place. `quoted` takes wildcards and keywords their meaning."""

    text: str
    quoted: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Token:
    """One token. Words, phrases and saved searches carry `text`; terms a field's name, operator and value.

    A range has both `value` and `upper`; either may be empty text (an open end).
    """

    sign: Sign
    span: Span
    text: str = ""
    operator: str = ""
    value: Piece | None = None
    upper: Piece | None = None


def tokens(query: str) -> list[Token]:
    """All tokens of `query`. Raises QueryError for what cannot be one."""
    if len(query) > MAX_LENGTH:
        raise QueryError(
            f"A query may have {MAX_LENGTH:,} characters; this one has {len(query):,}.",
            query=query,
            position=MAX_LENGTH,
            length=len(query) - MAX_LENGTH,
        )
    nul = query.find("\0")
    if nul >= 0:
        raise QueryError("A query cannot hold a NUL character.", query=query, position=nul)
    return list(_scan(query))


def _scan(query: str) -> Iterator[Token]:
    position = 0
    while position < len(query):
        character = query[position]
        if character in _SPACE:
            position += 1
            continue
        token = _token(query, position)
        yield token
        position = token.span.end


def _token(query: str, start: int) -> Token:
    """The token that begins at `start`, where no space is."""
    character = query[start]
    if character in "()":
        return Token(Sign(character), Span(start, start + 1))
    if character == "-":
        if start + 1 >= len(query) or query[start + 1] in _SPACE + ")-":
            raise QueryError(
                "'-' excludes the term that follows it, and none does.",
                query=query,
                position=start,
                remedy='To search for it, put it in quotes: "-".',
            )
        return Token(Sign.NOT, Span(start, start + 1), "-")
    if character == '"':
        piece = _quoted(query, start)
        return Token(Sign.PHRASE, piece.span, piece.text)
    if character == "@":
        return _saved(query, start)
    field = _FIELD.match(query, start)
    if field is not None:
        return _term(query, field)
    end = _raw_end(query, start)
    text = query[start:end]
    if text in ("AND", "OR", "NOT"):
        return Token(Sign(text), Span(start, end), text)
    return Token(Sign.WORD, Span(start, end), text)


def _raw_end(query: str, start: int) -> int:
    """Where the unquoted run that begins at `start` ends: at a space, a parenthesis or a quote."""
    end = start
    while end < len(query) and query[end] not in _SPACE and query[end] not in '()"':
        end += 1
    return end


def _quoted(query: str, start: int) -> Piece:
    """The quoted text that begins at `start`. A backslash takes a quote or a backslash as it stands."""
    text: list[str] = []
    position = start + 1
    while position < len(query):
        character = query[position]
        if character == '"':
            return Piece("".join(text), quoted=True, span=Span(start, position + 1))
        if character == "\\" and query[position + 1 : position + 2] in ('"', "\\"):
            position += 1
            character = query[position]
        text.append(character)
        position += 1
    raise QueryError("This quote is never closed.", query=query, position=start, length=len(query) - start)


def _saved(query: str, start: int) -> Token:
    if query[start + 1 : start + 2] == '"':
        name = _quoted(query, start + 1)
    else:
        end = _raw_end(query, start + 1)
        name = Piece(query[start + 1 : end], quoted=False, span=Span(start + 1, end))
    if not name.text.strip():
        raise QueryError("'@' needs the name of a saved search.", query=query, position=start)
    return Token(Sign.SAVED, Span(start, name.span.end), name.text)


def _term(query: str, field: re.Match[str]) -> Token:
    operator = field[2]
    position = field.end()
    if operator == ":":
        inner = _OPERATOR.match(query, position)
        if inner is not None:
            operator, position = inner[0], inner.end()
    value = _pattern(query, position) if operator == "~" else _piece(query, position, split=operator == ":")
    upper = None
    if operator == ":" and query.startswith("..", value.span.end):
        upper = _piece(query, value.span.end + 2, split=False)
    end = upper.span.end if upper is not None else value.span.end
    return Token(Sign.TERM, Span(field.start(), end), field[1], operator, value, upper)


def _pattern(query: str, start: int) -> Piece:
    """The pattern that begins at `start`: unquoted it may hold parentheses, as long as they are in pairs."""
    if query[start : start + 1] == '"':
        return _quoted(query, start)
    end = start
    depth = 0
    while end < len(query) and query[end] not in _SPACE:
        depth += (query[end] == "(") - (query[end] == ")")
        if depth < 0:
            break
        end += 1
    return Piece(query[start:end], quoted=False, span=Span(start, end))


def _piece(query: str, start: int, *, split: bool) -> Piece:
    """The value that begins at `start`, quoted or not; unquoted it ends before `..` where `split`."""
    if query[start : start + 1] == '"':
        return _quoted(query, start)
    end = _raw_end(query, start)
    if split:
        dots = query.find("..", start, end)
        end = dots if dots >= 0 else end
    return Piece(query[start:end], quoted=False, span=Span(start, end))
