"""The log's file: whole lines, private, rotated, and never in the way (R2, Security)."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from kassettui.observe.logfile import LogFile
from kassettui.observe.logreader import log_files

WAIT = 20.0


def lost(count: int) -> bytes:
    return b'{"lost":%d}\n' % count


def open_log(path: Path, *, max_bytes: int = 1_000_000, keep: int = 3) -> LogFile:
    return LogFile(lambda: path, max_bytes=max_bytes, keep=keep, lost_line=lost)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_urgent_line_is_in_the_file_on_return(tmp_path: Path) -> None:
    file = open_log(tmp_path / "k.log")
    file.write(b"first\n")
    file.write(b"urgent\n", urgent=True)
    assert (tmp_path / "k.log").read_bytes() == b"first\nurgent\n"
    file.close()


def test_lines_wait_for_company_and_are_written_at_the_end(tmp_path: Path) -> None:
    file = open_log(tmp_path / "k.log")
    for number in range(100):
        file.write(b"%d\n" % number)
    file.close()
    assert (tmp_path / "k.log").read_bytes() == b"".join(b"%d\n" % number for number in range(100))
    file.write(b"late\n")
    file.close()
    assert b"late" not in (tmp_path / "k.log").read_bytes()


def test_nothing_is_on_disk_before_the_first_line(tmp_path: Path) -> None:
    asked = threading.Event()

    def place() -> Path:
        asked.set()
        return tmp_path / "k.log"

    file = LogFile(place, max_bytes=1000, keep=1, lost_line=lost)
    assert file.flush()
    file.close()
    assert not asked.is_set()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_security_the_file_is_ours_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        file = open_log(tmp_path / "k.log", max_bytes=50)
        for _ in range(20):
            file.write(b"x" * 20 + b"\n", urgent=True)
        file.close()
    finally:
        os.umask(before)
    assert [mode(Path(path)) for path in log_files(tmp_path / "k.log")] == [0o600] * 4


def test_security_a_file_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    path.touch(mode=0o644)
    path.chmod(0o644)
    file = open_log(path)
    file.write(b"x\n", urgent=True)
    file.close()
    assert mode(path) == 0o600


def test_rotation_keeps_so_many_files_of_that_size(tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    file = open_log(path, max_bytes=1000, keep=2)
    for number in range(500):
        file.write(b"%05d\n" % number, urgent=True)
    file.close()
    files = log_files(path)
    assert [Path(one).name for one in files] == ["k.log.2", "k.log.1", "k.log"]
    assert all(os.path.getsize(one) <= 1000 for one in files)
    kept = b"".join(Path(one).read_bytes() for one in files).split()
    assert kept == [b"%05d" % number for number in range(500 - len(kept), 500)]


def test_rotation_without_older_files_begins_anew(tmp_path: Path) -> None:
    file = open_log(tmp_path / "k.log", max_bytes=100, keep=0)
    for number in range(100):
        file.write(b"%05d\n" % number, urgent=True)
    file.close()
    assert os.listdir(tmp_path) == ["k.log"]
    assert (tmp_path / "k.log").read_bytes().endswith(b"00099\n")


def test_a_file_that_was_removed_or_renamed_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    file = open_log(path)
    file.write(b"one\n", urgent=True)
    path.rename(tmp_path / "moved")
    file.write(b"two\n", urgent=True)
    path.unlink()
    file.write(b"three\n", urgent=True)
    file.close()
    assert path.read_bytes() == b"three\n"


WRITER = textwrap.dedent(
    """
    import sys
    from kassettui.observe.logfile import LogFile
    path, who, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    file = LogFile(lambda: path, max_bytes=40_000, keep=90, lost_line=lambda n: b"")
    sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
    for number in range(count):
        line = '{"who":"%s","number":%d,"fill":"%s"}' % (who, number, "x" * (number % 300))
        file.write(line.encode() + b"\\n", urgent=number % 7 == 0)
    file.close(timeout=30)
    """
)


def test_processes_that_log_at_once_lose_and_mix_no_line_over_rotations(tmp_path: Path) -> None:
    path, count = tmp_path / "k.log", 1500
    writers = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", WRITER, str(path), str(who), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for who in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n", timeout=100)
        assert writer.returncode == 0
    files = log_files(path)
    assert len(files) > 5
    lines = [json.loads(line) for one in files for line in Path(one).read_bytes().splitlines()]
    for who in range(4):
        assert [line["number"] for line in lines if line["who"] == str(who)] == list(range(count))


def test_R2_a_directory_that_cannot_be_made_costs_lines_not_the_program(tmp_path: Path) -> None:
    obstacle = tmp_path / "state"
    obstacle.write_text("a file where the directory should be")

    def place() -> Path:
        obstacle.mkdir(exist_ok=True)
        return obstacle / "k.log"

    file = LogFile(place, max_bytes=1000, keep=1, lost_line=lost)
    for _ in range(50):
        file.write(b"lost for now\n", urgent=True)
    assert not file.flush()
    assert "exists" in file.problem
    obstacle.unlink()  # it can be made again: the lines were kept
    until_written(file)
    assert (obstacle / "k.log").read_bytes() == b"lost for now\n" * 50
    assert file.problem == ""
    file.close()


def until_written(file: LogFile) -> None:
    """The failing disk is tried again at each urgent demand."""
    waited = threading.Event()
    for _ in range(200):
        if file.flush(WAIT):
            return
        waited.wait(0.05)
    raise AssertionError(file.problem)


def test_R2_a_long_failure_keeps_the_newest_lines_and_says_how_many_are_missing(tmp_path: Path) -> None:
    obstacle = tmp_path / "state"
    obstacle.write_text("")

    def place() -> Path:
        obstacle.mkdir(exist_ok=True)
        return obstacle / "k.log"

    file = LogFile(place, max_bytes=10_000_000, keep=1, lost_line=lost)
    for number in range(3000):
        file.write(b"%06d %s\n" % (number, b"x" * 1000))
    assert not file.flush()
    obstacle.unlink()
    until_written(file)
    file.close()
    first, *kept = (obstacle / "k.log").read_bytes().splitlines()
    missing = json.loads(first)["lost"]
    assert missing > 1000
    assert missing + len(kept) == 3000
    assert kept[-1].startswith(b"002999")


FULL_DISK = textwrap.dedent(
    """
    import os, resource, signal, sys, threading
    from kassettui.observe.logfile import LogFile
    path = sys.argv[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    file = LogFile(lambda: path, max_bytes=1_000_000, keep=1, lost_line=lambda n: b"")
    for number in range(30):
        file.write(b"%d %s\\n" % (number, b"x" * 96), urgent=True)
    full = file.problem
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    waited = threading.Event()
    for _ in range(200):
        if file.flush(20):
            break
        waited.wait(0.05)
    file.close()
    sys.stdout.write(full)
    """
)


def test_R2_a_full_disk_tears_one_line_at_most_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout  # it was full, and said so
    whole = [b"%d %s" % (number, b"x" * 96) for number in range(30)]
    lines = path.read_bytes().splitlines()
    assert [line for line in lines if line in whole] == whole
    (torn,) = [line for line in lines if line not in whole] or [b""]
    assert len(torn) < 100


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small file system")
@pytest.mark.faults
def test_R2_a_full_file_system_is_waited_out(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mounted)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        filler = mounted / "filler"
        filler.write_bytes(b"x" * 60_000)
        file = open_log(mounted / "k.log")
        for number in range(100):
            file.write(b"%d %s\n" % (number, b"x" * 200), urgent=True)
        assert "space" in file.problem
        filler.unlink()
        until_written(file)
        file.close()
        numbers = [
            line.split()[0] for line in (mounted / "k.log").read_bytes().splitlines() if len(line) > 200
        ]
        assert numbers == [b"%d" % number for number in range(100)]
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_fifo_in_the_files_place_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "k.log")
    file = open_log(tmp_path / "k.log")
    file.write(b"x\n", urgent=True)
    assert file.problem
    file.close()


def test_the_process_may_be_out_of_descriptors(tmp_path: Path) -> None:
    file = open_log(tmp_path / "k.log")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        file.write(b"x\n", urgent=True)
        assert "open files" in file.problem
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    until_written(file)
    file.close()
    assert (tmp_path / "k.log").read_bytes() == b"x\n"
