"""The log as others use it: what is written where, in which form, and what it never does."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.observe import bridge, log
from kassettui.observe.entries import Entry, Level, from_line
from kassettui.observe.logreader import read_log

if TYPE_CHECKING:
    from pathlib import Path

WAIT = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log that is configured; not a file yet."""
    file = tmp_path / "k.log"
    log.configure(lambda: file)
    return file


def lines(path: Path) -> list[dict[str, object]]:
    log.flush()
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_is_json_with_time_level_logger_event_and_fields(path: Path) -> None:
    log.get("ingest").bind(run="r1").info("run began", scope={"shot": "sh010"}, files=3)
    (line,) = lines(path)
    assert list(line)[:4] == ["time", "level", "logger", "event"]
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "info",
        "logger": "ingest",
        "event": "run began",
        "run": "r1",
        "scope": {"shot": "sh010"},
        "files": 3,
    }


def test_nothing_is_on_disk_from_browsing(path: Path) -> None:
    logger = log.get("files")
    for number in range(100):
        logger.debug("listed", entries=number)
    log.flush()
    assert not path.exists()
    assert log.recent() == ()


def test_warnings_are_in_the_file_at_once(path: Path) -> None:
    log.get("library").warning("busy", seconds=5)
    assert b"busy" in path.read_bytes()


def test_the_level_decides_what_is_kept(tmp_path: Path) -> None:
    log.configure(lambda: tmp_path / "k.log", level="warning")
    logger = log.get("x")
    logger.info("not this")
    logger.error("this")
    assert [line["event"] for line in lines(tmp_path / "k.log")] == ["this"]
    log.configure(lambda: tmp_path / "debug.log", level="debug")
    assert logger.enabled(Level.DEBUG)
    logger.debug("that")
    assert [line["event"] for line in lines(tmp_path / "debug.log")] == ["that"]


def test_an_exception_comes_with_its_traceback_and_without_its_locals(path: Path) -> None:
    def fail(password: str) -> None:
        raise ValueError(f"no good: token={password}")

    secret = f"hunter2-{os.getpid()}"  # made here: the traceback shows source lines
    try:
        fail(secret)
    except ValueError:
        log.get("x").exception("failed")
    (line,) = lines(path)
    assert "Traceback" in str(line["exception"])
    assert "ValueError: no good: token=***" in str(line["exception"])
    assert secret not in path.read_text()


def test_I28_secrets_never_reach_the_file_or_the_ring(path: Path) -> None:
    log.get("plex").bind(token="s3cr3t-1").info(
        "connected to http://me:s3cr3t-2@plex",
        url="http://plex/?X-Plex-Token=s3cr3t-3",
        headers={"Authorization": "s3cr3t-4"},
    )
    log.flush()
    assert "s3cr3t" not in path.read_text()
    assert "s3cr3t" not in repr(log.recent())


NAMES = [
    "new\nline",
    "\x1b]52;c;aGk=\x07 osc",
    "[red]bold[/]",
    "\u202egnp.exe",
    "inv\udcffalid",
    "-rf",
    "emoji 🎬",
    "%s;rm $(x)",
    "\x7f\x9b",
]


@pytest.mark.parametrize("name", NAMES)
def test_R8_any_name_goes_through_the_log_and_back(path: Path, name: str) -> None:
    log.get("x").warning(name, path=name)
    raw = path.read_bytes()
    assert raw.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in raw[:-1])  # nothing that speaks to a terminal
    (entry,) = read_log(path)
    assert (entry.event, entry.fields["path"]) == (name, name)


@given(
    st.text(st.characters()),  # surrogates included
    st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.lists(st.booleans()), max_size=4),
)
def test_R8_every_entry_survives_its_line(event: str, fields: dict[str, object]) -> None:
    fields = {key: value for key, value in fields.items() if key not in {"time", "level", "logger", "event"}}
    entry = Entry("2026-01-01T00:00:00Z", Level.INFO, "x", event, fields)
    assert from_line(entry.line()) == entry


