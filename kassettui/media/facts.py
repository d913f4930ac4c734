"""What probing and checking say about a file: values only, no I/O (spec: media P14, sequences H1, H2).

They travel between the decoder processes and the program as msgpack, so every field is plain data.
"""

from __future__ import annotations

from dataclasses import dataclass

from kassettui.core.health import FrameState


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels; `x` and `y` may be negative (EXR data and display windows)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layer:
    """Channels that belong together, as the layer rule groups them (P6). `name` is empty for the main one."""

    name: str
    channels: tuple[str, ...]
    part: int
    pixel_type: str


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One audio track; `rate` in Hz."""

    codec: str
    channels: int
    rate: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person asks of a picture, a movie or a sound first; then `attributes`, the rest as text.

    `width` and `height` are the picture's as shown: the display window, EXIF orientation applied, pixel
    aspect not. `fps` is exact ("24000/1001"); `duration` is in seconds. Fields that a format does not know
    are empty, None or 0. `attributes` is sorted by name.
    """

    format: str
    width: int = 0
    height: int = 0
    display_window: Window | None = None
    data_window: Window | None = None
    layers: tuple[Layer, ...] = ()
    channels: tuple[str, ...] = ()
    parts: int = 1
    pixel_type: str = ""
    compression: str = ""
    colour_space: str = ""
    chromaticities: tuple[float, ...] | None = None
    pixel_aspect: float = 1.0
    orientation: int = 1
    alpha: bool = False
    deep: bool = False
    frame_count: int = 0
    fps: str = ""
    timecode: str = ""
    duration: float = 0.0
    codec: str = ""
    audio: tuple[AudioStream, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def make(self) -> tuple[int, int, tuple[str, ...], str, str]:
        """What must agree across a sequence's frames: resolution, channels, pixel type, compression."""
        return (self.width, self.height, self.channels, self.pixel_type, self.compression)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How whole one file is. `state` None: this level cannot tell, the next one must (H1 → H2).

    `reason` says in a few words what was found; `nan`, `inf` (samples) and `black` come from level 2 only.
    `make` is what consistency across a sequence compares; empty when unknown.
    """

    state: FrameState | None
    level: int = 1
    reason: str = ""
    nan: int = 0
    inf: int = 0
    black: bool = False
    make: str = ""

    @property
    def good(self) -> bool:
        """Whether the file was found whole."""
        return self.state is FrameState.OK


@dataclass(frozen=True, slots=True)
class Look:
    """How pixels become a picture (P5–P7). Empty texts mean: what the colour configuration says by default.

    `exposure` is in stops; `layer` a layer's or channel's name; `alpha_only` shows the alpha as grey.
    """

    display: str = ""
    view: str = ""
    exposure: float = 0.0
    layer: str = ""
    alpha_only: bool = False

    @property
    def key(self) -> str:
        """The look as the thumbnail cache tells it apart from others (P8)."""
        parts = (
            self.display,
            self.view,
            f"{self.exposure:g}" if self.exposure else "",
            "a" * self.alpha_only,
        )
        return "\x1f".join(parts) if any(parts) else ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One cell of a contact sheet: an encoded picture, or what stands in its place, and the label below."""

    picture: bytes = b""
    label: str = ""
    placeholder: str = ""
