"""From what a person names to the asset.

Uuid, the start of one, a path, a pattern, a frame (spec: cli, selectors).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import Ambiguous, InvalidInput, NotFound
from kassettui.core.frames import FrameRanges
from kassettui.core.patterns import parse
from kassettui.core.text import from_stored, safe, to_stored
from kassettui.library.assets.values import ASSET_COLUMNS, Asset, asset_of
from kassettui.library.models import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.engine import LibraryDatabase

_PREFIX: Final = re.compile(r"[0-9a-fA-F]{4,8}(-[0-9a-fA-F]{0,4}){0,3}(-[0-9a-fA-F]{0,12})?\Z")
_DIGITS: Final = re.compile(r"-?\d+")
_SHOWN: Final = 5


def get(db: LibraryDatabase, asset_id: int) -> Asset:
    """The asset of this row id. Raises NotFound."""
    row = db.one(
        f"SELECT {ASSET_COLUMNS} FROM assets a LEFT JOIN layouts l ON l.id = a.layout_id WHERE a.id = ?",
        (asset_id,),
    )
    if row is None:
        raise NotFound("There is no such asset.")
    return asset_of(row)


def several(db: LibraryDatabase, ids: Sequence[int]) -> list[Asset]:
    """The assets of these row ids, in the order given, in one query; those that are gone are left out."""
    rows = db.all(
        f"SELECT {ASSET_COLUMNS} FROM json_each(?) j CROSS JOIN assets a ON a.id = j.value "
        "LEFT JOIN layouts l ON l.id = a.layout_id ORDER BY j.key",
        (json_text(list(ids)),),
    )
    return [asset_of(row) for row in rows]


def by_uuid(db: LibraryDatabase, uuid: str) -> Asset:
    """The asset of this uuid. Raises NotFound."""
    found = db.scalar("SELECT id FROM assets WHERE uuid = ?", (uuid.lower(),))
    if found is None:
        raise NotFound(f"There is no asset {safe(uuid)}.")
    return get(db, found)


def resolve(db: LibraryDatabase, selector: str) -> int:
    """The row id of the one asset that `selector` names: a uuid or four or more characters of its start, a
    path (absolute, or relative to the current directory), a sequence's pattern, or the path of one of its
    frames.

    Raises NotFound, Ambiguous.
    """
    for candidates in (_by_uuid, _by_path, _by_pattern, _by_frame):
        found = candidates(db, selector)
        if len(found) == 1:
            return found[0][0]
        if found:
            raise _ambiguous(selector, found)
    raise NotFound(f"No asset is {safe(selector)}.")


_Found = list[tuple[int, str, str]]


def _by_uuid(db: LibraryDatabase, selector: str) -> _Found:
    if not _PREFIX.match(selector):
        return []
    prefix = selector.lower()
    return _select(db, "uuid >= ? AND uuid < ?", prefix, prefix + "g")


def _by_path(db: LibraryDatabase, selector: str) -> _Found:
    return _select(db, "path = ?", to_stored(os.path.abspath(selector)))


def _by_pattern(db: LibraryDatabase, selector: str) -> _Found:
    directory, name = os.path.split(os.path.abspath(selector))
    try:
        pattern = parse(name)
    except InvalidInput:
        return []
    if pattern is None:
        return []
    identity = f"{pattern.head}#{pattern.suffix}"
    return _select(db, "path = ?", to_stored(os.path.join(directory, identity)))


def _by_frame(db: LibraryDatabase, selector: str) -> _Found:
    """The sequence of which this is a frame: any number in the name may be it."""
    directory, name = os.path.split(os.path.abspath(selector))
    found: _Found = []
    for number in _DIGITS.finditer(name):
        for start in {number.start(), number.start() + number.group().startswith("-")}:
            identity = os.path.join(directory, f"{name[:start]}#{name[number.end() :]}")
            frame = int(name[start : number.end()])
            rows = db.all(
                "SELECT id, uuid, path, frame_ranges FROM assets WHERE path = ? AND kind = 'sequence'",
                (to_stored(identity),),
            )
            found += [(id_, uuid, path) for id_, uuid, path, ranges in rows if _holds(ranges, frame)]
    return found


def _holds(ranges: str | None, frame: int) -> bool:
    try:
        return ranges is not None and frame in FrameRanges.parse(ranges)
    except InvalidInput:
        return False


def _select(db: LibraryDatabase, condition: str, *values: object) -> _Found:
    rows: _Found = db.all(
        f"SELECT id, uuid, path FROM assets WHERE {condition} ORDER BY path LIMIT {_SHOWN + 1}", values
    )
    return rows


def _ambiguous(selector: str, found: _Found) -> Ambiguous:
    shown = "; ".join(f"{uuid} {safe(from_stored(path))}" for _, uuid, path in found[:_SHOWN])
    more = " and more" if len(found) > _SHOWN else ""
    return Ambiguous(
        f"{safe(selector)} is more than one asset: {shown}{more}.", remedy="Name one by its uuid."
    )
