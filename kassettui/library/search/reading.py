"""Reading a query: pages, counts, ids. One statement for the rows whatever the query says."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import InvalidInput, Refused
from kassettui.core.query import Query, explain
from kassettui.library import assets, engine
from kassettui.library.engine import Trouble
from kassettui.library.search.cursors import Cursor
from kassettui.library.search.plans import Plan, Statement, plan
from kassettui.library.search.preparing import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.assets import Attached, Summary
    from kassettui.library.engine import LibraryDatabase

PAGE: Final = 100
_STEPS: Final = 20_000  # instructions of SQLite's machine between two looks at the clock: about 1 ms


class TookTooLong(Refused):
    """A search that did not end within its deadline."""

    code = "timeout"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the query's order, what hangs on them, and where the next page begins; None after the last."""

    rows: tuple[Summary, ...]
    attached: Attached
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many assets a query finds; not `exact` when counting stopped at a limit."""

    number: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """A query's tree in words, the statement of its first page, and how SQLite goes about it."""

    tree: tuple[str, ...]
    sql: str
    parameters: tuple[Any, ...]
    shape: str
    steps: tuple[str, ...]


def page(
    db: LibraryDatabase,
    query: str | Query = "",
    after: Cursor | None = None,
    limit: int = PAGE,
    deadline: float | None = None,
) -> Page:
    """The `limit` rows of `query` after the place `after`, with their tags, folders and versions.

    The number of statements does not depend on the number of rows. `deadline` in seconds. Raises QueryError,
    TookTooLong, InvalidInput for a cursor of another order.
    """
    if limit < 1:
        raise InvalidInput("A page has at least one row.")
    with _within(db, deadline):
        settled = _plan(db, query)
        if after is not None and len(after.values) != len(settled.sort):
            raise InvalidInput("This cursor belongs to a query with another order.")
        found = _run(db, settled.page(after, limit + 1))
        shown = [row[0] for row in found[:limit]]
        rows, attached = assets.summaries(db, shown), assets.attached(db, shown)
    last = found[limit - 1] if len(found) > limit else None
    return Page(tuple(rows), attached, None if last is None else Cursor(tuple(last[1:]), last[0]))


def count(
    db: LibraryDatabase, query: str | Query = "", limit: int | None = None, deadline: float | None = None
) -> Count:
    """How many assets `query` finds, counted up to `limit`. Raises as `page`."""
    with _within(db, deadline):
        statement = _plan(db, query).count(limit)
        number: int = _run(db, statement)[0][0]
    return Count(number, exact=limit is None or number < limit)


def ids(
    db: LibraryDatabase, query: str | Query = "", limit: int | None = None, deadline: float | None = None
) -> list[int]:
    """The row ids of what `query` finds, in its order. Raises as `page`."""
    with _within(db, deadline):
        statement = _plan(db, query).page(None, -1 if limit is None else limit)
        return [row[0] for row in _run(db, statement)]


def ids_after(
    db: LibraryDatabase, query: str | Query, after: Cursor | None, limit: int
) -> tuple[list[int], Cursor | None]:
    """The next `limit` row ids of what `query` finds, and where to go on; None after the last. As `page`."""
    with _within(db, None):
        settled = _plan(db, query)
        found = _run(db, settled.page(after, limit + 1))
    last = found[limit - 1] if len(found) > limit else None
    return [row[0] for row in found[:limit]], None if last is None else Cursor(tuple(last[1:]), last[0])


def uuids(
    db: LibraryDatabase, query: str | Query = "", limit: int | None = None, deadline: float | None = None
) -> list[str]:
    """The uuids of what `query` finds, in its order. Raises as `page`."""
    with _within(db, deadline):
        statement = _plan(db, query).page(None, -1 if limit is None else limit)
        sql = f"SELECT a.uuid FROM ({statement.sql}) found CROSS JOIN assets a ON a.id = found.id"
        return [row[0] for row in _run(db, Statement(sql, statement.parameters, statement.shape))]


def explained(db: LibraryDatabase, query: str | Query = "") -> Explanation:
    """The tree of `query` and the statement that reads its first page. Raises QueryError."""
    prepared = prepare(db, query)
    with _within(db, None):
        settled = _plan(db, prepared)
        statement = settled.page(None, PAGE + 1)
        steps = db.all(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
    return Explanation(
        tuple(explain(prepared)),
        statement.sql,
        statement.parameters,
        settled.shape.value,
        tuple(str(step[3]) for step in steps),
    )


# -- inside -----------------------------------------------------------------------------------------------


def _plan(db: LibraryDatabase, query: str | Query) -> Plan:
    return plan(db, prepare(db, query))


def _run(db: LibraryDatabase, statement: Statement) -> list[tuple[Any, ...]]:
    return db.all(statement.sql, statement.parameters)


@contextmanager
def _within(db: LibraryDatabase, deadline: float | None) -> Iterator[None]:
    """Stop SQLite `deadline` seconds from now. Raises TookTooLong then."""
    if deadline is None:
        yield
        return
    end = time.monotonic() + deadline
    db.raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except Exception as error:
        if engine.trouble(error) is Trouble.STOPPED and time.monotonic() > end:
            raise TookTooLong(
                f"The search took longer than {deadline:g} s.", remedy="Narrow it, or sort it otherwise."
            ) from error
        raise
    finally:
        db.raw.set_progress_handler(None)
