"""The log read back (`kassettui log`): in order, by weight, over rotations, whatever stands in it."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from kassettui.observe.entries import Entry, Level
from kassettui.observe.logreader import log_files, read_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT = 20.0


def line(event: str, level: Level = Level.INFO) -> bytes:
    return Entry("2026-01-01T00:00:00Z", level, "x", event, {}).line()


class Follower:
    """`log -f` on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.stop = threading.Event()
        self.heard: SimpleQueue[str] = SimpleQueue()
        self.thread = threading.Thread(target=self.run, args=(path,), daemon=True)
        self.thread.start()

    def run(self, path: Path) -> None:
        for entry in read_log(path, follow=True, stop=self.stop):
            self.heard.put(entry.event)

    def next(self) -> str:
        return self.heard.get(timeout=WAIT)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    one = Follower(tmp_path / "k.log")
    yield one
    one.stop.set()
    one.thread.join(WAIT)
    assert not one.thread.is_alive()


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert list(read_log(tmp_path / "none" / "k.log")) == []


def test_older_files_come_first(tmp_path: Path) -> None:
    for name, event in {
        "k.log": "now",
        "k.log.1": "before",
        "k.log.2": "long ago",
        "k.log.10": "first",
    }.items():
        (tmp_path / name).write_bytes(line(event))
    for name in ("k.log.bak", "k.log.0", "k.log.1x", "other"):
        (tmp_path / name).write_bytes(line("not ours"))
    assert [entry.event for entry in read_log(tmp_path / "k.log")] == ["first", "long ago", "before", "now"]
    assert len(log_files(tmp_path / "k.log")) == 4


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_only_what_weighs_enough_is_told(tmp_path: Path, level: str, count: int) -> None:
    (tmp_path / "k.log").write_bytes(b"".join(line(one.name, one) for one in Level))
    assert len(list(read_log(tmp_path / "k.log", level=level))) == count


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\n", b"{", b"\xff\xfe\x00\n", b"[1]\n", b'{"event": 1}\n', b'"text"\n', b"{" * 3000 + b"\n"],
)
def test_a_damaged_line_hides_no_other(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "k.log").write_bytes(line("before") + damaged + b"\n" + line("after"))
    events = [entry.event for entry in read_log(tmp_path / "k.log")]
    assert events[0] == "before"
    assert events[-1] == "after"
    assert set(events[1:-1]) <= {"unreadable line"}


def test_R2_what_a_full_disk_tore_off_hides_not_the_line_behind_it(tmp_path: Path) -> None:
    (tmp_path / "k.log").write_bytes(line("torn")[:30] + line("whole"))
    assert [entry.event for entry in read_log(tmp_path / "k.log")] == ["whole"]


def test_a_huge_line_costs_no_memory(tmp_path: Path) -> None:
    (tmp_path / "k.log").write_bytes(b"x" * 3_000_000 + b"\n" + line("after"))
    *damaged, last = read_log(tmp_path / "k.log")
    assert last.event == "after"
    assert all(len(str(entry.fields)) < 300 for entry in damaged)


def test_following_tells_what_was_and_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    path.write_bytes(line("old"))
    follower = Follower(path)
    assert follower.next() == "old"
    with path.open("ab") as file:
        file.write(line("new"))
    assert follower.next() == "new"
    follower.stop.set()
    follower.thread.join(WAIT)


def test_following_waits_for_a_log_that_is_not_there_yet(tmp_path: Path, follower: Follower) -> None:
    (tmp_path / "k.log").write_bytes(line("first"))
    assert follower.next() == "first"


def test_following_waits_for_the_end_of_a_line(tmp_path: Path, follower: Follower) -> None:
    whole = line("in two parts")
    with (tmp_path / "k.log").open("ab", buffering=0) as file:
        file.write(line("before"))
        assert follower.next() == "before"
        file.write(whole[:20])
        file.write(whole[20:])
    assert follower.next() == "in two parts"


def test_following_goes_on_over_a_rotation_and_misses_nothing(tmp_path: Path, follower: Follower) -> None:
    path = tmp_path / "k.log"
    with path.open("ab", buffering=0) as file:
        file.write(line("1"))
        assert follower.next() == "1"
        path.rename(tmp_path / "k.log.1")
        file.write(line("2"))  # a writer that had it open
        path.write_bytes(line("3"))
    assert follower.next() == "2"
    assert follower.next() == "3"
