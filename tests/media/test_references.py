"""P5–P7: pictures look as oiiotool and Pillow make them look, measured as mean CIEDE2000."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kassettui.media.decoders import Decoders
from kassettui.media.facts import Look
from kassettui.media.messages import Encoding, Failed, FailureCode, Render, Rendered, WorkerSettings
from tests.media import references
from tests.media.colours import mean_difference
from tests.media.makers import encoded, scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PLAIN = Look()
LIMIT = 1.0
LOSSY_LIMIT = 2.0
ALPHA_LIMIT = 1.0

# The corpus: what oiiotool has to be told beyond the file's name.
GREY_EXR = {"Fog.exr": "Y", "Garden.exr": "Y", "GrayRampsDiagonal.exr": "Y", "GrayRampsHorizontal.exr": "Y",
            "WideFloatRange.exr": "G"}  # fmt: skip
# Not Carrots.exr: its alpha is 0 everywhere, and alpha that hides a whole picture is not used (P7).
ALPHA_EXR = {f"singlepart.000{number}.exr" for number in range(1, 9)} | {"stripes.exr"}
# Its mip levels hold different colours on purpose; a small picture is made from a small level (P9).
MIP_COLOURS = {"ColorCodedLevels.exr"}
DEEP = {"Trunks.exr"}
# Chromaticities that are not Rec. 709's: ACES2065-1, and CIE XYZ, compared with its Rec. 709 twin below.
SPACES = {"Carrots.exr": "ACES2065-1"}
TWINS = {"XYZ.exr": "Rec709.exr"}

# Opened by Pillow; the reference is Pillow's plain convert and resize.
BY_PILLOW = {".webp", ".avif", ".gif", ".jpg", ".png"}
# Display-referred by oiiotool unless named here.
SCENE_STILLS = {"ginsu_rgb_ncf.rla", "psd_rgb_32.psd", "test-1.pfm", "test-2.pfm", "test-3.pfm"}
LINEAR_STILLS = {"imgmake_rgba_nc8.rla", "imgmake_rgba_nc10.rla", "imgmake_rgba_nc16.rla", "pil123rgba.png"}
LOG_STILLS = {"checker.cin"}
# Tiny or noisy pictures that JPEG 85 itself changes by more than the limit; lossless they are within 1.
JPEG_LOSSES = {
    "Cannon.exr", "3.webp", "4.webp", "5.webp", "hopper.ico",
    *(f"flower-rgb-contig-{bits:02}.tif" for bits in (2, 4, 8, 10, 12, 14, 16, 24, 32)),
    *(f"flower-separated-{kind}.tif" for kind in ("contig-08", "contig-16", "planar-08", "planar-16")),
}  # fmt: skip


def rendered(
    decoders: Decoders, path: Path, size: int = 256, encoding: Encoding = Encoding.PNG, look: Look = PLAIN
) -> Rendered:
    answer = decoders.submit(Render(os.fsencode(path), size, size, look, encoding=encoding)).future.result(60)
    assert isinstance(answer, Rendered), (path.name, answer)
    return answer


def size_of(answer: Rendered) -> tuple[int, int]:
    return (answer.width, answer.height)


def difference(answer: Rendered, reference: Pixels) -> float:
    """Mean ΔE2000 over grey; infinite when one has alpha that the other does not show."""
    ours = references.pixels_of(answer.data)
    if ours.shape[-1] == 4 or (reference.shape[-1] == 4 and reference[..., 3].min() < 255):
        if ours.shape[-1] != reference.shape[-1]:
            return float("inf")
        apart = np.abs(ours[..., 3].astype(int) - reference[..., 3]).mean()
        if apart > ALPHA_LIMIT:
            return float("inf")
    return mean_difference(references.over_grey(ours), references.over_grey(reference))


def exr_reference(path: Path, size: tuple[int, int]) -> Pixels:
    channels = GREY_EXR.get(path.name)
    more: list[str] = ["--selectmip", "1"] if path.name in MIP_COLOURS else []
    more += ["--flatten"] if path.name in DEEP else []
    if channels is not None:
        more += ["--ch", f"{channels},{channels},{channels}"]
    elif path.name in ALPHA_EXR | DEEP:
        more += ["--ch", "R,G,B,A"]
    else:
        more += ["--ch", "R,G,B"]
    return references.scene_linear(path, size, *more, space=SPACES.get(path.name, "Linear Rec.709 (sRGB)"))


def still_reference(path: Path, size: tuple[int, int]) -> Pixels:
    if path.name in SCENE_STILLS:
        return references.scene_linear(path, size)
    if path.name in LINEAR_STILLS:
        return references.oiiotool(
            str(path), "--resize:filter=triangle", f"{size[0]}x{size[1]}",
            "--iscolorspace", "Linear Rec.709 (sRGB)",
            "--tocolorspace:unpremult=1", "sRGB Encoded Rec.709 (sRGB)",
        )  # fmt: skip
    if path.name in LOG_STILLS:
        return log_reference(path, size)
    if path.suffix in BY_PILLOW:
        return references.pillow(path, size)
    return references.display_referred(path, size)


def log_reference(path: Path, size: tuple[int, int]) -> Pixels:
    """Printing density made linear by OpenColorIO's own arithmetic, then as any scene-linear picture."""
    with tempfile.TemporaryDirectory() as scratch:
        config, linear = Path(scratch, "config.ocio"), Path(scratch, "linear.exr")
        config.write_text(references.CONFIGURATION, encoding="utf-8")
        steps = ["--iscolorspace", "cineon", "--tocolorspace", "lin", "-d", "float", "-o", str(linear)]
        environment = {**os.environ, "OCIO": str(config)}
        subprocess.run([references.OIIOTOOL, str(path), *steps], check=True, env=environment, timeout=60)
        return references.scene_linear(linear, size)


