"""Tags: normalised, hierarchical by `/`, put on thousands of assets in one transaction (spec: library L5).

`add`, `remove` and `set_tags` are different verbs. Each takes row ids of assets, works in a constant number
of statements, keeps `assets.tag_text` (what full-text search reads) true, and is noted for undo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library import stamps
from kassettui.library.changes import RowChange, record_changes
from kassettui.library.curation import counted
from kassettui.library.engine import executemany
from kassettui.library.events import AssetsChanged, TagsChanged, announce, some
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kassettui.library.engine import LibraryDatabase

MAX_LENGTH: Final = 200
_SHOWN: Final = 4

_TAG_TEXT: Final = (
    "coalesce((SELECT group_concat(t.name, char(10) ORDER BY t.name_key) FROM asset_tags m "
    "JOIN tags t ON t.id = m.tag_id WHERE m.asset_id = assets.id), '')"
)


class MergeNeeded(Refused):
    """A tag of the new name exists: renaming would make one tag of two, which somebody has to ask for."""

    code = "merge_needed"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many assets carry it."""

    id: int
    uuid: str
    name: str
    assets: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a change of tags did: tags put on, tags taken off, and the assets where anything changed."""

    added: int
    removed: int
    assets: tuple[int, ...]


def normal_name(text: str) -> str:
    """A tag's name as it is shown: trimmed, runs of spaces one space, no empty level. Raises InvalidInput.

    Tabs, newlines and other control characters count as spaces, so that a name is one line.
    """
    name = _tidied(text)
    if not name:
        raise InvalidInput(f"{safe(text)!r} is not a name for a tag.", remedy="Give it letters or digits.")
    if len(name) > MAX_LENGTH:
        raise InvalidInput(f"A tag's name may have {MAX_LENGTH} characters; this one has {len(name)}.")
    return name


def name_key(text: str) -> str:
    """What makes two names the same tag: the normal name without its case; any text has one."""
    return _tidied(text).casefold()


def _tidied(text: str) -> str:
    plain = "".join(" " if character.isspace() or ord(character) < 32 else character for character in text)
    levels = [" ".join(level.split()) for level in plain.split("/")]
    return "/".join(level for level in levels if level)


# -- looking ------------------------------------------------------------------------------------------------


def listed(db: LibraryDatabase, below: str = "") -> list[Tag]:
    """All tags by name, or `below` and what lies under it, with the number of assets that carry each."""
    where, parameters = _subtree(below) if below else ("1", ())
    rows = db.all(
        "SELECT t.id, t.uuid, t.name, (SELECT count(*) FROM asset_tags m WHERE m.tag_id = t.id) "
        f"FROM tags t WHERE {where} ORDER BY t.name_key",
        parameters,
    )
    return [Tag(row[0], row[1], from_stored(row[2]), row[3]) for row in rows]


def find(db: LibraryDatabase, name: str) -> Tag:
    """The tag of this name, in any case. Raises NotFound."""
    row = db.one(
        "SELECT t.id, t.uuid, t.name, (SELECT count(*) FROM asset_tags m WHERE m.tag_id = t.id) "
        "FROM tags t WHERE t.name_key = ?",
        (to_stored(name_key(name)),),
    )
    if row is None:
        raise NotFound(f"There is no tag {safe(name)!r}.", remedy="See them with: kassettui tag list")
    return Tag(row[0], row[1], from_stored(row[2]), row[3])


def ensure(db: LibraryDatabase, names: Iterable[str]) -> list[int]:
    """The row ids of the tags of these names; those that are not there are made. Raises InvalidInput."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(name_key(name), normal_name(name))
    if not wanted:
        raise InvalidInput("No tag was named.")
    keys = json_text([to_stored(key) for key in wanted])
    known: dict[str, int] = dict(
        db.all("SELECT name_key, id FROM tags WHERE name_key IN (SELECT value FROM json_each(?))", (keys,))
    )
    missing = [
        (to_stored(key), to_stored(name)) for key, name in wanted.items() if to_stored(key) not in known
    ]
    if missing:
        now = stamps.now()
        executemany(
            db,
            "INSERT INTO tags (uuid, name, name_key, created_at) VALUES (?, ?, ?, ?)",
            [(stamps.new_uuid(), name, key, now) for key, name in missing],
        )
        known |= db.all(
            "SELECT name_key, id FROM tags WHERE name_key IN (SELECT value FROM json_each(?))", (keys,)
        )
        announce(db, TagsChanged(tuple(known[key] for key, _ in missing)))
    return [known[to_stored(key)] for key in wanted]


