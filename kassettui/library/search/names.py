"""What the library calls things: its layout levels, and the ids behind names of tags, folders, collections.

These tables are small beside the assets. Their names are settled first, so that the one statement over the
assets compares ids, and one tag can be told from a hundred when it is planned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.query.syntax import Match
from kassettui.core.text import to_stored
from kassettui.library.search.conditions import comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.core.query.fields import Field
    from kassettui.library.engine import LibraryDatabase

_LEVEL: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")

FOLDER_PATHS: Final = (
    "WITH RECURSIVE tree (id, path) AS (SELECT id, '' FROM folders WHERE parent_id IS NULL "
    "UNION ALL SELECT f.id, tree.path || '/' || f.name FROM folders f JOIN tree ON f.parent_id = tree.id) "
)
"""Every folder's path from Root, which itself is empty: `/dailies/monday`."""


def levels(db: LibraryDatabase) -> frozenset[str]:
    """The layout levels that the collections name."""
    templates = db.all("SELECT DISTINCT layout FROM collections WHERE layout <> ''")
    return frozenset(level for (template,) in templates for level in _LEVEL.findall(template))


def search_key(name: str) -> str:
    """A saved search's name as it is compared: case, and how many spaces, do not matter."""
    return " ".join(name.casefold().split())


class Names:
    """Looks names up, each question once."""

    def __init__(self, db: LibraryDatabase) -> None:
        self._db = db
        self._answers: dict[tuple[str, Match, str], list[int | str]] = {}

    def matching(self, field: Field, match: Match, value: str) -> Sequence[int | str]:
        """The ids (uuids of collections) of what `field` calls by a name that matches `value`."""
        question = (field.name, match, value)
        if question not in self._answers:
            sql, parameters = _question(field, match, value)
            self._answers[question] = [row[0] for row in self._db.all(sql, parameters)]
        return self._answers[question]


def _question(field: Field, match: Match, value: str) -> tuple[str, tuple[Any, ...]]:
    exact = match is Match.EXACT
    if field.name == "tag":
        if exact:
            from kassettui.library.tags import name_key

            return "SELECT id FROM tags WHERE name_key = ?", comparison("", match, name_key(value))[1]
        sql, parameters = comparison("name", match, value)
        return f"SELECT id FROM tags WHERE {sql}", parameters
    if field.name == "folder":
        text = "/" + value.strip("/") if exact and value.strip("/") else value.strip("/") if exact else value
        sql, parameters = comparison("path", match, text)
        return f"{FOLDER_PATHS} SELECT id FROM tree WHERE {sql}", parameters
    if field.name == "collection":
        if exact:
            sql = "SELECT uuid FROM collections WHERE uuid = ? OR name_key = ?"
            return sql, (to_stored(value), to_stored(value.casefold()))
        sql, parameters = comparison("name", match, value)
        return f"SELECT uuid FROM collections WHERE {sql}", parameters
    sql, parameters = comparison("value", match, value)
    if field.name == "layout":
        return f"SELECT DISTINCT layout_id FROM layout_values WHERE {sql}", parameters
    level = field.name.removeprefix("layout.")
    return f"SELECT layout_id FROM layout_values WHERE field = ? AND {sql}", (level, *parameters)
