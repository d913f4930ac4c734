"""`import` and what tells of it: documents, events, exit codes, signals; runs, why, enrich, collections."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal

# One grey pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HOUR = 3600


def normal(value: Any) -> Any:
    """The document with uuids, times and durations made equal."""
    if isinstance(value, dict):
        return {key: 0 if key == "duration_ms" else normal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [normal(entry) for entry in value]
    if isinstance(value, str):
        return TIME.sub("TIME", UUID.sub("UUID", value))
    return value


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A show: abc/sq010/sh010/comp with a sequence of ten frames and a hole, and a still; an hour old."""
    comp = tmp_path / "show" / "abc" / "sq010" / "sh010" / "comp"
    comp.mkdir(parents=True)
    for frame in (1001, 1002, 1003, 1005):
        (comp / f"beauty_v002.{frame}.exr").write_bytes(b"x" * 1000)
    (comp / "still.png").write_bytes(PNG)
    then = time.time() - HOUR
    for path in comp.iterdir():
        os.utime(path, (then, then))
    return tmp_path / "show"


LAYOUT = "{show}/{sequence}/{shot}/{task}"


def imported(kassettui: Runner, show: Path, *options: str) -> dict[str, Any]:
    return kassettui("import", show, "--layout", LAYOUT, "--json", *options).json


def test_I27_the_document_of_an_import(kassettui: Runner, show: Path) -> None:
    document = imported(kassettui, show, "--no-enrich")
    assert normal(document) == {
        "schema_version": 1,
        "type": "import",
        "status": "success",
        "run_id": "UUID",
        "collection_id": "UUID",
        "collection": "show",
        "scope": {"fields": {}, "directories": ["."], "only": None},
        "stats": {
            "discovered": 2,
            "ingested": 2,
            "updated": 0,
            "moved": 0,
            "skipped": 0,
            "duplicates_prevented": 0,
            "missing": 0,
            "errors": 0,
            "bytes": 4000 + len(PNG),
            "frames": 4,
        },
        "created_assets": ["UUID", "UUID"],
        "updated_assets": [],
        "errors": [],
        "last_ingest_time": "TIME",
        "duration_ms": 0,
    }
    again = imported(kassettui, show, "--no-enrich")
    assert again["stats"]["skipped"] == 2
    assert again["created_assets"] == []


def test_the_summary_for_people_is_on_stdout_and_nothing_else(kassettui: Runner, show: Path) -> None:
    answer = kassettui("import", show, "--no-enrich", "--name", "abc")
    labels = [line.split("\t")[0] for line in answer.lines]
    assert labels == ["collection", "outcome", "found", "new", "updated", "unchanged", "run"]
    assert answer.lines[0] == "collection\tabc"
    assert answer.err == ""


def test_I19_a_dry_run_prints_the_plan_and_makes_no_library(
    kassettui: Runner, show: Path, tmp_path: Path
) -> None:
    library = tmp_path / "new" / "library.kassettui"
    answer = kassettui("import", show, "--dry-run", "--library", library)
    assert "create\tsequence\t4\tabc/sq010/sh010/comp/beauty_v002.#.exr\tnew" in answer.lines
    assert not library.parent.exists()
    document = kassettui("import", show, "--dry-run", "--json", "--library", library).json
    assert (document["status"], document["stats"]["ingested"]) == ("dry_run", 2)
    assert [entry["decision"] for entry in document["plan"]] == ["create", "create"]
    assert not library.parent.exists()


