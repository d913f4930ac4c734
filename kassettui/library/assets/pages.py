"""The rows of a page and what hangs on them (spec: library L8), in a constant number of queries.

Which ids a page shows is for `search` to say.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kassettui.core.text import from_stored
from kassettui.library.assets.values import SUMMARY_COLUMNS, Summary, summary_of
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase


class Best(NamedTuple):
    """That an asset is a version.

    Of which group, which number, and which number is that group's best (0: none).
    """

    group_id: int
    number: int
    best: int
    locked: bool


@dataclass(frozen=True, slots=True)
class Attached:
    """What hangs on the assets of a page, by asset id; assets without any are left out."""

    tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    folders: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    versions: Mapping[int, Best] = field(default_factory=dict)


def summaries(db: LibraryDatabase, ids: Sequence[int]) -> list[Summary]:
    """The rows of these ids, in the order given, in one query; those that are gone are left out."""
    rows = db.all(
        f"SELECT {SUMMARY_COLUMNS} FROM json_each(?) j CROSS JOIN assets a ON a.id = j.value ORDER BY j.key",
        (json_text(list(ids)),),
    )
    return [summary_of(row) for row in rows]


def attached(db: LibraryDatabase, ids: Sequence[int]) -> Attached:
    """Tags, folders and best versions of these assets: one query each."""
    if not ids:
        return Attached()
    asked = (json_text(list(ids)),)
    tags: defaultdict[int, list[str]] = defaultdict(list)
    for id_, name in db.execute_sql(
        "SELECT m.asset_id, t.name FROM asset_tags m JOIN tags t ON t.id = m.tag_id "
        "WHERE m.asset_id IN (SELECT value FROM json_each(?)) ORDER BY m.asset_id, t.name_key",
        asked,
    ):
        tags[id_].append(from_stored(name))
    folders: defaultdict[int, list[int]] = defaultdict(list)
    for id_, folder_id in db.execute_sql(
        "SELECT asset_id, folder_id FROM asset_folders WHERE asset_id IN (SELECT value FROM json_each(?)) "
        "ORDER BY asset_id, folder_id",
        asked,
    ):
        folders[id_].append(folder_id)
    versions = {
        id_: Best(group_id, number, best, bool(locked))
        for id_, group_id, number, best, locked in db.execute_sql(
            "SELECT v.asset_id, v.group_id, v.number, g.best, g.best_locked FROM asset_versions v "
            "JOIN version_groups g ON g.id = v.group_id "
            "WHERE v.asset_id IN (SELECT value FROM json_each(?)) AND v.deleted_at IS NULL ORDER BY v.id",
            asked,
        )
    }
    return Attached(
        {id_: tuple(names) for id_, names in tags.items()},
        {id_: tuple(found) for id_, found in folders.items()},
        versions,
    )
