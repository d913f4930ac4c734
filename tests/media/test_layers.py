"""P6, P7: which channels make the picture, and what alpha does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kassettui.media.decode.layers import Meaning, PartChannels, choose, groups
from kassettui.media.decode.picture import Undecodable
from kassettui.media.facts import Look
from kassettui.media.messages import Encoding, Failed, FailureCode, Probed, Render, Rendered
from tests.media import references
from tests.media.colours import mean_difference

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders


def main_of(*channels: str) -> tuple[tuple[str, ...], Meaning, str | None]:
    """The main layer's channel names, its meaning and its alpha, of a file with one part."""
    group = groups([PartChannels("", channels)])[0]
    alpha = None if group.alpha is None else channels[group.alpha]
    return tuple(channels[index] for index in group.channels), group.meaning, alpha


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("R", "G", "B"), (("R", "G", "B"), Meaning.COLOUR, None)),
        (("A", "B", "G", "R"), (("R", "G", "B"), Meaning.COLOUR, "A")),
        (("red", "green", "blue"), (("red", "green", "blue"), Meaning.COLOUR, None)),
        (("R", "G", "B", "A", "Z", "N.X", "N.Y", "N.Z"), (("R", "G", "B"), Meaning.COLOUR, "A")),
        (("Z", "diffuse.R", "diffuse.G", "diffuse.B", "beauty.R", "beauty.G", "beauty.B", "beauty.A"),
         (("beauty.R", "beauty.G", "beauty.B"), Meaning.COLOUR, "beauty.A")),
        (("P.X", "RGBA.R", "RGBA.G", "RGBA.B"), (("RGBA.R", "RGBA.G", "RGBA.B"), Meaning.COLOUR, None)),
        (("one", "two", "three", "four"), (("one", "two", "three"), Meaning.COLOUR, None)),
        (("Y",), (("Y",), Meaning.GREY, None)),
        (("Y", "A"), (("Y",), Meaning.GREY, "A")),
        (("Y", "right.Y"), (("Y",), Meaning.GREY, None)),
        (("Y", "RY", "BY"), (("Y", "RY", "BY"), Meaning.CHROMA, None)),
        (("Z",), (("Z",), Meaning.DATA, None)),
        (("N.X", "N.Y", "N.Z"), (("N.X", "N.Y", "N.Z"), Meaning.VECTOR, None)),
        (("A",), (("A",), Meaning.MASK, "A")),
        (("G",), (("G",), Meaning.GREY, None)),
    ],
)  # fmt: skip
def test_P6_the_main_layer(channels: tuple[str, ...], expected: object) -> None:
    assert main_of(*channels) == expected


def test_P6_the_first_part_counts_first() -> None:
    parts = [PartChannels("depth", ("Z",)), PartChannels("rgba", ("R", "G", "B", "A"))]
    assert groups(parts)[0].part == 1
    assert groups(parts[::-1])[0].part == 0


def test_P6_layers_are_walked_in_order_each_once() -> None:
    names = ("R", "G", "B", "A", "Z", "N.X", "N.Y", "N.Z", "diffuse.R", "diffuse.G", "diffuse.B", "mask.A")
    known = groups([PartChannels("", names)])
    assert [group.name for group in known] == ["", "Z", "N", "diffuse", "mask.A"]
    parts = [
        PartChannels("rgba", ("R", "G", "B")),
        PartChannels("depth", ("Z",)),
        PartChannels("spec", ("R", "G", "B")),
    ]
    assert [group.name for group in groups(parts)] == ["", "depth", "spec"]


def test_P6_a_layer_is_chosen_by_name_and_a_channel_too() -> None:
    parts = [PartChannels("", ("R", "G", "B", "diffuse.R", "diffuse.G", "diffuse.B", "Z"))]
    assert choose(parts, "Diffuse").channels == (3, 4, 5)
    assert choose(parts, "diffuse.G").channels == (4,)
    assert choose(parts, "rgba").channels == (0, 1, 2)
    with pytest.raises(Undecodable, match="it has Z, diffuse"):
        choose(parts, "specular")


def shown(decoders: Decoders, path: Path, **look: object) -> tuple[Rendered, np.ndarray]:
    request = Render(os.fsencode(path), 320, 180, Look(**look), encoding=Encoding.PNG)  # type: ignore[arg-type]
    answer = decoders.submit(request).future.result(60)
    assert isinstance(answer, Rendered), answer
    return answer, references.pixels_of(answer.data)