# -- tagging ------------------------------------------------------------------------------------------------


def add(db: LibraryDatabase, asset_ids: Sequence[int], names: Sequence[str]) -> Tagged:
    """Put every tag of `names` on every asset. Unknown ids raise ConstraintViolated, and nothing is done."""
    tag_ids = ensure(db, names)
    return _changed(db, f"tag {_titled(names)}", put=(asset_ids, tag_ids))


def remove(db: LibraryDatabase, asset_ids: Sequence[int], names: Sequence[str]) -> Tagged:
    """Take every tag of `names` off every asset. Raises NotFound for a tag that does not exist."""
    tag_ids = [find(db, name).id for name in names]
    if not tag_ids:
        raise InvalidInput("No tag was named.")
    return _changed(db, f"untag {_titled(names)}", taken=(asset_ids, tag_ids))


def set_tags(db: LibraryDatabase, asset_ids: Sequence[int], names: Sequence[str]) -> Tagged:
    """Have the assets carry these tags and no others; no names at all takes every tag off."""
    tag_ids = ensure(db, names) if names else []
    others = [
        row[0]
        for row in db.all(
            "SELECT DISTINCT tag_id FROM asset_tags WHERE asset_id IN (SELECT value FROM json_each(?)) "
            "AND tag_id NOT IN (SELECT value FROM json_each(?))",
            (json_text(list(asset_ids)), json_text(tag_ids)),
        )
    ]
    title = f"set tags {_titled(names)}" if names else "clear tags"
    return _changed(db, title, put=(asset_ids, tag_ids), taken=(asset_ids, others))


# -- the tags themselves ------------------------------------------------------------------------------------


def rename(db: LibraryDatabase, name: str, new_name: str, merge: bool = False) -> Tagged:
    """Call a tag otherwise, and with it what lies under it (`client` → `customer` takes `client/ok` along).

    Raises MergeNeeded when a tag of a new name exists, unless `merge`; NotFound; InvalidInput when the new
    name lies under the old one.
    """
    old_key, shown = name_key(name), normal_name(new_name)
    affected = listed(db, name)
    if not affected:
        find(db, name)
    if name_key(shown).startswith(f"{old_key}/"):
        raise InvalidInput(f"{safe(shown)!r} lies under {safe(name)!r} itself.")
    depth = len(old_key.split("/"))
    moves = {tag.id: "/".join([shown, *tag.name.split("/")[depth:]]) for tag in affected}
    taken = _holders(db, moves)
    if taken and not merge:
        raise MergeNeeded(
            f"There is a tag {safe(next(iter(taken.values()))[1])!r} already.",
            remedy="Make one tag of both with: kassettui tag merge",
        )
    title = f"rename tag {safe(name)} to {safe(shown)}"
    renamed = [tag for tag in affected if tag.id not in taken]
    steps = _renamed(db, {tag.id: moves[tag.id] for tag in renamed})
    merged = {tag.id: taken[tag.id][0] for tag in affected if tag.id in taken}
    return _rebuilt(db, title, steps, merged, [tag.id for tag in renamed])


