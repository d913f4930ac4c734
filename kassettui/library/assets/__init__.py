"""The repository of assets: functions with the database first, one unit of work each.

`values` is what leaves it; `known` serves the planner, `writing` an import and its enrichers, `pages` the
lists, `resolving` turns what a person names into an asset.
"""

from kassettui.library.assets.known import Detail, Known, any_living, details, ids_of, known, lost
from kassettui.library.assets.pages import Attached, Best, attached, summaries
from kassettui.library.assets.resolving import by_uuid, get, resolve, several
from kassettui.library.assets.values import (
    ASSET_COLUMNS,
    SUMMARY_COLUMNS,
    Asset,
    Summary,
    asset_of,
    summary_of,
)
from kassettui.library.assets.writing import (
    FACTS,
    Found,
    Layouts,
    create_many,
    mark_missing,
    move_many,
    refresh_many,
    set_standings,
    update_many,
    write_facts,
)

__all__ = [
    "ASSET_COLUMNS",
    "FACTS",
    "SUMMARY_COLUMNS",
    "Asset",
    "Attached",
    "Best",
    "Detail",
    "Found",
    "Known",
    "Layouts",
    "Summary",
    "any_living",
    "asset_of",
    "attached",
    "by_uuid",
    "create_many",
    "details",
    "get",
    "ids_of",
    "known",
    "lost",
    "mark_missing",
    "move_many",
    "refresh_many",
    "resolve",
    "set_standings",
    "several",
    "summaries",
    "summary_of",
    "update_many",
    "write_facts",
]
