"""Proof: lists of sums and ASC MHL histories made, and held against what is there (spec: files F18).

What is found is values: changed, missing, extra, unreadable. Nothing is written but the lists themselves.
"""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import safe
from kassettui.files import generations, manifests, mhl
from kassettui.files.checksums import FORMATS, OURS
from kassettui.files.generations import FileSums, put_file
from kassettui.files.hashing import Hashed, ToHash, hash_files
from kassettui.files.staging import is_temporary
from kassettui.files.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kassettui.files.generations import History
    from kassettui.jobs.control import Control


class Fault(StrEnum):
    """What can be wrong with a file."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One file that is not as the list says; `detail` says more where there is more."""

    path: str
    fault: Fault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found. `sound` are the absolute paths of files that are as they were, with
    their xxh128.
    """

    against: str
    checked: int
    size: int
    findings: tuple[Finding, ...]
    sound: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Whether everything is as the list says."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Made:
    """A list that was made: where, of how many files and bytes; files that could not be read."""

    paths: tuple[str, ...]
    files: int
    size: int
    findings: tuple[Finding, ...] = ()
    data: bytes = b""


@dataclass(slots=True)
class Tree:
    """The regular files below a directory, by path relative to it; links to files count as what
    they lead to.
    """

    files: dict[str, int]
    directories: list[str]
    findings: list[Finding]


def tree_of(root: str, ignored: Iterable[str], control: Control) -> Tree:
    """What is below `root`, apart from `ignored` (patterns as in .gitignore) and what copies leave
    unfinished.
    """
    from pathspec import PathSpec

    spec = PathSpec.from_lines("gitignore", ignored)
    tree = Tree({}, [], [])
    left_out: set[str] = set()
    for found in walk(root, control.checkpoint):
        path = found.relative
        parent = os.path.dirname(path)
        if found.facts is None:
            why = found.error.strerror if found.error is not None else ""
            tree.findings.append(Finding(path or ".", Fault.UNREADABLE, why or ""))
            continue
        directory = stat.S_ISDIR(found.facts.st_mode)
        name = os.path.basename(path)
        out = parent in left_out or is_temporary(name)
        if out or spec.match_file(f"{path}/" if directory else path):
            if directory:
                left_out.add(path)
        elif directory:
            tree.directories.append(path)
        elif stat.S_ISREG(found.facts.st_mode) or _leads_to_file(os.path.join(root, path), found.facts):
            tree.files[path] = found.facts.st_size
    return tree


def _leads_to_file(path: str, facts: os.stat_result) -> bool:
    return stat.S_ISLNK(facts.st_mode) and os.path.isfile(path)


def _read(
    root: str, wanted: Mapping[str, tuple[str, ...]], sizes: Mapping[str, int], control: Control
) -> dict[str, Hashed]:
    """Every file of `wanted` (relative path → formats), read once."""
    found: dict[str, Hashed] = {}
    lock = threading.Lock()

    def told(hashed: Hashed) -> None:
        with lock:
            found[os.path.relpath(hashed.path, root)] = hashed

    files = [
        ToHash(os.path.join(root, path), formats, follow=True, size=sizes.get(path, 0))
        for path, formats in sorted(wanted.items())
    ]
    control.progress(
        phase="verify", total_items=len(files), total_bytes=sum(sizes.get(path, 0) for path in wanted)
    )
    hash_files(files, control, told)
    return found


# -- lists of sums ------------------------------------------------------------------------------------------


def sums_of(root: str, control: Control, paths: Iterable[str] | None = None) -> Made:
    """A list of sums of everything below `root`, or of just `paths` (relative to it), as bytes in `data`."""
    if paths is None:
        tree = tree_of(root, mhl.IGNORED, control)
        sizes, findings = tree.files, tree.findings
    else:
        sizes, findings = {path: os.stat(os.path.join(root, path)).st_size for path in paths}, []
    found = _read(root, dict.fromkeys(sizes, (OURS,)), sizes, control)
    lines = []
    for path in sorted(found):
        if found[path].error:
            findings.append(Finding(path, Fault.UNREADABLE, found[path].error))
        else:
            lines.append(manifests.Line(path, OURS, found[path].sums[OURS]))
    size = sum(hashed.size for hashed in found.values())
    return Made((), len(lines), size, tuple(findings), manifests.written(lines))


def files_below(root: str, control: Control) -> list[str]:
    """The files below a directory that lists of sums name, as absolute paths in order."""
    return sorted(os.path.join(root, path) for path in tree_of(root, mhl.IGNORED, control).files)


def write_list(path: str, data: bytes) -> None:
    """Put a list of sums into a file, whole or not at all."""
    put_file(os.path.abspath(path), data)


def verify_sums(path: str, control: Control, *, extra: bool = True) -> Verification:
    """A list of sums against the files beside it; with `extra`, files there that it does not name
    are found.
    """
    root = os.path.dirname(os.path.abspath(path))
    lines = {os.path.normpath(line.path): line for line in manifests.read(path)}
    if not lines:
        raise InvalidInput(f"{safe(path)} names no files.")
    findings: list[Finding] = []
    sizes: dict[str, int] = {}
    for name in lines:
        try:
            facts = os.stat(os.path.join(root, name))
        except FileNotFoundError:
            findings.append(Finding(name, Fault.MISSING))
        except OSError as error:
            findings.append(Finding(name, Fault.UNREADABLE, error.strerror or ""))
        else:
            sizes[name] = facts.st_size
    wanted = {name: tuple(dict.fromkeys((lines[name].format, OURS))) for name in sizes}
    read = _read(root, wanted, sizes, control)
    expected = {name: {line.format: line.sum} for name, line in lines.items()}
    sound = _compare(root, read, expected, findings)
    inside = not any(os.path.isabs(name) or name.startswith("../") for name in lines)
    if extra and inside:
        tree = tree_of(root, (*mhl.IGNORED, "*" + manifests.ENDING), control)
        known = {os.path.relpath(os.path.join(root, name), root) for name in lines}
        known.add(os.path.basename(path))
        findings += [Finding(name, Fault.EXTRA) for name in tree.files if name not in known]
        findings += tree.findings
    return _verification(path, read, findings, sound)


def _compare(
    root: str, read: Mapping[str, Hashed], expected: Mapping[str, Mapping[str, str]], findings: list[Finding]
) -> dict[str, str]:
    """Note what differs; the sound files with their xxh128."""
    sound = {}
    for name in sorted(read):
        hashed = read[name]
        if hashed.error:
            findings.append(Finding(name, Fault.UNREADABLE, hashed.error))
            continue
        wrong = [
            f"{kind} {hashed.sums[kind]} instead of {text}"
            for kind, text in expected[name].items()
            if kind in hashed.sums and hashed.sums[kind] != text
        ]
        if wrong:
            findings.append(Finding(name, Fault.CHANGED, "; ".join(wrong)))
        elif OURS in hashed.sums:
            sound[os.path.join(root, name)] = hashed.sums[OURS]
    return sound


def _verification(
    against: str, read: Mapping[str, Hashed], findings: list[Finding], sound: Mapping[str, str]
) -> Verification:
    size = sum(hashed.size for hashed in read.values())
    ordered = tuple(sorted(findings, key=lambda finding: (finding.path, finding.fault)))
    return Verification(against, len(read), size, ordered, sound)


# -- ASC MHL ------------------------------------------------------------------------------------------------


def verify_history(root: str, control: Control) -> Verification:
    """A directory against its ASC MHL history, and those below it. Raises NotFound where there is none."""
    history = generations.load(root)
    if not history.lists:
        raise NotFound(
            f"{safe(root)} has no ASC MHL history.", remedy="kassettui manifest create --mhl makes one."
        )
    known = dict(history.everything())
    tree = tree_of(root, history.ignored, control)
    findings = list(tree.findings)
    findings += [Finding(path, Fault.MISSING) for path in known if path not in tree.files]
    findings += [Finding(path, Fault.EXTRA) for path in tree.files if path not in known]
    here = {path: tree.files[path] for path in known if path in tree.files}
    read = _read(root, {path: _formats(known[path]) for path in here}, here, control)
    expected = {path: {one.format: one.text for one in known[path].sums} for path in here}
    sound = _compare(root, read, expected, findings)
    return _verification(os.path.join(root, mhl.FOLDER), read, findings, sound)


def _formats(known: mhl.Hash) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(one.format for one in known.sums if one.format in FORMATS), OURS)))


def create_generation(root: str, control: Control) -> Made:
    """The next generation of a directory's ASC MHL history: every file read, compared with what is known of
    it.

    Files that differ, or are missing, are findings; the generation says so as well and is written all the
    same.
    """
    history = generations.load(root)
    tree = tree_of(root, history.ignored, control)
    known = dict(history.everything())
    findings = list(tree.findings)
    findings += [Finding(path, Fault.MISSING) for path in known if path not in tree.files]
    wanted = {path: _formats(known[path]) if path in known else (OURS,) for path in tree.files}
    read = _read(root, wanted, tree.files, control)
    at = generations.now()
    found: dict[str, FileSums] = {}
    for path in sorted(read):
        hashed = read[path]
        if hashed.error:
            findings.append(Finding(path, Fault.UNREADABLE, hashed.error))
            continue
        found[path] = FileSums(hashed.sums, hashed.size, hashed.mtime_ns, at)
    findings += _failed(history, found)
    # A directory's hash says what it holds: without a file that could not be read it would say less.
    whole = not any(finding.fault is Fault.UNREADABLE for finding in findings)
    paths = generations.add_generation(history, found, tree.directories if whole else None)
    size = sum(hashed.size for hashed in read.values())
    return Made(tuple(paths), len(found), size, tuple(sorted(findings, key=lambda each: each.path)))


def _failed(history: History, found: Mapping[str, FileSums]) -> list[Finding]:
    failed = []
    for path, sums in found.items():
        owner, inner = history.owner(path)
        compared = generations.compared(owner.known().get(inner), sums)
        if any(one.action == "failed" for one in compared):
            failed.append(Finding(path, Fault.CHANGED))
    return failed


def find_list(directory: str) -> str:
    """The list of sums in a directory; "" if there is none. Raises InvalidInput when there are several."""
    names = sorted(name for name in os.listdir(directory) if name.endswith(_ENDINGS))
    if len(names) > 1:
        raise InvalidInput(
            f"{safe(directory)} has {len(names)} lists of sums.", remedy="Say which one is to be checked."
        )
    return os.path.join(directory, names[0]) if names else ""


_ENDINGS: Final = (manifests.ENDING, ".xxhsum", ".xxh3", ".xxh")
