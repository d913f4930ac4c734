"""B1, B2, B15 and S21: scanning a tree of frames beside `find` and fileseq, on a slow mount, ever larger.

    python -P -m benchmarks.scan                     B1: 200,000 frames in 2,000 directories
    python -P -m benchmarks.scan --slow              B2: the same with a latency in every call
    python -P -m benchmarks.scan --growth            B15: 10,000, 100,000 and 1,000,000 frames
    python -P -m benchmarks.scan --one-directory     S21: 1,000,000 frames in one directory; names a second
    python -P -m benchmarks.scan --tree DIR          keep the trees in DIR for the next time

Every case is a process of its own. Python's cases tell the time of their work without the interpreter's start
and their imports; "whole command" is with them. Memory is that of all processes of a case together.

The slow mount is a stand-in: in the scanning process `os.open` of a directory waits 0.5 ms and `os.stat`
0.1 ms, without the interpreter's lock, before they do what they do. What a real mount adds beside latency
(a server's limits, round trips of listings) is not in it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Case, Measured, alternate, python, table, tell

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES: Final = 100
_OPEN_SECONDS: Final = 0.0005
_STAT_SECONDS: Final = 0.0001
_PR_SET_TIMERSLACK: Final = 29
_MILLION: Final = 1_000_000


def make_tree(place: str, directories: int, frames: int) -> str:
    """Sparse frames: `directories` with one sequence of `frames` each, a hundred below each shot."""
    tree = os.path.join(place, f"scan-{directories}x{frames}")
    if os.path.isdir(tree):
        return tree
    made = f"{tree}.making"
    shutil.rmtree(made, ignore_errors=True)
    for number in range(directories):
        directory = os.path.join(made, f"sh{number // 100:04}", f"beauty_{number:05}_v001")
        os.makedirs(directory)
        descriptor = os.open(directory, os.O_RDONLY)
        for frame in range(frames):
            name = f"sh{number // 100:04}_beauty_v001.{1001 + frame:04}.exr"
            file = os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=descriptor)
            os.ftruncate(file, 1_000_000 + frame)
            os.close(file)
        os.close(descriptor)
    os.rename(made, tree)
    return tree


# -- what the children do -----------------------------------------------------------------------------------


def _scan(tree: str, threads: int | None) -> dict[str, float]:
    from kassettui.ingest.scan import scan

    directories = files = frames = 0
    helpers: dict[str, int] = {}
    for scanned in scan(tree, threads=threads):
        directories += 1
        files += len(scanned.sizes)
        frames += sum(len(each.frames) for each in scanned.grouping.groups)
        if directories % 200 == 0:
            helpers |= _peaks_of_children()
    memory = _peak_bytes("self") + sum(helpers.values())
    return {"directories": directories, "files": files, "frames": frames, "memory": memory}


def _peak_bytes(process: str) -> int:
    """The highest resident memory of a running process."""
    with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def _peaks_of_children() -> dict[str, int]:
    peaks = {}
    for thread in os.listdir("/proc/self/task"):
        with (
            contextlib.suppress(OSError),
            open(f"/proc/self/task/{thread}/children", encoding="ascii") as file,
        ):
            for child in file.read().split():
                with contextlib.suppress(OSError, StopIteration):
                    peaks[child] = _peak_bytes(child)
    return peaks


def _own(tree: str) -> dict[str, float]:
    return _scan(tree, None)


def _one_thread(tree: str) -> dict[str, float]:
    return _scan(tree, 1)


def _slow(tree: str) -> dict[str, float]:
    _be_slow()
    return _scan(tree, None)


def _slow_one_thread(tree: str) -> dict[str, float]:
    _be_slow()
    return _scan(tree, 1)


def _fileseq(tree: str) -> dict[str, float]:
    import fileseq

    directories = frames = 0
    for directory, _, names in os.walk(tree):
        directories += 1
        if names:
            frames += sum(len(each) for each in fileseq.findSequencesOnDisk(directory))
    return {"directories": directories, "frames": frames}


def _names(_: str) -> dict[str, float]:
    """Grouping alone: a million names in one sequence, then in four that alternate."""
    from kassettui.core.sequences import group

    names = [f"beauty.{frame:07}.exr" for frame in range(_MILLION)]
    begun = time.perf_counter()
    frames = len(group(names).groups[0].frames)
    together = time.perf_counter() - begun
    layers = ("albedo", "beauty", "depth", "normal")
    names = [f"a.{frame:06}.{layer}.exr" for frame in range(_MILLION // 4) for layer in layers]
    begun = time.perf_counter()
    frames += sum(len(each.frames) for each in group(names).groups)
    alternating = time.perf_counter() - begun
    return {
        "frames": frames,
        "names_a_second": _MILLION / together,
        "alternating_a_second": _MILLION / alternating,
    }


def _be_slow() -> None:
    """Give this process's calls a slow mount's latency."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # sleep as long as asked; threads inherit it
    os.open = _late(os.open, _OPEN_SECONDS)
    os.stat = _late(os.stat, _STAT_SECONDS)


