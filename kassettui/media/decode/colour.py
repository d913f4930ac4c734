"""From sample values to what a screen shows (P5): OpenColorIO through OpenImageIO, or the exact sRGB curve.

Scene-linear light goes through the display transform of $OCIO's configuration when that is set, else of
OpenColorIO's built-in ACES CG configuration. A file's chromaticities are taken into account where no $OCIO
says otherwise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np
import OpenImageIO

from kassettui.media.decode.picture import Tone, Undecodable
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from kassettui.media.decode.picture import Floats, Raster
    from kassettui.media.facts import Look

BUILT_IN: Final = "ocio://default"
_BUILT_IN_SPACE: Final = "Linear Rec.709 (sRGB)"
_BRIGHTEST: Final = 65504.0
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]], np.float64
)
_REC709: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
_XYZ: Final = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_WHITE_CODE, _BLACK_CODE, _CODE_DENSITY, _FILM_GAMMA = 685.0, 95.0, 0.002, 0.6


class DisplayTransform:
    """The colour configuration of this process, read once."""

    def __init__(self, display: str, view: str) -> None:
        """`display` and `view` are the settings' choice, "" for the configuration's own."""
        self.problem = ""
        given = os.environ.get("OCIO", "")
        self.builtin = not given
        config = OpenImageIO.ColorConfig(given or BUILT_IN)
        if given:
            self.problem = config.geterror()
            self.builtin = bool(self.problem)
        if self.builtin:
            os.environ["OCIO"] = BUILT_IN  # before OpenImageIO makes its default configuration
            config = OpenImageIO.ColorConfig(BUILT_IN) if given else config
        self.config = config
        self.usable = bool(config.getDisplayNames())
        self.display = display if display in config.getDisplayNames() else config.getDefaultDisplayName()
        default_view = config.getDefaultViewName(self.display) if self.usable else ""
        self.view = view if self.usable and view in config.getViewNames(self.display) else default_view

    @property
    def name(self) -> str:
        """Which configuration this is, for doctor."""
        return self.config.configname() if self.usable else "sRGB curve"

    def check(self, look: Look) -> None:
        """Raise Undecodable when the configuration has no such display or view."""
        display, view = look.display or self.display, look.view
        if not self.usable:
            return
        if display not in self.config.getDisplayNames():
            names = ", ".join(self.config.getDisplayNames())
            raise Undecodable(FailureCode.NO_LAYER, f"no display {display}; there are {names}")
        if view and view not in self.config.getViewNames(display):
            names = ", ".join(self.config.getViewNames(display))
            raise Undecodable(FailureCode.NO_LAYER, f"no view {view} for {display}; there are {names}")

    def apply(self, raster: Raster, pixels: Floats, look: Look, path: str) -> Floats:
        """`pixels` (h, w, 1 or 3) of `raster` as display values 0–1, same shape."""
        pixels = np.nan_to_num(pixels, nan=0.0, posinf=_BRIGHTEST, neginf=0.0)
        if raster.tone is Tone.SIGNED:
            return pixels * 0.5 + 0.5
        if raster.tone is Tone.RANGE:
            return _stretched(pixels)
        if raster.tone is Tone.LOG:
            pixels = from_log(pixels)
        gain = np.float32(2.0**look.exposure)
        if raster.tone is Tone.DISPLAY:
            return pixels if look.exposure == 0 else srgb(from_srgb(pixels) * gain)
        pixels = pixels * gain
        if raster.tone is Tone.LINEAR:
            return srgb(pixels)
        return self._scene(raster, pixels, look, path)

    def _scene(self, raster: Raster, pixels: Floats, look: Look, path: str) -> Floats:
        channels = pixels.shape[-1]
        colour = np.repeat(pixels, 3, axis=-1) if channels == 1 else pixels
        space = self._space(raster, path)
        if self.builtin and raster.primaries is not None:
            colour = colour @ to_rec709(raster.primaries).T.astype(np.float32)
        if self.usable:
            shown = self._through_ocio(np.ascontiguousarray(colour, np.float32), space, look)
            if shown is not None:
                return shown[..., :channels]
        return srgb(colour)[..., :channels]

    def _through_ocio(self, colour: Floats, space: str, look: Look) -> Floats | None:
        display = look.display or self.display
        usual = self.view if display == self.display else self.config.getDefaultViewName(display)
        view = look.view or usual
        shown = OpenImageIO.ImageBufAlgo.ociodisplay(
            OpenImageIO.ImageBuf(colour), display, view, space, unpremult=False
        )
        pixels = None if shown.has_error else shown.get_pixels("float")
        if pixels is None:
            print(f"colour: {shown.geterror()}", flush=True)  # noqa: T201 (to the log, by the parent)
            return None
        return np.asarray(pixels, np.float32)

    def _space(self, raster: Raster, path: str) -> str:
        """The configuration's name for the colour space that the file's values are in."""
        if self.builtin:
            return _BUILT_IN_SPACE
        names = self.config.getColorSpaceNames()
        if raster.space in names:
            return raster.space
        try:
            if not self.config.filepathOnlyMatchesDefaultRule(path):
                return self.config.getColorSpaceFromFilepath(path)
        except UnicodeEncodeError:  # a name that is not UTF-8 matches no rule
            pass
        return "scene_linear"


def srgb(linear: Floats) -> Floats:
    """The exact sRGB curve, negative values at 0, values above 1 at 1."""
    clipped = np.clip(linear, 0.0, 1.0)
    curve = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return curve.astype(np.float32)


def from_srgb(values: Floats) -> Floats:
    """The inverse of `srgb` on 0–1."""
    clipped = np.clip(values, 0.0, 1.0)
    curve = np.where(clipped <= 0.04045, clipped / 12.92, ((clipped + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)


def from_log(values: Floats) -> Floats:
    """Cineon printing density (0–1 for codes 0–1023) to scene-linear light: reference white 1, black 0."""
    scale = _CODE_DENSITY / _FILM_GAMMA
    black = 10 ** ((_BLACK_CODE - _WHITE_CODE) * scale)
    linear = (10 ** ((values * np.float32(1023) - _WHITE_CODE) * scale) - black) / (1 - black)
    return linear.astype(np.float32)


def to_rec709(primaries: tuple[float, ...]) -> Floats:
    """The matrix from linear RGB of `primaries` (with white) to linear Rec.709, D65, adapted by Bradford.

    The identity where the primaries make no colour space. CIE XYZ itself is not adapted: its values say what
    they mean, whatever white stands beside them.
    """
    try:
        source = np.eye(3) if np.allclose(primaries[:6], _XYZ, atol=1e-3) else _to_xyz(primaries)
        target = _to_xyz(_REC709)
        inverse = np.linalg.inv(target)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return np.eye(3, dtype=np.float32)
    white_to = _white(_REC709)
    white_from = white_to if np.allclose(primaries[:6], _XYZ, atol=1e-3) else _white(primaries)
    cone = (_BRADFORD @ white_to) / (_BRADFORD @ white_from)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cone) @ _BRADFORD
    matrix = inverse @ adapted @ source
    return matrix.astype(np.float32) if np.isfinite(matrix).all() else np.eye(3, dtype=np.float32)


def _white(primaries: tuple[float, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    x, y = primaries[6], primaries[7]
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    columns = np.array(
        [[x, y, 1 - x - y] for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)], np.float64
    ).T
    scale = np.linalg.solve(columns, _white(primaries))
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]] = columns * scale
    return matrix


def _stretched(pixels: Floats) -> Floats:
    """Least to greatest on 0–1 (the outermost hundredths clipped), each channel by itself."""
    flat = pixels.reshape(-1, pixels.shape[-1])
    finite = np.where(np.abs(flat) < _BRIGHTEST, flat, np.nan)
    if np.isnan(finite).all():
        return np.zeros_like(pixels)
    low, high = np.nanpercentile(finite, (1, 99), axis=0)
    span = np.where(high - low > 0, high - low, 1.0)
    stretched: Floats = np.clip((pixels - low) / span, 0.0, 1.0).astype(np.float32)
    return np.nan_to_num(stretched)
