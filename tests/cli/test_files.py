"""The commands on files: streams, exit codes, questions, interruption (spec: cli; files F1, F3,
F8, F11, F17).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.files.execution import Execution
from tests.files.trees import frames, picture, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.outcomes import Result
    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal

PROGRAM = (sys.executable, "-P", "-m", "kassettui")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A small tree."""
    frames(tmp_path / "a", last=1003)
    write(tmp_path / "a" / "deep" / "x.txt", "x")
    return tmp_path


def lines_of(text: bytes) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_F1_a_dry_run_prints_the_plan_and_the_run_does_just_that(kassettui: Runner, place: Path) -> None:
    before = picture(place)
    planned = kassettui("cp", place / "a", f"{place}/b/", "--dry-run", "--json").json
    assert picture(place) == before
    assert (planned["status"], planned["runnable"]) == ("dry_run", True)
    done = kassettui("cp", place / "a", f"{place}/b/", "--json").json
    assert (done["schema_version"], done["type"], done["status"]) == (1, "copy", "success")
    assert done["stats"] == {"done": len(planned["steps"]), "skipped": 0, "failed": 0, "bytes": 151}
    for step in planned["steps"]:
        assert os.path.lexists(step["destination"])


def test_F1_a_dry_run_makes_no_library(kassettui: Runner, place: Path) -> None:
    data = Path(os.environ["XDG_DATA_HOME"])
    kassettui("cp", place / "a", f"{place}/b/", "--dry-run")
    kassettui("rm", place / "a", "--dry-run")
    kassettui("rename", place / "a", "z", "--dry-run")
    assert not list(data.rglob("*.db"))


def test_F3_without_a_terminal_conflicts_are_listed_and_nothing_is_done(
    kassettui: Runner, place: Path
) -> None:
    write(place / "b" / "a" / "deep" / "x.txt", "mine")
    answer = kassettui("cp", place / "a", place / "b", "--json", code=1)
    document = answer.json
    assert (document["status"], document["code"], document["exit_code"]) == ("error", "conflicts", 1)
    taken = [conflict["destination"]["path"] for conflict in document["conflicts"]]
    assert taken == [f"{place}/b/a", f"{place}/b/a/deep", f"{place}/b/a/deep/x.txt"]
    assert "--on-conflict" in answer.err
    kassettui("cp", place / "a", place / "b", "--on-conflict", "skip")
    assert (place / "b" / "a" / "deep" / "x.txt").read_text() == "mine"
    assert (place / "b" / "a" / "beauty.1001.exr").exists()


def test_F3_on_a_terminal_each_conflict_shows_both_sides_and_is_answered(
    terminal: Callable[..., Terminal], place: Path
) -> None:
    frames(place / "b", last=1002, size=99)
    write(place / "b" / "x.txt", "mine")
    shown = terminal(
        "cp", place / "a" / "beauty.####.exr", place / "a" / "deep" / "x.txt", place / "b", columns=120
    )
    shown.read_until(b"m/q] ")
    assert b"there now    198 B" in shown.raw
    assert b"frames 1001-1002" in shown.raw
    assert b"would come   150 B" in shown.raw
    shown.type("o\n")
    shown.read_until(b"x.txt exists")
    shown.read_until(b"m/q] ")
    shown.type("K\n")
    assert shown.finish() == 0
    assert (place / "b" / "x.txt").read_text() == "mine"
    assert (place / "b" / "x (2).txt").read_text() == "x"
    assert len((place / "b" / "beauty.1001.exr").read_bytes()) == 50


def test_F3_leaving_the_question_changes_nothing(terminal: Callable[..., Terminal], place: Path) -> None:
    write(place / "b" / "a" / "deep" / "x.txt", "mine")
    before = picture(place)
    shown = terminal("cp", place / "a", place / "b")
    shown.read_until(b"m/q] ")
    shown.type("q\n")
    assert shown.finish() == 1
    assert picture(place) == before


def test_F17_what_is_not_there_is_exit_2(kassettui: Runner, place: Path) -> None:
    answer = kassettui("cp", place / "nowhere", place / "d", "--json", code=2)
    assert answer.json["code"] == "not_found"


