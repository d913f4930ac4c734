"""What the library holds, in figures (spec.

Library L12), and what its file is like. Both fit an empty library.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kassettui.core.kinds import Kind
from kassettui.core.lifecycle import State
from kassettui.core.text import from_stored
from kassettui.library import backup, engine, place, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library
    from kassettui.library.runs import Run


class Amount(NamedTuple):
    """How many assets, and their size in bytes."""

    assets: int = 0
    bytes: int = 0

    def plus(self, assets: int, size: int) -> Amount:
        """This and so much more."""
        return Amount(self.assets + assets, self.bytes + size)


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures. Deleted assets are counted under `deleted` alone."""

    total: Amount
    by_kind: Mapping[str, Amount]
    by_state: Mapping[str, Amount]
    by_collection: Mapping[str, Amount]
    """By uuid; `collections` has the names."""
    by_rating: Mapping[int | None, Amount]
    collections: Mapping[str, str]
    approved: int
    missing: int
    deleted: int
    frames: int
    holes: int
    folders: int
    tags: int
    versions: int
    last_runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """The library's file. Sizes in bytes."""

    path: str
    filesystem: str
    network: bool
    version: int
    latest_version: int
    application_id: int
    engine: str
    journal: str
    size: int
    log_size: int
    page_size: int
    free_pages: int
    assets: int
    backups: tuple[backup.Backup, ...]
    warnings: tuple[str, ...]


def stats(db: LibraryDatabase, *, last_runs: int = 5) -> Stats:
    """Count everything, in one pass over the assets."""
    total = Amount()
    kinds: defaultdict[str, Amount] = defaultdict(Amount, {str(kind): Amount() for kind in Kind})
    states: defaultdict[str, Amount] = defaultdict(Amount, {str(state): Amount() for state in State})
    ratings: defaultdict[int | None, Amount] = defaultdict(Amount, dict.fromkeys((None, *range(6)), Amount()))
    names = {
        uuid: from_stored(name)
        for uuid, name in db.all("SELECT uuid, name FROM collections ORDER BY name_key")
    }
    collections: defaultdict[str, Amount] = defaultdict(Amount, dict.fromkeys(names, Amount()))
    approved = missing = frames = holes = 0
    for (
        kind,
        state,
        rating,
        uuid,
        count,
        size,
        some_approved,
        some_missing,
        some_frames,
        some_holes,
    ) in db.execute_sql(
        "SELECT kind, state, rating, collection_uuid, count(*), sum(size), sum(approved_for_broadcast), "
        "sum(missing_since IS NOT NULL), sum(coalesce(frame_count, 0)), sum(coalesce(hole_count, 0)) "
        "FROM assets WHERE is_deleted = 0 GROUP BY 1, 2, 3, 4"
    ):
        total = total.plus(count, size)
        kinds[kind] = kinds[kind].plus(count, size)
        states[state] = states[state].plus(count, size)
        ratings[rating] = ratings[rating].plus(count, size)
        collections[uuid] = collections[uuid].plus(count, size)
        approved, missing = approved + some_approved, missing + some_missing
        frames, holes = frames + some_frames, holes + some_holes
    return Stats(
        total,
        dict(kinds),
        dict(states),
        dict(collections),
        dict(ratings),
        names,
        approved,
        missing,
        db.scalar("SELECT count(*) FROM assets WHERE is_deleted = 1"),
        frames,
        holes,
        db.scalar("SELECT count(*) FROM folders"),
        db.scalar("SELECT count(*) FROM tags"),
        db.scalar("SELECT count(*) FROM asset_versions WHERE deleted_at IS NULL"),
        tuple(runs.latest(db, limit=last_runs)),
    )


def info(library: Library) -> Info:
    """What the library's file is like."""
    from kassettui.library.library import SCHEMA

    version, journal, page_size, free, assets = library.read(_file_facts)
    standing = library.operator.place
    return Info(
        path=library.path,
        filesystem=standing.filesystem,
        network=standing.network,
        version=version,
        latest_version=SCHEMA.latest,
        application_id=SCHEMA.application_id,
        engine="SQLite " + ".".join(map(str, engine.sqlite_version())),
        journal=journal,
        size=place.size(library.path),
        log_size=place.size(library.path + "-wal"),
        page_size=page_size,
        free_pages=free,
        assets=assets,
        backups=tuple(backup.listed(library.path)),
        warnings=library.warnings,
    )


def _file_facts(db: LibraryDatabase) -> tuple[int, str, int, int, int]:
    return (
        db.scalar("PRAGMA user_version"),
        engine.journal_mode(db),
        db.scalar("PRAGMA page_size"),
        db.scalar("PRAGMA freelist_count"),
        db.scalar("SELECT count(*) FROM assets"),
    )
