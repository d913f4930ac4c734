"""`ls`, `find`, `show`, `stats`: every shape, every field, names of any bytes and back."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import PROGRAM
from tests.cli.test_importing import normal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal

EVIL = [
    b"caf\xe9.exr", b"two\nlines.png", b"\x1b]0;owned\x07.png", b"[red]x[bold].png", b"'\"quotes\".jpg",
    b"-rf.png", b" edge .png", "nfc-\u00e9.png".encode(), "nfd-e\u0301.png".encode(), b"%s;rm $(x).png",
    "\u202egnp.png".encode(), b"=1+1.png", "\U0001f3ac.mov".encode(), b"\x1a41.png", b"\xc2\x9b31m.png",
    b"tab\there.png", b"a" * 251 + b".png",
]  # fmt: skip


@pytest.fixture
def show(kassettui: Runner, tmp_path: Path) -> Path:
    """An imported show: a sequence with a hole, a complete one, a still, a movie."""
    comp = tmp_path / "show" / "abc" / "sh010" / "comp"
    comp.mkdir(parents=True)
    for frame in (1, 2, 3, 5):
        (comp / f"beauty_v002.{frame:04}.exr").write_bytes(b"x" * 1000)
        (comp / f"plate.{1000 + frame}.dpx").write_bytes(b"d" * 500)
    (comp / "plate.1004.dpx").write_bytes(b"d" * 500)
    (comp / "still.png").write_bytes(b"p" * 10)
    (comp / "cut.mov").write_bytes(b"m" * 100)
    then = time.time() - 3600
    for path in comp.iterdir():
        os.utime(path, (then, then))
    kassettui("import", tmp_path / "show", "--layout", "{show}/{shot}/{task}", "--no-enrich")
    return comp


def test_the_document_of_a_list(kassettui: Runner, show: Path) -> None:
    document = kassettui("find", "missing:>0", "--json").json
    assert {**document, "items": []} == {"schema_version": 1, "type": "assets", "items": [], "next": None}
    (row,) = document["items"]
    assert normal(row) == {
        "uuid": "UUID",
        "collection_id": "UUID",
        "kind": "sequence",
        "state": "new",
        "approved_for_broadcast": False,
        "is_deleted": False,
        "missing_since": None,
        "rating": None,
        "size": 4000,
        "mtime_ns": row["mtime_ns"],
        "mtime": "TIME",
        "version_number": 2,
        "name": "beauty_v002.#.exr",
        "extension": "exr",
        "path": f"{show}/beauty_v002.#.exr",
        "frame_count": 4,
        "hole_count": 1,
        "health": "holes",
        "health_level": 0,
        "damaged_count": 0,
        "width": None,
        "height": None,
        "duration_ms": 0,
        "content_signature": row["content_signature"],
        "title": "",
        "frame_ranges": "1-3,5",
        "sequence_pattern": "beauty_v002.####.exr",
        "tags": [],
        "best": True,
        "pattern": f"{show}/beauty_v002.[0001-0003,0005].exr",
    }


def test_pages_join_to_the_whole(kassettui: Runner, show: Path) -> None:
    whole = [item["name"] for item in kassettui("ls", "--json").items]
    assert len(whole) == 4
    first = kassettui("ls", "--json", "--limit", "3").json
    rest = kassettui("ls", "--json", "--after", first["next"]).json
    assert [item["name"] for item in first["items"] + rest["items"]] == whole
    assert rest["next"] is None
    assert kassettui("ls", "--after", "nonsense", "--json", code=1).json["code"] == "invalid"


def test_words_sorts_and_bad_queries(kassettui: Runner, show: Path) -> None:
    assert [
        item["name"] for item in kassettui("find", "kind:sequence", "--sort", "-size", "--json").items
    ] == [
        "beauty_v002.#.exr",
        "plate.#.dpx",
    ]
    assert [item["name"] for item in kassettui("find", "shot:sh010", "still", "--json").items] == [
        "still.png"
    ]
    answer = kassettui("find", "bogus:1", "--json", code=1)
    assert answer.json["code"] == "bad_query"
    assert answer.err.splitlines()[1:] == ["bogus:1", "^^^^^"]
    assert kassettui("find", "nowhere").lines == ["\t".join(HEAD)]
    assert kassettui("find", "rating:>=4", "--explain", "--json").json["type"] == "query"


HEAD = ("uuid", "name", "frame_count", "health", "state", "rating", "size", "tags", "path")


def test_piped_a_list_is_tab_separated_with_whole_values(kassettui: Runner, show: Path) -> None:
    head, line = kassettui("find", "beauty").lines
    assert head == "\t".join(HEAD)
    cells = dict(zip(HEAD, line.split("\t"), strict=True))
    assert len(cells["uuid"]) == 36
    assert (cells["frame_count"], cells["size"]) == ("4", "4000")


def test_fields_choose_and_order(kassettui: Runner, show: Path) -> None:
    chosen = kassettui("find", "beauty", "--fields", "frame_ranges,name,layout,created_at", "--json").items[0]
    assert list(chosen) == ["frame_ranges", "name", "layout", "created_at"]
    assert chosen["layout"] == {"show": "abc", "shot": "sh010", "task": "comp"}
    assert chosen["created_at"].endswith("Z")
    assert kassettui("ls", "--fields", "name,size", "--format", "csv").lines[0] == "name,size"
    assert "Did you mean name?" in kassettui("ls", "--fields", "nmae", code=1).err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), "beauty_v002.[0001-0003,0005].exr"),
        (("--pattern-format", "nuke"), "beauty_v002.%04d.exr"),
        (("--pattern-format", "houdini"), "beauty_v002.$F4.exr"),
        (("--pattern-format", "rv"), "beauty_v002.1-3,5#.exr"),
    ],
)
def test_paths_in_every_notation(
    kassettui: Runner, show: Path, options: tuple[str, ...], wanted: str
) -> None:
    assert kassettui("find", "beauty", "--format", "paths", *options).lines == [f"{show}/{wanted}"]


def test_paths_expand_to_frames_that_exist(kassettui: Runner, show: Path) -> None:
    paths = kassettui("ls", "--frames", "-0").out.split(b"\0")
    assert paths.pop() == b""
    assert sorted(paths) == sorted(os.fsencode(path) for path in show.iterdir())


def test_json_lines_are_rows_and_a_summary(kassettui: Runner, show: Path) -> None:
    lines = [json.loads(line) for line in kassettui("ls", "--format", "json-lines").lines]
    assert [line["type"] for line in lines] == ["asset"] * 4 + ["summary"]
    assert lines[-1]["count"] == 4


def test_csv_is_read_back(kassettui: Runner, show: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(kassettui("ls", "--format", "csv").out.decode(), newline="")))
    assert {row["path"] for row in rows} == {item["path"] for item in kassettui("ls", "--json").items}


def test_show_everything_of_one_and_of_several(kassettui: Runner, show: Path) -> None:
    document = kassettui("show", show / "beauty_v002.0002.exr", "--json").json
    assert document["type"] == "asset"
    assert document["name"] == "beauty_v002.#.exr"
    assert document["collection"] == "show"
    assert document["layout"]["shot"] == "sh010"
    assert document["folders"] == []
    by_uuid = kassettui("show", document["uuid"][:8], "--json").json
    assert by_uuid == document
    assert len(kassettui("show", "kind:sequence", "--json").items) == 2
    assert "frames\t4: 1-3,5" in kassettui("show", "beauty").lines
    assert kassettui("show", "nothing-like-it", "--json", code=2).json["code"] == "not_found"


def test_frames_of_an_asset_go_by_its_path(kassettui: Runner, show: Path) -> None:
    uuid = kassettui("find", "beauty", "--json").items[0]["uuid"]
    assert kassettui("frames", uuid[:8], "missing", "--resubmit").out == b"4\n"
    still = kassettui("find", "still", "--json").items[0]["uuid"]
    assert "is no sequence" in kassettui("frames", still, code=1).err


def test_L12_stats_add_up_also_on_an_empty_library(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    document = kassettui("stats", "--json").json
    assert document["total"] == {"assets": 4, "bytes": 4000 + 2500 + 110}
    assert sum(amount["assets"] for amount in document["by_kind"].values()) == 4
    assert (document["frames"], document["holes"]) == (9, 1)
    empty = tmp_path / "empty.kassettui"
    kassettui("library", "init", "--library", empty)
    assert kassettui("stats", "--json", "--library", empty).json["total"] == {"assets": 0, "bytes": 0}
    kassettui("stats", "--library", empty)


@pytest.mark.parametrize("command", ["ls", "stats", "runs", "collections", "metrics"])
def test_without_a_library_reading_is_exit_2_and_makes_none(
    kassettui: Runner, tmp_path: Path, command: str
) -> None:
    library = tmp_path / "none" / "library.kassettui"
    answer = kassettui(command, "--json", "--library", library, code=2)
    assert answer.json["code"] == "not_found"
    assert "library init" in answer.err
    assert not library.parent.exists()


@pytest.fixture
def evil(kassettui: Runner, tmp_path: Path) -> Path:
    """An imported directory of names that mean harm."""
    root = tmp_path / "evil"
    root.mkdir()
    for name in EVIL:
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(name)
    assert kassettui("import", root, "--json", "--no-enrich").json["stats"]["ingested"] == len(EVIL)
    return root


def test_R8_names_come_back_to_the_same_bytes(kassettui: Runner, evil: Path) -> None:
    wanted = {os.path.join(os.fsencode(evil), name) for name in EVIL}
    assert set(kassettui("ls", "-0").out.split(b"\0")) - {b""} == wanted
    items = kassettui("ls", "--json").items
    assert {_raw(item) for item in items} == wanted
    rows = csv.DictReader(
        io.StringIO(kassettui("ls", "--format", "csv", "--fields", "path").out.decode(), newline="")
    )
    assert {
        base64.b64decode(row["path_b64"]) if row["path_b64"] else row["path"].encode() for row in rows
    } == wanted
    for item in items:
        shown = kassettui("show", _raw(item).decode(errors="surrogateescape"), "--json").json
        assert shown["uuid"] == item["uuid"]
        assert _raw(shown) == _raw(item)


def _raw(item: dict[str, str]) -> bytes:
    return base64.b64decode(item["path_b64"]) if "path_b64" in item else item["path"].encode()


def test_R8_piped_names_speak_to_no_terminal_and_break_no_line(kassettui: Runner, evil: Path) -> None:
    for arguments in (("ls",), ("runs",), ("stats",), ("collections",)):
        shown = kassettui(*arguments).out.decode()
        assert not [
            c for c in shown if (ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e"
        ]
    assert len(kassettui("ls").lines) == len(EVIL) + 1


@pytest.mark.pty
@pytest.mark.parametrize(
    "arguments",
    [
        ("ls",),
        ("ls", "--json"),
        ("ls", "-0"),
        ("ls", "--format", "csv"),
        ("ls", "--format", "paths"),
        ("show", "kind:image", "kind:movie"),
        ("why", "owned"),
        ("find", "\x1b]0;owned\x07:("),
        ("show", "\x1b]0;owned\x07"),
        ("runs",),
    ],
    ids=" ".join,
)
def test_T7_R8_no_name_speaks_to_a_terminal(
    kassettui: Runner, evil: Path, terminal: Callable[..., Terminal], arguments: tuple[str, ...]
) -> None:
    shown = terminal(*arguments, "--no-color")
    shown.finish()
    text = shown.raw.decode("utf-8")
    assert not [
        c for c in text if (ord(c) < 32 and c not in "\r\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e"
    ]
    assert shown.screen.title == ""


@pytest.mark.pty
def test_tables_fit_eighty_columns_with_wide_and_combining_names(
    kassettui: Runner, terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    root = tmp_path / "wide"
    root.mkdir()
    for name in (
        "日本語の名前の画像ファイルがとても長い場合はどうなるのか.png",
        "e\u0301" * 60 + ".png",
        "\U0001f3ac" * 30 + ".mov",
    ):
        (root / name).write_bytes(b"x")
    kassettui("import", root, "--no-enrich")
    for columns in (80, 40, 20):
        shown = terminal("ls", columns=columns)
        assert shown.finish() == 0
        assert len([line for line in shown.shown if line]) == 4


def test_a_reader_that_leaves_a_long_list_is_quiet(kassettui: Runner, tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for number in range(3000):
        (root / f"still_{number}x.png").touch()
    kassettui("import", root, "--no-enrich")
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *PROGRAM, "ls"], capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def test_a_signal_in_the_middle_of_a_list_leaves_a_whole_document(kassettui: Runner, tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for number in range(3000):
        (root / f"still_{number}x.png").touch()
    kassettui("import", root, "--no-enrich")
    process = subprocess.Popen(
        [*PROGRAM, "ls", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    begun = process.stdout.read(1)  # the pipe is full soon: it stands in the middle of a write
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    document = json.loads(begun + out)
    assert document["status"] == "cancelled"
    assert 0 < len(document["items"]) < 3000
