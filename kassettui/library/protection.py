"""What must not be deleted or taken away: approved and best assets, locked collections (spec:
files F11, F14).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.text import from_stored, to_stored

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase


@dataclass(frozen=True, slots=True)
class Standing:
    """What the library has at a path, or below it: how many assets, and which of them are protected."""

    assets: int = 0
    approved: int = 0
    best: int = 0
    locked: tuple[tuple[str, str], ...] = ()
    """(name, root) of each locked collection that has assets there."""

    @property
    def protected(self) -> str:
        """Why nothing there may be deleted, in words; "" when it may."""
        reasons = []
        if self.approved:
            reasons.append("approved" if self.assets == 1 else f"{self.approved} approved")
        if self.best:
            reasons.append("best version" if self.assets == 1 else f"{self.best} best versions")
        return ", ".join(reasons)


_BEST = (
    "EXISTS (SELECT 1 FROM asset_versions v JOIN version_groups g ON g.id = v.group_id "
    "WHERE v.asset_id = a.id AND v.number = g.best AND v.deleted_at IS NULL)"
)


def standing(db: LibraryDatabase, path: str) -> Standing:
    """What stands at `path` (a file, a sequence's identity path) and below it (a directory)."""
    at = to_stored(path)
    # "0" follows "/": the range holds what begins with "path/", and nothing else.
    where = "(a.path = ? OR (a.path >= ? AND a.path < ?)) AND a.missing_since IS NULL"
    values = (at, f"{at}/", f"{at}0")
    row = db.one(
        f"SELECT count(*), coalesce(sum(a.approved_for_broadcast), 0), coalesce(sum({_BEST}), 0) "
        f"FROM assets a WHERE {where}",
        values,
    )
    assert row is not None
    if not row[0]:
        return Standing()
    locked = db.all(
        "SELECT DISTINCT c.name, c.root FROM assets a JOIN collections c ON c.uuid = a.collection_uuid "
        f"WHERE c.locked = 1 AND {where} ORDER BY c.name",
        values,
    )
    assets, approved, best = row
    roots = tuple((name, from_stored(root)) for name, root in locked)
    return Standing(assets, approved, best, roots)
