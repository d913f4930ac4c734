"""What a check of files against sums says of the assets that they are (spec: files F18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kassettui.core.text import from_stored, to_stored
from kassettui.library.assets import write_facts
from kassettui.library.staging import staged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kassettui.library.engine import LibraryDatabase


@dataclass(frozen=True, slots=True)
class Proved:
    """An asset by its path (a sequence's with the identity name): `count` files of it are as their sums say.

    `broken`: at least one is not. `content_hash`: the xxh3-128 of a single file.
    """

    path: str
    count: int = 1
    broken: bool = False
    content_hash: str | None = None


def record(db: LibraryDatabase, proved: Iterable[Proved], at: int) -> int:
    """Note when assets were last proved; how many now are. `at` in microseconds, UTC.

    A sequence counts only as a whole. One with a broken file is no longer proved.
    """
    found = {each.path: each for each in proved}
    facts: list[tuple[int, dict[str, object]]] = []
    whole = 0
    for _ in staged(db, ("path",), ((to_stored(path),) for path in found)):
        rows = db.all(
            "SELECT a.id, a.path, a.kind, coalesce(a.frame_count, 1), a.verified_at FROM temp.staged s "
            "JOIN assets a ON a.path = s.path WHERE a.missing_since IS NULL"
        )
        for row_id, path, kind, count, verified_at in rows:
            each = found[from_stored(path)]
            if each.broken:
                if verified_at is not None:
                    facts.append((row_id, {"verified_at": None}))
            elif each.count >= count:
                whole += 1
                known: dict[str, object] = {"verified_at": at}
                if kind != "sequence" and each.content_hash is not None:
                    known["content_hash"] = each.content_hash
                facts.append((row_id, known))
    write_facts(db, facts)
    return whole
