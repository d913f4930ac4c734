"""`thumb`, `contact-sheet`, `preview`, `frames --check` and doctor's pictures, as their users call them."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal

OLD_NS = 1_700_000_000_000_000_000


@pytest.fixture
def show(made: Path, tmp_path: Path) -> Path:
    """A sequence with a hole, a truncated and an unlike frame; a still; a movie; a broken one; text."""
    root = tmp_path / "show"
    root.mkdir()
    whole = (made / "exr" / "zip.exr").read_bytes()
    special = {1004: whole[: len(whole) // 2], 1008: (made / "exr" / "window.exr").read_bytes()}
    for frame in range(1001, 1011):
        if frame != 1006:
            (root / f"beauty.{frame}.exr").write_bytes(special.get(frame, whole))
    for name, source in {"still.png": "stills/alpha.png", "cut.mov": "movies/prores.mov"}.items():
        (root / name).write_bytes((made / source).read_bytes())
    (root / "broken.dpx").write_bytes(b"SDPX" + bytes(100))
    (root / "notes.txt").write_text("no picture", encoding="ascii")
    for path in root.iterdir():
        os.utime(path, ns=(OLD_NS, OLD_NS))
    return root


# -- frames -------------------------------------------------------------------------------------------------


def test_H1_frames_by_structure_exit_5_on_damage(kassettui: Runner, show: Path) -> None:
    row = kassettui("frames", show / "beauty.#.exr", "--check", "1", "--json", code=5).items[0]
    assert (row["state"], row["level"], row["damaged_count"]) == ("broken", 1, 1)
    assert [(one["frame"], one["state"]) for one in row["bad"]] == [
        (1004, "truncated"),
        (1008, "inconsistent"),
    ]
    assert all(one["reason"] for one in row["bad"])
    assert row["resubmit_ranges"] == "1004,1006"


def test_H0_frames_by_stat_do_not_see_it(kassettui: Runner, show: Path) -> None:
    row = kassettui("frames", show / "beauty.#.exr", "--json", code=5).items[0]  # 5 for the hole
    assert (row["state"], row["level"]) == ("holes", 0)


def test_H2_frames_by_decoding_see_nan_and_black(kassettui: Runner, made: Path, tmp_path: Path) -> None:
    for frame, name in enumerate(("zip", "zip", "nan", "black", "zip"), start=1):
        os.link(made / "exr" / f"{name}.exr", tmp_path / f"a.{frame:04}.exr")
        os.utime(tmp_path / f"a.{frame:04}.exr", ns=(OLD_NS, OLD_NS))
    row = kassettui("frames", tmp_path / "a.#.exr", "--check", "2", "--json").items[0]
    assert (row["state"], row["level"], row["odd_ranges"], row["black_ranges"]) == ("complete", 2, "3", "4")


def test_frames_to_render_again_know_the_damage(kassettui: Runner, show: Path) -> None:
    answer = kassettui("frames", show / "beauty.#.exr", "missing", "--resubmit", "--check", "1")
    assert answer.lines == ["1004,1006"]


def test_the_frame_strip_shows_damage_on_a_terminal(terminal: Callable[..., Terminal], show: Path) -> None:
    shown = terminal("frames", show / "beauty.#.exr", "--check", "1", columns=80)
    assert shown.finish() == 5
    text = "\n".join(shown.shown)
    assert "truncated" in text
    assert "1004" in text
    assert "inconsistent" in text


# -- thumb --------------------------------------------------------------------------------------------------


def test_thumb_writes_what_stands_for_a_sequence(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    document = kassettui(
        "thumb", show / "beauty.#.exr", "-o", tmp_path / "a.jpg", "--size", "160", "--json"
    ).json
    assert (document["width"], document["height"], document["state"]) == (160, 90, "ok")
    assert document["path"].endswith("beauty.1005.exr")
    with Image.open(tmp_path / "a.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (160, 90))
    assert stat.S_IMODE((tmp_path / "a.jpg").stat().st_mode) == 0o666 & ~_umask()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a.jpg"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_thumb_to_a_pipe_keeps_alpha(kassettui: Runner, show: Path) -> None:
    with Image.open(io.BytesIO(kassettui("thumb", show / "still.png", "-o", "-").out)) as image:
        assert (image.format, image.mode) == ("PNG", "RGBA")


def test_thumb_of_a_layer_a_frame_and_a_movie_s_frame(
    kassettui: Runner, made: Path, show: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.png"
    kassettui("thumb", made / "exr" / "layers.exr", "-o", out, "--layer", "N")
    kassettui("thumb", made / "exr" / "layers.exr", "-o", out, "--layer", "nothing", code=1)
    kassettui("thumb", show / "beauty.#.exr", "-o", out, "--frame", "1002", "--exposure", "1")
    kassettui("thumb", show / "beauty.#.exr", "-o", out, "--frame", "1006", code=1)
    kassettui("thumb", show / "cut.mov", "-o", out, "--frame", "30")


@pytest.mark.parametrize(
    ("name", "code"), [("beauty.1004.exr", 5), ("broken.dpx", 5), ("notes.txt", 1), ("gone.exr", 2), (".", 1)]
)
def test_thumb_says_by_its_exit_code_what_was_wrong(
    kassettui: Runner, show: Path, tmp_path: Path, name: str, code: int
) -> None:
    answer = kassettui("thumb", show / name, "-o", tmp_path / "o.png", code=code)
    assert answer.err
    assert (tmp_path / "o.png").exists() == (name == "beauty.1004.exr")


def test_thumb_refuses_what_it_cannot_write(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    kassettui("thumb", show / "still.png", "-o", tmp_path / "o.gif", code=1)
    kassettui("thumb", show / "still.png", "-o", tmp_path / "nowhere" / "o.png", code=1)
    kassettui("thumb", show / "still.png", code=1)


def test_P8_thumb_cache_is_looked_after(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    kassettui("contact-sheet", show, "-o", tmp_path / "sheet.png", code=5)
    info = kassettui("thumb", "cache", "info", "--json").json
    assert (info["pictures"], info["failures"]) == (3, 1)
    (show / "still.png").unlink()
    assert kassettui("thumb", "cache", "clean", "--json").json["removed"] == 2
    assert kassettui("thumb", "cache", "vacuum", "--json").json["freed_bytes"] >= 0
    assert kassettui("thumb", "cache", "clear", "--json").json["removed"] == 2
    assert "0" in kassettui("thumb", "cache", "info").out.decode()


# -- contact-sheet ------------------------------------------------------------------------------------------


def test_P11_a_sheet_of_a_directory(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    document = kassettui(
        "contact-sheet", show, "-o", tmp_path / "s.png", "--json", "--title", "abc", code=5
    ).json
    assert (document["pictures"], document["failed"]) == (3, 1)
    with Image.open(tmp_path / "s.png") as image:
        assert image.size == (document["width"], document["height"])


def test_P11_a_sheet_of_one_sequence_shows_its_frames(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    document = kassettui(
        "contact-sheet", show / "beauty.#.exr", "-o", tmp_path / "s.png", "--most", "4", "--json", code=5
    ).json  # fmt: skip
    assert (document["pictures"], document["failed"]) == (4, 0)


def test_P11_a_sheet_of_a_query(kassettui: Runner, show: Path, tmp_path: Path) -> None:
    kassettui("import", show, "--no-enrich")
    document = kassettui("contact-sheet", "kind:movie", "-o", tmp_path / "s.png", "--json").json
    assert document["pictures"] == 1


def test_P11_without_a_terminal_a_sheet_needs_a_file(kassettui: Runner, show: Path) -> None:
    kassettui("contact-sheet", show, code=1)


# -- preview ------------------------------------------------------------------------------------------------


def test_P12_preview_without_a_terminal_prints_facts_alone(kassettui: Runner, show: Path) -> None:
    answer = kassettui("preview", show / "beauty.#.exr")
    assert b"320" in answer.out
    assert b"\x1b" not in answer.out
    row = kassettui("preview", show / "still.png", "--json").items[0]
    assert (row["width"], row["height"], row["state"]) == (320, 180, "ok")


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        (b"\x1b[?62;22c", "▀".encode()),
        (b"\x1b[?62;4;22c", b"\x1bP"),
        (b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62c", "\U0010eeee".encode()),
    ],
)
def test_P12_preview_draws_as_the_terminal_can(
    terminal: Callable[..., Terminal], show: Path, answer: bytes, mark: bytes
) -> None:
    shown = terminal("preview", show / "beauty.1001.exr", columns=60, lines=20)
    shown.read_until(b"\x1b[c")
    shown.type(answer.decode())
    assert shown.finish() == 0
    assert mark in shown.raw
    assert shown.raw.count(b"\x1b[c") == 1, "asked once, and not again by the library that draws"
    if b"\x1bP" not in mark:
        assert any("320 × 180" in line for line in shown.shown)


def test_P12_preview_of_a_damaged_frame_says_so(terminal: Callable[..., Terminal], show: Path) -> None:
    shown = terminal("preview", show / "beauty.1004.exr", "--images", "halfblock", columns=60, lines=30)
    shown.read_until(b"\x1b[c")
    shown.type("\x1b[?1c")
    assert shown.finish() == 5
    assert "truncated" in "\n".join(shown.shown)


def test_P12_images_none_draws_nothing(terminal: Callable[..., Terminal], show: Path) -> None:
    shown = terminal("preview", show / "still.png", "--images", "none", columns=60, lines=20)
    assert shown.finish() == 0
    assert b"\x1b[c" not in shown.raw
    assert "▀".encode() not in shown.raw


# -- doctor -------------------------------------------------------------------------------------------------


def test_P1_doctor_knows_the_decoders(kassettui: Runner) -> None:
    found = {row["point"]: row for row in kassettui("doctor", "--json").items}
    assert found["decoders"]["verdict"] == found["formats"]["verdict"] == "ok"
    assert "OpenImageIO" in found["decoders"]["found"]
    assert "exr" in found["formats"]["found"]


def test_P5_doctor_tells_of_an_ocio_that_cannot_be_used(
    kassettui: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCIO", "/nowhere/config.ocio")
    found = {row["point"]: row for row in kassettui("doctor", "--json").items}
    assert found["colour"]["verdict"] == "warn"


def test_P12_doctor_tells_how_pictures_are_drawn(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("doctor", columns=120, lines=50)
    shown.read_until(b"\x1b[c")
    shown.type("\x1b[6;20;10t\x1b[?62;4c")
    shown.finish()
    assert any("sixel" in line for line in shown.shown)
