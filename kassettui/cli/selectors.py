"""What a person names on a command line: assets by uuid, path, pattern, saved search, query, or from stdin.

The same everywhere (spec: cli): a uuid or its unique start, a path, a sequence's pattern or frame, `@name`,
`-` for uuids on stdin, or a query.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kassettui.core.errors import Ambiguous, NotFound
from kassettui.library import assets, search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

STDIN = "-"


def select(library: Library, selectors: Sequence[str]) -> list[int]:
    """The row ids of everything that the selectors name, in their order, each once.

    Raises NotFound for a selector that names nothing, Ambiguous, QueryError.
    """
    words = [
        word for selector in selectors for word in ((*from_stdin(),) if selector == STDIN else (selector,))
    ]
    return library.read(_select, words)


def one(library: Library, selector: str) -> int:
    """The row id of the one asset that a selector names. Raises NotFound, Ambiguous, QueryError."""
    found = select(library, (selector,))
    if len(found) > 1:
        raise Ambiguous(
            f"{selector} is {len(found)} assets.", remedy="Name one by its uuid; `kassettui find` lists them."
        )
    return found[0]


def from_stdin() -> Iterator[str]:
    """What stands on stdin, a line each (or NUL-separated). Only read when a person said `-`."""
    if sys.stdin is None:
        return
    data = sys.stdin.buffer.read()
    separator = b"\0" if b"\0" in data else b"\n"
    for entry in data.split(separator):
        if entry.strip():
            yield os.fsdecode(entry.strip() if separator == b"\n" else entry)


def _select(db: LibraryDatabase, words: Sequence[str]) -> list[int]:
    """One read for all of them, so that they are of one moment."""
    found: dict[int, None] = {}
    for word in words:
        found.update(dict.fromkeys(_matching(db, word)))
    return list(found)


def _matching(db: LibraryDatabase, word: str) -> list[int]:
    if not word.startswith("@"):
        try:
            return [assets.resolve(db, word)]
        except NotFound as nothing:
            found = search.ids(db, word)
            if not found:
                raise nothing from None
            return found
    found = search.ids(db, word)
    if not found:
        raise NotFound(f"Nothing is found by {word}.")
    return found
