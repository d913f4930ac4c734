"""Several hands for one scan: threads on slow mounts, processes for large trees (spec: B1, B2)."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.ingest import readers as readers_module
from kassettui.ingest import scan as scan_module
from kassettui.ingest.ignore import IgnoreRules
from kassettui.ingest.listing import Listing, Visit, grouped
from kassettui.ingest.reader_process import ReaderProcess
from kassettui.ingest.reading import SLICE, Reader, ReaderOptions
from kassettui.ingest.scan import ScannedDirectory, scan
from kassettui.jobs.control import Cancelled, Control
from tests.ingest.test_scan import R8
from tests.ingest.trees import frames, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kassettui.ingest.listing import Read


@pytest.fixture
def show(root: Path) -> Path:
    """Forty directories, one of them large, with all that a scan meets."""
    for shot in range(30):
        frames(root / f"sh{shot:03}", range(1, 6))
    frames(root / "large", range(1, 2 * SLICE + 50))
    frames(root / "sh001" / "deep" / "er", range(3))
    write(root / "sh002" / ".kassettuiignore", b"*.jpg\nold/\n")
    write(root / "sh002" / "ref.jpg")
    write(root / "sh002" / "sub" / "old" / "x.exr")
    write(root / "sh002" / "sub" / "y\udcff\n.exr")
    write(root / "sh003" / ".beauty.0009.exr.Xa81Qz")
    (root / "sh004" / "broken.exr").symlink_to("nowhere")
    (root / "sh005" / "up").symlink_to(root)
    os.mkfifo(root / "sh006" / "pipe.exr")
    write(root / "sh007" / "@eaDir" / "thumb.jpg")
    return root


def by_processes(monkeypatch: pytest.MonkeyPatch, number: int = 2) -> None:
    """Have processes called at once, as for a large tree on a machine with so many cores."""
    monkeypatch.setattr(scan_module, "_LARGE_TREE", 0.0)
    monkeypatch.setattr(scan_module, "_MANY", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(number + 1)))


class UntilAided:
    """A control that waits, once processes were called, until one of them has read something."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aided = threading.Event()
        monkeypatch.setattr(readers_module, "grouped", self._grouped)

    def _grouped(self, visit: Visit, listing: Listing) -> Read:
        if threading.current_thread().name.startswith("scan-"):
            self.aided.set()
        return grouped(visit, listing)

    def checkpoint(self) -> None:
        if scanning_threads():
            assert self.aided.wait(60)


def children() -> set[int]:
    """This process's children that run."""
    found = set()
    for thread in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError), open(f"/proc/self/task/{thread}/children") as file:
            found |= {int(child) for child in file.read().split()}
    return found


def scanning_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("scan-")]


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("ignore", [(), ("sh01?", "!sh011")])
def test_threads_and_processes_answer_what_one_thread_answers(
    show: Path, monkeypatch: pytest.MonkeyPatch, follow: bool, ignore: tuple[str, ...]
) -> None:
    options: dict[str, Any] = {"follow_symlinks": follow, "ignore": IgnoreRules.of(ignore)}
    alone = list(scan(str(show), threads=1, **options))
    assert len(alone) > 30 - 9 * bool(ignore)
    for threads in (2, 16):
        assert list(scan(str(show), threads=threads, **options)) == alone
    by_processes(monkeypatch)
    before = children()
    control = UntilAided(monkeypatch)
    assert list(scan(str(show), control=control, **options)) == alone
    assert control.aided.is_set()
    assert children() <= before


