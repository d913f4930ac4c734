"""The repository of collections: named source roots that are ingested (spec: ingest, Terms and I1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kassettui.core.errors import Ambiguous, InvalidInput, NotFound, Refused
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import stamps
from kassettui.library.events import AssetsChanged, CollectionChanged, announce
from kassettui.library.models import CollectionRow, json_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.library.engine import LibraryDatabase

_COLUMNS: Final = (
    "uuid, external_id, name, root, root_device, source_type, sync_enabled, ingestible, watched, locked, "
    "layout, ignore_patterns, config, last_ingest_time, created_at, updated_at"
)
_EDITABLE: Final = frozenset(
    [
        "external_id",
        "name",
        "root",
        "root_device",
        "sync_enabled",
        "ingestible",
        "watched",
        "locked",
        "layout",
        "ignore_patterns",
        "config",
    ]
)


@dataclass(frozen=True, slots=True)
class Collection:
    """A source root. `layout` is its path template, `root_device` what tells its file system from others.

    Times in µs since the epoch.
    """

    uuid: str
    external_id: str | None
    name: str
    root: str
    root_device: str | None
    source_type: str
    sync_enabled: bool
    ingestible: bool
    watched: bool
    locked: bool
    layout: str
    ignore_patterns: tuple[str, ...]
    config: Mapping[str, Any] = field(hash=False)
    last_ingest_time: int | None
    created_at: int
    updated_at: int


def name_key(name: str) -> str:
    """What names are compared by: case does not count, nor blanks around them (I1)."""
    return " ".join(name.split()).casefold()


def create(
    db: LibraryDatabase,
    name: str,
    root: str,
    *,
    source_type: str = "filesystem",
    external_id: str | None = None,
    layout: str = "",
    ignore_patterns: tuple[str, ...] = (),
    config: Mapping[str, Any] | None = None,
    root_device: str | None = None,
    uuid: str | None = None,
) -> Collection:
    """A new collection. Raises InvalidInput for an empty name or a relative root, Refused for a known
    external id.

    Names need not be unique; `unique_name` makes one that is.
    """
    shown = " ".join(name.split())
    if not shown:
        raise InvalidInput("A collection needs a name.")
    if source_type == "filesystem" and not root.startswith("/"):
        raise InvalidInput(f"The root {safe(root)} is not an absolute path.")
    known = external_id is not None and db.scalar(
        "SELECT 1 FROM collections WHERE source_type = ? AND external_id = ?", (source_type, external_id)
    )
    if known:
        raise Refused(f"A collection with the external id {safe(str(external_id))} exists already.")
    now = stamps.now()
    made = uuid if uuid is not None else stamps.new_uuid()
    row = {
        "uuid": made,
        "external_id": external_id,
        "name": to_stored(shown),
        "name_key": to_stored(name_key(shown)),
        "root": _normal(root, source_type),
        "root_device": root_device,
        "source_type": source_type,
        "layout": layout,
        "ignore_patterns": list(ignore_patterns),
        "config": dict(config or {}),
        "created_at": now,
        "updated_at": now,
    }
    CollectionRow.insert(row).bind(db).execute()
    announce(db, CollectionChanged(made))
    return get(db, made)


def unique_name(db: LibraryDatabase, wanted: str) -> str:
    """`wanted`, or `wanted 2`, `wanted 3`… where that is taken (I1)."""
    name, number = " ".join(wanted.split()) or "collection", 1
    candidate = name
    while db.scalar("SELECT 1 FROM collections WHERE name_key = ?", (to_stored(name_key(candidate)),)):
        number += 1
        candidate = f"{name} {number}"
    return candidate


def get(db: LibraryDatabase, uuid: str) -> Collection:
    """The collection of this uuid. Raises NotFound."""
    row = db.one(f"SELECT {_COLUMNS} FROM collections WHERE uuid = ?", (uuid.lower(),))
    if row is None:
        raise NotFound(
            f"There is no collection {safe(uuid)}.", remedy="See them all with: kassettui collections"
        )
    return _collection(row)


def find(db: LibraryDatabase, selector: str) -> Collection:
    """The collection that `selector` names: uuid, external id, or name whatever its case (I1).

    Raises NotFound, Ambiguous.
    """
    for condition, value in (
        ("uuid = ?", selector.lower()),
        ("external_id = ?", selector),
        ("name_key = ?", to_stored(name_key(selector))),
    ):
        rows = db.all(f"SELECT {_COLUMNS} FROM collections WHERE {condition} LIMIT 2", (value,))
        if len(rows) > 1:
            raise Ambiguous(f"Multiple collections named '{safe(selector)}' exist. Please specify the UUID.")
        if rows:
            return _collection(rows[0])
    raise NotFound(
        f"There is no collection {safe(selector)!r}.", remedy="See them all with: kassettui collections"
    )


def everything(db: LibraryDatabase) -> list[Collection]:
    """All collections, by name."""
    return [
        _collection(row)
        for row in db.execute_sql(f"SELECT {_COLUMNS} FROM collections ORDER BY name_key, id")
    ]


def containing(db: LibraryDatabase, path: str) -> Collection | None:
    """The collection of files whose root holds the absolute `path`, the deepest one where roots nest (I1)."""
    above = [to_stored(path)]
    while (cut := above[-1].rfind("/")) >= 0 and above[-1] != "/":
        above.append(above[-1][:cut] or "/")
    marks = ", ".join("?" * len(above))
    row = db.one(
        f"SELECT {_COLUMNS} FROM collections WHERE source_type = 'filesystem' AND root IN ({marks}) "
        "ORDER BY length(root) DESC, id LIMIT 1",
        above,
    )
    return None if row is None else _collection(row)


def edit(db: LibraryDatabase, uuid: str, **changes: Any) -> Collection:
    """Change fields of a collection, by their names in `Collection`. Raises NotFound, InvalidInput."""
    before = get(db, uuid)
    unknown = set(changes) - _EDITABLE
    if unknown:
        raise InvalidInput(f"A collection has no field to set that is called {safe(min(unknown))}.")
    values: dict[str, Any] = dict(changes)
    if "name" in values:
        shown = " ".join(str(values["name"]).split())
        if not shown:
            raise InvalidInput("A collection needs a name.")
        values |= {"name": to_stored(shown), "name_key": to_stored(name_key(shown))}
    if "root" in values:
        values["root"] = _normal(values["root"], before.source_type)
    if "ignore_patterns" in values:
        values["ignore_patterns"] = list(values["ignore_patterns"])
    if "config" in values:
        values["config"] = dict(values["config"])
    if values:
        values["updated_at"] = stamps.now()
        CollectionRow.update(values).where(CollectionRow.uuid == before.uuid).bind(db).execute()
        announce(db, CollectionChanged(before.uuid))
    return get(db, before.uuid)


def remove(db: LibraryDatabase, uuid: str, *, with_assets: bool = False) -> int:
    """Forget a collection; files stay untouched. Returns how many assets went with it.

    Raises NotFound; Refused when it has assets and `with_assets` is not said.
    """
    found = get(db, uuid)
    number: int = db.scalar("SELECT count(*) FROM assets WHERE collection_uuid = ?", (found.uuid,))
    if number and not with_assets:
        raise Refused(
            f"The collection {safe(found.name)!r} has {number} assets.", remedy="Remove them with it."
        )
    db.execute_sql("DELETE FROM assets WHERE collection_uuid = ?", (found.uuid,))
    db.execute_sql("DELETE FROM collections WHERE uuid = ?", (found.uuid,))
    announce(db, CollectionChanged(found.uuid))
    if number:
        announce(db, AssetsChanged(None))
    return number


class Weight(NamedTuple):
    """What hangs on a collection: its assets, their bytes, and how many of them are approved."""

    assets: int
    bytes: int
    approved: int


def weight(db: LibraryDatabase, uuid: str) -> Weight:
    """What would go with a collection."""
    row = db.one(
        "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(approved_for_broadcast), 0) FROM assets "
        "WHERE collection_uuid = ?",
        (uuid,),
    )
    return Weight(*row) if row is not None else Weight(0, 0, 0)


def note_ingest(db: LibraryDatabase, uuid: str, time: int, *, root_device: str | None = None) -> None:
    """A run over the collection succeeded (I17).

    At `time`, in µs since the epoch; its root lay on `root_device`.
    """
    db.execute_sql(
        "UPDATE collections SET last_ingest_time = ?, root_device = coalesce(?, root_device) WHERE uuid = ?",
        (time, root_device, uuid),
    )
    if db.changes() != 1:
        raise NotFound(f"There is no collection {safe(uuid)}.")
    announce(db, CollectionChanged(uuid))


def _normal(root: str, source_type: str) -> str:
    return (root.rstrip("/") or "/") if source_type == "filesystem" else root


def _collection(row: tuple[Any, ...]) -> Collection:
    uuid, external_id, name, root, device, source_type, enabled, ingestible, watched, locked = row[:10]
    layout, ignore_patterns, config, last, made, changed = row[10:]
    return Collection(
        uuid=uuid,
        external_id=external_id,
        name=from_stored(name),
        root=from_stored(root),
        root_device=device,
        source_type=source_type,
        sync_enabled=bool(enabled),
        ingestible=bool(ingestible),
        watched=bool(watched),
        locked=bool(locked),
        layout=layout,
        ignore_patterns=tuple(json_value(ignore_patterns)),
        config=json_value(config),
        last_ingest_time=last,
        created_at=made,
        updated_at=changed,
    )