def merge(db: LibraryDatabase, names: Sequence[str], target: str) -> Tagged:
    """Make the tags `names` part of `target` (made where it is not there): their assets carry that instead.

    Raises InvalidInput when `target` is among them, NotFound.
    """
    sources = [find(db, name).id for name in names]
    if not sources or name_key(target) in {name_key(name) for name in names}:
        raise InvalidInput("A tag is merged into another one, not into itself.")
    [target_id] = ensure(db, [target])
    title = f"merge tags {_titled(names)} into {safe(target)}"
    return _rebuilt(db, title, [], dict.fromkeys(sources, target_id), [])


def delete(db: LibraryDatabase, names: Sequence[str], recursive: bool = False) -> Tagged:
    """Delete tags, off every asset that carries them; with `recursive` what lies under them too.

    Raises NotFound, and Refused for a tag with others under it unless `recursive`.
    """
    ids: dict[int, None] = {}
    for name in names:
        found = listed(db, name)
        below = [tag for tag in found if name_key(tag.name) != name_key(name)]
        if not found:
            find(db, name)
        if below and not recursive:
            raise Refused(
                f"{safe(name)!r} has {len(below)} under it.", remedy="Delete them too with --recursive."
            )
        ids |= dict.fromkeys(tag.id for tag in found)
    if not ids:
        raise InvalidInput("No tag was named.")
    return _rebuilt(db, f"delete tags {_titled(names)}", [], dict.fromkeys(ids), [])


# -- inside -------------------------------------------------------------------------------------------------


