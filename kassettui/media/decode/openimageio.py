"""Pictures through OpenImageIO: parts, layers, windows, mip levels, tones (P1, P5–P7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import OpenImageIO

from kassettui.core.health import FrameState
from kassettui.media.decode import layers
from kassettui.media.decode.layers import Group, Meaning, PartChannels
from kassettui.media.decode.picture import Damage, Geometry, Raster, Tone, Undecodable
from kassettui.media.decode.sampling import Grid
from kassettui.media.decode.scanning import Scan, complaint, fill
from kassettui.media.facts import Window
from kassettui.media.formats import Reader
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from kassettui.media.decode.opening import OpenFile
    from kassettui.media.decode.picture import Floats, Mask, Wish
    from kassettui.media.messages import WorkerSettings

_MAX_PARTS: Final = 1000
_MAX_LEVELS: Final = 32
_REC709_LUMA: Final = (0.2126, 0.7152, 0.0722)
_LOG_TRANSFERS: Final = frozenset({"printing density", "logarithmic"})
_SCALES: Final = {"uint8": 1 / 255, "uint16": 1 / 65535}


def configure(settings: WorkerSettings) -> None:
    """Limits and threads for the whole process (P2)."""
    for name, value in {
        "threads": settings.threads,
        "exr_threads": settings.threads,
        "limits:imagesize_MB": 2048,
        "limits:resolution": 1 << 20,
        "limits:channels": 1024,
        "try_all_readers": 1,
    }.items():
        OpenImageIO.attribute(name, value)


@dataclass(slots=True)
class Opened:
    """A file open in OpenImageIO with its parts' specs."""

    source: OpenImageIO.ImageInput
    specs: list[OpenImageIO.ImageSpec]
    name: str

    @property
    def parts(self) -> list[PartChannels]:
        """The channels of every part."""
        return [
            PartChannels(text(spec, "oiio:subimagename") or text(spec, "name"), tuple(spec.channelnames))
            for spec in self.specs
        ]


def open_parts(file: OpenFile, settings: WorkerSettings) -> Opened:
    """Open `file` in the plugin that its content asks for. Raises Undecodable."""
    hints = OpenImageIO.ImageSpec()
    hints["oiio:UnassociatedAlpha"] = 1  # as stored: multiplying happens after the display transform
    source = OpenImageIO.ImageInput.open(file.plugin_name, hints)
    if source is None:
        reason = complaint(OpenImageIO)
        raise Undecodable(_code_of(reason), reason)
    expected = file.format.plugin if file.format.reader is Reader.OPENIMAGEIO else file.format.name
    if source.format_name() != expected:
        raise Undecodable(FailureCode.DAMAGED, f"not a {file.format.label} file after all")
    specs = [source.spec(0, 0)]
    while len(specs) < _MAX_PARTS:
        spec = source.spec(len(specs), 0)
        if spec.nchannels < 1 or spec.width < 1:
            break
        specs.append(spec)
    complaint(source)
    first = specs[0]
    if first.width < 1 or first.height < 1 or first.nchannels < 1:
        raise Undecodable(FailureCode.DAMAGED, "empty picture")
    if first.width * first.height * max(first.depth, 1) > settings.pixels:
        raise Undecodable(FailureCode.TOO_LARGE, f"{first.width}×{first.height} pixels")
    return Opened(source, specs, file.format.name)