def test_I19_a_test_library_stands_beside_the_real_one(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.kassettui"
    answer = kassettui("import", show, "--test-db", "--library", library)
    assert str(tmp_path / "library.test.kassettui") in answer.err
    assert (tmp_path / "library.test.kassettui").exists()
    assert not library.exists()


def test_I20_a_plan_is_kept_applied_and_refused_when_stale(
    kassettui: Runner, show: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    assert kassettui("import", show, "--plan-out", plan, "--json").json["status"] == "dry_run"
    assert json.loads(plan.read_bytes())
    assert kassettui("import", "--apply-plan", plan, "--json").json["stats"]["ingested"] == 2
    answer = kassettui("import", "--apply-plan", plan, "--json", code=8)
    assert (answer.json["status"], answer.json["code"]) == ("error", "stale_plan")


def test_I2_scopes_and_their_short_forms(kassettui: Runner, tmp_path: Path) -> None:
    for season in ("s01", "s02"):
        place = tmp_path / "tv" / "news" / season
        place.mkdir(parents=True)
        (place / "cut.mov").write_bytes(b"m")
    layout = ("--layout", "{title}/{season}", "--no-enrich", "--json")
    kassettui("import", tmp_path / "tv", *layout)
    one = kassettui("import", tmp_path / "tv", *layout, "--title", "news", "--season", "s02").json
    assert one["stats"]["discovered"] == 1
    assert one["scope"]["fields"] == {"title": "news", "season": "s02"}
    assert kassettui("import", tmp_path / "tv", *layout, "--season", "s02", code=1).json["code"] == "invalid"
    missing = kassettui("import", tmp_path / "tv", *layout, "--title", "news", "--season", "s09", code=2).json
    assert missing["code"] == "not_found"
    assert "s01" in f"{missing['message']} {missing['remedy']}"
    assert kassettui("import", tmp_path / "tv", *layout, "--scope", "title", code=1).json["type"] == "import"


def test_json_lines_end_with_one_summary(kassettui: Runner, show: Path) -> None:
    answer = kassettui("import", show, "--json-lines", "--no-enrich")
    events = [json.loads(line) for line in answer.lines]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "start"
    assert kinds.count("summary") == 1
    assert kinds[-1] == "summary"
    assert kinds.count("decision") == 2
    assert set(kinds) <= {"start", "progress", "decision", "warning", "summary"}
    assert all(event["schema_version"] == 1 for event in events)
    assert events[-1]["stats"]["ingested"] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import", "/not/there"), 2),
        (("import", "/not/there", "--collection", "none"), 2),
        (("import",), 1),
        (("import", "--bogus"), 1),
        (("import", ".", "--scope", "show=x"), 1),
    ],
)
def test_every_failure_is_a_document_and_a_summary(
    kassettui: Runner, arguments: tuple[str, ...], code: int
) -> None:
    kassettui("library", "init")
    document = kassettui(*arguments, "--json", code=code).json
    assert document["schema_version"] == 1
    assert document["status"] == "error"
    assert document["message"]
    lines = [json.loads(line) for line in kassettui(*arguments, "--json-lines", code=code).lines]
    assert [line["type"] for line in lines].count("summary") == 1
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["status"] == "error"


def test_several_paths_are_several_runs_in_one_document(
    kassettui: Runner, show: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "one.png").write_bytes(b"p")
    answer = kassettui("import", show, other, tmp_path / "gone", "--json", "--no-enrich", code=4)
    assert answer.json["type"] == "imports"
    assert [run["status"] for run in answer.items] == ["success", "success", "error"]


