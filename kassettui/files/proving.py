"""From checked files to the assets that they are: results are kept per asset, for `verified:<30d`
(spec: files F18).
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from kassettui.core import sequences
from kassettui.library import proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kassettui.files.verify import Verification
    from kassettui.library.library import Library


def keep(library: Library, root: str, verification: Verification, at: int) -> int:
    """Note in the library what a check of files below `root` found; how many assets are proved by it."""
    broken = [os.path.normpath(os.path.join(root, finding.path)) for finding in verification.findings]
    proved = list(assets_of(verification.sound, broken))
    return library.write(proof.record, proved, at) if proved else 0


def assets_of(sound: Mapping[str, str], broken: Iterable[str]) -> Iterator[proof.Proved]:
    """What the files (absolute path → xxh128) and the broken ones are: single assets, and sequences."""
    by_directory: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    for path, digest in sound.items():
        directory, name = os.path.split(path)
        by_directory[directory][name] = digest
    for each in broken:
        directory, name = os.path.split(each)
        by_directory[directory][name] = None
    for directory, names in by_directory.items():
        for name, known in names.items():
            yield proof.Proved(os.path.join(directory, name), 1, known is None, known)
        for group in sequences.group(sorted(names)).groups:
            members = [names[name] for name in group.names()]
            frames = len(group.frames)
            pattern = os.path.join(directory, group.identity_name)
            yield proof.Proved(pattern, frames, any(digest is None for digest in members))
