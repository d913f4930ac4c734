"""Values that the program keeps for itself in the `settings` table: counts, what a pane looked like.

Settings that a person writes are in config.py, not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kassettui.library.models import SettingRow
from kassettui.library.stamps import now

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase


def value_of(db: LibraryDatabase, key: str) -> Any:
    """The JSON value kept under `key`; None where there is none."""
    row = SettingRow.select(SettingRow.value).where(SettingRow.key == key).bind(db).tuples().first()
    return None if row is None else row[0]


def keep(db: LibraryDatabase, key: str, value: object) -> None:
    """Keep a JSON value under `key`, instead of what was there."""
    row = {SettingRow.key: key, SettingRow.value: value, SettingRow.updated_at: now()}
    SettingRow.insert(row).on_conflict_replace().bind(db).execute()


def forget(db: LibraryDatabase, key: str) -> None:
    """Keep nothing under `key`."""
    SettingRow.delete().where(SettingRow.key == key).bind(db).execute()
