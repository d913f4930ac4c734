"""What an import is asked for, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One import. `path` or `collection` (uuid, external id or name) says of what (I1), or both.

    `scope` narrows by the layout's levels (I2). `into` recreates the tree below a virtual folder.
    `accept_missing` goes on although much is gone, `accept_device` although the root lies on another device
    than before (I14). `apply_plan` names a stored plan: the run must come to the very same one (I20).
    `name`, `layout` and `ignore` (patterns, gitignore syntax) are those of a collection that this import
    makes; for one that exists layout and patterns hold for this run only.
    """

    path: str | None = None
    collection: str | None = None
    scope: Mapping[str, str] = field(default_factory=dict)
    into: str | None = None
    dry_run: bool = False
    enrich: bool = True
    hash_content: bool = False
    accept_missing: bool = False
    accept_device: bool = False
    all_files: bool = False
    follow_symlinks: bool = False
    plan_out: str | None = None
    apply_plan: str | None = None
    name: str | None = None
    layout: str | None = None
    ignore: tuple[str, ...] = ()
