"""Search: the query grammar compiled to one statement over the assets (spec: library L7, L8).

`library.read(search.page, "tag:hero rating:>=4 sort:-mtime")` gives a `Page` of assets; `page.next` begins
the following one. `count`, `ids`, `uuids` take the same text; `explained` shows the tree and the SQL;
`suggest` completes what is being typed. Each takes text or a parsed `Query`, raises QueryError for a bad one,
and never shows an error of the database's language.
"""

from __future__ import annotations

from kassettui.library.search.cursors import Cursor
from kassettui.library.search.names import levels
from kassettui.library.search.preparing import prepare
from kassettui.library.search.reading import (
    PAGE,
    Count,
    Explanation,
    Page,
    TookTooLong,
    count,
    explained,
    ids,
    ids_after,
    page,
    uuids,
)
from kassettui.library.search.suggesting import suggest

__all__ = [
    "PAGE",
    "Count",
    "Cursor",
    "Explanation",
    "Page",
    "TookTooLong",
    "count",
    "explained",
    "ids",
    "ids_after",
    "levels",
    "page",
    "prepare",
    "suggest",
    "uuids",
]
