"""A person's word on assets: approve, unapprove, retire (spec: ingest I12, I13).

What may follow on what is `core.lifecycle`'s business alone. A call is one transaction: where one asset
cannot go, none goes, unless the caller wants the others to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core import lifecycle
from kassettui.core.errors import Refused
from kassettui.core.lifecycle import Standing, State
from kassettui.library.assets import set_standings
from kassettui.library.curation import require_assets
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.library.engine import LibraryDatabase


@dataclass(frozen=True, slots=True)
class Decided:
    """The assets that changed, those that stood so already, and those that could not go, with the reason."""

    changed: tuple[int, ...]
    unchanged: tuple[int, ...]
    refused: tuple[tuple[int, str], ...] = ()


def approve(db: LibraryDatabase, asset_ids: Sequence[int], skip_refused: bool = False) -> Decided:
    """Approve ready assets for broadcast. Raises Refused when one is not ready, NotFound."""
    return _decide(db, asset_ids, lifecycle.approved, skip_refused=skip_refused)


def unapprove(db: LibraryDatabase, asset_ids: Sequence[int]) -> Decided:
    """Take approvals back. Raises NotFound."""
    return _decide(db, asset_ids, lifecycle.unapproved, skip_refused=False)


def retire(db: LibraryDatabase, asset_ids: Sequence[int]) -> Decided:
    """Take assets out of use, from any state; approval goes with it. Raises NotFound."""
    return _decide(db, asset_ids, lifecycle.retired, skip_refused=False)


def _decide(
    db: LibraryDatabase,
    asset_ids: Sequence[int],
    step: Callable[[Standing], Standing],
    *,
    skip_refused: bool,
) -> Decided:
    require_assets(db, asset_ids)
    rows = db.all(
        "SELECT id, state, approved_for_broadcast, is_deleted FROM assets "
        "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json_text(list(asset_ids)),),
    )
    changed: list[tuple[int, Standing]] = []
    unchanged: list[int] = []
    refused: list[tuple[int, str]] = []
    # Thousands of assets stand in a handful of ways.
    known: dict[tuple[str, int, int], Standing | str] = {}
    for id_, *way in rows:
        key = (way[0], way[1], way[2])
        standing = Standing(State(way[0]), bool(way[1]), bool(way[2]))
        if key not in known:
            known[key] = _after(standing, step)
        after = known[key]
        if isinstance(after, str):
            refused.append((id_, after))
        elif after == standing:
            unchanged.append(id_)
        else:
            changed.append((id_, after))
    if refused and not skip_refused:
        others = f" {len(refused) - 1} more cannot either." if len(refused) > 1 else ""
        raise Refused(refused[0][1] + others, remedy="Nothing was changed.")
    set_standings(db, changed)
    return Decided(tuple(id_ for id_, _ in changed), tuple(unchanged), tuple(refused))


def _after(standing: Standing, step: Callable[[Standing], Standing]) -> Standing | str:
    """What follows, or why nothing does."""
    try:
        return step(standing)
    except Refused as error:
        return error.message
