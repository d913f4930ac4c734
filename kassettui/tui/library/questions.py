"""What the Library place asks the library, each one unit of reading; called on lanes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.query import Query, parse, quoted
from kassettui.core.query.syntax import And
from kassettui.library import assets, collections, folders, saved, search, tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.assets import Asset, Summary
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.search import Cursor

CHUNK: Final = 20_000
FIRST: Final = 500
_COUNTED: Final = 100_000
"""Up to here the tree counts; beyond it says so."""
_BRANCHES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list shows: a place of the tree, narrowed by a filter, in an order."""

    base: str = ""
    filter: str = ""
    sort: str = ""

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it."""
        return not self.base and not self.filter.strip()


class Row(NamedTuple):
    """A row of the list: the asset, its tags, and the best version of its group, if it is a version."""

    asset: Summary
    tags: tuple[str, ...] = ()
    best: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of ids in the list's order, the first rows of it, and where the next begins."""

    ids: Sequence[int]
    rows: dict[int, Row]
    after: Cursor | None


def query_of(db: LibraryDatabase, asked: Asked) -> Query:
    """Both parts as one query. Raises QueryError, with places in the filter as it was typed."""
    levels = search.levels(db)
    narrowed = parse(asked.filter, levels=levels)
    base = parse(asked.base, levels=levels)
    order = parse(f"sort:{asked.sort}" if asked.sort else "", levels=levels).sort
    parts = [query.expression for query in (base, narrowed) if query.expression is not None]
    expression = And(tuple(parts)) if len(parts) == 2 else parts[0] if parts else None
    return Query(asked.filter, expression, narrowed.sort or order)


def stretch(db: LibraryDatabase, asked: Asked, after: Cursor | None, seen: int) -> Stretch:
    """The next ids; `seen` of them with their rows."""
    query = query_of(db, asked)
    ids, following = search.ids_after(db, query, after, CHUNK if after is not None else FIRST)
    return Stretch(ids, rows_of(db, ids[:seen]) if seen else {}, following)


def rows_of(db: LibraryDatabase, ids: Sequence[int]) -> dict[int, Row]:
    """The rows of these ids, in a constant number of queries (L8)."""
    hung = assets.attached(db, ids)
    rows = {}
    for asset in assets.summaries(db, ids):
        version = hung.versions.get(asset.id)
        rows[asset.id] = Row(asset, hung.tags.get(asset.id, ()), version.best if version else None)
    return rows


@dataclass(frozen=True, slots=True)
class Facts:
    """What the inspector shows."""

    asset: Asset
    row: Row
    folders: tuple[str, ...] = ()


def facts(db: LibraryDatabase, asset_id: int) -> Facts | None:
    """Everything about one asset; None when it is gone."""
    row = rows_of(db, [asset_id]).get(asset_id)
    if row is None:
        return None
    held = assets.attached(db, [asset_id]).folders.get(asset_id, ())
    return Facts(
        assets.by_uuid(db, row.asset.uuid), row, tuple(folders.path_of(db, folder) for folder in held[:8])
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """A row of the tree. `query` is what it shows; a heading has none."""

    title: str
    query: str | None = None
    count: int | None = None
    depth: int = 0
    sign: str = " "
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree, heading by heading, and how many assets there are in all."""

    sections: tuple[tuple[Branch, tuple[Branch, ...]], ...] = field(default=())
    assets: int = 0


def tree(db: LibraryDatabase) -> Tree:
    """Collections, folders, saved searches and tags, with their counts."""
    whole = search.count(db, "").number
    sections = [
        (Branch("Folders"), tuple(_folders(db))),
        (
            Branch("Smart"),
            tuple(_counted(db, one.name, f"@{quoted(one.name)}", "◇") for one in saved.listed(db)),
        ),
        (
            Branch("Collections"),
            tuple(
                _counted(db, one.name, f"collection={quoted(one.uuid)}", "▪")
                for one in collections.everything(db)
            ),
        ),
        (
            Branch("Tags"),
            tuple(
                Branch(
                    tag.name.rpartition("/")[2],
                    f"tag={quoted(tag.name)}",
                    tag.assets,
                    tag.name.count("/"),
                    "#",
                )
                for tag in tags.listed(db)[:_BRANCHES]
            ),
        ),
    ]
    kept = tuple((heading, below) for heading, below in sections if below)
    return Tree(kept, whole)


def _counted(db: LibraryDatabase, title: str, query: str, sign: str, depth: int = 0) -> Branch:
    found = search.count(db, query, _COUNTED)
    return Branch(title, query, found.number, depth, sign, capped=not found.exact)


def _folders(db: LibraryDatabase) -> list[Branch]:
    found: list[Branch] = []
    waiting = [(folder, "", 0) for folder in reversed(folders.children(db))]
    while waiting and len(found) < _BRANCHES:
        folder, above, depth = waiting.pop()
        path = f"{above}/{folder.name}"
        found.append(_counted(db, folder.name, f"folder={quoted(path)}", "▸", depth))
        waiting += [(below, path, depth + 1) for below in reversed(folders.children(db, folder.id))]
    return found
