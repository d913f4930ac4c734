"""Completion with what only the library knows: tags, folders, collections, layout values, saved searches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kassettui.core.query import Candidate, Completion, complete, quoted
from kassettui.core.text import from_stored, to_stored
from kassettui.library.search.names import FOLDER_PATHS, levels

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase

_TAGS: Final = (
    "SELECT t.name, (SELECT count(*) FROM asset_tags m WHERE m.tag_id = t.id) FROM tags t "
    "WHERE t.name LIKE ? ESCAPE '\\' ORDER BY t.name_key LIMIT ?"
)
_FOLDERS: Final = (
    f"{FOLDER_PATHS} SELECT path, NULL FROM tree WHERE path LIKE ? ESCAPE '\\' ORDER BY path LIMIT ?"
)
_COLLECTIONS: Final = (
    "SELECT name, NULL FROM collections WHERE name LIKE ? ESCAPE '\\' ORDER BY name_key LIMIT ?"
)
_LEVEL: Final = (
    "SELECT DISTINCT value, NULL FROM layout_values WHERE field = ? AND value LIKE ? ESCAPE '\\' "
    "ORDER BY value LIMIT ?"
)
_SAVED: Final = (
    "SELECT name, NULL FROM saved_searches WHERE name LIKE ? ESCAPE '\\' ORDER BY name_key LIMIT ?"
)


def suggest(db: LibraryDatabase, text: str, cursor: int, limit: int = 20) -> Completion:
    """What may stand at `cursor` in `text`, at most `limit` candidates. Never raises for what is typed."""
    completion = complete(text, cursor, levels=levels(db))
    if completion.field is None and completion.prefix.startswith("@"):
        names = _rows(db, _SAVED, completion.prefix[1:].lstrip('"'), limit)
        found = tuple(Candidate("@" + quoted(name)) for name, _ in names)
        return replace(completion, candidates=found)
    if completion.field is None or not completion.open_value:
        return replace(completion, candidates=completion.candidates[:limit])
    rows = _values(db, completion.field.name, completion.prefix, limit)
    known = tuple(
        Candidate(quoted(name), "" if number is None else f"{number:,} assets") for name, number in rows
    )
    return replace(completion, candidates=(known + completion.candidates)[:limit])


def _values(db: LibraryDatabase, field: str, prefix: str, limit: int) -> list[tuple[str, int | None]]:
    if field == "tag":
        return _rows(db, _TAGS, prefix, limit)
    if field == "folder":
        return _rows(db, _FOLDERS, prefix, limit, anywhere=True)
    if field == "collection":
        return _rows(db, _COLLECTIONS, prefix, limit)
    if field.startswith("layout."):
        return _rows(db, _LEVEL, prefix, limit, first=(field.removeprefix("layout."),))
    return []


def _rows(
    db: LibraryDatabase,
    sql: str,
    prefix: str,
    limit: int,
    *,
    anywhere: bool = False,
    first: tuple[str, ...] = (),
) -> list[tuple[str, int | None]]:
    escaped = (
        to_stored(prefix.replace("\0", "")).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    )
    pattern = f"%{escaped}%" if anywhere else f"{escaped}%"
    return [(from_stored(name), number) for name, number in db.all(sql, (*first, pattern, limit))]
