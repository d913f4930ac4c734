"""P11: contact sheets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from kassettui.media.facts import Tile
from kassettui.media.messages import Failed, FailureCode, Render, Rendered, Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders
    from kassettui.media.messages import Answer


def sheet(
    decoders: Decoders, tiles: list[Tile], columns: int = 3, cell: int = 128, title: str = ""
) -> Answer:
    return decoders.submit(Sheet(tuple(tiles), columns, cell, title)).future.result(60)


def test_P11_a_sheet_shows_every_picture_in_its_place(decoders: Decoders, made: Path) -> None:
    tiles = []
    for name in ("exr/zip.exr", "stills/plain.jpg", "exr/alpha.exr", "stills/turned6.jpg"):
        answer = decoders.submit(Render(str(made / name).encode(), 128, 128)).future.result(60)
        assert isinstance(answer, Rendered)
        tiles.append(Tile(answer.data, name))
    tiles.append(Tile(label="broken.exr", placeholder="exr"))
    answer = sheet(decoders, tiles, title="shot 010")
    assert isinstance(answer, Rendered)
    with Image.open(io.BytesIO(answer.data)) as image:
        pixels = np.asarray(image)
        assert image.size == (answer.width, answer.height)
    assert answer.width == 12 + 3 * (128 + 12)
    for number in range(5):
        left, top = 12 + number % 3 * 140, answer.height - 2 * (128 + 20 + 12) + number // 3 * 160
        cell = pixels[top : top + 128, left : left + 128]
        assert cell.std() > 1, number
    assert len(np.unique(pixels[-3:].reshape(-1, 3), axis=0)) == 1


def test_P11_outside_text_and_broken_pictures_do_no_harm(decoders: Decoders) -> None:
    tiles = [
        Tile(b"no picture", "x" * 5000), Tile(b"\x89PNG\r\n\x1a\n", "\x1b]0;title\x07\n\u202e"),
        Tile(label="日本語 ✓ ü", placeholder="psd"),
    ]  # fmt: skip
    assert isinstance(sheet(decoders, tiles), Rendered)
    assert isinstance(sheet(decoders, []), Rendered)


def test_P11_a_sheet_too_large_is_refused(decoders: Decoders) -> None:
    answer = sheet(decoders, [Tile(label="a")] * 100, columns=100, cell=100_000)
    assert isinstance(answer, Failed)
    assert answer.code is FailureCode.TOO_LARGE
