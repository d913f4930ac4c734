"""One predicate of a query as a condition in SQL, and where possible as a source of the ids that meet it.

Conditions are two-valued: what is unknown does not match, and `negated` takes care that its opposite does.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.query.fields import Field, Type
from kassettui.core.query.syntax import (
    And,
    Everything,
    IsTrue,
    Match,
    Node,
    Not,
    NumberIn,
    OneOf,
    Or,
    Predicate,
    Present,
    Saved,
    TextIn,
    TextIs,
    TimeIn,
    Word,
    ascii_lower,
)
from kassettui.core.text import to_stored
from kassettui.library.search.columns import BEST_IDS, FLAGS, Column, column_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.search.names import Names

_INT64: Final = (-(2**63), 2**63 - 1)
_SEARCHED: Final = ("name", "path", "title", "description", "tag_text")
NOTHING: Final = "0"
# So many tags or folders are merged in the order of their assets' ids; more are put together first.
_MERGED: Final = 8


class Cost(IntEnum):
    """What it costs to read the ids of a source."""

    INDEX = 0
    """They stand in an index, one beside the other."""
    SCAN = 1
    """An index has to be read through."""


@dataclass(frozen=True, slots=True)
class Source:
    """A SELECT of asset ids. `ordered`: it can give them upwards without sorting, from any id on."""

    sql: str
    parameters: tuple[Any, ...]
    cost: Cost = Cost.INDEX
    ordered: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`sql` is true or not for row `a`. `column` is the one column that it compares, if it is so simple.

    `equality`: with one value, so that an index on the column leaves the rows in the order of their ids.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    source: Source | None = None
    column: str = ""
    equality: bool = False

    @property
    def veiled(self) -> str:
        """The same, so that no index is chosen for it."""
        return self.sql.replace(self.column, f"+{self.column}") if self.column else self.sql


def condition(node: Node, names: Names) -> Condition:
    """The condition that `node` stands for; `names` knows the ids of tags, folders, collections, layouts."""
    words = _word_expression(node)
    if words is not None:
        return _words(words)
    match node:
        case Not(operand):
            inner = condition(operand, names)
            return Condition(f"({inner.sql}) IS NOT TRUE", inner.parameters)
        case And(operands) | Or(operands):
            return _joined(operands, names, all_of=isinstance(node, And))
        case Everything():
            return Condition("1")
        case Saved():
            raise AssertionError("saved searches are put in place before anything is compiled")
    return _predicate(node, names)


def _predicate(node: Predicate, names: Names) -> Condition:
    match node:
        case Word():
            return _letterless(node)
        case TextIs():
            return _text(node, names)
        case TextIn(field, low, high, low_open, high_open):
            low, high = _stored(low), _stored(high)
            return Condition(*_bounded(f"lower({column_of(field).sql})", low, high, low_open, high_open))
        case NumberIn(field, interval):
            return _number(column_of(field), *interval)
        case TimeIn(field, low, high):
            column = column_of(field)
            return _number(column, _scaled(low, column.scale), _scaled(high, column.scale), high_open=True)
        case OneOf(field, values):
            return _one_of(column_of(field), values)
        case IsTrue(field):
            return _flag(field)
        case Present(field):
            return _present(field, names)


def conjuncts(node: Node | None, names: Names) -> list[Condition]:
    """The conditions that all have to hold, the words of the query put into one."""
    if node is None:
        return []
    wanted: list[str] = []
    unwanted: list[str] = []
    others: list[Node] = []
    for operand in node.operands if isinstance(node, And) else (node,):
        inner = operand.operand if isinstance(operand, Not) else operand
        expression = _word_expression(inner)
        if expression is None:
            others.append(operand)
        else:
            (unwanted if isinstance(operand, Not) else wanted).append(expression)
    found = [condition(operand, names) for operand in others]
    if wanted:
        # The full-text index takes away as it goes; it cannot begin with taking away.
        excluded = f" NOT ({' OR '.join(unwanted)})" if unwanted else ""
        found.insert(0, _words(f"({' AND '.join(wanted)}){excluded}" if unwanted else " AND ".join(wanted)))
    elif unwanted:
        words = _words(" OR ".join(unwanted))
        found.insert(0, Condition(f"({words.sql}) IS NOT TRUE", words.parameters))
    return found


# -- full text --------------------------------------------------------------------------------------------


def _word_expression(node: Node) -> str | None:
    """`node` in the full-text index's own language, where it is of words only."""
    match node:
        case Word(text, phrase):
            stored = to_stored(text.rstrip("*") if not phrase else text)
            if not any(_is_token(character) for character in stored):
                return None
            # Within quotes that language knows no operators; a quote is doubled.
            escaped = stored.replace('"', '""')
            return f'"{escaped}"' if phrase else f'"{escaped}"*'
        case And(operands) | Or(operands):
            parts = [_word_expression(operand) for operand in operands]
            if any(part is None for part in parts):
                return None
            return f"({(' AND ' if isinstance(node, And) else ' OR ').join(part or '' for part in parts)})"
    return None