@pytest.mark.corpus
def test_P5_every_exr_of_the_corpus_looks_as_oiiotool_shows_it(decoders: Decoders, corpus: Path) -> None:
    paths = [path for path in sorted((corpus / "exr").rglob("*.exr")) if path.name not in TWINS]
    found = {path.name: _both(decoders, path, exr_reference) for path in paths}
    assert _too_different(found) == {}
    assert len(found) > 40


@pytest.mark.corpus
def test_P5_every_still_of_the_corpus_looks_as_its_reference(decoders: Decoders, corpus: Path) -> None:
    paths = sorted((corpus / "stills").iterdir())
    found = {path.name: _both(decoders, path, still_reference) for path in paths}
    assert _too_different(found) == {}
    assert len(found) > 60


def _too_different(found: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {
        name: (exact, stored) for name, (exact, stored) in found.items()
        if exact >= LIMIT or (stored >= LOSSY_LIMIT and name not in JPEG_LOSSES)
    }  # fmt: skip


def _both(
    decoders: Decoders, path: Path, make: Callable[[Path, tuple[int, int]], Pixels]
) -> tuple[float, float]:
    """The differences of the lossless and of the stored picture."""
    exact, stored = rendered(decoders, path), rendered(decoders, path, encoding=Encoding.STORED)
    assert exact.state == "ok", (path.name, exact.reason)
    reference = make(path, size_of(exact))
    return round(difference(exact, reference), 3), round(difference(stored, reference), 3)


@pytest.mark.corpus
def test_P5_other_primaries_look_like_their_rec709_twin(decoders: Decoders, corpus: Path) -> None:
    for name, twin in TWINS.items():
        reference = references.pixels_of(rendered(decoders, corpus / "exr" / "single" / twin).data)
        assert difference(rendered(decoders, corpus / "exr" / "single" / name), reference) < LIMIT


@pytest.mark.corpus
def test_P14_every_picture_of_the_corpus_has_its_size(decoders: Decoders, corpus: Path) -> None:
    from kassettui.media.messages import Probed

    for path in [*(corpus / "exr").rglob("*.exr"), *(corpus / "stills").iterdir()]:
        answer = decoders.probe(str(path)).future.result(60)
        assert isinstance(answer, Probed), path.name
        assert min(answer.facts.width, answer.facts.height) > 0, path.name


# -- pictures of our own ------------------------------------------------------------------------------------

SCENES = (
    "none",
    "rle",
    "zips",
    "zip",
    "piz",
    "pxr24",
    "tiled",
    "float",
    "window",
    "outside",
    "anamorphic",
    "parts",
)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_P5_exr_through_the_display_transform(decoders: Decoders, made: Path, name: str, size: int) -> None:
    path = made / "exr" / f"{name}.exr"
    answer = rendered(decoders, path, size)
    assert difference(answer, references.scene_linear(path, size_of(answer))) < LIMIT


@pytest.mark.parametrize("name", ["b44", "b44a", "dwaa", "dwab"])
def test_P5_lossy_compressions_stay_near_the_lossless_picture(
    decoders: Decoders, made: Path, name: str
) -> None:
    answer = rendered(decoders, made / "exr" / f"{name}.exr")
    assert (
        difference(answer, references.scene_linear(made / "exr" / "zip.exr", size_of(answer))) < LOSSY_LIMIT
    )


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_P9_mip_levels_look_like_the_whole_picture(decoders: Decoders, made: Path, size: int) -> None:
    path = made / "exr" / "mip.exr"
    answer = rendered(decoders, path, size)
    assert difference(answer, references.scene_linear(path, size_of(answer))) < LOSSY_LIMIT


def test_P5_chromaticities_are_honoured(decoders: Decoders, made: Path) -> None:
    reference = references.scene_linear(made / "exr" / "float.exr", (256, 144))
    assert difference(rendered(decoders, made / "exr" / "p3.exr"), reference) < LIMIT


def test_P5_exposure_is_in_stops(decoders: Decoders, made: Path) -> None:
    path = made / "exr" / "zip.exr"
    for stops in (-2.0, 1.5):
        answer = rendered(decoders, path, look=Look(exposure=stops))
        reference = references.scene_linear(path, size_of(answer), "--mulc", str(2**stops))
        assert difference(answer, reference) < LIMIT


def test_P5_another_view_of_the_configuration(decoders: Decoders, made: Path) -> None:
    path = made / "exr" / "zip.exr"
    look = Look(display="sRGB - Display", view="Un-tone-mapped")
    answer = rendered(decoders, path, look=look)
    size = f"{answer.width}x{answer.height}"
    reference = references.oiiotool(
        str(path), "--resize:filter=triangle", size,
        "--iscolorspace", "Linear Rec.709 (sRGB)", "--ociodisplay", look.display, look.view,
    )  # fmt: skip
    assert difference(answer, reference) < LIMIT
    wrong = Render(os.fsencode(path), 64, 64, Look(view="Nonsense"))
    failed = decoders.submit(wrong).future.result(60)
    assert isinstance(failed, Failed)
    assert failed.code is FailureCode.NO_LAYER
    assert "Un-tone-mapped" in failed.reason


def test_P5_a_configuration_of_the_house(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.ocio"
    config.write_text(references.CONFIGURATION, encoding="utf-8")
    monkeypatch.setenv("OCIO", str(config))
    os.link(made / "exr" / "zip.exr", tmp_path / "shot_dark.exr")
    with Decoders(WorkerSettings(threads=1, view="Warm"), count=1) as own:
        for path, space in ((made / "exr" / "zip.exr", "lin"), (tmp_path / "shot_dark.exr", "dark")):
            for view in ("", "Plain"):
                answer = rendered(own, path, look=Look(view=view))
                reference = references.oiiotool(
                    str(path), "--resize:filter=triangle", f"{answer.width}x{answer.height}",
                    "--iscolorspace", space, "--ociodisplay", "Wall", view or "Warm", config=str(config),
                )  # fmt: skip
                assert difference(answer, reference) < LIMIT, (path.name, view)


def test_P5_a_broken_configuration_is_told_and_the_built_in_one_used(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kassettui.media.messages import Reported

    monkeypatch.setenv("OCIO", str(tmp_path / "nothing.ocio"))
    path = made / "exr" / "zip.exr"
    with Decoders(WorkerSettings(threads=1), count=1) as own:
        answer = rendered(own, path)
        report = own.report().future.result(60)
    assert difference(answer, references.scene_linear(path, size_of(answer))) < LIMIT
    assert isinstance(report, Reported)
    assert dict(report.lines)["colour problem"]


def test_P5_log_pictures_are_made_linear_first(decoders: Decoders, made: Path) -> None:
    for name in ("log.cin", "10.dpx"):
        answer = rendered(decoders, made / "stills" / name)
        assert difference(answer, log_reference(made / "stills" / name, size_of(answer))) < LIMIT, name


DISPLAYED = (
    "16.dpx", "12.dpx", "little.dpx", "uint8_lzw.tif", "uint16_zip.tif", "uint16_none.tif", "tiled.tif",
    "plain.tga", "plain.sgi", "plain.ppm", "plain.iff", "sixteen.png", "alpha.tif", "plain.jxl",
)  # fmt: skip


@pytest.mark.parametrize("name", DISPLAYED)
def test_P5_display_referred_pictures_stay_as_they_are(decoders: Decoders, made: Path, name: str) -> None:
    path = made / "stills" / name
    for size in (96, 256):
        answer = rendered(decoders, path, size)
        limit = LIMIT if size == 256 else LOSSY_LIMIT  # two of four lines count in a block of four
        assert difference(answer, references.display_referred(path, size_of(answer))) < limit, size


PILLOWS = (
    "plain.png", "plain.jpg", "grey.jpg", "grey.png", "palette.png", "alpha.png", "plain.bmp",
    "plain.webp", "plain.avif", "plain.gif", "big.tif", "plain.jp2",
)  # fmt: skip


@pytest.mark.parametrize("name", PILLOWS)
def test_P1_formats_that_pillow_reads(decoders: Decoders, made: Path, name: str) -> None:
    answer = rendered(decoders, made / "stills" / name)
    assert difference(answer, references.pillow(made / "stills" / name, size_of(answer))) < LIMIT


def test_P1_content_counts_before_the_extension(decoders: Decoders, made: Path, tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.exr"
    os.link(made / "stills" / "plain.png", path)
    answer = rendered(decoders, path)
    assert difference(answer, references.pillow(made / "stills" / "plain.png", size_of(answer))) < LIMIT


@pytest.mark.parametrize("name", ["light.hdr", "float_zip.tif"])
def test_P5_scene_linear_stills(decoders: Decoders, made: Path, name: str) -> None:
    path = made / "stills" / name
    answer = rendered(decoders, path)
    assert difference(answer, references.scene_linear(path, size_of(answer))) < LIMIT


def test_P5_a_png_that_says_it_is_linear_gets_the_curve(decoders: Decoders, made: Path) -> None:
    answer = rendered(decoders, made / "stills" / "gamma.png", 320)
    linear = encoded(scene())  # what was stored, taken for linear light
    reference = (encoded(linear) * 255 + 0.5).astype(np.uint8)
    assert difference(answer, reference) < LIMIT


def test_P5_an_icc_profile_is_honoured(decoders: Decoders, made: Path) -> None:
    """The profile exchanges red and green: so does the picture."""
    answer = rendered(decoders, made / "stills" / "profile.jpg")
    plain = references.pillow(made / "stills" / "profile.jpg", size_of(answer))
    assert difference(answer, plain) > 10
    assert difference(answer, plain[..., [1, 0, 2]]) < LOSSY_LIMIT


@pytest.mark.parametrize("orientation", range(1, 9))
def test_P6_orientation_is_honoured(decoders: Decoders, made: Path, orientation: int) -> None:
    answer = rendered(decoders, made / "stills" / f"turned{orientation}.jpg")
    assert size_of(answer) == (256, 144)
    assert difference(answer, references.pillow(made / "stills" / "turned1.jpg", (256, 144))) < LIMIT


def test_P6_pixel_aspect_is_honoured(decoders: Decoders, made: Path) -> None:
    assert size_of(rendered(decoders, made / "exr" / "anamorphic.exr")) == (256, 72)


def test_P13_nothing_is_made_larger_than_allowed(decoders: Decoders, made: Path) -> None:
    path = os.fsencode(made / "exr" / "zip.exr")
    for grow, width in ((1.0, 320), (2.0, 640), (4.0, 1000)):
        request = Render(path, 1000, 1000, grow=grow, encoding=Encoding.RAW)
        answer = decoders.submit(request).future.result(60)
        assert isinstance(answer, Rendered)
        assert answer.width == width
        assert len(answer.data) == answer.width * answer.height * 3
