"""Saved searches: queries with a name, `@name` in every query and selector (spec: library L7, L4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import stamps
from kassettui.library.events import SearchesChanged, announce
from kassettui.library.search import prepare
from kassettui.library.search.names import search_key

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase, Row

MAX_NAME: Final = 100
_COLUMNS: Final = "s.id, s.uuid, s.name, s.query, s.description, s.created_at, s.updated_at"


class NameTaken(Refused):
    """A saved search of this name exists; replacing it has to be asked for."""

    code = "name_taken"


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A query with a name. Times in µs since the epoch."""

    id: int
    uuid: str
    name: str
    query: str
    description: str
    created_at: int
    updated_at: int


def listed(db: LibraryDatabase) -> list[SavedSearch]:
    """All saved searches by name."""
    rows = db.all(f"SELECT {_COLUMNS} FROM saved_searches s ORDER BY s.name_key")
    return [_saved(row) for row in rows]


def find(db: LibraryDatabase, name: str) -> SavedSearch:
    """The saved search of this name, in any case, with or without `@`. Raises NotFound."""
    row = db.one(
        f"SELECT {_COLUMNS} FROM saved_searches s WHERE s.name_key = ?",
        (to_stored(search_key(name.removeprefix("@"))),),
    )
    if row is None:
        raise NotFound(
            f"There is no saved search called {safe(name)!r}.",
            remedy="See the saved ones with: kassettui search ls",
        )
    return _saved(row)


def save(
    db: LibraryDatabase, name: str, query: str, description: str = "", replace: bool = False
) -> SavedSearch:
    """Keep `query` under `name`. Raises QueryError for a query that cannot be run, InvalidInput for the name.

    Raises NameTaken when there is one already, unless `replace`: then its uuid and its smart folders stay.
    """
    shown = " ".join(name.removeprefix("@").split())
    if not shown or len(shown) > MAX_NAME or any(ord(character) < 32 for character in shown):
        raise InvalidInput(f"A saved search's name has 1 to {MAX_NAME} characters on one line.")
    prepare(db, query)
    key, now = to_stored(search_key(shown)), stamps.now()
    known = db.one("SELECT id, query FROM saved_searches WHERE name_key = ?", (key,))
    if known is not None and not replace:
        raise NameTaken(
            f"There is a saved search called {safe(shown)!r} already: {safe(from_stored(known[1]))}",
            remedy="Replace it with --replace.",
        )
    db.execute_sql(
        "INSERT INTO saved_searches (uuid, name, name_key, query, description, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name_key) DO UPDATE SET name = excluded.name, "
        "query = excluded.query, description = excluded.description, updated_at = excluded.updated_at",
        (stamps.new_uuid(), to_stored(shown), key, to_stored(query), to_stored(description), now, now),
    )
    # Only now can it be seen whether it is part of itself.
    prepare(db, f"@{_quoted(shown)}")
    announce(db, SearchesChanged())
    return find(db, shown)


def delete(db: LibraryDatabase, name: str) -> SavedSearch:
    """Forget a saved search. Raises NotFound, Refused while a smart folder shows it."""
    found = find(db, name)
    folders = db.scalar("SELECT count(*) FROM folders WHERE search_id = ?", (found.id,))
    if folders:
        raise Refused(
            f"{folders} smart folder{'s show' if folders > 1 else ' shows'} what {safe(found.name)!r} finds.",
            remedy="Delete the folder first, with: kassettui folder rm",
        )
    db.execute_sql("DELETE FROM saved_searches WHERE id = ?", (found.id,))
    announce(db, SearchesChanged())
    return found


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _saved(row: Row) -> SavedSearch:
    id_, uuid, name, query, description, created, updated = row
    return SavedSearch(
        id_, uuid, from_stored(name), from_stored(query), from_stored(description), created, updated
    )