def test_F17_a_file_that_vanishes_is_exit_4(
    kassettui: Runner, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        write(place / "s" / f"f{number}", f"{number}")
    real = Execution.run

    def run(self: Execution) -> Result:
        (place / "s" / "f1").unlink()
        return real(self)

    monkeypatch.setattr(Execution, "run", run)
    document = kassettui("cp", place / "s", f"{place}/t/", "--json", code=4).json
    assert document["status"] == "partial"
    assert document["failures"][0]["errno"] == "ENOENT"
    assert sorted(os.listdir(place / "t" / "s")) == ["f0", "f2"]


@pytest.mark.parametrize("form", ["--json", "--json-lines"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_F4_a_signal_in_the_middle_is_130_and_leaves_nothing(
    place: Path, form: str, number: signal.Signals
) -> None:
    with open(place / "big", "wb") as file:
        file.writelines(os.urandom(1 << 20) * 16 for _ in range(96))
    started = subprocess.Popen(
        [*PROGRAM, "cp", place / "big", place / "copy", form, "--verify", "both"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not list(place.glob(".kassettui-*.part")):
        assert started.poll() is None
        time.sleep(0.005)
    started.send_signal(number)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 130
    last = lines_of(out)[-1]
    assert last["status"] == "cancelled"
    assert sorted(path.name for path in place.iterdir()) == ["a", "big"]


def test_F15_json_lines_end_with_the_summary(kassettui: Runner, place: Path) -> None:
    told = lines_of(kassettui("cp", place / "a", f"{place}/b/", "--json-lines").out)
    assert told[-1]["type"] == "summary"
    assert told[-1]["status"] == "success"
    assert all(line["type"] in {"progress", "warning"} for line in told[:-1])
    told = lines_of(kassettui("cp", place / "a", f"{place}/b/", "--json-lines", code=1).out)
    assert [line["type"] for line in told] == ["summary"]


def test_F11_more_than_one_thing_is_asked_about_once(
    kassettui: Runner, terminal: Callable[..., Terminal], place: Path
) -> None:
    write(place / "y.txt", "y")
    answer = kassettui("rm", place / "a", place / "y.txt", "--json", code=1)
    assert answer.json["code"] == "refused"
    assert (place / "a").exists()
    shown = terminal("rm", place / "a", place / "y.txt", columns=120)
    shown.read_until(b"[y/N] ")
    assert b"Trash 2 items: 2 files" in shown.raw
    shown.type("n\n")
    assert shown.finish() == 0
    assert (place / "a").exists()
    kassettui("rm", place / "a", place / "y.txt", "--yes")
    assert not (place / "a").exists()
    listed = kassettui("trash", "ls", place, "--json").items
    assert sorted(item["path"] for item in listed) == [f"{place}/a", f"{place}/y.txt"]
    kassettui("trash", "restore", place / "a")
    assert (place / "a" / "deep" / "x.txt").read_text() == "x"
    assert kassettui("trash", "empty", "--yes", "--json").json["things"] == 1
    assert kassettui("trash", "ls", "--json").items == []


def test_F11_deleting_for_good_asks_even_for_one(kassettui: Runner, place: Path) -> None:
    kassettui("rm", "--permanently", place / "a", code=1)
    assert (place / "a").exists()
    assert kassettui("rm", "--permanently", place / "a", "-y", "--json").json["stats"]["done"] == 1
    assert not (place / "a").exists()
    assert kassettui("undo", code=2).err.count("nothing to undo") == 1


def test_F12_undo_list_undo_and_redo(kassettui: Runner, place: Path) -> None:
    before = picture(place)
    kassettui("rename", place / "a" / "beauty.####.exr", "hero.####.exr")
    kassettui("mkdir", "-p", place / "n" / "m")
    after = picture(place)
    titles = [item["title"] for item in kassettui("undo", "--list", "--json").items]
    assert titles == [f"Make {place}/n/m", "Rename beauty.[1001-1003].exr"]
    kassettui("undo")
    kassettui("undo")
    assert picture(place) == before
    kassettui("undo", "--redo")
    kassettui("undo", "--redo")
    assert picture(place) == after
    (place / "a" / "hero.1001.exr").write_text("mine")
    job = kassettui("undo", "--list", "--json").items[1]["job"]
    answer = kassettui("undo", job, code=1)
    assert "has changed" in answer.err


def test_F9_renumber_and_version_up(kassettui: Runner, place: Path) -> None:
    frames(place / "v", "comp_v001.", last=1002)
    kassettui("rename", place / "v" / "comp_v001.####.exr", "--start", "1")
    kassettui("cp", "--version-up", place / "v" / "comp_v001.####.exr")
    assert sorted(os.listdir(place / "v")) == [f"comp_v00{v}.000{f}.exr" for v in (1, 2) for f in (1, 2)]


def test_F10_bulk_rename_shows_every_problem_at_once(kassettui: Runner, place: Path) -> None:
    for name in ("x1.mov", "x2.mov", "x3.mov"):
        write(place / name, name)
    before = picture(place)
    words = [place / name for name in ("x1.mov", "x2.mov", "x3.mov")]
    answer = kassettui("rename", *words, "--find", r"\d", "--regex", "--with", "", "--json", code=1)
    problems = [pair["problem"] for pair in answer.json["pairs"]]
    assert [bool(problem) for problem in problems] == [False, True, True]
    assert picture(place) == before
    kassettui("rename", *words, "--to", "clip_{n:02}")
    assert sorted(path.name for path in place.glob("clip*")) == ["clip_01.mov", "clip_02.mov", "clip_03.mov"]


def test_F10_the_editor_edits_names(terminal: Callable[..., Terminal], place: Path) -> None:
    write(place / "one.mov", "1")
    write(place / "two.mov", "2")
    editor = write(place / "editor", "#!/bin/sh\nsed -i 's/one/three/' \"$2\"\n", mode=0o755)
    shown = terminal(
        "rename", "--edit", place / "one.mov", place / "two.mov", EDITOR=f"{editor} --flag", VISUAL=""
    )
    assert shown.finish() == 0
    assert (place / "three.mov").read_text() == "1"


def test_F8_a_killed_copy_is_shown_resumed_and_undone(kassettui: Runner, place: Path) -> None:
    for number in range(40):
        write(place / "big" / f"f{number:02}", os.urandom(1 << 20) * 8)
    before = picture(place)
    started = subprocess.Popen([*PROGRAM, "cp", place / "big", f"{place}/out/"], stderr=subprocess.DEVNULL)
    while not list(place.glob("out/big/.kassettui-*.part")):
        assert started.poll() is None
        time.sleep(0.002)
    started.kill()
    started.wait()
    (job,) = kassettui("jobs", "--json").items
    assert job["state"] == "interrupted"
    done = kassettui("cp", "--resume", job["job"][:6], "--json").json
    assert done["status"] == "success"
    assert picture(place / "out" / "big") == picture(place / "big")
    shown = kassettui("jobs", "show", job["job"], "--json").json
    assert shown["counts"] == {"done": 42}
    kassettui("undo")
    assert picture(place) == before


def test_F4_jobs_clean_settles_and_removes_temps(kassettui: Runner, place: Path) -> None:
    for number in range(40):
        write(place / "big" / f"f{number:02}", os.urandom(1 << 20) * 8)
    started = subprocess.Popen([*PROGRAM, "cp", place / "big", f"{place}/out/"], stderr=subprocess.DEVNULL)
    while not list(place.glob("out/big/.kassettui-*.part")):
        assert started.poll() is None
        time.sleep(0.002)
    started.kill()
    started.wait()
    document = kassettui("jobs", "clean", "--json").json
    assert len(document["settled"]) == 1
    assert not list(place.rglob(".kassettui-*"))
    assert kassettui("jobs", "--json").items[0]["state"] == "failed"


def test_F15_jobs_cancel_stops_a_job_of_another_process(kassettui: Runner, place: Path) -> None:
    with open(place / "big", "wb") as file:
        file.writelines(os.urandom(1 << 20) * 16 for _ in range(96))
    started = subprocess.Popen(
        [*PROGRAM, "cp", place / "big", place / "copy", "--verify", "both"], stderr=subprocess.DEVNULL
    )
    while not list(place.glob(".kassettui-*.part")):
        assert started.poll() is None
        time.sleep(0.002)
    (job,) = kassettui("jobs", "--json").items
    assert job["state"] == "running"
    kassettui("cp", "--resume", job["job"], code=1)  # it is at work
    kassettui("jobs", "cancel", job["job"])
    assert started.wait(60) == 130
    assert kassettui("jobs", "--json").items[0]["state"] == "cancelled"


def test_F18_manifest_and_verify(kassettui: Runner, place: Path) -> None:
    listed = kassettui("manifest", "create", place / "a").out
    shown = os.fsdecode(listed.splitlines()[0].partition(b"  ")[2])  # as xxhsum: relative to where we are
    assert os.path.samefile(shown, place / "a" / "beauty.1001.exr")
    kassettui("manifest", "create", place / "a", "-o", place / "a" / "sums.xxh128")
    assert kassettui("verify", place / "a", "--json").json["status"] == "success"
    write(place / "a" / "deep" / "x.txt", "y")
    write(place / "a" / "new", "new")
    document = kassettui("verify", place / "a" / "sums.xxh128", "--json", code=5).json
    assert [(finding["path"], finding["fault"]) for finding in document["findings"]] == [
        ("deep/x.txt", "changed"),
        ("new", "extra"),
    ]
    kassettui("verify", place / "nothing", code=2)
    kassettui("manifest", "create", place / "a", "--mhl")
    assert kassettui("verify", place / "a", "--json").json["against"].endswith("ascmhl")
    write(place / "a" / "deep" / "x.txt", "z")
    kassettui("verify", place / "a", code=5)
    kassettui("manifest", "create", place / "a", "--mhl", code=5)


def test_F18_verification_is_kept_per_asset(kassettui: Runner, place: Path) -> None:
    kassettui("import", place / "a", "--all-files", "--hash")
    kassettui("manifest", "create", place / "a", "-o", place / "a" / "sums.xxh128")
    kassettui("verify", place / "a")
    found = kassettui("find", "verified:<1d", "--json").items
    assert sorted(os.path.basename(item["path"]) for item in found) == ["beauty.#.exr", "x.txt"]
    write(place / "a" / "beauty.1002.exr", "changed", mtime=1002)
    kassettui("verify", place / "a", code=5)
    assert len(kassettui("find", "verified:<1d", "--json").items) == 1
    answer = kassettui("verify", "beauty", "--json", code=5)
    assert answer.json["against"] == "library"


def test_F13_the_library_follows_mv_and_undo(kassettui: Runner, place: Path) -> None:
    kassettui("import", place / "a", "--name", "show")
    uuid = kassettui("find", "beauty", "--json").items[0]["uuid"]
    kassettui("mv", uuid, place / "a" / "deep")
    found = kassettui("find", "beauty", "--json").items[0]
    assert (found["uuid"], found["path"]) == (uuid, f"{place}/a/deep/beauty.#.exr")
    kassettui("import", place / "a")
    assert kassettui("find", "beauty", "--json").items[0]["uuid"] == uuid
    kassettui("undo")
    assert kassettui("find", "beauty", "--json").items[0]["path"] == f"{place}/a/beauty.#.exr"


def test_R8_names_are_raw_in_json_and_safe_on_a_terminal(
    kassettui: Runner, terminal: Callable[..., Terminal], place: Path
) -> None:
    name = "\x1b]52;c;aGk=\x07" + os.fsdecode(b"\xff") + "\n.txt"
    write(place / name, "odd")
    items = kassettui("cp", place / name, f"{place}/b/", "--json").json["items"]
    assert items[0]["source_b64"]
    shown = terminal("cp", place / name, f"{place}/b/")
    shown.read_until(b"m/q] ")
    shown.type("q\n")
    shown.finish()
    assert b"\x1b]52" not in shown.raw
    assert (place / "b" / name).read_text() == "odd"