def test_P6_each_layer_is_drawn_as_what_it_is(decoders: Decoders, made: Path) -> None:
    path = made / "exr" / "layers.exr"
    _, diffuse = shown(decoders, path, layer="diffuse")
    assert (
        mean_difference(
            diffuse, references.scene_linear(path, (320, 180), "--ch", "diffuse.R,diffuse.G,diffuse.B")
        )
        < 1
    )
    _, normals = shown(decoders, path, layer="N")
    assert np.abs(normals.reshape(-1, 3).mean(axis=0) - (127.5, 204, 229.5)).max() < 1.5
    _, depth = shown(decoders, path, layer="Z")
    assert depth[0, 0, 0] < 5
    assert depth[-1, -1, 0] > 250
    _, mask = shown(decoders, path, layer="mask.A")
    assert {int(mask[0, 0, 0]), int(mask[120, 60, 0]), int(mask[75, 150, 0])} == {0, 255, 128}


def test_P6_parts_are_layers(decoders: Decoders, made: Path) -> None:
    path = made / "exr" / "parts.exr"
    _, spec = shown(decoders, path, layer="spec")
    assert mean_difference(spec, references.scene_linear(path, (320, 180), "--subimage", "2")) < 1
    answer = decoders.probe(str(path)).future.result(60)
    assert isinstance(answer, Probed)
    assert [layer.name for layer in answer.facts.layers] == ["", "depth", "spec"]


def test_P6_a_beauty_layer_stands_for_the_file(decoders: Decoders, made: Path) -> None:
    _, beauty = shown(decoders, made / "exr" / "beauty.exr")
    assert mean_difference(beauty, references.scene_linear(made / "exr" / "zip.exr", (320, 180))) < 1


def test_P6_luminance_and_chroma_become_colour(decoders: Decoders, made: Path) -> None:
    _, colour = shown(decoders, made / "exr" / "chroma.exr")
    assert mean_difference(colour, references.scene_linear(made / "exr" / "float.exr", (320, 180))) < 1


def test_P6_a_layer_that_is_not_there_is_said(decoders: Decoders, made: Path) -> None:
    for name in ("exr/layers.exr", "stills/plain.png", "movies/h264.mp4"):
        request = Render(os.fsencode(made / name), 64, 64, Look(layer="nothing"))
        answer = decoders.submit(request).future.result(60)
        assert isinstance(answer, Failed)
        assert answer.code is FailureCode.NO_LAYER


@pytest.mark.parametrize(
    "name", ["exr/alpha.exr", "stills/alpha.png", "stills/alpha.tif", "movies/alpha.mov"]
)
def test_P7_alpha_is_kept_and_shown_alone(decoders: Decoders, made: Path, name: str) -> None:
    request = Render(os.fsencode(made / name), 320, 180)
    stored = decoders.submit(request).future.result(60)
    assert isinstance(stored, Rendered)
    assert (stored.kind, stored.alpha) == ("png", True)
    alpha = references.pixels_of(stored.data)[..., 3]
    expected = (200, 200, 200) if name.startswith("movies") else (0, 128, 255)
    found = [int(alpha[y, x]) for y, x in ((5, 5), (75, 150), (130, 60))]
    assert np.abs(np.subtract(found, expected)).max() <= 1
    only, grey = shown(decoders, made / name, alpha_only=True)
    assert not only.alpha
    assert np.array_equal(grey[..., 0], alpha)


def test_P7_opaque_pictures_are_jpeg_and_change_kind_with_their_content(
    decoders: Decoders, made: Path
) -> None:
    answer = decoders.submit(Render(os.fsencode(made / "exr" / "zip.exr"), 128, 128)).future.result(60)
    assert isinstance(answer, Rendered)
    assert (answer.kind, answer.alpha, answer.data[:2]) == ("jpeg", False, b"\xff\xd8")


def test_P7_transparency_shows_a_checkerboard(decoders: Decoders, made: Path) -> None:
    request = Render(os.fsencode(made / "stills" / "alpha.png"), 320, 180, encoding=Encoding.RAW)
    answer = decoders.submit(request).future.result(60)
    assert isinstance(answer, Rendered)
    pixels = np.frombuffer(answer.data, np.uint8).reshape(answer.height, answer.width, 3)
    assert len(np.unique(pixels[:24, :24].reshape(-1, 3), axis=0)) == 2
    assert (pixels[0, 0] != pixels[0, 8]).all()


def test_P6_what_lies_outside_the_display_window_is_cropped(decoders: Decoders, made: Path) -> None:
    _, outside = shown(decoders, made / "exr" / "outside.exr")
    assert not outside.any()
    _, window = shown(decoders, made / "exr" / "window.exr")
    assert not window[:7].any()
    assert window[70, :200].any(axis=-1).all()
