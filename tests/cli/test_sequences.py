"""`seq ls` and `frames`: sequences on disk without any library."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal

HOUR = 3600


@pytest.fixture
def comp(tmp_path: Path) -> Path:
    """A directory with a sequence that has a hole and a small frame, a still, a movie; an hour old."""
    directory = tmp_path / "comp"
    directory.mkdir()
    frames(directory, [*range(1001, 1006), *range(1007, 1011)])
    (directory / "beauty.1009.exr").write_bytes(b"x" * 100)
    (directory / "still.png").write_bytes(b"p" * 10)
    (directory / "ref.mov").write_bytes(b"m" * 2000)
    age(directory)
    return directory


def frames(directory: Path, numbers: Sequence[int], name: str = "beauty", size: int = 1000) -> None:
    for number in numbers:
        (directory / f"{name}.{number}.exr").write_bytes(b"x" * size)


def age(directory: Path, seconds: float = HOUR) -> None:
    then = time.time() - seconds
    for path in directory.iterdir():
        os.utime(path, (then, then))


def test_seq_ls_lists_sequences_and_files(kassettui: Runner, comp: Path) -> None:
    assert kassettui("seq", "ls", comp).lines == [
        "name\tframes\tholes\tsize\tstate",
        "beauty.[1001-1005,1007-1010].exr\t9\t1006\t8100\tholes",
        "ref.mov\t\t\t2000\t",
        "still.png\t\t\t10\t",
    ]


def test_seq_ls_json(kassettui: Runner, comp: Path) -> None:
    answer = kassettui("seq", "ls", "-s", "--json", comp)
    assert (answer.json["schema_version"], answer.json["type"], answer.json["next"]) == (1, "sequences", None)
    (row,) = answer.items
    assert row.pop("mtime").endswith("Z")
    assert row == {
        "name": "beauty.[1001-1005,1007-1010].exr",
        "kind": "sequence",
        "path": str(comp / "beauty.####.exr"),
        "frames": 9,
        "frame_ranges": "1001-1005,1007-1010",
        "frame_first": 1001,
        "frame_last": 1010,
        "frame_step": 1,
        "frame_padding": 4,
        "padding_assumed": True,
        "hole_count": 1,
        "holes": "1006",
        "size": 8100,
        "version": None,
        "state": "holes",
        "counts": {"ok": 8, "odd_size": 1, "missing": 1},
        "bad_padding": [],
        "duplicate_frames": [],
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("notation", "name"),
    [
        ("native", "beauty.[1001-1005,1007-1010].exr"),
        ("nuke", "beauty.%04d.exr"),
        ("rv", "beauty.1001-1005,1007-1010#.exr"),
        ("houdini", "beauty.$F4.exr"),
        ("ffmpeg", "beauty.%04d.exr"),
        ("glob", "beauty.[0-9][0-9][0-9][0-9].exr"),
        ("fileseq", "beauty.1001-1005,1007-1010#.exr"),
    ],
)
def test_S20_every_notation(kassettui: Runner, comp: Path, notation: str, name: str) -> None:
    assert kassettui("seq", "ls", "-s", "--format", notation, comp).lines == [f"{comp}/{name}"]
    assert kassettui("seq", "ls", "-s0", "--format", notation, comp).out == f"{comp}/{name}\0".encode()


def test_seq_ls_of_here_names_no_directory(
    kassettui: Runner, comp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(comp)
    assert kassettui("seq", "ls", "--format", "nuke").lines == ["beauty.%04d.exr", "ref.mov", "still.png"]


def test_seq_ls_recursive_leaves_out_hidden_directories(kassettui: Runner, comp: Path) -> None:
    for name in ("below", ".hidden"):
        (comp / name).mkdir()
        frames(comp / name, [1, 2], name="in")
    names = [row["name"] for row in kassettui("seq", "ls", "-rs", comp.parent, "--json").items]
    assert names == [f"{comp}/beauty.[1001-1005,1007-1010].exr", f"{comp}/below/in.[1-2].exr"]


def test_seq_ls_needs_no_library_and_makes_none(kassettui: Runner, comp: Path) -> None:
    home = os.environ["HOME"]
    kassettui("seq", "ls", comp)
    assert [name for _, _, files in os.walk(home) for name in files] == []


def test_a_directory_that_is_not_there_is_exit_2(kassettui: Runner, comp: Path) -> None:
    assert kassettui("seq", "ls", comp / "not", "--json", code=2).json["code"] == "not_found"
    answer = kassettui("seq", "ls", comp, comp / "not", code=4)
    assert "There is no directory" in answer.err
    assert len(answer.lines) == 4


def test_fifos_are_never_opened_and_not_listed(kassettui: Runner, comp: Path) -> None:
    os.mkfifo(comp / "pipe.0001.exr")
    assert "pipe" not in kassettui("seq", "ls", comp).out.decode()


def test_names_of_any_bytes_come_back(kassettui: Runner, tmp_path: Path) -> None:
    name = b"caf\xe9\n\x1b[31m."
    for frame in (b"0001", b"0002"):
        with open(os.path.join(os.fsencode(tmp_path), name + frame + b".exr"), "wb") as file:
            file.write(b"x")
    (row,) = kassettui("seq", "ls", tmp_path, "--json").items
    assert base64.b64decode(row["path_b64"]) == os.fsencode(tmp_path) + b"/" + name + b"####.exr"
    shown = kassettui("seq", "ls", tmp_path).out
    assert b"caf\\xe9\\n\\e[31m.[0001-0002].exr" in shown
    raw = kassettui("seq", "ls", "-0", tmp_path).out
    assert raw == os.fsencode(tmp_path) + b"/" + name + b"[0001-0002].exr\0"


@pytest.mark.parametrize(
    "word", ["beauty.#.exr", "beauty.%04d.exr", "beauty.[1001-1010].exr", "beauty.1003.exr", ""]
)
def test_frames_by_pattern_frame_or_directory(kassettui: Runner, comp: Path, word: str) -> None:
    (row,) = kassettui("frames", comp / word, "--json", code=5).items
    assert row["missing_ranges"] == "1006"
    assert row["bad"] == [{"frame": 1009, "state": "odd_size"}]
    assert row["state"] == "holes"


def test_frames_golden(kassettui: Runner, comp: Path) -> None:
    (row,) = kassettui("frames", comp / "beauty.#.exr", "--expected", "1000-1012", "--json", code=5).items
    assert row.pop("mtime").endswith("Z")
    assert row == {
        "name": "beauty.[1001-1005,1007-1010].exr",
        "path": str(comp / "beauty.####.exr"),
        "state": "stalled",
        "level": 0,
        "frames": 9,
        "frame_ranges": "1001-1005,1007-1010",
        "frame_padding": 4,
        "expected_ranges": "1000-1012",
        "missing_count": 4,
        "missing_ranges": "1000,1006,1011-1012",
        "damaged_count": 0,
        "resubmit_ranges": "1000,1006,1011-1012",
        "counts": {"ok": 8, "odd_size": 1, "missing": 4},
        "bad": [{"frame": 1009, "state": "odd_size"}],
        "black_ranges": "",
        "odd_ranges": "",
        "bad_padding": [],
        "duplicate_frames": [],
        "size": 8100,
        "warnings": [],
    }


@pytest.mark.parametrize("order", [("missing",), ()])
def test_S19_missing_resubmit_is_ready_to_paste(
    kassettui: Runner, comp: Path, order: tuple[str, ...]
) -> None:
    (comp / "beauty.1003.exr").write_bytes(b"")
    age(comp)
    place = comp / "beauty.#.exr"
    words = [*order, str(place)] if order else [str(place), "missing"]
    asked = kassettui("frames", *words, "--resubmit", "--expected", "1001-1020x2")
    assert asked.out == b"1003,1011-1019x2\n"


def test_missing_lists_and_exits_0(kassettui: Runner, comp: Path) -> None:
    assert kassettui("frames", comp, "missing").lines[1:] == ["beauty.[1001-1005,1007-1010].exr\t1006"]
    assert kassettui("frames", comp, "--resubmit", code=1).err.startswith("kassettui: --resubmit belongs")


def test_damage_is_exit_5_and_a_growing_render_is_not(kassettui: Runner, tmp_path: Path) -> None:
    frames(tmp_path, range(1, 11))
    assert kassettui("frames", tmp_path, "--json").items[0]["state"] == "growing"
    age(tmp_path)
    assert kassettui("frames", tmp_path, "--json").items[0]["state"] == "complete"
    (tmp_path / "beauty.5.exr").write_bytes(b"")
    age(tmp_path)
    row = kassettui("frames", tmp_path, "--json", code=5).items[0]
    assert (row["state"], row["damaged_count"], row["resubmit_ranges"]) == ("broken", 1, "5")


def test_a_word_that_is_nothing_is_exit_2(kassettui: Runner, comp: Path) -> None:
    assert "seq ls" in kassettui("frames", comp / "other.#.exr", code=2).err
    assert kassettui("frames", comp / "still.png", code=2).out == b""
    assert kassettui("frames", comp / "beauty.#.%04d.exr", code=1).out == b""


@pytest.mark.pty
def test_the_strip_on_a_terminal(terminal: Callable[..., Terminal], comp: Path) -> None:
    (comp / "beauty.1003.exr").write_bytes(b"")
    age(comp)
    shown = terminal("frames", str(comp / "beauty.#.exr"), LC_ALL="C.UTF-8")
    assert shown.finish() == 5
    assert shown.shown[0] == "beauty.[1001-1005,1007-1010].exr"
    assert shown.shown[1] == "1001 ▕▇▇▁▇▇·▇▇▃▇▏ 1010"
    assert "✖ broken" in "\n".join(shown.shown)
    assert all(len(line) <= 80 for line in shown.shown)


@pytest.mark.pty
def test_R8_no_byte_of_a_name_speaks_to_the_terminal(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    evil = ["\x1b]0;owned\x07", "\x1b[2J", "\u202egnp.", "[red]x[bold]", "\x9b31m", "\r\n"]
    for number, name in enumerate(evil):
        (tmp_path / f"{name}{number}.png").write_bytes(b"x")
        frames(tmp_path, [1, 2], name=name)
    for arguments in (
        ("seq", "ls", str(tmp_path)),
        ("frames", str(tmp_path)),
        ("seq", "ls", "-0", str(tmp_path)),
        ("seq", "ls", "--json", str(tmp_path)),
    ):
        shown = terminal(*arguments, "--no-color")
        shown.finish()
        text = shown.raw.decode()
        assert "owned" in text
        assert not any(
            (ord(c) < 32 and c not in "\r\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in text
        )
        assert shown.screen.title == ""


def test_every_document_is_one_line_of_json_a_row(kassettui: Runner, comp: Path) -> None:
    text = kassettui("seq", "ls", "--json", comp).out
    assert json.loads(text)["items"]
    assert text.endswith(b"}\n")