def _is_token(character: str) -> bool:
    """Whether the full-text index keeps the character: letters, digits and private ones."""
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Co"


def _words(expression: str) -> Condition:
    ids = "SELECT rowid FROM assets_fts WHERE assets_fts MATCH ?"
    source = Source(ids.replace("rowid", "rowid AS id", 1), (expression,), ordered=True, words=True)
    return Condition(f"a.id IN ({ids})", (expression,), source, column="a.id")


def _letterless(word: Word) -> Condition:
    """A word without a letter or digit is in no index: its characters as they stand."""
    text = to_stored(word.text.rstrip("*") if not word.phrase else word.text) or word.text
    pattern = f"%{_escaped(text)}%"
    comparison = " OR ".join(f"a.{column} LIKE ? ESCAPE '\\'" for column in _SEARCHED)
    return Condition(f"({comparison})", (pattern,) * len(_SEARCHED))


# -- text -------------------------------------------------------------------------------------------------


def comparison(expression: str, match: Match, value: str) -> tuple[str, tuple[Any, ...]]:
    """`expression` (SQL) compared with `value` (memory form) as `core.query.syntax` says."""
    stored = to_stored(value)
    if match is Match.EXACT:
        return f"{expression} = ?", (stored,)
    if match is Match.REGEX:
        return f"regexpi(?, {expression})", (stored,)
    if not stored.isascii():
        stored, expression = stored.casefold(), f"casefold({expression})"
    if match is Match.GLOB:
        return f"{expression} LIKE ? ESCAPE '\\'", (_escaped(stored).replace("*", "%"),)
    return f"{expression} LIKE ? ESCAPE '\\'", (f"%{_escaped(stored)}%",)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _text(node: TextIs, names: Names) -> Condition:
    field = node.field
    if field.name == "metadata":
        inside, parameters = comparison("CAST(j.atom AS TEXT)", node.match, node.value)
        exists = f"SELECT 1 FROM json_tree(a.metadata) j WHERE j.atom IS NOT NULL AND {inside}"
        return Condition(f"EXISTS ({exists})", parameters)
    if field.many or field.name.startswith("layout.") or field.name == "collection":
        return _by_ids(field, names.matching(field, node.match, node.value))
    column = column_of(field)
    value = node.value.lower() if field.name == "id" else node.value
    if field.name == "id" and node.match is Match.CONTAINS:
        return _id_prefix(column, value)
    sql, parameters = comparison(column.sql, node.match, value)
    exact = node.match is Match.EXACT
    source = None
    if exact and column.indexed:
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", parameters)
    elif column.covered:
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", parameters, Cost.SCAN)
    simple = column.sql if exact and column.sql.startswith("a.") else ""
    return Condition(sql, parameters, source, simple, equality=exact and bool(simple))


def _id_prefix(column: Column, value: str) -> Condition:
    """`id:` is the start of a uuid, found in its index."""
    sql = f"{column.sql} >= ? AND {column.sql} < ?"
    parameters = (to_stored(value), to_stored(value) + "\U0010ffff")
    return Condition(sql, parameters, Source(f"SELECT a.id FROM assets a WHERE {sql}", parameters))


# -- what stands in tables of its own -----------------------------------------------------------------------


def _by_ids(field: Field, ids: Sequence[int | str]) -> Condition:
    """Assets with one of these tags, folders, collections or layouts."""
    if not ids:
        return Condition(NOTHING, (), Source("SELECT NULL AS id WHERE 0", ()))
    if field.name == "collection":
        return _listed("a.collection_uuid", ids)
    if field.name.startswith("layout"):
        return _listed("a.layout_id", ids)
    table, key = ("asset_tags", "tag_id") if field.name == "tag" else ("asset_folders", "folder_id")
    if len(ids) == 1:
        sql = f"EXISTS (SELECT 1 FROM {table} m WHERE m.asset_id = a.id AND m.{key} = ?)"
        source = f"SELECT asset_id AS id FROM {table} WHERE {key} = ?"
        return Condition(sql, (ids[0],), Source(source, (ids[0],), ordered=True))
    packed = json.dumps(list(ids))
    among = f"{key} IN (SELECT value FROM json_each(?))"
    sql = f"EXISTS (SELECT 1 FROM {table} m WHERE m.asset_id = a.id AND m.{among})"
    if len(ids) <= _MERGED:
        merged = " UNION ".join([f"SELECT asset_id AS id FROM {table} WHERE {key} = ?"] * len(ids))
        return Condition(sql, (packed,), Source(merged, tuple(ids), ordered=True))
    source = f"SELECT DISTINCT asset_id AS id FROM {table} WHERE {among}"
    return Condition(sql, (packed,), Source(source, (packed,)))


