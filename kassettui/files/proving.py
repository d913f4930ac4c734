"""From checked files to the assets that they are: results are kept per asset, for `verified:<30d`
(spec: files F18).
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

import xxhash

from kassettui.core import sequences
from kassettui.core.errors import InvalidInput, NotFound
from kassettui.files.checksums import OURS
from kassettui.files.hashing import Hashed, ToHash, hash_files
from kassettui.files.listing import select
from kassettui.files.verify import Fault, Finding, Verification
from kassettui.library import assets, proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kassettui.files.listing import Entry
    from kassettui.jobs.control import Control
    from kassettui.library.assets import Asset
    from kassettui.library.engine import LibraryDatabase
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


def sequence_hash(frames: Iterable[tuple[int, str]]) -> str:
    """The content hash of a sequence from its (frame, xxh128) pairs, ascending, as the library
    keeps it (I24).
    """
    digest = xxhash.xxh3_128()
    for frame, text in frames:
        digest.update(f"{frame}:{text}\n".encode("ascii"))
    return f"q1:{digest.hexdigest()}"


def verify_assets(library: Library, ids: Sequence[int], control: Control) -> Verification:
    """Assets against the content hashes that the library has of them; those without one are left out.

    Raises InvalidInput when none has.
    """
    known = [asset for asset in library.read(_assets, ids) if asset.content_hash]
    if not known:
        raise InvalidInput(
            "The library has no hashes of these assets.", remedy="kassettui enrich --hash makes them."
        )
    findings: list[Finding] = []
    entries: dict[str, Entry] = {}
    for asset in known:
        try:
            entries.update((entry.path, entry) for entry in select([asset.path]))
        except NotFound:
            findings.append(Finding(asset.path, Fault.MISSING))
    read = _read(entries.values(), control)
    sound: dict[str, str] = {}
    for asset in known:
        if asset.path in entries:
            _compare(asset, entries[asset.path], read, findings, sound)
    size = sum(hashed.size for hashed in read.values())
    return Verification("library", len(read), size, tuple(findings), sound)


def _assets(db: LibraryDatabase, ids: Sequence[int]) -> list[Asset]:
    return [assets.get(db, row_id) for row_id in ids]


def _read(entries: Iterable[Entry], control: Control) -> dict[str, Hashed]:
    wanted = [
        ToHash(os.path.join(entry.directory, name), size=entry.size // entry.count)
        for entry in entries
        for name in entry.members()
    ]
    control.progress(phase="verify", total_items=len(wanted), total_bytes=sum(each.size for each in wanted))
    read: dict[str, Hashed] = {}
    lock = threading.Lock()

    def told(hashed: Hashed) -> None:
        with lock:
            read[hashed.path] = hashed

    hash_files(wanted, control, told)
    return read


def _compare(
    asset: Asset, entry: Entry, read: Mapping[str, Hashed], findings: list[Finding], sound: dict[str, str]
) -> None:
    """One asset: its files are as they were, or it is a finding as a whole (which frame, its hash
    does not tell).
    """
    files = [os.path.join(entry.directory, name) for name in entry.members()]
    unreadable = [path for path in files if read[path].error]
    if unreadable:
        findings += [Finding(path, Fault.UNREADABLE, read[path].error) for path in unreadable]
        return
    if entry.group is None:
        found = read[files[0]].sums[OURS]
    else:
        names = (
            (frame, os.path.join(entry.directory, entry.group.name_of(frame))) for frame in entry.group.frames
        )
        found = sequence_hash((frame, read[path].sums[OURS]) for frame, path in names)
    if found == asset.content_hash:
        sound.update((path, read[path].sums[OURS]) for path in files)
    else:
        findings.append(Finding(asset.path, Fault.CHANGED, f"{found} instead of {asset.content_hash}"))
