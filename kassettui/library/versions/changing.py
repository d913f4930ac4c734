"""Best, locks, approval, metadata and deletion of versions (spec: library V4, V5).

All targets are looked at before the first write: on an error nothing has moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kassettui.core.errors import NotFound, Refused
from kassettui.core.text import safe
from kassettui.library import stamps
from kassettui.library.changes import RowChange, record_changes
from kassettui.library.events import AssetsChanged, VersionsChanged, announce, some
from kassettui.library.models import json_text
from kassettui.library.staging import staged
from kassettui.library.versions.groups import groups, required_of_scope
from kassettui.library.versions.reading import by_ids, by_pairs
from kassettui.library.versions.values import Scope, Version, check_count, check_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase


def set_best(db: LibraryDatabase, scope: Scope, key: str, numbers: Sequence[int]) -> int:
    """Make a version of each entity its best; 0 clears it. How many groups changed.

    Raises InvalidInput unless there is one number for each entity, NotFound for a number that its group does
    not have, Refused for a best that somebody locked; then nothing has moved. Can be undone.
    """
    check_count(scope, "numbers", len(numbers))
    return set_best_of_groups(db, dict(zip(required_of_scope(db, scope, key), numbers, strict=True)))


def set_best_of_groups(db: LibraryDatabase, numbers: Mapping[int, int]) -> int:
    """As `set_best`, for groups by row id."""
    found = {group.id: group for group in groups(db, list(numbers))}
    present = by_pairs(db, [pair for pair in numbers.items() if pair[1]])
    for group_id, number in numbers.items():
        if group_id not in found:
            raise NotFound("There is no such version group.")
        if number and (group_id, number) not in present:
            raise NotFound(f"{safe(found[group_id].key.key)!r} has no version {number}.")
    moving = {id_: number for id_, number in numbers.items() if found[id_].best != number}
    for group_id in moving:
        if found[group_id].locked:
            raise Refused(
                f"The best of {safe(found[group_id].key.key)!r} is locked.",
                remedy="Unlock it with: kassettui version best --unlock",
            )
    now = stamps.now()
    for _ in staged(db, ("id", "best"), moving.items()):
        db.execute_sql(
            "UPDATE version_groups SET best = s.best, updated_at = ? FROM temp.staged s "
            "WHERE version_groups.id = s.id",
            (now,),
        )
    changes = [
        RowChange("version_groups", (id_,), {"best": found[id_].best}, {"best": number})
        for id_, number in moving.items()
    ]
    title = f"set best of {len(changes)} group{'' if len(changes) == 1 else 's'}"
    record_changes(db, stamps.new_uuid(), "best", title, changes, now)
    _told(db, list(moving))
    return len(moving)


def lock_best(db: LibraryDatabase, group_ids: Sequence[int], locked: bool = True) -> int:
    """Lock or unlock what is best of these groups: no new version takes it then. How many changed."""
    now = stamps.now()
    rows = db.all(
        "UPDATE version_groups SET best_locked = ?, updated_at = ? "
        "WHERE id IN (SELECT value FROM json_each(?)) AND best_locked <> ? RETURNING id",
        (int(locked), now, json_text(list(group_ids)), int(locked)),
    )
    changes = [
        RowChange("version_groups", (row[0],), {"best_locked": int(not locked)}, {"best_locked": int(locked)})
        for row in rows
    ]
    title = f"{'lock' if locked else 'unlock'} best of {len(rows)} group{'' if len(rows) == 1 else 's'}"
    record_changes(db, stamps.new_uuid(), "best", title, changes, now)
    _told(db, [row[0] for row in rows])
    return len(rows)


def approve_versions(db: LibraryDatabase, version_ids: Sequence[int], approved: bool = True) -> int:
    """Mark versions approved, or take the mark back; assets have an approval of their own. How many changed.

    Raises NotFound when one is not there; then nothing has moved.
    """
    by_ids(db, version_ids)
    rows = db.all(
        "UPDATE asset_versions SET approved = ? WHERE id IN (SELECT value FROM json_each(?)) "
        "AND approved <> ? RETURNING group_id",
        (int(approved), json_text(list(version_ids)), int(approved)),
    )
    _told(db, sorted({row[0] for row in rows}))
    return len(rows)


def update_version_metadata(
    db: LibraryDatabase, scope: Scope, key: str, numbers: Sequence[int], patch: Mapping[str, Any]
) -> list[Version]:
    """Merge `patch` into the metadata of one version of each entity: its keys replace theirs, whole (V4).

    Raises InvalidInput, NotFound for a number that is not there; then nothing has moved.
    """
    check_count(scope, "numbers", len(numbers))
    check_metadata(patch)
    pairs = list(zip(required_of_scope(db, scope, key), numbers, strict=True))
    found = by_pairs(db, pairs)
    for pair in pairs:
        if pair not in found:
            raise NotFound(f"{safe(key)!r} has no version {pair[1]}.")
    return merge_metadata(db, [found[pair] for pair in pairs], patch)


def merge_metadata(
    db: LibraryDatabase, versions: Sequence[Version], patch: Mapping[str, Any]
) -> list[Version]:
    """As `update_version_metadata`, for versions in hand."""
    merged = [(version.id, check_metadata({**version.metadata, **patch})) for version in versions]
    for _ in staged(db, ("id", "metadata"), merged):
        db.execute_sql(
            "UPDATE asset_versions SET metadata = s.metadata FROM temp.staged s "
            "WHERE asset_versions.id = s.id"
        )
    _told(db, sorted({version.group_id for version in versions}))
    return by_ids(db, [version.id for version in versions])


def delete_versions(db: LibraryDatabase, version_ids: Sequence[int]) -> int:
    """Delete versions: a tombstone stays, so their numbers are never given again (V5). How many.

    Raises Refused when one of them is best or approved, NotFound; then nothing has moved. Their files and
    assets stay where they are.
    """
    found = by_ids(db, version_ids)
    for version in found:
        if version.best or version.approved:
            what = "best" if version.best else "approved"
            raise Refused(f"Version {version.number} is {what} and cannot be deleted.")
    return bury(db, found, stamps.now(), "delete versions")


def bury(db: LibraryDatabase, versions: Sequence[Version], at: int, title: str) -> int:
    """Put tombstones; what must not be deleted, the caller has looked at. Can be undone."""
    ids = sorted({version.id for version in versions})
    db.execute_sql(
        "UPDATE asset_versions SET deleted_at = ? WHERE id IN (SELECT value FROM json_each(?))",
        (at, json_text(ids)),
    )
    changes = [RowChange("asset_versions", (id_,), {"deleted_at": None}, {"deleted_at": at}) for id_ in ids]
    record_changes(db, stamps.new_uuid(), "version", f"{title} ({len(ids)})", changes, at)
    _told(db, sorted({version.group_id for version in versions}))
    touched = [version.asset_id for version in versions if version.asset_id is not None]
    if touched:
        announce(db, AssetsChanged(some(touched)))
    return len(ids)


def _told(db: LibraryDatabase, group_ids: Sequence[int]) -> None:
    if group_ids:
        announce(db, VersionsChanged(some(group_ids)))