def read(file: OpenFile, wish: Wish, settings: WorkerSettings) -> Raster:
    """The wanted layer, reduced as `wish` allows. Raises Undecodable when nothing comes out of it."""
    opened = open_parts(file, settings)
    group = layers.choose(opened.parts, wish.layer)
    spec = opened.specs[group.part]
    if spec.width * spec.height > settings.pixels:
        raise Undecodable(FailureCode.TOO_LARGE, f"{spec.width}×{spec.height} pixels")
    geometry = geometry_of(spec)
    block = 1.0
    if spec.deep:
        canvas, mask, error = _deep(file, opened, group), None, ""
    else:
        canvas, mask, error, block = _samples(opened, group, geometry, wish)
    if mask is not None and mask.all():
        raise Undecodable(FailureCode.DAMAGED, error)
    raster = Raster(geometry, canvas[..., : len(group.channels)], tone_of(opened.name, spec, group))
    raster.missing, raster.block = mask, block
    if mask is not None:
        raster.damage = Damage(FrameState.TRUNCATED, error)
    if group.alpha is not None:
        raster.alpha = canvas[..., -1]
        raster.associated = not spec.get_int_attribute("oiio:UnassociatedAlpha")
    if group.meaning is Meaning.CHROMA:
        raster.pixels = _from_chroma(raster.pixels)
    raster.primaries = chromaticities(spec)
    raster.space = text(spec, "oiio:ColorSpace")
    raster.profile = icc_profile(spec)
    return raster


def display_window(spec: OpenImageIO.ImageSpec) -> Window:
    """The display window; the data window where the file has none."""
    if spec.full_width < 1 or spec.full_height < 1:
        return Window(spec.x, spec.y, spec.width, spec.height)
    return Window(spec.full_x, spec.full_y, spec.full_width, spec.full_height)


def geometry_of(spec: OpenImageIO.ImageSpec) -> Geometry:
    """Size, pixel aspect and orientation as the file tells them, where they make sense."""
    display = display_window(spec)
    aspect = spec.get_float_attribute("PixelAspectRatio", 1.0)
    orientation = spec.get_int_attribute("Orientation", 1)
    return Geometry(
        display.width,
        display.height,
        aspect if 0.05 <= aspect <= 20 else 1.0,
        orientation if 1 <= orientation <= 8 else 1,
    )


def tone_of(name: str, spec: OpenImageIO.ImageSpec, group: Group) -> Tone:
    """How the samples are meant, by layer, format and metadata (P5)."""
    special = {Meaning.VECTOR: Tone.SIGNED, Meaning.DATA: Tone.RANGE, Meaning.MASK: Tone.DISPLAY}
    if group.meaning in special:
        return special[group.meaning]
    space = text(spec, "oiio:ColorSpace").lower()
    transfer = text(spec, "dpx:Transfer").lower()
    if name == "cineon" or "kodaklog" in space or (name == "dpx" and transfer in _LOG_TRANSFERS):
        return Tone.LOG
    if stored_types(spec) & {"half", "float", "double"}:
        return Tone.SCENE
    if name == "dpx" and transfer == "linear":
        return Tone.SCENE
    return Tone.LINEAR if space.startswith("lin") else Tone.DISPLAY


def sample_type(spec: OpenImageIO.ImageSpec) -> str:
    """The type to read samples as: half, float, uint16 or uint8, whichever holds what is stored."""
    stored = stored_types(spec)
    if stored <= {"uint8", "int8"}:
        return "uint8"
    if stored <= {"uint8", "int8", "uint16", "int16"}:
        return "uint16"
    return "half" if stored == {"half"} else "float"


def stored_types(spec: OpenImageIO.ImageSpec) -> set[str]:
    """The types that samples are stored as."""
    return {str(one) for one in spec.channelformats} or {str(spec.format)}


def chromaticities(spec: OpenImageIO.ImageSpec) -> tuple[float, ...] | None:
    """Red, green, blue and white x, y; None when the file has none or nonsense."""
    values = attribute(spec, "chromaticities")
    if not isinstance(values, tuple) or len(values) != 8 or not all(np.isfinite(values)):
        return None
    return tuple(float(value) for value in values)


def icc_profile(spec: OpenImageIO.ImageSpec) -> bytes:
    """The embedded colour profile."""
    value = attribute(spec, "ICCProfile")
    return bytes(np.asarray(value, np.uint8)) if value is not None and not isinstance(value, str) else b""


def attribute(spec: OpenImageIO.ImageSpec, name: str) -> Any:
    """A metadata value; None when there is none or the binding chokes on it."""
    try:
        return spec.getattribute(name)
    except (UnicodeDecodeError, ValueError, TypeError):
        return None