def _titled(names: Sequence[str]) -> str:
    shown = ", ".join(safe(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _subtree(name: str) -> tuple[str, tuple[str, str, str]]:
    """The condition for a tag and what lies under it: `0` comes right after `/`."""
    key = to_stored(name_key(name))
    return "(t.name_key = ? OR (t.name_key > ? AND t.name_key < ?))", (key, f"{key}/", f"{key}0")


def _changed(
    db: LibraryDatabase,
    title: str,
    *,
    put: tuple[Sequence[int], Sequence[int]] = ((), ()),
    taken: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> Tagged:
    """Put and take tags, keep the text for searching true, note all of it for undo."""
    changes: list[RowChange] = []
    now = stamps.now()
    if put[1]:
        changes += _put(db, put[0], put[1], now)
    added = len(changes)
    if taken[1]:
        changes += _take(db, "asset_id IN (SELECT value FROM json_each(?)) AND ", taken)
    touched = sorted({change.key[0] for change in changes})
    _retell(db, touched, changes, now)
    record_changes(db, stamps.new_uuid(), "tag", f"{title} ({counted(len(touched))})", changes, now)
    return Tagged(added, sum(one.after is None for one in changes), tuple(touched))


def _put(db: LibraryDatabase, asset_ids: Sequence[int], tag_ids: Sequence[int], now: int) -> list[RowChange]:
    rows = db.all(
        "INSERT INTO asset_tags (asset_id, tag_id, added_at) SELECT a.value, t.value, ? "
        "FROM json_each(?) a CROSS JOIN json_each(?) t WHERE true ON CONFLICT DO NOTHING "
        "RETURNING asset_id, tag_id",
        (now, json_text(sorted(set(asset_ids))), json_text(list(tag_ids))),
    )
    return [RowChange("asset_tags", (row[0], row[1]), None, {"added_at": now}) for row in rows]


def _take(db: LibraryDatabase, where: str, which: tuple[Sequence[int], Sequence[int]]) -> list[RowChange]:
    parameters = [json_text(list(ids)) for ids in which] if where else [json_text(list(which[1]))]
    rows = db.all(
        f"DELETE FROM asset_tags WHERE {where}tag_id IN (SELECT value FROM json_each(?)) "
        "RETURNING asset_id, tag_id, added_at",
        parameters,
    )
    return [RowChange("asset_tags", (row[0], row[1]), {"added_at": row[2]}, None) for row in rows]


def _retell(db: LibraryDatabase, asset_ids: Sequence[int], changes: list[RowChange], now: int) -> None:
    """Bring `tag_text` of these assets up to date; what changed is added to `changes`, and announced."""
    if not asset_ids:
        return
    ids = (json_text(list(asset_ids)),)
    some_of = "id IN (SELECT value FROM json_each(?))"
    before: dict[int, str] = dict(db.all(f"SELECT id, tag_text FROM assets WHERE {some_of}", ids))
    after = db.all(
        f"UPDATE assets SET tag_text = {_TAG_TEXT}, updated_at = ? WHERE {some_of} RETURNING id, tag_text",
        (now, *ids),
    )
    changes += [
        RowChange("assets", (id_,), {"tag_text": before[id_]}, {"tag_text": text}) for id_, text in after
    ]
    announce(db, AssetsChanged(some(asset_ids)))


def _holders(db: LibraryDatabase, moves: dict[int, str]) -> dict[int, tuple[int, str]]:
    """For each tag that would get the name of another one: that one's id and name."""
    wanted = {to_stored(name_key(name)): tag_id for tag_id, name in moves.items()}
    rows = db.all(
        "SELECT name_key, id, name FROM tags WHERE name_key IN (SELECT value FROM json_each(?))",
        (json_text(list(wanted)),),
    )
    return {wanted[key]: (id_, from_stored(name)) for key, id_, name in rows if id_ not in moves}


def _renamed(db: LibraryDatabase, names: dict[int, str]) -> list[RowChange]:
    """Give tags new names. Short ones first: a name that one of them takes from another is free by then."""
    changes: list[RowChange] = []
    rows = db.all(
        "SELECT id, name, name_key FROM tags WHERE id IN (SELECT value FROM json_each(?)) "
        "ORDER BY length(name_key)",
        (json_text(list(names)),),
    )
    for id_, name, key in rows:
        after = {"name": to_stored(names[id_]), "name_key": to_stored(name_key(names[id_]))}
        changes.append(RowChange("tags", (id_,), {"name": name, "name_key": key}, after))
    executemany(
        db,
        "UPDATE tags SET name = ?, name_key = ? WHERE id = ?",
        [(*change.after.values(), change.key[0]) for change in changes if change.after is not None],
    )
    return changes


def _rebuilt(
    db: LibraryDatabase,
    title: str,
    changes: list[RowChange],
    replaced: dict[int, int | None] | dict[int, int],
    renamed: Sequence[int],
) -> Tagged:
    """Put the tags of `replaced` (old → new, None: none) out of the world; keep assets and undo true."""
    now = stamps.now()
    added = 0
    for old, new in replaced.items():
        if new is not None:
            carriers = [row[0] for row in db.all("SELECT asset_id FROM asset_tags WHERE tag_id = ?", (old,))]
            made = _put(db, carriers, [new], now)
            added += len(made)
            changes += made
    taken = _take(db, "", ((), list(replaced))) if replaced else []
    changes += taken
    changes += _gone(db, list(replaced))
    touched = {change.key[0] for change in changes if change.table == "asset_tags"}
    touched |= {
        row[0]
        for row in db.all(
            "SELECT asset_id FROM asset_tags WHERE tag_id IN (SELECT value FROM json_each(?))",
            (json_text(list(renamed)),),
        )
    }
    _retell(db, sorted(touched), changes, now)
    record_changes(db, stamps.new_uuid(), "tag", title, changes, now)
    announce(db, TagsChanged(some([*replaced, *renamed])))
    return Tagged(added, len(taken), tuple(sorted(touched)))


def _gone(db: LibraryDatabase, tag_ids: Sequence[int]) -> list[RowChange]:
    rows: list[tuple[Any, ...]] = db.all(
        "DELETE FROM tags WHERE id IN (SELECT value FROM json_each(?)) "
        "RETURNING id, uuid, name, name_key, created_at",
        (json_text(list(tag_ids)),),
    )
    columns = ("uuid", "name", "name_key", "created_at")
    return [RowChange("tags", (row[0],), dict(zip(columns, row[1:], strict=True)), None) for row in rows]
