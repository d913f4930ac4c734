"""P3: what is broken or unfinished is drawn as far as it goes, the rest as a pattern, never as good."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kassettui.core.health import FrameState
from kassettui.media.messages import Encoding, Failed, FailureCode, Render, Rendered
from tests.media import references

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders

HATCH = {(52, 36, 44), (176, 42, 96)}


def drawn(decoders: Decoders, path: Path, size: int = 320) -> Rendered | Failed:
    answer = decoders.submit(Render(os.fsencode(path), size, size, encoding=Encoding.PNG)).future.result(60)
    assert isinstance(answer, (Rendered, Failed))
    return answer


def hatched_rows(answer: Rendered) -> np.ndarray:
    """For each row, whether all of it is the pattern."""
    pixels = references.pixels_of(answer.data)[..., :3]
    return np.asarray([{tuple(map(int, pixel)) for pixel in row} <= HATCH for row in pixels])


CUT_IN_HALF = (
    "exr/none.exr", "exr/rle.exr", "exr/zips.exr", "exr/zip.exr", "exr/piz.exr", "exr/dwaa.exr",
    "exr/tiled.exr", "exr/alpha.exr", "stills/plain.jpg", "stills/plain.png", "stills/16.dpx",
    "stills/uint8_lzw.tif", "stills/uint16_none.tif", "stills/plain.ppm",
)  # fmt: skip


@pytest.mark.parametrize("name", CUT_IN_HALF)
def test_P3_a_truncated_frame_is_drawn_as_far_as_it_goes(
    decoders: Decoders, made: Path, tmp_path: Path, name: str
) -> None:
    data = (made / name).read_bytes()
    path = tmp_path / os.path.basename(name)
    path.write_bytes(data[: len(data) * 6 // 10])
    answer = drawn(decoders, path)
    assert isinstance(answer, Rendered), answer
    assert answer.state is FrameState.TRUNCATED
    assert answer.reason
    rows = hatched_rows(answer)
    assert rows[-10:].all(), "the end is a pattern"
    assert not rows[:40].any(), "the beginning is a picture"
    whole = drawn(decoders, made / name)
    assert isinstance(whole, Rendered)
    first, second = (
        references.over_grey(references.pixels_of(one.data))[:30].astype(int) for one in (answer, whole)
    )
    assert np.abs(first - second).mean() < 3, "and what is there looks as in the whole one"


@pytest.mark.parametrize("name", ["zip.exr", "zips.exr", "piz.exr"])
def test_P3_a_broken_chunk_in_the_middle_leaves_the_rest(
    decoders: Decoders, made: Path, tmp_path: Path, name: str
) -> None:
    data = bytearray((made / "exr" / name).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path = tmp_path / name
    path.write_bytes(data)
    answer = drawn(decoders, path)
    assert isinstance(answer, Rendered)
    assert answer.state is not FrameState.OK
    rows = hatched_rows(answer)
    assert rows.any()
    assert not rows[:40].any()
    assert not rows[-30:].any()


def test_P3_a_growing_frame_is_drawn_anew_when_it_has_grown(
    decoders: Decoders, made: Path, tmp_path: Path
) -> None:
    data = (made / "exr" / "zips.exr").read_bytes()
    path = tmp_path / "render.exr"
    counts = []
    for share in (0.4, 0.8, 1.0):
        path.write_bytes(data[: int(len(data) * share)])
        answer = drawn(decoders, path)
        assert isinstance(answer, Rendered)
        counts.append(int(hatched_rows(answer).sum()))
    assert counts[0] > counts[1] > counts[2] == 0


def test_P3_nothing_decodable_is_a_mark_with_its_reason(
    decoders: Decoders, made: Path, tmp_path: Path
) -> None:
    data = (made / "exr" / "zip.exr").read_bytes()
    path = tmp_path / "head.exr"
    path.write_bytes(data[:2500])
    answer = drawn(decoders, path)
    assert isinstance(answer, Failed)
    assert answer.code is FailureCode.DAMAGED
    assert answer.reason
    assert str(tmp_path) not in answer.reason


@pytest.mark.parametrize(
    ("name", "code"), [("scene.ma", "unsupported"), ("tone.wav", "unsupported"), ("none.exr", "damaged")]
)
def test_P3_what_is_no_picture_says_so(
    decoders: Decoders, made: Path, tmp_path: Path, name: str, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(
        (made / "movies" / "tone.wav").read_bytes() if name == "tone.wav" else b"requires maya;\n"
    )
    answer = drawn(decoders, path)
    assert isinstance(answer, Failed)
    assert answer.code == code


def test_P3_damage_that_decoders_do_not_mind_is_told_all_the_same(
    decoders: Decoders, made: Path, tmp_path: Path
) -> None:
    """A multi-part file whose last part is cut: the first part decodes, the file is still not whole."""
    data = (made / "exr" / "parts.exr").read_bytes()
    path = tmp_path / "parts.exr"
    path.write_bytes(data[:-200])
    answer = drawn(decoders, path)
    assert isinstance(answer, Rendered)
    assert answer.state is FrameState.TRUNCATED
    assert not hatched_rows(answer).any()
