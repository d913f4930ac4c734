"""Ratings: 0 to 5 or none, on thousands of assets in one transaction (spec: library L6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.library import stamps
from kassettui.library.changes import RowChange, record_changes
from kassettui.library.curation import counted, require_assets
from kassettui.library.events import AssetsChanged, announce, some
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase

HIGHEST: Final = 5


@dataclass(frozen=True, slots=True)
class Rated:
    """The assets whose rating changed, and what it was."""

    before: dict[int, int | None]

    @property
    def assets(self) -> tuple[int, ...]:
        """Their row ids."""
        return tuple(self.before)


def set_rating(db: LibraryDatabase, asset_ids: Sequence[int], rating: int | None) -> Rated:
    """Give the assets this rating; None takes it away. Those that have it already stay as they are.

    Raises InvalidInput for a rating that is not 0 to 5, NotFound for an unknown id; then nothing is done.
    """
    if rating is not None and not 0 <= rating <= HIGHEST:
        raise InvalidInput(f"A rating is 0 to {HIGHEST}, or none.")
    require_assets(db, asset_ids)
    ids = json_text(list(asset_ids))
    differing = "id IN (SELECT value FROM json_each(?)) AND rating IS NOT ?"
    before: dict[int, int | None] = dict(
        db.all(f"SELECT id, rating FROM assets WHERE {differing} ORDER BY id", (ids, rating))
    )
    now = stamps.now()
    db.execute_sql(
        f"UPDATE assets SET rating = ?, updated_at = ? WHERE {differing}", (rating, now, ids, rating)
    )
    changes = [
        RowChange("assets", (id_,), {"rating": old}, {"rating": rating}) for id_, old in before.items()
    ]
    title = f"rate {'none' if rating is None else rating} ({counted(len(before))})"
    record_changes(db, stamps.new_uuid(), "rate", title, changes, now)
    if before:
        announce(db, AssetsChanged(some(before)))
    return Rated(before)