def big_show(tmp_path: Path, files: int = 30_000) -> Path:
    root = tmp_path / "big"
    for start in range(0, files, 1000):
        below = root / f"{start:06}"
        below.mkdir(parents=True)
        for number in range(start, start + 1000):
            (below / f"still_{number}x.png").touch()
    return root


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("option", ["--json", "--json-lines"])
def test_I22_a_signal_ends_with_a_whole_answer_130_and_nothing_written(
    kassettui: Runner, tmp_path: Path, number: signal.Signals, option: str
) -> None:
    root = big_show(tmp_path)
    library = tmp_path / "library.kassettui"
    kassettui("library", "init", "--library", library)
    # A log line says that the run began: the signal comes in the middle of the scan.
    process = subprocess.Popen(
        [
            *PROGRAM,
            "import",
            root,
            "--json-lines" if option == "--json-lines" else "--json",
            "-v",
            "--library",
            library,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    last = json.loads(out.splitlines()[-1])
    assert last["status"] == "cancelled"
    assert last["type"] == ("import" if option == "--json" else "summary")
    assert all(json.loads(line) for line in out.splitlines())
    assert b"Traceback" not in err
    assert kassettui("stats", "--json", "--library", library).json["total"]["assets"] == 0


def test_runs_and_why_say_what_happened(kassettui: Runner, show: Path) -> None:
    first = imported(kassettui, show, "--no-enrich")
    os.utime(show / "abc/sq010/sh010/comp/still.png")
    second = imported(kassettui, show, "--no-enrich")
    runs = kassettui("runs", "--json").items
    assert [run["run_id"] for run in runs] == [second["run_id"], first["run_id"]]
    assert (runs[0]["updated"], runs[0]["skipped"]) == (1, 1)
    run = kassettui("runs", "show", second["run_id"][:8], "--json").json
    assert run["type"] == "run"
    assert [(one["decision"], one["reason"]) for one in run["decisions"]] == [("update", "content changed")]
    why = kassettui("why", show / "abc/sq010/sh010/comp/still.png", "--json").json
    assert [one["decision"] for one in why["decisions"]] == ["update", "create"]
    assert all(one["time"].endswith("Z") for one in why["decisions"])
    assert kassettui("runs", "show", "ffffffff", code=2).out == b""
    assert kassettui("why", "nothing", "--json", code=2).json["code"] == "not_found"


def test_enrich_runs_alone_and_says_how_it_ended(kassettui: Runner, show: Path) -> None:
    imported(kassettui, show, "--no-enrich")
    whole = kassettui("enrich", "kind:image", "--hash", "--json").json
    assert (whole["type"], whole["status"]) == ("enrichment", "success")
    assert (whole["assets"], whole["ready"], whole["hashed"]) == (1, 1, 1)
    broken = kassettui("enrich", "--json", code=4)
    assert (broken.json["status"], broken.json["assets"], broken.json["failed"]) == ("partial", 1, 1)
    assert "beauty_v002" in broken.err
    assert kassettui("enrich", "--json").json["assets"] == 0
    assert kassettui("enrich", "--again", "--json", code=4).json["assets"] == 1
    assert kassettui("enrich", "nothing", code=2).out == b""


def test_selectors_come_from_stdin_only_when_told(kassettui: Runner, show: Path) -> None:
    uuids = imported(kassettui, show, "--no-enrich")["created_assets"]
    done = subprocess.run(
        [*PROGRAM, "show", "-", "--json"], input="\n".join(uuids).encode(), capture_output=True, timeout=60
    )
    assert [item["uuid"] for item in json.loads(done.stdout)["items"]] == uuids


def test_collections_from_birth_to_removal(kassettui: Runner, show: Path) -> None:
    made = kassettui("collections", "add", show, "--name", "abc", "--layout", LAYOUT, "--json").json
    assert normal(made) == {
        "schema_version": 1,
        "type": "collection",
        "collection_id": "UUID",
        "name": "abc",
        "root": str(show),
        "source_type": "filesystem",
        "external_id": None,
        "layout": LAYOUT,
        "ignore_patterns": [],
        "sync_enabled": True,
        "ingestible": True,
        "watched": False,
        "locked": False,
        "assets": 0,
        "bytes": 0,
        "last_ingest_time": None,
        "created_at": "TIME",
        "updated_at": "TIME",
    }
    edited = kassettui("collections", "edit", "ABC", "--name", "show abc", "--ignore", "*.png", "--json").json
    assert (edited["name"], edited["ignore_patterns"]) == ("show abc", ["*.png"])
    synced = kassettui("collections", "sync", "--all", "--no-enrich", "--json").json
    assert [run["stats"]["ingested"] for run in synced["items"]] == [1]
    assert kassettui("collections", "show", "show abc", "--json").json["assets"] == 1
    assert [row["name"] for row in kassettui("collections", "--json").items] == ["show abc"]
    kept = kassettui("collections", "rm", "show abc", "--json")
    assert kept.json["status"] == "kept"
    assert "--yes" in kept.err
    assert kassettui("collections", "rm", "show abc", "--yes", "--json").json["status"] == "removed"
    assert kassettui("collections", "--json").items == []
    assert kassettui("collections", "show", "show abc", code=2).out == b""
    assert kassettui("collections", "edit", "x", code=1).out == b""
    assert kassettui("collections", "sync", code=1).out == b""
    assert (show / "abc/sq010/sh010/comp/still.png").exists()


def test_I1_an_ambiguous_collection_is_exit_1(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    kassettui("collections", "add", show, "--name", "abc")
    (tmp_path / "two").mkdir()
    kassettui("collections", "add", tmp_path / "two", "--name", "ABC")
    answer = kassettui("import", "--collection", "abc", "--json", code=1).json
    assert answer["message"] == "Multiple collections named 'abc' exist. Please specify the UUID."


@pytest.mark.pty
def test_a_question_on_a_terminal_and_its_answers(
    kassettui: Runner, show: Path, terminal: Callable[..., Terminal]
) -> None:
    imported(kassettui, show, "--no-enrich", "--name", "abc")
    for typed, left in (("\n", 1), ("y\n", 0)):
        asked = terminal("collections", "rm", "abc")
        asked.read_until(b"[y/N]")
        assert "2 assets" in " ".join(asked.shown)
        asked.type(typed)
        assert asked.finish() == 0
        assert len(kassettui("collections", "--json").items) == left


@pytest.mark.pty
def test_I26_progress_on_a_terminal_then_one_summary(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    shown = terminal("import", str(big_show(tmp_path, 5000)), "--no-enrich")
    assert shown.finish() == 0
    assert shown.shown[0].startswith("collection  big")
    assert b"discover" in shown.raw
    assert shown.screen.cursor.hidden is False


@pytest.mark.pty
def test_I22_ctrl_c_on_a_terminal_restores_it(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    shown = terminal("import", str(big_show(tmp_path)))
    shown.read_until(b"discover")
    shown.type("\x03")
    assert shown.finish() == 130
    assert shown.screen.cursor.hidden is False
    assert "Nothing was written" in " ".join(shown.shown)
