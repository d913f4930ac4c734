"""`library`, `doctor`, `config`, `log`, `metrics`, `themes`, `demo`: what looks after the rest."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PROGRAM
from tests.cli.test_importing import normal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal


def test_library_init_makes_a_private_library_once(kassettui: Runner, tmp_path: Path) -> None:
    library = tmp_path / "new" / "library.kassettui"
    made = kassettui("library", "init", "--json", "--library", library).json
    assert (made["type"], made["status"], made["path"]) == ("library", "created", str(library))
    assert stat.S_IMODE(library.stat().st_mode) == 0o600
    assert stat.S_IMODE(library.parent.stat().st_mode) == 0o700
    before = library.read_bytes()
    assert kassettui("library", "init", "--json", "--library", library, code=1).json["code"] == "refused"
    assert library.read_bytes() == before


def test_library_info(kassettui: Runner) -> None:
    kassettui("library", "init")
    document = kassettui("library", "info", "--json").json
    assert document["version"] == document["latest_version"] >= 1
    assert document["journal"] == "wal"
    assert document["assets"] == 0


def test_L11_check_is_0_for_a_sound_and_5_for_a_damaged_library(kassettui: Runner, tmp_path: Path) -> None:
    kassettui("library", "init")
    document = kassettui("library", "check", "--json").json
    assert (document["type"], document["status"]) == ("library_check", "ok")
    assert "structure" in document["checks"]
    kassettui("library", "check", "--read-only")
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"no database" * 100)
    answer = kassettui("library", "check", "--json", "--library", foreign, code=5)
    assert answer.json["code"] == "library_corrupt"
    assert foreign.read_bytes() == b"no database" * 100


def test_L9_migrate_says_when_there_is_nothing_to_do(kassettui: Runner) -> None:
    kassettui("library", "init")
    document = kassettui("library", "migrate", "--json").json
    assert (document["type"], document["status"], document["backup"]) == ("migration", "unchanged", None)


def test_doctor_finds_nothing_wrong_and_needs_no_library(kassettui: Runner) -> None:
    document = kassettui("doctor", "--json").json
    points = {item["point"]: item["verdict"] for item in document["items"]}
    assert points["library"] == "warn"
    assert points["settings"] == points["database engine"] == "ok"
    kassettui("library", "init")
    points = {item["point"]: item["verdict"] for item in kassettui("doctor", "--json").items}
    assert points["library"] == points["library's permissions"] == "ok"


def test_doctor_fails_with_a_remedy(kassettui: Runner, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[screen]\nthem = 1\n")
    kassettui("library", "init")
    (library,) = [row for row in kassettui("doctor", "--json").items if row["point"] == "library"]
    os.chmod(library["found"].split(",")[0], 0o644)
    rows = kassettui("doctor", "--json", "--config", tmp_path / "bad.toml", code=1).items
    (settings,) = [row for row in rows if row["point"] == "settings"]
    assert settings["verdict"] == "fail"
    assert "Did you mean" in settings["remedy"]
    (permissions,) = [
        row for row in kassettui("doctor", "--json").items if row["point"] == "library's permissions"
    ]
    assert permissions["verdict"] == "warn"
    assert permissions["remedy"].startswith("chmod go-rwx")


@pytest.mark.pty
def test_doctor_on_a_terminal(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("doctor", COLORTERM="truecolor")
    assert shown.finish() == 0
    text = "\n".join(shown.shown)
    assert "● ok" in text
    assert "▲ warn" in text
    assert "true colour" in text


def test_config_path_show_check_schema(kassettui: Runner, tmp_path: Path) -> None:
    places = kassettui("config", "path", "--json").json
    assert places["config"].endswith("config.toml")
    shown = kassettui("config", "show", "--toml").out.decode()
    own = tmp_path / "own.toml"
    own.write_text(shown)
    assert kassettui("config", "check", "--config", own, "--json").json["status"] == "ok"
    assert kassettui("config", "schema").json["$ref"]
    own.write_text("[media]\nworkers = 0\n")
    answer = kassettui("config", "check", "--config", own, "--json", code=1)
    assert "line 2" in answer.json["message"]
    assert kassettui("config", "check", "--config", tmp_path / "none.toml", code=2).out == b""


def test_log_shows_the_last_lines_by_level(kassettui: Runner, tmp_path: Path) -> None:
    assert "Nothing is logged" in kassettui("log").err
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"x")
    kassettui("import", tmp_path / "a", "--no-enrich")
    entries = kassettui("log", "--json").items
    assert entries
    assert {"time", "level", "logger", "event"} <= set(entries[0])
    assert kassettui("log", "--lines", "1", "--json").items == entries[-1:]
    assert kassettui("log", "--level", "error", "--json").items == []
    assert all(line[:4].isdigit() for line in kassettui("log").lines)


def test_log_follows_until_it_is_interrupted(kassettui: Runner, tmp_path: Path) -> None:
    follower = subprocess.Popen(
        [*PROGRAM, "log", "-f", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert follower.stdout is not None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"x")
    kassettui("import", tmp_path / "a", "--no-enrich")
    assert json.loads(follower.stdout.readline())["level"]
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["type"] == "summary"


def test_L13_metrics_count_what_earlier_commands_did(kassettui: Runner, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"x")
    kassettui("import", tmp_path / "a", "--no-enrich")
    document = kassettui("metrics", "--json").json
    assert document["type"] == "metrics"
    assert document["metrics"]["library_writes_done"] >= 1
    assert "kassettui_library_writes_done_total" in kassettui("metrics", "--prometheus").out.decode()
    kassettui("metrics")


def test_themes_list_ours_and_the_user_s(kassettui: Runner) -> None:
    ours = kassettui("themes", "--json").items
    assert len(ours) >= 6
    own = kassettui("config", "path", "--json").json["own_themes"]
    os.makedirs(own)
    with open(f"{own}/mine.toml", "w", encoding="utf-8") as file:
        file.write('name = "mine"\n')
    with open(f"{own}/broken.toml", "w", encoding="utf-8") as file:
        file.write("name = ")
    answer = kassettui("themes", "--json")
    assert [row["name"] for row in answer.items if row["origin"] == "you"] == ["mine"]
    assert "broken.toml is no theme" in answer.err


def test_demo_makes_a_show_of_real_files_and_imports_it(kassettui: Runner, tmp_path: Path) -> None:
    from kassettui.cli.demo import _FILES

    place = tmp_path / "demo"
    document = kassettui("demo", place, "--json").json
    assert document["status"] == "success"
    assert document["stats"]["ingested"] == document["stats"]["discovered"] > 10
    files = [name for _, _, names in os.walk(place) for name in names if not name.startswith(".")]
    assert len(files) == _FILES
    assert {name.rpartition(".")[2] for name in files} == {"exr", "dpx", "jpg", "png", "mov"}
    (holed,) = kassettui(
        "find", "missing:>0", "--json", "--fields", "frame_ranges,layout,version_number,health,state"
    ).items
    assert holed["health"] == "broken"  # the truncated frame is found out
    assert holed["frame_ranges"] == "1001-1005,1007-1012"
    assert holed["layout"] == {"show": "demo", "sequence": "sq010", "shot": "sh010", "task": "comp"}
    assert holed["version_number"] == 2
    again = kassettui("demo", place, "--json").json
    assert again["stats"]["skipped"] == document["stats"]["discovered"]


def test_demo_overwrites_nothing(kassettui: Runner, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert kassettui("demo", tmp_path, "--json", code=1).json["code"] == "refused"
    assert os.listdir(tmp_path) == ["mine.txt"]
    assert kassettui("demo", tmp_path / "mine.txt", code=1).out == b""


def test_demo_that_is_interrupted_goes_on_the_next_time(tmp_path: Path, kassettui: Runner) -> None:
    place = tmp_path / "demo"
    process = subprocess.Popen(
        [*PROGRAM, "demo", place, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list(place.rglob("*.dpx")) and process.poll() is None:
        os.sched_yield()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert normal(json.loads(out))["status"] == "cancelled"
    assert kassettui("demo", place, "--json").json["status"] == "success"
