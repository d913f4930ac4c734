"""A library with assets for the tests of curation: real file, real schema, rows as the import leaves them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kassettui.core.text import to_stored
from kassettui.library.engine import executemany

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kassettui.library.engine import LibraryDatabase

HOUR = 3_600_000_000
NOW = 1_795_000_000_000_000  # µs: 2026-11-18


@dataclass(frozen=True)
class Stocked:
    """An asset as a test wants it: columns of the table by name, and what hangs on it."""

    name: str = "a.exr"
    directory: str = "/shows/abc"
    collection: int = 1
    columns: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    best: bool | None = None
    """None: in no version group. Else a version of a group of its own, its best or not."""

    @property
    def path(self) -> str:
        return f"{self.directory}/{self.name}"


def collection_uuid(number: int) -> str:
    return str(uuid.UUID(int=number))


def asset_uuid(number: int) -> str:
    """The uuid of the asset with row id `number`: its first digits tell assets apart."""
    return str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15 % 2**64) << 64 | number))


def clear(db: LibraryDatabase) -> None:
    """Empty the library."""
    for table in (
        "asset_versions", "version_groups", "asset_tags", "asset_folders", "tags", "assets", "layouts",
        "saved_searches", "collections",
    ):  # fmt: skip
        db.execute_sql(f"DELETE FROM {table}")
    db.execute_sql("DELETE FROM folders WHERE id <> 1 AND search_id IS NOT NULL")
    while db.scalar("SELECT count(*) FROM folders WHERE id <> 1"):
        db.execute_sql(
            "DELETE FROM folders WHERE id <> 1 AND id NOT IN (SELECT parent_id FROM folders WHERE id <> 1)"
        )


def fill(
    db: LibraryDatabase, assets: Iterable[Stocked], collections: tuple[str, ...] = ("abc", "xyz")
) -> None:
    """Put `assets` in, with ids from 1."""
    template = "{show}/{shot}/{task}"
    executemany(
        db,
        "INSERT INTO collections (id, uuid, name, name_key, root, layout, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
        [
            (n, collection_uuid(n), name, name.casefold(), f"/shows/{name}", template)
            for n, name in enumerate(collections, 1)
        ],
    )
    assets = list(assets)
    layouts = {_json(one.layout): dict(one.layout) for one in assets if one.layout}
    layout_ids = {text: number for number, text in enumerate(layouts, 1)}
    executemany(db, "INSERT INTO layouts VALUES (?, ?)", [(n, text) for text, n in layout_ids.items()])
    executemany(
        db,
        "INSERT INTO layout_values VALUES (?, ?, ?)",
        [
            (key, to_stored(v), layout_ids[text])
            for text, pairs in layouts.items()
            for key, v in pairs.items()
        ],
    )
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for number, one in enumerate(assets, 1):
        row = _row(number, one, layout_ids.get(_json(one.layout)))
        groups.setdefault(tuple(row), []).append(tuple(row.values()))
    for names, rows in groups.items():
        marks = ", ".join("?" * len(names))
        executemany(db, f"INSERT INTO assets ({', '.join(names)}) VALUES ({marks})", rows)
    _tags(db, assets)
    _folders(db, assets)
    _versions(db, assets)


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"))


def _row(number: int, one: Stocked, layout_id: int | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": number,
        "uuid": asset_uuid(number),
        "collection_uuid": collection_uuid(one.collection),
        "canonical_key": to_stored(f"fs:{number}/{one.name}"),
        "kind": "image",
        "name": to_stored(one.name),
        "path": to_stored(one.path),
        "extension": to_stored(one.name.rpartition(".")[2] if "." in one.name else ""),
        "layout_id": layout_id,
        "tag_text": to_stored("\n".join(sorted(one.tags))),
        "discovered_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    for name, value in one.columns.items():
        row[name] = to_stored(value) if isinstance(value, str) else value
    return row


def _tags(db: LibraryDatabase, assets: list[Stocked]) -> None:
    names = {tag: number for number, tag in enumerate(sorted({t for one in assets for t in one.tags}), 1)}
    executemany(
        db,
        "INSERT INTO tags VALUES (?, ?, ?, ?, 0)",
        [(n, str(uuid.uuid4()), to_stored(tag), to_stored(tag.casefold())) for tag, n in names.items()],
    )
    executemany(
        db,
        "INSERT INTO asset_tags VALUES (?, ?, 0)",
        [(n, names[tag]) for n, one in enumerate(assets, 1) for tag in set(one.tags)],
    )


def _folders(db: LibraryDatabase, assets: list[Stocked]) -> None:
    ids: dict[str, int] = {"": 1}
    for path in sorted({folder for one in assets for folder in one.folders} - {""}):
        here = ""
        for part in path.strip("/").split("/"):
            parent, here = ids[here], f"{here}/{part}"
            if here not in ids:
                ids[here] = len(ids) + 1
                db.execute_sql(
                    "INSERT INTO folders (id, uuid, parent_id, name, created_at, updated_at) "
                    "VALUES (?, ?, ?, ?, 0, 0)",
                    (ids[here], str(uuid.uuid4()), parent, to_stored(part)),
                )
    executemany(
        db,
        "INSERT INTO asset_folders VALUES (?, ?, NULL, 0)",
        [(n, ids[folder]) for n, one in enumerate(assets, 1) for folder in set(one.folders)],
    )


def _versions(db: LibraryDatabase, assets: list[Stocked]) -> None:
    versions = [(number, one.best) for number, one in enumerate(assets, 1) if one.best is not None]
    executemany(
        db,
        "INSERT INTO version_groups (id, uuid, project, asset_key, head, best, created_at, updated_at) "
        "VALUES (?, ?, 'abc', ?, 2, ?, 0, 0)",
        [(n, str(uuid.uuid4()), f"key{n}", 1 if best else 2) for n, best in versions],
    )
    executemany(
        db,
        "INSERT INTO asset_versions (uuid, group_id, number, type, data_kind, asset_id, created_at) "
        "VALUES (?, ?, 1, 'image', 'asset', ?, 0)",
        [(str(uuid.uuid4()), n, n) for n, _ in versions],
    )
