"""P1, P4, P14 for movies and sound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kassettui.core.health import FrameState
from kassettui.media.messages import Checked, Encoding, Failed, FailureCode, Probed, Render, Rendered
from tests.media import references
from tests.media.colours import mean_difference
from tests.media.makers import encoded, scene

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders
    from kassettui.media.facts import Facts

MOVIES = ("h264.mp4", "prores.mov", "mjpeg.avi", "alpha.mov", "dnxhd.mxf")


def drawn(decoders: Decoders, path: Path, frame: int | None = None, size: int = 320) -> np.ndarray:
    request = Render(os.fsencode(path), size, size, frame=frame, encoding=Encoding.PNG)
    answer = decoders.submit(request).future.result(60)
    assert isinstance(answer, Rendered), answer
    return references.pixels_of(answer.data)[..., :3]


def facts(decoders: Decoders, path: Path) -> Facts:
    answer = decoders.probe(str(path)).future.result(60)
    assert isinstance(answer, Probed), answer
    return answer.facts


@pytest.mark.parametrize("name", MOVIES)
def test_P5_a_movie_looks_like_what_went_into_it(decoders: Decoders, made: Path, name: str) -> None:
    pixels = drawn(decoders, made / "movies" / name)
    size = (1280, 720) if name == "dnxhd.mxf" else (320, 180)
    source = (encoded(scene(*size)) * 255 + 0.5).astype(np.uint8)
    from PIL import Image

    expected = np.asarray(Image.fromarray(source).resize((320, 180), Image.Resampling.BOX))
    assert mean_difference(pixels[50:], expected[50:]) < 4  # 8-bit 4:2:0 and the codec's own loss


def frame_number(pixels: np.ndarray) -> int:
    """Which frame of a made movie this is: five levels a frame in the upper left corner."""
    return round(float(pixels[5:30, 5:30].mean()) / 5)


@pytest.mark.parametrize("name", ["h264.mp4", "prores.mov", "mjpeg.avi"])
def test_P4_any_frame_can_be_had(decoders: Decoders, made: Path, name: str) -> None:
    assert [frame_number(drawn(decoders, made / "movies" / name, frame)) for frame in (0, 1, 7, 23, 47)] == [
        0,
        1,
        7,
        23,
        47,
    ]
    assert frame_number(drawn(decoders, made / "movies" / name, 1000)) == 47


def test_P4_the_frame_that_stands_for_a_movie_is_a_keyframe_near_a_tenth(
    decoders: Decoders, made: Path
) -> None:
    assert frame_number(drawn(decoders, made / "movies" / "h264.mp4")) in {0, 6}
    assert frame_number(drawn(decoders, made / "movies" / "prores.mov")) in {4, 5}


def test_P4_black_is_skipped(decoders: Decoders, made: Path) -> None:
    assert drawn(decoders, made / "movies" / "black.mp4").mean() > 40


def test_P14_facts_of_a_movie(decoders: Decoders, made: Path) -> None:
    found = facts(decoders, made / "movies" / "prores.mov")
    assert (found.width, found.height, found.frame_count, found.fps) == (320, 180, 48, "24")
    assert found.duration == pytest.approx(2.0, abs=0.05)
    assert (found.codec, found.pixel_type, found.timecode) == ("prores", "10 bit", "01:02:03:04")
    assert dict(found.attributes)["pixel format"] == "yuv422p10le"
    assert facts(decoders, made / "movies" / "alpha.mov").alpha
    assert facts(decoders, made / "movies" / "h264.mp4").codec == "h264"


def test_P14_facts_of_sound(decoders: Decoders, made: Path) -> None:
    found = facts(decoders, made / "movies" / "tone.wav")
    assert found.duration == pytest.approx(1.0, abs=0.01)
    assert [(one.codec, one.channels, one.rate) for one in found.audio] == [("pcm_s16le", 2, 48000)]


def test_H2_movies_and_sound_are_decoded_to_their_end(decoders: Decoders, made: Path, tmp_path: Path) -> None:
    for name in ("h264.mp4", "prores.mov", "tone.wav"):
        answer = decoders.check(str(made / "movies" / name)).future.result(60)
        assert isinstance(answer, Checked)
        assert answer.verdict.state is FrameState.OK, name
    data = (made / "movies" / "h264.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    answer = decoders.check(str(cut)).future.result(60)
    assert isinstance(answer, Checked)
    assert answer.verdict.state is not FrameState.OK


def test_P2_a_movie_cannot_make_the_decoder_open_other_files(decoders: Decoders, tmp_path: Path) -> None:
    """A playlist under a movie's name: formats that refer to other files are not on the list."""
    for name, text in {
        "list.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/hostname\n#EXT-X-ENDLIST\n",
        "concat.mov": "ffconcat version 1.0\nfile /etc/hostname\n",
        "session.avi": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    }.items():
        path = tmp_path / name
        path.write_text(text, encoding="ascii")
        for ticket in (decoders.probe(str(path)), decoders.submit(Render(os.fsencode(path), 64, 64))):
            answer = ticket.future.result(60)
            assert isinstance(answer, Failed)
            assert answer.code in {FailureCode.DAMAGED, FailureCode.UNSUPPORTED}