def text(spec: OpenImageIO.ImageSpec, name: str) -> str:
    """A metadata text; "" when there is none."""
    value = attribute(spec, name)
    return value if isinstance(value, str) else ""


def _code_of(reason: str) -> FailureCode:
    if "exceed" in reason and "limits" in reason:
        return FailureCode.TOO_LARGE
    return FailureCode.UNSUPPORTED if "not supported" in reason else FailureCode.DAMAGED


# -- inside -------------------------------------------------------------------------------------------------


def _samples(
    opened: Opened, group: Group, geometry: Geometry, wish: Wish
) -> tuple[Floats, Mask | None, str, float]:
    """The canvas, where it is missing, why, and how many of the picture's pixels make one of the canvas's."""
    base = opened.specs[group.part]
    reduction = wish.reduction(geometry)
    level, spec = _level(opened.source, group.part, base, reduction)
    display, shrink = display_window(base), base.width / spec.width
    if level:
        display = Window(
            round(display.x / shrink),
            round(display.y * spec.height / base.height),
            max(1, round(display.width / shrink)),
            max(1, round(display.height * spec.height / base.height)),
        )
    wanted = [*group.channels, *(() if group.alpha is None else (group.alpha,))]
    low, kind = min(wanted), sample_type(base)
    scan = Scan(
        source=opened.source,
        part=group.part,
        level=level,
        spec=spec,
        first_channel=low,
        last_channel=max(wanted) + 1,
        sample_type=kind,
        exr=opened.name == "exr",
        deadline=wish.deadline,
    )
    count = scan.last_channel - low
    grid = Grid.over(display, scan.data, max(1.0, reduction / shrink), count, _SCALES.get(kind, 1.0))
    fill(grid, scan)
    canvas, mask = grid.finish()
    picks = [channel - low for channel in wanted]
    return (
        (canvas if picks == list(range(count)) else canvas[..., picks]),
        mask,
        scan.error,
        grid.block * shrink,
    )


def _level(
    source: OpenImageIO.ImageInput, part: int, base: OpenImageIO.ImageSpec, reduction: float
) -> tuple[int, OpenImageIO.ImageSpec]:
    """The smallest mip level that still has the result's pixels."""
    level, spec = 0, base
    if not base.tile_width or reduction < 2:
        return level, spec
    for number in range(1, _MAX_LEVELS):
        smaller = source.spec(part, number)
        if smaller.width < 1 or base.width / smaller.width > reduction:
            break
        level, spec = number, smaller
    complaint(source)
    return level, spec


def _deep(file: OpenFile, opened: Opened, group: Group) -> Floats:
    """Deep samples laid over each other, then as any picture."""
    buffer = OpenImageIO.ImageBuf(file.plugin_name)
    if not buffer.read(group.part, 0, force=True):
        raise Undecodable(FailureCode.DAMAGED, complaint(buffer))
    flat = OpenImageIO.ImageBufAlgo.flatten(buffer)
    if flat.has_error:
        raise Undecodable(FailureCode.DAMAGED, complaint(flat))
    spec = opened.specs[group.part]
    display, data = display_window(spec), Window(spec.x, spec.y, spec.width, spec.height)
    wanted = [*group.channels, *(() if group.alpha is None else (group.alpha,))]
    pixels = np.asarray(flat.get_pixels("float"), np.float32)[..., wanted]
    grid = Grid.over(display, data, 1.0, len(wanted), 1.0)
    if not grid.empty:
        grid.add(data.y, pixels)
    return grid.finish()[0]


def _from_chroma(pixels: Floats) -> Floats:
    """Luminance and colour differences to RGB, after the OpenEXR convention (P6)."""
    y, ry, by = (pixels[..., index] for index in range(3))
    red, blue = (ry + 1) * y, (by + 1) * y
    weights = _REC709_LUMA
    green = (y - weights[0] * red - weights[2] * blue) / weights[1]
    return np.stack([red, green, blue], axis=-1)
