"""How a page of a query is read: one SELECT, its shape chosen by how many assets its conditions can meet.

SQLite's own choice between indexes knows nothing of how many rows a tag, a word or a rating has, and its
full-text index cannot be asked row by row. So conditions that have a source are counted up to a limit
(below a millisecond each), words only where the order needs it, and then:

- gather: some source is small. Its rows are looked up, the other conditions tested, the rest sorted.
- stream: the order is that of the ids and a source gives them in it: read until the page is full.
- walk: the order has an index: read along it and test every row, until the page is full.
- scan: the order has no index: test every row and keep the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.query.syntax import And, IsTrue, Node, Not, Or, Present, TimeIn
from kassettui.library.search.columns import SORTED, Column, column_of
from kassettui.library.search.conditions import Condition, Cost, Source, conjuncts
from kassettui.library.search.names import Names

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from kassettui.core.query.syntax import Query, SortKey
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.search.cursors import Cursor

SMALL: Final = 8_000
"""Up to so many assets are looked up one by one rather than met on the way (see benchmarks/search.py)."""
_TINY: Final = 200
KEPT: Final = Condition("a.id NOT IN (SELECT id FROM assets WHERE is_deleted = 1)")
"""What is deleted is shown only to whoever asks for it."""
# Columns with an index, those that usually leave the fewest rows first.
_BY_WORTH: Final = (
    "a.uuid", "a.content_hash", "a.path", "a.name", "a.size", "a.mtime_ns", "a.layout_id", "a.version_number",
    "a.rating", "a.health",
)  # fmt: skip


class Shape(StrEnum):
    """How the rows are come by."""

    GATHER = "gather"
    STREAM = "stream"
    WALK = "walk"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT, everything outside bound."""

    sql: str
    parameters: tuple[Any, ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Plan:
    """A query made ready for one library: its conditions, its order, and the source to start from."""

    conditions: tuple[Condition, ...]
    sort: tuple[SortKey, ...]
    source: Source | None
    shape: Shape

    def page(self, after: Cursor | None, limit: int) -> Statement:
        """The SELECT of (id, value of each sort key…) for the `limit` rows after `after`."""
        if not self.sort:
            return self._by_id(after.id if after else None, limit)
        if self.shape is Shape.WALK:
            return self._walk(after, limit)
        return self._sorted(after, limit)

    def count(self, limit: int | None = None) -> Statement:
        """The SELECT of how many assets there are, counted up to `limit`."""
        alone = self._only_source()
        if alone is not None:
            # No row is needed where a source says it all.
            kept = any(one is KEPT for one in self.conditions)
            rows = f"FROM ({alone.sql}) a" + (f" WHERE {KEPT.sql}" if kept else "")
            parameters = alone.parameters
        else:
            where, parameters = self._where()
            if self.source is not None:
                where = f"a.id IN (SELECT id FROM ({self.source.sql})) AND {where}"
                parameters = (*self.source.parameters, *parameters)
            rows = f"FROM assets a WHERE {where}"
        if limit is None:
            return Statement(f"SELECT count(*) {rows}", parameters, self.shape)
        return Statement(f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT ?)", (*parameters, limit), self.shape)

    def _only_source(self) -> Source | None:
        """The source that holds all that the query finds, if there is one (but for deleted assets)."""
        others = [one for one in self.conditions if one is not KEPT]
        if self.shape is Shape.GATHER:
            return None if others else self.source
        return others[0].source if len(others) == 1 else None

    # -- shapes ---------------------------------------------------------------------------------------------

    def _where(self, bare: Container[str] = ()) -> tuple[str, tuple[Any, ...]]:
        """What is left to test for each row. An index may serve for the columns in `bare` alone."""
        rest = [one for one in self.conditions if self.source is None or one.source is not self.source]
        parts = [f"({one.sql if one.column in bare else one.veiled})" for one in rest]
        return " AND ".join(parts) or "1", tuple(value for one in rest for value in one.parameters)

    def _by_id(self, after: int | None, limit: int) -> Statement:
        """In the order of ids: upwards, as things came in."""
        where, parameters = self._where(bare=_ordered_by_id(self.conditions))
        begin = () if after is None else (after,)
        if self.source is None:
            above = "" if after is None else "a.id > ? AND "
            sql = f"SELECT a.id FROM assets a WHERE {above}{where} ORDER BY a.id LIMIT ?"
            return Statement(sql, (*begin, *parameters, limit), self.shape)
        inner = f"SELECT id FROM ({self.source.sql})" + ("" if after is None else " WHERE id > ?")
        bound = (*self.source.parameters, *begin, *parameters, limit)
        if self.shape is Shape.STREAM:
            sql = (
                f"SELECT a.id FROM ({inner}) s CROSS JOIN assets a ON a.id = s.id WHERE {where} ORDER BY s.id"
            )
        else:
            sql = f"SELECT a.id FROM assets a WHERE a.id IN ({inner}) AND {where} ORDER BY a.id"
        return Statement(f"{sql} LIMIT ?", bound, self.shape)

    def _sorted(self, after: Cursor | None, limit: int) -> Statement:
        """By sort keys, sorting what meets the conditions."""
        where, parameters = self._where()
        if self.source is not None:
            where = f"a.id IN (SELECT id FROM ({self.source.sql})) AND {where}"
            parameters = (*self.source.parameters, *parameters)
        if after is not None:
            segments = list(_following(self.sort, after))
            where += " AND (" + " OR ".join(f"({one.sql})" for one in segments) + ")"
            parameters = (*parameters, *(value for one in segments for value in one.parameters))
        order = ", ".join(_order(self.sort))
        sql = f"SELECT {_selected(self.sort)} FROM assets a WHERE {where} ORDER BY {order} LIMIT ?"
        return Statement(sql, (*parameters, limit), self.shape)

    def _walk(self, after: Cursor | None, limit: int) -> Statement:
        """Along the index of the first sort key, piece by piece: each piece is one range of it."""
        where, parameters = self._where(bare=(column_of(self.sort[0].field).sql,))
        segments = list(_following(self.sort, after) if after else _beginning(self.sort))
        parts: list[str] = []
        bound: list[Any] = []
        for one in segments:
            parts.append(
                f"SELECT * FROM (SELECT {_selected(self.sort)} FROM assets a WHERE ({one.sql}) AND {where} "
                f"ORDER BY {', '.join(one.order)} LIMIT ?)"
            )
            bound += [*one.parameters, *parameters, limit]
        if len(parts) == 1:
            return Statement(parts[0], tuple(bound), self.shape)
        return Statement(" UNION ALL ".join(parts) + " LIMIT ?", (*bound, limit), self.shape)


def plan(db: LibraryDatabase, query: Query) -> Plan:
    """Choose how to read `query`, in which saved searches are already in place."""
    conditions = conjuncts(query.expression, Names(db))
    if query.expression is None or not _asks_for_deleted(query.expression):
        conditions.append(KEPT)
    settled = tuple(conditions)
    # In the order of ids words stream whether they are many or few: there is no need to count them.
    source = _smallest(db, settled, words=bool(query.sort))
    if source is not None:
        rest, source = _with_words(settled, source)
        return Plan(rest, query.sort, source, Shape.GATHER)
    if query.sort:
        walked = query.sort[0].field.name in SORTED
        return Plan(settled, query.sort, None, Shape.WALK if walked else Shape.SCAN)
    streams = [one.source for one in settled if one.source is not None and one.source.ordered]
    if not streams:
        return Plan(settled, (), None, Shape.WALK)
    # Words first: they cannot be tested row by row, the others can.
    return Plan(settled, (), min(streams, key=lambda one: not one.words), Shape.STREAM)


def _smallest(db: LibraryDatabase, conditions: Sequence[Condition], *, words: bool) -> Source | None:
    """The source with the fewest ids, if it is small; `words` says whether those are asked too.

    Whatever has to be read through is asked last, and only where nothing else is small or streams.
    """
    sources = [one.source for one in conditions if one.source is not None]
    best: Source | None = None
    fewest = SMALL + 1
    for source in sources:
        if source.cost is Cost.SCAN or source.words or fewest <= _TINY:
            continue
        counted = f"SELECT count(*) FROM (SELECT 1 FROM ({source.sql}) LIMIT ?)"
        number = db.scalar(counted, (*source.parameters, fewest))
        if number < fewest:
            best, fewest = source, number
    if best is not None or (not words and any(source.words for source in sources)):
        return best
    for source in sorted(sources, key=lambda one: not one.words):
        if source.cost is Cost.SCAN or source.words:
            # Read through once: what was found is kept for the page.
            gathered = f"SELECT count(*), json_group_array(id) FROM (SELECT id FROM ({source.sql}) LIMIT ?)"
            number, ids = db.all(gathered, (*source.parameters, SMALL + 1))[0]
            if number <= SMALL:
                return Source("SELECT value AS id FROM json_each(?)", (ids,))
    return None


def _with_words(conditions: tuple[Condition, ...], source: Source) -> tuple[tuple[Condition, ...], Source]:
    """What is left to test of `source`, and the source itself: words that are many are merged into it.

    Merging two streams of ids is five times faster than putting the words' ids together to be looked up.
    """
    words = [one for one in conditions if one.source is not None and one.source.words]
    rest = tuple(one for one in conditions if one.source is not source)
    if not words or words[0].source is source or words[0].source is None:
        return rest, source
    merged = (
        f"SELECT * FROM (SELECT id FROM ({source.sql}) INTERSECT "
        f"SELECT id FROM ({words[0].source.sql}) ORDER BY 1)"
    )
    both = Source(merged, (*source.parameters, *words[0].source.parameters))
    return tuple(one for one in rest if one is not words[0]), both


def _asks_for_deleted(node: Node) -> bool:
    """Whether the query speaks of deleted assets; otherwise they are not shown."""
    if isinstance(node, And | Or):
        return any(_asks_for_deleted(operand) for operand in node.operands)
    if isinstance(node, Not):
        return _asks_for_deleted(node.operand)
    return isinstance(node, IsTrue | Present | TimeIn) and node.field.name in ("deleted", "deleted_at")


def _ordered_by_id(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """The column whose index is most worth reading, among those compared with one value."""
    columns = [one.column for one in conditions if one.equality]
    for column in _BY_WORTH:
        if column in columns:
            return (column,)
    # kind and state share an index; whoever asks for one of them alone gets its own.
    return tuple(columns)


# -- the order --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of the order that one range of an index holds, and the ORDER BY inside it."""

    sql: str
    parameters: tuple[Any, ...]
    order: tuple[str, ...]


def _selected(sort: Sequence[SortKey]) -> str:
    return ", ".join(["a.id", *(column_of(key.field).sql for key in sort)])


def _order(sort: Sequence[SortKey]) -> tuple[str, ...]:
    """ORDER BY: the keys, then the id, which goes the way of the last key."""
    down = " DESC" if sort and sort[-1].descending else ""
    return (
        *(f"{column_of(key.field).sql}{' DESC' if key.descending else ''}" for key in sort),
        f"a.id{down}",
    )


def _beginning(sort: Sequence[SortKey]) -> Iterator[_Segment]:
    """The whole order. What has no value stands apart, first upwards, last downwards, as in `_following`."""
    first = column_of(sort[0].field)
    order = _order(sort)
    if not first.nullable:
        yield _Segment("1", (), order)
        return
    without = _Segment(f"{first.sql} IS NULL", (), order[1:])
    with_value = _Segment(f"{first.sql} IS NOT NULL", (), order)
    yield from (with_value, without) if sort[0].descending else (without, with_value)


def _following(sort: Sequence[SortKey], after: Cursor) -> Iterator[_Segment]:
    """What comes after a row, nearest first: rows alike in all keys but the last, in all but the last two…"""
    order = _order(sort)
    alike: list[str] = []
    values: list[Any] = []
    segments: list[list[_Segment]] = []
    for depth, (key, value) in enumerate(zip(sort, after.values, strict=True)):
        column = column_of(key.field)
        segments.append(
            [
                _Segment(" AND ".join([*alike, sql]), (*values, *bound), order[depth + gone :])
                for sql, bound, gone in _beyond(column, key, value)
            ]
        )
        alike.append(f"{column.sql} IS NULL" if value is None else f"{column.sql} = ?")
        values += [] if value is None else [value]
    sign = "<" if order[-1].endswith("DESC") else ">"
    yield _Segment(" AND ".join([*alike, f"a.id {sign} ?"]), (*values, after.id), order[-1:])
    for level in reversed(segments):
        yield from level


def _beyond(column: Column, key: SortKey, value: object) -> Iterator[tuple[str, tuple[Any, ...], bool]]:
    """The ranges of a key beyond `value`: condition, its values, whether the key has but one value in it."""
    if key.descending:
        if value is not None:
            yield f"{column.sql} < ?", (value,), False
            if column.nullable:
                yield f"{column.sql} IS NULL", (), True
    elif value is None:
        yield f"{column.sql} IS NOT NULL", (), False
    else:
        yield f"{column.sql} > ?", (value,), False
