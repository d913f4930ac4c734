"""What a picture should look like, by other programs: oiiotool as a command, Pillow's plain functions."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

OIIOTOOL = str(Path(sys.executable).with_name("oiiotool"))
GREY = 118
_WHOLE = ("--croptofull", "--origin", "+0+0", "--fullpixels")


CONFIGURATION = """ocio_profile_version: 2
roles: {scene_linear: lin, default: lin}
file_rules:
  - !<Rule> {name: dark, pattern: "*_dark*", extension: "*", colorspace: dark}
  - !<Rule> {name: Default, colorspace: lin}
displays:
  Wall:
    - !<View> {name: Plain, colorspace: gamma}
    - !<View> {name: Warm, colorspace: warm}
colorspaces:
  - !<ColorSpace> {name: lin}
  - !<ColorSpace>
    name: dark
    to_scene_reference: !<MatrixTransform> {matrix: [0.25, 0, 0, 0, 0, 0.25, 0, 0, 0, 0, 0.25, 0, 0, 0, 0, 1]}
  - !<ColorSpace>
    name: gamma
    from_scene_reference: !<ExponentTransform> {value: [2.2, 2.2, 2.2, 1], direction: inverse}
  - !<ColorSpace>
    name: warm
    from_scene_reference: !<MatrixTransform> {matrix: [1, 0, 0, 0, 0, 0.6, 0, 0, 0, 0, 0.3, 0, 0, 0, 0, 1]}
  - !<ColorSpace>
    name: cineon
    to_scene_reference: !<LogAffineTransform>
      base: 10
      log_side_slope: [0.2932551319648094, 0.2932551319648094, 0.2932551319648094]
      log_side_offset: [0.6695992179863147, 0.6695992179863147, 0.6695992179863147]
      lin_side_slope: [0.9892030999542, 0.9892030999542, 0.9892030999542]
      lin_side_offset: [0.0107969000458, 0.0107969000458, 0.0107969000458]
      direction: inverse
"""
"""A small configuration of our own. `cineon` is Kodak's: 300/1023 a decade, white at 685, black at 95."""


def oiiotool(*arguments: str, config: str = "ocio://default") -> Pixels:
    """The 8-bit result of an oiiotool command without its output: (h, w, 3 or 4)."""
    environment = {**os.environ, "OCIO": config}
    with tempfile.TemporaryDirectory() as scratch:
        target = f"{scratch}/result.png"
        command = [OIIOTOOL, *arguments, "-d", "uint8", "-o", target]
        subprocess.run(command, check=True, capture_output=True, env=environment, timeout=60)
        with Image.open(target) as image:
            return np.asarray(image.convert("RGBA" if "A" in image.getbands() else "RGB"))


def scene_linear(
    path: Path, size: tuple[int, int], *more: str, space: str = "Linear Rec.709 (sRGB)"
) -> Pixels:
    """A scene-linear file through the built-in display transform, at `size`; `more` comes after reading."""
    return oiiotool(
        str(path), *more, "--fixnan", "black", *_WHOLE, "--resize:filter=triangle", f"{size[0]}x{size[1]}",
        "--iscolorspace", space, "--ociodisplay:unpremult=1", "default", "default",
    )  # fmt: skip


def display_referred(path: Path, size: tuple[int, int], *more: str) -> Pixels:
    """A file that is ready to show, at `size`."""
    return oiiotool(str(path), *more, *_WHOLE, "--resize:filter=lanczos3", f"{size[0]}x{size[1]}")


def pillow(path: Path, size: tuple[int, int]) -> Pixels:
    """A file through Pillow, upright, at `size`."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        return np.asarray(
            upright.convert("RGBA" if has_alpha else "RGB").resize(size, Image.Resampling.LANCZOS)
        )


def pixels_of(data: bytes) -> Pixels:
    """A PNG's or JPEG's pixels: (h, w, 3 or 4)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA" if "A" in image.getbands() else "RGB"))


def over_grey(pixels: Pixels) -> Pixels:
    """Pictures with alpha laid over grey, so that they can be compared."""
    if pixels.shape[-1] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return (pixels[..., :3] * alpha + GREY * (1 - alpha) + 0.5).astype(np.uint8)
