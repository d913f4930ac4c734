"""Libraries and items for the tests of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.core.frames import FrameRanges
from kassettui.core.items import Item
from kassettui.core.kinds import Kind
from kassettui.library import assets, collections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

ROOT = "/shows/abc"


def image(name: str = "a.png", directory: str = "sh010", *, size: int = 10, mtime_ns: int = 1) -> Item:
    """A still of the collection below ROOT."""
    return Item(
        key=f"fs:{directory}/{name}",
        kind=Kind.IMAGE,
        path=f"{ROOT}/{directory}/{name}",
        directory=directory,
        name=name,
        extension=name.rpartition(".")[2],
        size=size,
        mtime_ns=mtime_ns,
        signature=f"f1:{size}:{mtime_ns}",
        layout={"shot": directory},
    )


def sequence(
    name: str = "beauty.#.exr",
    directory: str = "sh010",
    ranges: str = "1-8",
    *,
    size: int = 80,
    health: str = "complete",
    health_counts: Mapping[str, int] | None = None,
) -> Item:
    """A sequence of the collection below ROOT."""
    return Item(
        key=f"fs:{directory}/{name}",
        kind=Kind.SEQUENCE,
        path=f"{ROOT}/{directory}/{name}",
        directory=directory,
        name=name,
        extension="exr",
        size=size,
        mtime_ns=2,
        signature=f"q1:{ranges}:{size}",
        frame_ranges=FrameRanges.parse(ranges),
        frame_padding=4,
        sequence_pattern=name.replace("#", "####"),
        health=health,
        health_counts=health_counts or {},
    )


def add_collection(db: LibraryDatabase, name: str = "abc", root: str = ROOT) -> str:
    """A collection's uuid."""
    return collections.create(db, name, root).uuid


def add(library: Library, *items: Item) -> list[int]:
    """Row ids of new assets in the (first) collection below ROOT, made when there is none."""

    def work(db: LibraryDatabase) -> list[int]:
        found = collections.containing(db, ROOT)
        uuid = found.uuid if found is not None else add_collection(db)
        made = assets.create_many(db, uuid, (assets.Found(item) for item in items))
        return [db.scalar("SELECT id FROM assets WHERE uuid = ?", (one,)) for one in made]

    return library.write(work)


def put(db: LibraryDatabase, key: str, value: str = "1") -> str:
    """A small write: one row of the settings."""
    db.execute_sql(
        "INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 0) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
    return key


def value(db: LibraryDatabase, key: str) -> str | None:
    """What `put` wrote."""
    found: str | None = db.scalar("SELECT value FROM settings WHERE key = ?", (key,))
    return found


def keys(db: LibraryDatabase) -> list[str]:
    """All keys that `put` wrote."""
    return [key for (key,) in db.all("SELECT key FROM settings ORDER BY key")]