def _late(call: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    sleep = time.sleep

    def late(*arguments: Any, **named: Any) -> Any:
        sleep(seconds)
        return call(*arguments, **named)

    return late


_CHILDREN: Final = {
    "own": _own,
    "one": _one_thread,
    "slow": _slow,
    "slow-one": _slow_one_thread,
    "fileseq": _fileseq,
    "names": _names,
}
_IMPORTS: Final = {"fileseq": "fileseq", "names": "kassettui.core.sequences"}


def _child(what: str, tree: str) -> None:
    __import__(_IMPORTS.get(what, "kassettui.ingest.scan"))
    begun = time.perf_counter()
    figures = _CHILDREN[what](tree)
    spent = time.perf_counter() - begun
    tell(spent, **figures)


# -- what is measured ---------------------------------------------------------------------------------------


def _case(name: str, what: str, tree: str) -> Case:
    return Case(name, python("-m", "benchmarks.scan", "--child", what, tree), told=True)


def _memory(one: Measured) -> float:
    return max(sample.told.get("memory", sample.peak_bytes) for sample in one.samples) / 1e6


def _against_peers(place: str, rounds: int) -> None:
    tree = make_tree(place, 2000, FRAMES)
    printed = "%s %T@ %p\\n"
    command = python("-m", "benchmarks.scan", "--child", "own", tree)
    measured = alternate(
        [
            Case("find -printf", ("find", tree, "-type", "f", "-printf", printed)),
            _case("kassettui", "own", tree),
            Case("kassettui, whole command", command),
            _case("kassettui, one thread", "one", tree),
            _case("fileseq (no stat)", "fileseq", tree),
            Case("python -c pass", python("-c", "pass")),
        ],
        rounds,
    )
    own, interpreter = measured["kassettui"], measured["python -c pass"]
    print(f"B1: 200,000 frames in 2,000 directories, median of {rounds}\n{table(measured, 'find -printf')}")
    print(f"to find -printf: {own.ratio_to(measured['find -printf']):.2f} (target ≤ 1.4)")
    print(f"fileseq to us:   {measured['fileseq (no stat)'].ratio_to(own):.1f} (target ≥ 3)")
    for name in ("kassettui", "kassettui, one thread"):
        over = _memory(measured[name]) - interpreter.peak_bytes / 1e6
        print(f"{name}: {over:.1f} MB over the interpreter, its processes together (target ≤ 30)")


def _slow_mount(place: str, rounds: int) -> None:
    tree = make_tree(place, 2000, FRAMES)
    cases = [_case("kassettui", "slow", tree)]
    measured = alternate(cases, rounds, warm_up=0)
    measured |= alternate([_case("one thread", "slow-one", tree)], 1, warm_up=0)
    print(f"B2: the same behind 0.5 ms an open and 0.1 ms a stat (a stand-in), median of {rounds}")
    print(f"{table(measured)}\ntarget ≤ 3.5 s")


def _growth(place: str, rounds: int) -> None:
    print(f"B15: growth, median of {rounds}")
    smallest = None
    for directories in (100, 1000, 10_000):
        tree = make_tree(place, directories, FRAMES)
        measured = alternate(
            [_case("own", "own", tree), _case("one", "one", tree)], rounds if directories < 10_000 else 3
        )
        for name, one in measured.items():
            a_file = one.seconds / (directories * FRAMES) * 1e6
            if name == "one" and smallest is None:
                smallest = a_file
            grown = f", {a_file / smallest:.2f} of the smallest" if name == "one" and smallest else ""
            print(
                f"{directories * FRAMES:>9,} frames, {'one thread' if name == 'one' else 'as it comes':12}"
                f"{one.seconds:8.3f} s, {a_file:.2f} µs a frame, {_memory(one):.0f} MB{grown}"
            )


def _one_directory(place: str, rounds: int) -> None:
    tree = make_tree(place, 1, _MILLION)
    measured = alternate([_case("scan", "own", tree), _case("names", "names", tree)], rounds)
    names = measured["names"]
    print(f"S21: 1,000,000 frames in one directory, median of {rounds}\n{table(measured)}")
    print(f"memory of the scan: {_memory(measured['scan']):.0f} MB (target < 200)")
    print(f"names a second: {names.told('names_a_second'):,.0f}, of four sequences that alternate ", end="")
    print(f"{names.told('alternating_a_second'):,.0f} (target ≥ 500,000)")


def main() -> None:
    """Measure what is asked for, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tree", help="keep the trees in this directory")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--one-directory", action="store_true")
    arguments = parser.parse_args()
    chosen = [
        measure
        for asked, measure in (
            (arguments.slow, _slow_mount),
            (arguments.growth, _growth),
            (arguments.one_directory, _one_directory),
        )
        if asked
    ] or [_against_peers]
    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.tree or temporary
        os.makedirs(place, exist_ok=True)
        for measure in chosen:
            measure(place, arguments.rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3])
    else:
        main()
