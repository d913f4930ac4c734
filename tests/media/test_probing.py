"""P14: what a file tells about itself."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest

from kassettui.core.health import FrameState
from kassettui.media import formats
from kassettui.media.facts import Window
from kassettui.media.messages import Checked, Failed, Probed, Reported

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders
    from kassettui.media.facts import Facts, Verdict


def facts(decoders: Decoders, path: Path) -> Facts:
    answer = decoders.probe(str(path)).future.result(60)
    assert isinstance(answer, Probed), answer
    return answer.facts


def verdict(decoders: Decoders, path: Path) -> Verdict:
    answer = decoders.check(str(path)).future.result(60)
    assert isinstance(answer, Checked), answer
    return answer.verdict


def test_P14_windows_channels_layers_and_compression(decoders: Decoders, made: Path) -> None:
    found = facts(decoders, made / "exr" / "window.exr")
    assert (found.width, found.height) == (400, 160)
    assert found.display_window == Window(0, 0, 400, 160)
    assert found.data_window == Window(-20, 10, 320, 180)
    assert (found.format, found.pixel_type, found.compression) == ("exr", "half", "zip")
    layered = facts(decoders, made / "exr" / "layers.exr")
    assert [layer.name for layer in layered.layers] == ["", "Z", "N", "diffuse", "mask.A"]
    assert layered.layers[0].channels == ("R", "G", "B", "A")
    assert layered.alpha
    assert facts(decoders, made / "exr" / "parts.exr").parts == 3


def test_P14_aspect_chromaticities_and_colour(decoders: Decoders, made: Path) -> None:
    assert facts(decoders, made / "exr" / "anamorphic.exr").pixel_aspect == 2.0
    primaries = facts(decoders, made / "exr" / "p3.exr").chromaticities
    assert primaries == pytest.approx((0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290))
    assert facts(decoders, made / "exr" / "zip.exr").colour_space == "scene-linear"
    assert facts(decoders, made / "stills" / "10.dpx").colour_space in {"log", "KodakLog"}


@pytest.mark.parametrize(
    ("name", "kind", "width"),
    [
        ("10.dpx", "uint16 (10 bit)", 320), ("8.dpx", "uint8", 320), ("uint16_zip.tif", "uint16", 320),
        ("float_zip.tif", "float", 320), ("plain.jpg", "uint8", 320), ("plain.avif", "uint8", 320),
        ("plain.gif", "uint8", 320), ("sixteen.png", "uint16", 320), ("turned6.jpg", "uint8", 320),
        ("plain.jp2", "uint8", 320), ("plain.jxl", "uint8", 320),
    ],
)  # fmt: skip
def test_P14_pixel_types_and_sizes(decoders: Decoders, made: Path, name: str, kind: str, width: int) -> None:
    found = facts(decoders, made / "stills" / name)
    assert (found.pixel_type, found.width, found.height) == (kind, width, 180)


def test_P14_attributes_are_searchable_text(decoders: Decoders, made: Path) -> None:
    attributes = dict(facts(decoders, made / "stills" / "10.dpx").attributes)
    assert attributes["dpx:Transfer"] == "Printing density"
    assert all(attributes.values())


def test_R8_metadata_that_is_no_text_does_no_harm(decoders: Decoders, made: Path, tmp_path: Path) -> None:
    data = (made / "exr" / "none.exr").read_bytes()
    extra = b"owner\0string\0" + struct.pack("<i", 6) + b"\xff\xfe\x1b[0m"[:6]
    end = data.index(b"screenWindowWidth")
    path = tmp_path / "odd.exr"
    path.write_bytes(data[:end] + extra + data[end:])  # the table is off now, the header is not
    found = facts(decoders, path)
    assert (found.width, found.height) == (320, 180)


def test_H2_counts_what_is_no_number_and_sees_black(decoders: Decoders, made: Path) -> None:
    odd = verdict(decoders, made / "exr" / "nan.exr")
    assert (odd.state, odd.level, odd.nan, odd.inf, odd.black) == (FrameState.OK, 2, 60, 5, False)
    black = verdict(decoders, made / "exr" / "black.exr")
    assert (black.state, black.black) == (FrameState.OK, True)


def test_H2_every_whole_picture_is_ok(decoders: Decoders, made: Path) -> None:
    for path in [*(made / "exr").iterdir(), *(made / "stills").iterdir()]:
        found = verdict(decoders, path)
        assert (found.state, found.level) == (FrameState.OK, 2), (path.name, found)
        assert found.make


def test_H2_finds_what_structure_cannot(decoders: Decoders, made: Path, tmp_path: Path) -> None:
    from kassettui.media.structure import check_structure

    data = bytearray((made / "exr" / "zip.exr").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = os.urandom(64)
    path = tmp_path / "flipped.exr"
    path.write_bytes(data)
    assert check_structure(str(path)).state is FrameState.OK
    found = verdict(decoders, path)
    assert found.state in {FrameState.TRUNCATED, FrameState.UNREADABLE}
    assert found.level == 2


@pytest.mark.parametrize(
    "name", ["exr/zip.exr", "stills/plain.jpg", "stills/plain.png", "stills/16.dpx", "stills/plain.ppm"]
)
def test_H2_a_cut_file_is_never_called_better_than_H1_did(
    decoders: Decoders, made: Path, tmp_path: Path, name: str
) -> None:
    data = (made / name).read_bytes()
    path = tmp_path / os.path.basename(name)
    path.write_bytes(data[: len(data) // 2])
    assert verdict(decoders, path).state is FrameState.TRUNCATED


def test_P1_the_table_of_formats_holds_here(decoders: Decoders) -> None:
    report = decoders.report().future.result(60)
    assert isinstance(report, Reported)
    lines = dict(report.lines)
    assert {
        name: state for name, state in lines.items() if name.startswith("format ") and state != "ok"
    } == {}
    assert len([name for name in lines if name.startswith("format ")]) == len(formats.FORMATS)
    assert lines["OpenImageIO"]


def test_P1_recognises_content_then_extension(made: Path) -> None:
    for path in [*(made / "exr").iterdir(), *(made / "stills").iterdir(), *(made / "movies").iterdir()]:
        row = formats.identify(path.read_bytes()[: formats.HEAD_BYTES], path.suffix[1:])
        assert row is not None, path.name
        assert path.suffix[1:] in row.extensions, path.name
    assert formats.identify(b"no picture at all, just words", "exr") is None
    assert formats.identify(b"G is no transport stream" * 20, "ts") is None


def test_P14_a_file_that_is_gone_or_forbidden_is_said(decoders: Decoders, tmp_path: Path) -> None:
    answer = decoders.probe(str(tmp_path / "nothing.exr")).future.result(60)
    assert isinstance(answer, Failed)
    assert answer.code == "gone"
