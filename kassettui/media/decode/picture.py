"""What a reader hands to the rest: pixels on the display window's grid, and how they are meant (P5–P7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from kassettui.core.health import FrameState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from kassettui.media.messages import FailureCode

    Floats = NDArray[np.float32]
    Mask = NDArray[np.bool_]


class Undecodable(Exception):
    """A file, or a part of it that was asked for, gives no pixels."""

    def __init__(self, code: FailureCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Tone(Enum):
    """How sample values are meant."""

    DISPLAY = auto()
    """Ready to show."""
    SCENE = auto()
    """Scene-linear light, to go through the display transform."""
    LOG = auto()
    """Cineon printing density, 0–1 for code values 0–1023."""
    LINEAR = auto()
    """Display-referred but linear: only the sRGB curve is missing."""
    SIGNED = auto()
    """Normals and other vectors, −1 to 1."""
    RANGE = auto()
    """Depth and other data without a scale: stretched from least to greatest."""


@dataclass(slots=True)
class Geometry:
    """The whole picture's size in its own pixels, before orientation and pixel aspect."""

    width: int
    height: int
    pixel_aspect: float = 1.0
    orientation: int = 1

    @property
    def shown(self) -> tuple[float, float]:
        """Width and height as shown: square pixels, upright."""
        width, height = float(self.width), float(self.height)
        if self.pixel_aspect > 1.0:
            width *= self.pixel_aspect
        else:
            height /= self.pixel_aspect
        return (height, width) if self.orientation > 4 else (width, height)

    def fit(self, box_width: int, box_height: int, grow: float) -> tuple[int, int]:
        """The size, upright, that fits the box and is at most `grow` times the picture's own (P13)."""
        width, height = self.shown
        scale = min(box_width / width, box_height / height, max(grow, 0.01))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def unturned(self, size: tuple[int, int]) -> tuple[int, int]:
        """`size` before the picture is turned upright."""
        return (size[1], size[0]) if self.orientation > 4 else size


@dataclass(slots=True)
class Damage:
    """What was wrong with the file although pixels came out of it (P3)."""

    state: FrameState = FrameState.OK
    reason: str = ""


@dataclass(slots=True)
class Raster:
    """Samples as float: `pixels` (h, w, 1 or 3), `alpha` (h, w) 0–1 or None, `missing` where nothing came.

    The array covers the whole display window; it may be smaller than `geometry` says, evenly reduced.
    `block` is by how much. `space` names the colour space of `Tone.SCENE`; `associated`: colour is multiplied
    by alpha; `profile` is an ICC profile.
    """

    geometry: Geometry
    pixels: Floats
    tone: Tone
    alpha: Floats | None = None
    missing: Mask | None = None
    block: float = 1.0
    space: str = ""
    primaries: tuple[float, ...] | None = None
    associated: bool = True
    profile: bytes = b""
    damage: Damage | None = None
    draft: bool = False


@dataclass(slots=True)
class Still:
    """Samples as an 8-bit Pillow picture (L, LA, RGB, RGBA, CMYK), evenly reduced, not yet turned upright.

    `profile` is its ICC profile; `gamma` the exponent it is encoded with, 0 for sRGB's curve.
    """

    geometry: Geometry
    image: Image.Image
    profile: bytes = b""
    gamma: float = 0.0
    missing: Mask | None = None
    damage: Damage | None = None
    draft: bool = False


Picture = Raster | Still


@dataclass(frozen=True, slots=True)
class Wish:
    """How much of a picture a reader has to deliver: enough for `width` × `height`, or all for checking."""

    width: int
    height: int
    grow: float = 1.0
    layer: str = ""
    frame: int | None = None
    draft: bool = False
    deadline: float = float("inf")

    def reduction(self, geometry: Geometry) -> float:
        """How many of the picture's pixels make one of the result's, along the less reduced side."""
        size = geometry.unturned(geometry.fit(self.width, self.height, self.grow))
        return max(1.0, min(geometry.width / size[0], geometry.height / size[1]))
