"""What a person names for a command on files: paths and patterns first, then what the library
knows (spec: cli).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kassettui.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.files.listing import Entry
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


def entries_of(words: Sequence[str], library: Library | None, *, fold: bool = True) -> list[Entry]:
    """The files, directories and sequences that `words` name: paths, patterns, uuids, `@searches`, queries,
    `-`.

    Raises NotFound for what is neither on disk nor in the library.
    """
    from kassettui.files.listing import select

    paths: list[str] = []
    for word in words:
        try:
            select([word])
        except NotFound:
            if library is None:
                raise
            paths += _known(library, word)
        else:
            paths.append(word)
    return select(paths, fold=fold)


def _known(library: Library, word: str) -> list[str]:
    """The paths of the assets that `word` names, sequences with their identity names."""
    from kassettui.cli.selectors import select

    ids = select(library, (word,))
    return library.read(_paths, ids)


def _paths(db: LibraryDatabase, ids: Sequence[int]) -> list[str]:
    from kassettui.library import assets

    found = [assets.get(db, row_id).path for row_id in ids]
    gone = [path for path in found if not os.path.lexists(path) and "#" not in os.path.basename(path)]
    if gone:
        raise NotFound(f"{gone[0]} is in the library, but not on disk.")
    return found
