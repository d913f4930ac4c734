"""What the verbs of curation share: the assets they are given exist, and how their number is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.core.errors import NotFound
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase


def require_assets(db: LibraryDatabase, asset_ids: Sequence[int]) -> None:
    """Raises NotFound when one of these row ids is no asset's: it was removed meanwhile, or never was."""
    missing = db.scalar(
        "SELECT count(*) FROM json_each(?) j WHERE NOT EXISTS (SELECT 1 FROM assets WHERE id = j.value)",
        (json_text(list(asset_ids)),),
    )
    if missing:
        raise NotFound(f"{counted(missing)} of these {'is' if missing == 1 else 'are'} not in the library.")


def counted(number: int) -> str:
    """`1 asset`, `12,000 assets`."""
    return f"{number:,} asset{'' if number == 1 else 's'}"