def test_an_aid_that_is_killed_is_done_without(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = list(scan(str(show), threads=1))
    by_processes(monkeypatch)
    before = children()
    control = UntilAided(monkeypatch)
    seen = []
    for scanned in scan(str(show), control=control):
        seen.append(scanned)
        if control.aided.is_set():
            for child in children() - before:
                os.kill(child, signal.SIGKILL)
    assert seen == alone


def test_without_any_process_to_be_had_the_scan_goes_on(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = list(scan(str(show), threads=1))
    by_processes(monkeypatch)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert list(scan(str(show))) == alone


def test_a_process_reads_the_root_that_is_open_whatever_its_path_is_now(show: Path) -> None:
    reader = Reader(str(show), ReaderOptions())
    show.rename(show.with_name("moved"))
    show.mkdir()
    process = ReaderProcess(reader)
    (listing,) = process.list_directories([Visit("sh001")])
    assert listing.names == [f"beauty.{frame:04}.exr" for frame in range(1, 6)]
    assert listing.directories == ["deep"]
    process.end()
    process.reap()
    reader.close()


def test_I22_a_scan_by_processes_is_cancelled_at_once_and_leaves_none(
    show: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_processes(monkeypatch)
    descriptors, before = set(os.listdir("/proc/self/fd")), children()
    aided, control = UntilAided(monkeypatch), Control()

    class Both:
        def checkpoint(self) -> None:
            control.checkpoint()
            aided.checkpoint()

    walk = scan(str(show), control=Both())
    for _ in range(5):
        next(walk)
    assert aided.aided.is_set()
    control.cancel()
    with pytest.raises(Cancelled):
        list(walk)
    deadline = time.monotonic() + 30
    while (scanning_threads() or children() - before) and time.monotonic() < deadline:
        for thread in scanning_threads():
            thread.join(0.1)
    assert children() <= before
    assert set(os.listdir("/proc/self/fd")) <= descriptors


def late(call: Any, seconds: float) -> Any:
    def slow(*arguments: Any, **named: Any) -> Any:
        time.sleep(seconds)
        return call(*arguments, **named)

    return slow


def highest(walk: Iterator[ScannedDirectory]) -> int:
    """The most scanning threads that were seen."""
    return max(len(scanning_threads()) for _ in walk)


def test_B2_a_slow_mount_gets_threads_a_local_disk_none(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = list(scan(str(show), threads=1))
    assert highest(scan(str(show))) == 0
    monkeypatch.setattr(os, "stat", late(os.stat, 0.002))
    assert highest(scan(str(show))) == scan_module.MOST_THREADS
    assert list(scan(str(show))) == alone


def test_B2_one_large_slow_directory_is_measured_by_many(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames(root, range(1, 8 * SLICE))
    alone = list(scan(str(root), threads=1))
    seen = set()

    def watched(*arguments: Any, **named: Any) -> os.stat_result:
        seen.add(threading.current_thread().name)
        time.sleep(0.0005)
        return look(*arguments, **named)

    look = os.stat
    monkeypatch.setattr(os, "stat", watched)
    assert list(scan(str(root))) == alone
    assert len(seen) > 2


def test_B2_a_slow_mount_inside_a_fast_tree_gets_threads_too(
    show: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = list(scan(str(show), threads=1))
    by_processes(monkeypatch)
    monkeypatch.setattr(readers_module, "_AT_ONCE", 1)
    monkeypatch.setattr(os, "stat", late(os.stat, 0.002))
    assert list(scan(str(show))) == alone


def test_a_slow_consumer_bounds_what_is_read_ahead(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers_module, "_MOST_DIRECTORIES", 3)
    alone = list(scan(str(show), threads=1))
    assert list(scan(str(show), threads=8)) == alone
    monkeypatch.setattr(readers_module, "_MOST_FILES", 1)
    assert list(scan(str(show), threads=8)) == alone


def test_a_fault_in_a_thread_is_raised_where_the_scan_is_read(
    show: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fault(Exception):
        pass

    def fail(*_: Any) -> None:
        raise Fault

    monkeypatch.setattr(Reader, "listed", fail)
    with pytest.raises(Fault):
        list(scan(str(show), threads=3))


def test_R8_a_process_gives_any_name_back(root: Path) -> None:
    for name in R8:
        os.mkdir(os.fsencode(f"{root}/{name}"))
        for path in (f"{root}/{name}.0001.exr", f"{root}/{name}/{name}.exr", f"{root}/{name}.0002.part"):
            with open(os.fsencode(path), "wb") as file:
                file.write(b"x")
    reader = Reader(str(root), ReaderOptions())
    visits = [Visit(""), *(Visit(name) for name in R8), Visit("gone\udcff\n")]
    process = ReaderProcess(reader)
    assert process.list_directories(visits) == [reader.list_directory(visit) for visit in visits]
    process.end()
    process.reap()
    reader.close()