def _listed(column: str, ids: Sequence[int | str]) -> Condition:
    if len(ids) == 1:
        sql, parameters = f"{column} = ?", (ids[0],)
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", parameters)
        # The collections' index is in the order of keys, not of ids.
        return Condition(sql, parameters, source, column, equality=column != "a.collection_uuid")
    sql = f"{column} IN (SELECT value FROM json_each(?))"
    packed = (json.dumps(list(ids)),)
    return Condition(sql, packed, Source(f"SELECT a.id FROM assets a WHERE {sql}", packed), column)


# -- numbers, lists, presence -------------------------------------------------------------------------------


def _scaled(value: int | None, scale: int) -> int | None:
    """In the column's units, within what an integer of the library can be."""
    return None if value is None else max(_INT64[0], min(value * scale, _INT64[1]))


def _stored(text: str | None) -> str | None:
    return None if text is None else to_stored(ascii_lower(text))


def _bounded(
    expression: str,
    low: float | str | None,
    high: float | str | None,
    low_open: bool = False,
    high_open: bool = False,
) -> tuple[str, tuple[Any, ...]]:
    """`expression` between the bounds, as SQL and its parameters."""
    if low is not None and low == high and not (low_open or high_open):
        return f"{expression} = ?", (low,)
    parts = []
    parameters = []
    if low is not None:
        parts.append(f"{expression} {'>' if low_open else '>='} ?")
        parameters.append(low)
    if high is not None:
        parts.append(f"{expression} {'<' if high_open else '<='} ?")
        parameters.append(high)
    return " AND ".join(parts), tuple(parameters)


def _number(
    column: Column,
    low: float | None,
    high: float | None,
    low_open: bool = False,
    high_open: bool = False,
) -> Condition:
    sql, parameters = _bounded(column.sql, low, high, low_open, high_open)
    simple = column.sql if column.sql.startswith("a.") else ""
    equality = bool(simple) and len(parameters) == 1 and low == high
    positive = bool(column.positive) and low is not None and (low > 0 or (low == 0 and low_open))
    if positive:
        sql = f"{column.positive} AND {sql}"
    source = None
    if positive or column.indexed:
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", parameters)
    return Condition(sql, parameters, source, simple, equality)


def _one_of(column: Column, values: tuple[str, ...]) -> Condition:
    equality = len(values) == 1
    sql = f"{column.sql} = ?" if equality else f"{column.sql} IN ({', '.join('?' * len(values))})"
    source = None
    if column.indexed:
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", values)
    return Condition(sql, values, source, column.sql, equality)


def _flag(field: Field) -> Condition:
    column = FLAGS[field.name]
    if field.name == "best":
        return Condition(column.sql, (), Source(BEST_IDS, ()))
    source = Source(f"SELECT a.id FROM assets a WHERE {column.sql}", ()) if column.indexed else None
    return Condition(column.sql, (), source, column.sql.partition(" ")[0])


def _present(field: Field, names: Names) -> Condition:
    if field.name == "tag":
        return Condition("EXISTS (SELECT 1 FROM asset_tags m WHERE m.asset_id = a.id)")
    if field.name == "folder":
        return Condition("EXISTS (SELECT 1 FROM asset_folders m WHERE m.asset_id = a.id)")
    if field.name == "layout":
        return Condition("a.layout_id IS NOT NULL")
    if field.name.startswith("layout."):
        return _by_ids(field, names.matching(field, Match.GLOB, "*"))
    if field.name == "metadata":
        return Condition("coalesce(a.metadata, '{}') <> '{}'")
    if field.name == "collection":
        return Condition("1")
    column = column_of(field)
    sql = f"{column.sql} IS NOT NULL"
    if field.type is Type.TEXT:
        return Condition(f"coalesce({column.sql}, '') <> ''")
    source = None
    if column.indexed and column.nullable:
        source = Source(f"SELECT a.id FROM assets a WHERE {sql}", ())
    return Condition(sql, (), source)


def _joined(operands: Sequence[Node], names: Names, *, all_of: bool) -> Condition:
    parts = conjuncts(And(tuple(operands)), names) if all_of else [condition(one, names) for one in operands]
    sql = (" AND " if all_of else " OR ").join(f"({part.sql})" for part in parts)
    parameters = tuple(value for part in parts for value in part.parameters)
    sources = [part.source for part in parts]
    source = None
    if not all_of and all(one is not None and one.cost is Cost.INDEX for one in sources):
        known = [one for one in sources if one is not None]
        union = " UNION ".join(f"SELECT id FROM ({one.sql})" for one in known)
        # A union is made whole before its first id comes out.
        source = Source(union, tuple(value for one in known for value in one.parameters), Cost.SCAN)
    return Condition(sql, parameters, source)
