"""Versions: groups by scope and role, numbers never reused, a best that people trust (spec: library V1–V9).

Functions with the database first, as everywhere in the library. `values` is what they take and give.
"""

from __future__ import annotations

from kassettui.library.versions.changing import (
    approve_versions,
    delete_versions,
    lock_best,
    merge_metadata,
    set_best,
    set_best_of_groups,
    update_version_metadata,
)
from kassettui.library.versions.creating import batch_create_versions, create_versions
from kassettui.library.versions.groups import (
    groups,
    groups_of_path,
    listed,
    of_assets,
    required_of_scope,
)
from kassettui.library.versions.joining import follow_moves, join_from_disk
from kassettui.library.versions.pruning import revive
from kassettui.library.versions.reading import (
    History,
    HistoryFilter,
    HistoryOrder,
    all_versions,
    best_of_groups,
    best_versions,
    by_ids,
    history,
    history_of_asset,
    next_free_number,
    next_version_number,
    numbers_at,
    of_groups,
    versions_by_number,
)
from kassettui.library.versions.values import (
    BatchResult,
    Data,
    DataKind,
    Entity,
    Group,
    GroupKey,
    Operation,
    OperationFailed,
    Scope,
    Version,
    VersionType,
)

__all__ = [
    "BatchResult",
    "Data",
    "DataKind",
    "Entity",
    "Group",
    "GroupKey",
    "History",
    "HistoryFilter",
    "HistoryOrder",
    "Operation",
    "OperationFailed",
    "Scope",
    "Version",
    "VersionType",
    "all_versions",
    "approve_versions",
    "batch_create_versions",
    "best_of_groups",
    "best_versions",
    "by_ids",
    "create_versions",
    "delete_versions",
    "follow_moves",
    "groups",
    "groups_of_path",
    "history",
    "history_of_asset",
    "join_from_disk",
    "listed",
    "lock_best",
    "merge_metadata",
    "next_free_number",
    "next_version_number",
    "numbers_at",
    "of_assets",
    "of_groups",
    "required_of_scope",
    "revive",
    "set_best",
    "set_best_of_groups",
    "update_version_metadata",
    "versions_by_number",
]