def test_a_callers_field_never_hides_the_lines_own(path: Path) -> None:
    log.get("x").info("event", level="high", time="late", logger="me")
    (line,) = lines(path)
    assert (line["level"], line["logger"], line["level_"]) == ("info", "x", "high")


def test_the_ring_keeps_the_last_thousand() -> None:
    logger = log.get("x")
    for number in range(log.RING_SIZE + 500):
        logger.info("line", number=number)
    recent = log.recent()
    assert len(recent) == log.RING_SIZE == 1000
    assert recent[-1].fields["number"] == log.RING_SIZE + 499
    log.clear_recent()
    assert log.recent() == ()


def test_listeners_hear_each_line_until_they_leave() -> None:
    heard: list[str] = []
    unsubscribe = log.subscribe(lambda entry: heard.append(entry.event))
    log.get("x").info("one")
    unsubscribe()
    log.get("x").info("two")
    assert heard == ["one"]


def test_a_listener_that_fails_or_logs_disturbs_nobody() -> None:
    heard: list[str] = []

    def bad(_: Entry) -> None:
        log.get("listener").error("about a line")
        raise RuntimeError

    leave = [log.subscribe(bad), log.subscribe(lambda entry: heard.append(entry.event))]
    log.get("x").info("line")
    for unsubscribe in leave:
        unsubscribe()
    assert heard == ["line"]


def test_threads_that_log_at_once_lose_no_line(path: Path) -> None:
    start = threading.Barrier(6)

    def work(who: int) -> None:
        logger = log.get(f"t{who}")
        start.wait(WAIT)
        for number in range(300):
            logger.info("line", number=number)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    written = lines(path)
    for who in range(6):
        assert [line["number"] for line in written if line["logger"] == f"t{who}"] == list(range(300))


def test_what_libraries_log_comes_here_and_not_to_the_terminal(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("a.library").warning("odd %s", "thing")
    try:
        raise OSError("gone")
    except OSError:
        logging.getLogger("a.library").exception("failed")
    odd, failed = lines(path)
    assert (odd["event"], odd["level"], odd["logger"]) == ("odd thing", "warning", "a.library")
    assert "OSError: gone" in str(failed["exception"])
    assert capsys.readouterr() == ("", "")


def test_a_librarys_bad_format_string_is_told_as_it_is(path: Path) -> None:
    bridge._BRIDGE.handle(logging.makeLogRecord({"levelno": logging.ERROR, "msg": "bad %d", "args": ("x",)}))
    assert [line["event"] for line in lines(path)] == ["bad %d"]


def test_R2_a_log_that_cannot_be_written_never_breaks_the_program(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the directory's place")
    log.configure(lambda: tmp_path / "state" / "k.log")
    log.get("x").error("still here")
    assert log.problem()
    assert log.recent()[-1].event == "still here"
    assert not log.flush()


def test_lines_are_in_the_file_when_the_process_ends(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from kassettui.observe import log
        log.configure(lambda: sys.argv[1])
        log.get("x").info("last words")
        """
    )
    subprocess.run([sys.executable, "-P", "-c", script, str(tmp_path / "k.log")], check=True, timeout=60)
    assert [entry.event for entry in read_log(tmp_path / "k.log")] == ["last words"]


def test_a_killed_process_lost_no_warning(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        from kassettui.observe import log
        log.configure(lambda: sys.argv[1])
        log.get("x").info("on the way")
        log.get("x").warning("watch out")
        os.kill(os.getpid(), 9)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", script, str(tmp_path / "k.log")], check=False, timeout=60
    )
    assert ended.returncode == -9
    assert [entry.event for entry in read_log(tmp_path / "k.log")] == ["on the way", "watch out"]
    assert os.listdir(tmp_path) == ["k.log"]
