"""Old versions go to the trash, by rules; best, approved and kept ones never do (spec: library V6).

`plan` is a value that says what would go and what stays why: the dry run, and what `carry_out` executes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.text import to_stored
from kassettui.library import stamps
from kassettui.library.events import VersionsChanged, announce, some
from kassettui.library.models import json_text
from kassettui.library.tags import name_key
from kassettui.library.usage import AssetFiles, Measured, Meter, asset_files
from kassettui.library.versions.groups import APPROVED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

PRUNED: Final = "pruned"
"""What the `data` of an asset's version says when pruning put its tombstone: it comes back with its files."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which versions may go: all but the newest `keep` of a group, and only those `older` (seconds).

    Assets with one of `keep_tags`, or a tag under it, stay. Best and approved ones stay whatever is asked.
    """

    keep: int = 0
    older: float | None = None
    keep_tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.keep < 0 or (self.older is not None and self.older < 0):
            raise InvalidInput("Prune keeps a number of versions, and an age is not negative.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that may go, with the asset that it is."""

    version_id: int
    group_id: int
    number: int
    asset: AssetFiles


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What would go, what stays by reason, and what it takes on disk (once `measured`)."""

    candidates: tuple[Candidate, ...]
    kept: Mapping[str, int]
    measured: Measured | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """What is thrown away: files, and sequences by their identity paths."""
        return tuple(one.asset.path for one in self.candidates)


_ROWS: Final = (
    f"SELECT v.id, v.group_id, v.number, v.asset_id, v.created_at, a.mtime_ns, {APPROVED}, "
    "EXISTS (SELECT 1 FROM asset_versions o JOIN version_groups og ON og.id = o.group_id "
    "WHERE (o.id = v.id OR o.asset_id = v.asset_id) AND o.number = og.best AND o.deleted_at IS NULL), "
    "EXISTS (SELECT 1 FROM asset_tags m WHERE m.asset_id = v.asset_id "
    "AND m.tag_id IN (SELECT value FROM json_each(?1))), "
    "a.missing_since IS NOT NULL OR a.is_deleted = 1, coalesce(c.locked, 0), "
    "(SELECT count(*) FROM asset_versions o WHERE o.asset_id = v.asset_id AND o.deleted_at IS NULL) "
    "FROM asset_versions v LEFT JOIN assets a ON a.id = v.asset_id "
    "LEFT JOIN collections c ON c.uuid = a.collection_uuid WHERE v.deleted_at IS NULL {only} "
    "ORDER BY v.group_id, v.number DESC"
)


def plan(
    db: LibraryDatabase, rules: Rules, group_ids: Sequence[int] | None = None, now: int | None = None
) -> PrunePlan:
    """What the rules let go, of these groups or of all. `now` in µs. Writes nothing, in three queries.

    A version's age is that of its newest file.
    """
    moment = stamps.now() if now is None else now
    tags = json_text(_tag_ids(db, rules.keep_tags))
    if group_ids is None:
        rows = db.all(_ROWS.format(only=""), (tags,))
    else:
        only = "AND v.group_id IN (SELECT value FROM json_each(?2))"
        rows = db.all(_ROWS.format(only=only), (tags, json_text(list(group_ids))))
    going: list[tuple[Any, ...]] = []
    kept: Counter[str] = Counter()
    position: Counter[int] = Counter()
    for row in rows:
        position[row[1]] += 1
        reason = _stays(row, rules, position[row[1]], moment)
        if reason:
            kept[reason] += 1
        else:
            going.append(row)
    # An asset that is a version of several groups goes only when it may go from all of them.
    marked = Counter(row[3] for row in going)
    wanted = [row for row in going if marked[row[3]] < row[11]]
    kept["version of another group"] += len(wanted)
    going = [row for row in going if marked[row[3]] == row[11]]
    files = {one.id: one for one in asset_files(db, sorted({row[3] for row in going}))}
    candidates = tuple(Candidate(row[0], row[1], row[2], files[row[3]]) for row in going)
    return PrunePlan(candidates, {reason: number for reason, number in kept.items() if number})


def _stays(row: tuple[Any, ...], rules: Rules, position: int, now: int) -> str:
    """Why a version stays; "" when it may go."""
    asset_id, created_at, mtime_ns, approved, best, tagged, absent, locked = row[3:11]
    age = (now - (created_at if mtime_ns is None else mtime_ns // 1000)) / 1_000_000
    reasons = (
        ("best", best),
        ("approved", approved),
        ("tag", tagged),
        ("locked collection", locked),
        ("no file on disk", asset_id is None or absent),
        ("newest", position <= rules.keep),
        ("too young", rules.older is not None and age <= rules.older),
    )
    return next((name for name, holds in reasons if holds), "")


def _tag_ids(db: LibraryDatabase, names: Sequence[str]) -> list[int]:
    """The tags of these names and all under them; a name that is no tag keeps nothing."""
    found: list[int] = []
    for name in names:
        key = to_stored(name_key(name))
        rows = db.all(
            "SELECT id FROM tags WHERE name_key = ? OR (name_key > ? AND name_key < ?)",
            (key, f"{key}/", f"{key}0"),
        )
        found += [row[0] for row in rows]
    return found


def measured(prune: PrunePlan, checkpoint: Callable[[], None] = lambda: None) -> PrunePlan:
    """The plan with what it takes on disk: each hard link once; what has other names is not reclaimable."""
    files = (path for one in prune.candidates for path in one.asset.files())
    return replace(prune, measured=Meter().measure(files, checkpoint))


def carry_out(
    library: Library, prune: PrunePlan, rules: Rules, throw: Callable[[Sequence[str]], Collection[str]]
) -> tuple[Candidate, ...]:
    """Throw away what the plan says, and put tombstones where it went; those are returned.

    `throw` gets the paths that still may go by now, and answers with those that are in the trash. What became
    best, approved or tagged since the plan stays. Raises what `throw` raises.
    """
    groups = sorted({one.group_id for one in prune.candidates})
    allowed = {one.version_id for one in library.read(plan, rules, groups).candidates}
    still = [one for one in prune.candidates if one.version_id in allowed]
    if not still:
        return ()
    thrown = set(throw(list(dict.fromkeys(one.asset.path for one in still))))
    gone = tuple(one for one in still if one.asset.path in thrown)
    library.write(bury, [one.version_id for one in gone], stamps.now())
    return gone


def bury(db: LibraryDatabase, version_ids: Sequence[int], at: int) -> int:
    """Tombstones for versions whose files went to the trash; `revive` takes them away. How many."""
    rows = db.all(
        "UPDATE asset_versions SET deleted_at = ?, data = ? WHERE id IN (SELECT value FROM json_each(?)) "
        "AND deleted_at IS NULL AND data_kind = 'asset' AND approved = 0 RETURNING group_id",
        (at, PRUNED, json_text(list(version_ids))),
    )
    if rows:
        announce(db, VersionsChanged(some(sorted({row[0] for row in rows}))))
    return len(rows)


def revive(db: LibraryDatabase, asset_ids: Sequence[int]) -> int:
    """Those of these assets that are on disk have their versions back that pruning had buried. How many."""
    rows = db.all(
        "UPDATE asset_versions SET deleted_at = NULL, data = '' WHERE deleted_at IS NOT NULL AND data = ? "
        "AND data_kind = 'asset' AND asset_id IN (SELECT a.id FROM json_each(?) j "
        "CROSS JOIN assets a ON a.id = j.value WHERE a.missing_since IS NULL) RETURNING group_id",
        (PRUNED, json_text(list(asset_ids))),
    )
    if rows:
        announce(db, VersionsChanged(some(sorted({row[0] for row in rows}))))
    return len(rows)
