"""B3, B4, B15: importing a tree of frames, first and again, beside the scan alone and beside fileseq.

    python -P -m benchmarks.importing                     200,000 frames in 2,000 directories
    python -P -m benchmarks.importing --growth            10,000, 100,000 and 1,000,000 frames too
    python -P -m benchmarks.importing --singles           as many files that make no sequences
    python -P -m benchmarks.importing --tree DIR          keep the trees in DIR for the next time

Every round runs all cases in turn, each in a process of its own; the ratio is to the scan of the same
round. An import's time has everything from opening the library to its last byte on disk; the start of the
program (interpreter, modules, log) is another figure (benchmarks/startup.py) and in none of these.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Case, alternate, python, table, tell

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES: Final = 100
"""Frames, or files, of one directory."""

_CHILD: Final = "--child"
_MODULES: Final = {
    "scan": ("kassettui.ingest.scan",),
    "import": ("kassettui.ingest.importing", "kassettui.library.library", "structlog"),
    "fileseq": ("fileseq",),
}
"""What each case loads before its time begins."""


def make_tree(root: str, files: int, *, singles: bool) -> str:
    """A tree of `files` empty files, FRAMES a directory: one sequence each, or names that make none."""
    tree = os.path.join(root, f"{'singles' if singles else 'frames'}-{files}")
    if os.path.isdir(tree):
        return tree
    made = f"{tree}.making"
    shutil.rmtree(made, ignore_errors=True)
    past = time.time_ns() - 10**15
    for number in range(files // FRAMES):
        task = "stills" if singles else "comp_v001"
        directory = os.path.join(made, f"sq{number // 400:03}", f"sh{number % 400:04}", task)
        os.makedirs(directory)
        descriptor = os.open(directory, os.O_RDONLY)
        for frame in range(FRAMES):
            name = f"plate_{frame:03}_a{number}b.jpg" if singles else f"comp_v001.{1001 + frame}.exr"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
            os.utime(name, ns=(past + frame, past + frame), dir_fd=descriptor)
        os.close(descriptor)
    os.rename(made, tree)
    return tree


def scan_alone(tree: str, _library: str) -> dict[str, float]:
    """B1: what `scan` yields, counted."""
    from kassettui.ingest.scan import scan

    frames = sum(
        sum(len(group.frames) for group in scanned.grouping.groups) + len(scanned.grouping.singles)
        for scanned in scan(tree)
    )
    return {"files": frames}


def fileseq_alone(tree: str, _library: str) -> dict[str, float]:
    """The peer: names to sequences, without a stat."""
    import fileseq

    found = 0
    for directory, _, names in os.walk(tree):
        if names:
            found += sum(len(each) for each in fileseq.findSequencesOnDisk(directory))
    return {"files": found}


def run_import(tree: str, library: str) -> dict[str, float]:
    """B3 on an empty library, B4 on one that knows the tree."""
    from kassettui.ingest.importing import run_import as run
    from kassettui.ingest.request import ImportRequest
    from kassettui.library.library import Library

    with Library.open(library, create=True) as opened:
        report = run(opened, ImportRequest(path=tree, enrich=False))
    if report.exit_code:
        raise SystemExit(f"{report.status}: {report.message}")
    stats = report.stats
    return {"ingested": stats.ingested, "skipped": stats.skipped}


_CASES: Final[dict[str, Callable[[str, str], dict[str, float]]]] = {
    "scan": scan_alone,
    "fileseq": fileseq_alone,
    "import": run_import,
}


def measure(tree: str, work: str, rounds: int) -> None:
    """All cases over one tree, in turn, as a table."""
    first, again = os.path.join(work, "first.kassettui"), os.path.join(work, "again.kassettui")
    run_import(tree, again)

    def case(name: str, kind: str, library: str, prepare: Callable[[], None] | None = None) -> Case:
        command = python("-m", "benchmarks.importing", _CHILD, kind, tree, library)
        return Case(name, command, told=True, prepare=prepare)

    cases = [
        case("scan alone (B1)", "scan", ""),
        case("first import (B3)", "import", first, partial(_remove, first)),
        case("import again (B4)", "import", again),
        case("fileseq alone", "fileseq", ""),
    ]
    print(table(alternate(cases, rounds), against="scan alone (B1)"), flush=True)
    _remove(first)
    _remove(again)


def _remove(library: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(library + suffix):
            os.unlink(library + suffix)


def main() -> None:
    """Measure what the arguments ask for."""
    if sys.argv[1:2] == [_CHILD]:
        kind, tree, library = sys.argv[2:]
        for name in _MODULES[kind]:
            importlib.import_module(name)
        began = time.perf_counter()
        figures = _CASES[kind](tree, library)
        tell(time.perf_counter() - began, **figures)
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--singles", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tree")
    chosen = parser.parse_args()
    sizes = [10_000, 100_000, 1_000_000] if chosen.growth else [chosen.files]
    with tempfile.TemporaryDirectory(prefix="kassettui-bench-") as work:
        for files in sizes:
            tree = make_tree(chosen.tree or work, files, singles=chosen.singles)
            what = "files alone" if chosen.singles else f"frames in {files // FRAMES:,} directories"
            print(f"\n{files:,} {what}", flush=True)
            measure(tree, work, chosen.rounds)


if __name__ == "__main__":
    main()
