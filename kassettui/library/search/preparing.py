"""A query made ready for one library: its layout levels known, saved searches in place, patterns proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kassettui.core.query import Query, QueryError
from kassettui.core.query.parser import parse
from kassettui.core.query.syntax import And, Everything, Match, Node, Not, Or, Saved, SortKey, TextIs
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import engine
from kassettui.library.search.names import levels, search_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.engine import LibraryDatabase

MAX_NODES: Final = 512
_MAX_NESTING: Final = 8


def prepare(db: LibraryDatabase, query: str | Query) -> Query:
    """`query` with nothing left to look up before it is planned. Raises QueryError."""
    parsed = parse(query, levels=levels(db)) if isinstance(query, str) else query
    if parsed.expression is None:
        return parsed
    placing = _Placing(db, parsed)
    expression = placing.place(parsed.expression, ())
    _prove_patterns(db, parsed, expression)
    return Query(parsed.text, expression, parsed.sort or placing.sort)


class _Placing:
    """Puts the expressions of saved searches where their names stand."""

    def __init__(self, db: LibraryDatabase, query: Query) -> None:
        self._db = db
        self._query = query
        self._nodes = 0
        self.sort: tuple[SortKey, ...] = ()
        """The order of the first saved search that has one."""

    def place(self, node: Node, inside: tuple[str, ...]) -> Node:
        """`node` without names of saved searches; `inside` are those that it is part of."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error("The saved searches in this query are too much together.", node)
        if isinstance(node, Saved):
            return self._saved(node, inside)
        if isinstance(node, Not):
            return Not(self.place(node.operand, inside), node.span)
        if isinstance(node, And | Or):
            placed = [self.place(operand, inside) for operand in node.operands]
            kind = type(node)
            flat = [part for one in placed for part in (one.operands if isinstance(one, kind) else (one,))]
            return kind(tuple(flat), node.span)
        return node

    def _saved(self, node: Saved, inside: tuple[str, ...]) -> Node:
        key = search_key(node.name)
        if key in inside:
            raise self._error(f"The saved search {safe(node.name)!r} is part of itself.", node)
        if len(inside) >= _MAX_NESTING:
            raise self._error(f"Saved searches may stand {_MAX_NESTING} deep in each other.", node)
        text = self._db.scalar("SELECT query FROM saved_searches WHERE name_key = ?", (to_stored(key),))
        if text is None:
            raise self._error(
                f"There is no saved search called {safe(node.name)!r}.",
                node,
                "See the saved ones with: kassettui search ls",
            )
        try:
            found = parse(from_stored(text), levels=levels(self._db))
        except QueryError as error:
            raise self._error(
                f"The saved search {safe(node.name)!r} cannot be understood: {error.message}", node
            ) from error
        self.sort = self.sort or found.sort
        if found.expression is None:
            return Everything(node.span)
        return self.place(found.expression, (*inside, key))

    def _error(self, message: str, node: Node, remedy: str = "") -> QueryError:
        start, end = node.span
        return QueryError(message, query=self._query.text, position=start, length=end - start, remedy=remedy)


def _prove_patterns(db: LibraryDatabase, query: Query, expression: Node) -> None:
    """Have the engine look at every pattern before any row is read. Raises QueryError for what is none."""
    for node in _patterns(expression):
        fault = engine.pattern_fault(db, to_stored(node.value))
        if fault is not None:
            start, end = node.span
            raise QueryError(
                f"This pattern cannot be read: {fault}.",
                query=query.text,
                position=start,
                length=end - start,
                remedy="To search for the text itself, use : instead of ~.",
            )


def _patterns(node: Node) -> Iterator[TextIs]:
    if isinstance(node, And | Or):
        for operand in node.operands:
            yield from _patterns(operand)
    elif isinstance(node, Not):
        yield from _patterns(node.operand)
    elif isinstance(node, TextIs) and node.match is Match.REGEX:
        yield node
