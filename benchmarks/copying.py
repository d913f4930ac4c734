"""B12, B13: hashing and copying beside cp, rsync, rclone, shutil and xxhsum.

    python -P -m benchmarks.copying                  1 x 2 GB and 5,000 x 200 KB; 2 GB and 2,000 x 1 MB hashed
    python -P -m benchmarks.copying --work DIR       on the file system of DIR
    python -P -m benchmarks.copying --only big       one of: big, small, hash

Ours is the whole job: plan, journal in a library, temps, metadata, hashes, final names. Before every run a
file of the same size is written and removed, for fresh page cache is bimodal on virtual machines; what a run
made is removed before the next one. `synced` rows fsync on our side and `sync` the destination's file system
on the peer's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from typing import Final

from benchmarks.measure import Case, alternate, python, table, tell

_CHILD: Final = "--child"
_BIG: Final = 2_000_000_000
_SMALL: Final = (5_000, 200_000)
_HASHED: Final = (2_000, 1_000_000)


def write_random(path: str, size: int) -> None:
    """A file of `size` bytes that do not repeat within a block."""
    block = os.urandom(1 << 24)
    with open(path, "wb") as file:
        while size > 0:
            file.write(block[: min(size, len(block))])
            size -= len(block)


def write_many(directory: str, count: int, size: int) -> None:
    """Many files, names that make no sequence."""
    os.makedirs(directory)
    data = os.urandom(size + count)
    for number in range(count):
        with open(os.path.join(directory, f"{number:05}_a.dat"), "wb") as file:
            file.write(data[number : number + size])


def copy(source: str, destination: str, library: str, verify: str, durable: str) -> dict[str, float]:
    """One job, as the command line runs it, without the program's start."""
    from kassettui.files.listing import select
    from kassettui.files.operations import FileOperations, failure_of
    from kassettui.files.plan import Answers, Options, Verify
    from kassettui.jobs.control import Control
    from kassettui.library.library import Library

    with Library.open(library, create=True) as opened:
        files = FileOperations(opened)
        options = Options(verify=Verify(verify), durable=durable == "synced")
        plan = files.plans.copy(select([source]), destination, Answers(), options)
        result = files.run(plan, Control())
    failure = failure_of(result)
    if failure is not None:
        raise SystemExit(str(failure))
    return {"bytes": float(result.bytes_done)}


def hash_all(source: str) -> dict[str, float]:
    """The sums of a file, or of everything in a directory."""
    from kassettui.files.verify import sums_of
    from kassettui.jobs.control import Control

    if os.path.isdir(source):
        return {"files": sums_of(source, Control()).files}
    return {"files": sums_of(os.path.dirname(source), Control(), [os.path.basename(source)]).files}


def settle(work: str, size: int) -> None:
    """Remove what the last run made, and touch as much page cache as the next one will."""
    target = os.path.join(work, "target")
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(os.path.join(work, "library.db" + suffix)):
            os.unlink(os.path.join(work, "library.db" + suffix))
    write_random(os.path.join(work, "touched"), size)
    os.unlink(os.path.join(work, "touched"))
    os.sync()


def copying(work: str, source: str, size: int, rounds: int) -> None:
    """B13 for one source."""
    target = os.path.join(work, "target") + "/"
    ready = partial(settle, work, size)

    def ours(name: str, verify: str, durable: str = "loose") -> Case:
        child = ("-m", "benchmarks.copying", _CHILD, "copy", source, target, os.path.join(work, "library.db"))
        return Case(name, python(*child, verify, durable), prepare=ready, told=True)

    single = os.path.isfile(source)
    place = target if single else target + os.path.basename(source)
    cases = [
        Case("cp", ("cp", "-a", source, target), prepare=ready),
        ours("kassettui, verify size", "size"),
        ours("kassettui, verify source", "source"),
        ours("kassettui, verify both", "both"),
        Case("cp and sync", ("sh", "-c", 'cp -a "$0" "$1" && sync -f "$1"', source, target), prepare=ready),
        ours("kassettui, source, synced", "source", "synced"),
        Case("shutil", python("-m", "benchmarks.copying", _CHILD, "shutil", source, place), prepare=ready),
    ]
    if shutil.which("rsync"):
        cases.append(Case("rsync -a", ("rsync", "-a", source, target), prepare=ready))
    if shutil.which("rclone"):
        verb = "copyto" if single else "copy"
        to = target + os.path.basename(source)
        cases.append(Case("rclone --checksum", ("rclone", verb, "--checksum", source, to), prepare=ready))
    print(table(alternate(cases, rounds), against="cp"), flush=True)


def hashing(source: str, rounds: int) -> None:
    """B12 for one source."""
    theirs = (
        [source] if os.path.isfile(source) else [os.path.join(source, name) for name in os.listdir(source)]
    )
    cases = [
        Case("xxhsum -H2", ("xxhsum", "-H2", *theirs)),
        Case("kassettui", python("-m", "benchmarks.copying", _CHILD, "hash", source), told=True),
    ]
    print(table(alternate(cases, rounds), against="xxhsum -H2"), flush=True)


def child(kind: str, arguments: list[str]) -> None:
    """What a measured process does; the modules are loaded before its time begins."""
    if kind == "shutil":
        if os.path.isdir(arguments[0]):
            shutil.copytree(arguments[0], arguments[1])
        else:
            shutil.copy2(arguments[0], arguments[1])
        return
    import kassettui.files.operations
    import kassettui.files.verify  # noqa: F401

    began = time.perf_counter()
    figures = copy(*arguments) if kind == "copy" else hash_all(*arguments)
    tell(time.perf_counter() - began, **figures)


def main() -> None:
    """Measure what the arguments ask for."""
    if sys.argv[1:2] == [_CHILD]:
        child(sys.argv[2], sys.argv[3:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", help="a directory to work in; it must hold 8 GB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("big", "small", "hash"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kassettui-bench-", dir=chosen.work) as work:
        if chosen.only in {None, "big"}:
            write_random(os.path.join(work, "big.mov"), _BIG)
            print(f"1 x {_BIG / 1e9:.0f} GB")
            copying(work, os.path.join(work, "big.mov"), _BIG, chosen.rounds)
        if chosen.only in {None, "small"}:
            count, size = _SMALL
            write_many(os.path.join(work, "small"), count, size)
            print(f"{count} x {size // 1000} KB")
            copying(work, os.path.join(work, "small"), count * size, chosen.rounds)
        if chosen.only in {None, "hash"} and shutil.which("xxhsum"):
            if not os.path.exists(os.path.join(work, "big.mov")):
                write_random(os.path.join(work, "big.mov"), _BIG)
            write_many(os.path.join(work, "hashed"), *_HASHED)
            for name in ("big.mov", "hashed"):
                subprocess.run(["sync"], check=True)
                print(f"xxh3-128 of {name}")
                hashing(os.path.join(work, name), chosen.rounds)


if __name__ == "__main__":
    main()
