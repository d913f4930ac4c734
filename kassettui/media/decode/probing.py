"""The facts of a file (P14): from headers, without decoding pixels."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kassettui.media.decode import layers, movies, openimageio, pillow
from kassettui.media.decode.layers import Meaning
from kassettui.media.decode.picture import Undecodable
from kassettui.media.facts import AudioStream, Facts, Layer, Window
from kassettui.media.formats import Reader
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import OpenImageIO
    from av.container import InputContainer
    from PIL import Image

    from kassettui.media.decode.opening import OpenFile
    from kassettui.media.messages import WorkerSettings

_LONGEST_VALUE: Final = 4096
_MOST_ATTRIBUTES: Final = 1000
_MANY: Final = 64
_TOLD_ELSEWHERE: Final = frozenset(
    {"compression", "Orientation", "PixelAspectRatio", "ICCProfile", "channels"}
)
_BITS: Final = {"1": "bit", "I;16": "uint16", "I;16B": "uint16", "I": "uint16", "F": "float"}


def probe(file: OpenFile, settings: WorkerSettings) -> Facts:
    """Everything that the file tells about itself. Raises Undecodable."""
    if file.format.reader is Reader.MOVIE:
        return _of_movie(file, settings)
    if file.format.name == "avif":
        return _of_pillow(file)
    try:
        return _of_openimageio(file, settings)
    except Undecodable as refused:
        if file.format.reader is Reader.PILLOW and refused.code is not FailureCode.TOO_LARGE:
            return _of_pillow(file)
        raise


# -- pictures -----------------------------------------------------------------------------------------------


def _of_openimageio(file: OpenFile, settings: WorkerSettings) -> Facts:
    opened = openimageio.open_parts(file, settings)
    spec, parts = opened.specs[0], opened.parts
    geometry = openimageio.geometry_of(spec)
    known = layers.groups(parts)
    turned = geometry.orientation > 4
    display = openimageio.display_window(spec)
    several = len(opened.specs) if file.format.name == "gif" else 0
    return Facts(
        format=file.format.name,
        width=geometry.height if turned else geometry.width,
        height=geometry.width if turned else geometry.height,
        display_window=display,
        data_window=Window(spec.x, spec.y, spec.width, spec.height),
        layers=tuple(_layer(group, opened) for group in known),
        channels=tuple(parts[0].channels),
        parts=len(opened.specs),
        pixel_type=_pixel_type(spec),
        compression=openimageio.text(spec, "compression"),
        colour_space=_colour_space(spec, known[0], file),
        chromaticities=openimageio.chromaticities(spec),
        pixel_aspect=geometry.pixel_aspect,
        orientation=geometry.orientation,
        alpha=known[0].alpha is not None,
        deep=bool(spec.deep),
        frame_count=several if several > 1 else 0,
        fps=_rate(spec),
        timecode=_timecode(spec),
        attributes=tuple(_attributes(spec)),
    )


def _layer(group: layers.Group, opened: openimageio.Opened) -> Layer:
    spec, names = opened.specs[group.part], opened.parts[group.part].channels
    picks = [*group.channels, *(() if group.alpha is None else (group.alpha,))]
    stored = list(spec.channelformats)
    kind = str(stored[picks[0]]) if stored else str(spec.format)
    return Layer(group.name, tuple(names[pick] for pick in picks), group.part, kind)


def _pixel_type(spec: OpenImageIO.ImageSpec) -> str:
    """The stored type, with the bits that count where they are fewer ("uint16 (10 bit)")."""
    bits = spec.get_int_attribute("oiio:BitsPerSample")
    kinds = sorted({str(one) for one in spec.channelformats} or {str(spec.format)})
    name = "+".join(kinds)
    return f"{name} ({bits} bit)" if bits and bits < 8 * spec.format.basesize() else name


def _colour_space(spec: OpenImageIO.ImageSpec, main: layers.Group, file: OpenFile) -> str:
    named = openimageio.text(spec, "oiio:ColorSpace")
    if named or main.meaning not in {Meaning.COLOUR, Meaning.GREY, Meaning.CHROMA}:
        return named
    tone = openimageio.tone_of(file.format.name, spec, main)
    return {"SCENE": "scene-linear", "LOG": "log", "LINEAR": "linear"}.get(tone.name, "display")


def _rate(spec: OpenImageIO.ImageSpec) -> str:
    value = openimageio.attribute(spec, "FramesPerSecond")
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return f"{value[0]}/{value[1]}" if value[1] != 1 else str(value[0])
    for name in ("dpx:FrameRate", "dpx:TemporalSamplingRate"):
        rate = spec.get_float_attribute(name)
        if 0 < rate < 100_000:
            return f"{rate:g}"
    return ""


def _timecode(spec: OpenImageIO.ImageSpec) -> str:
    for name in ("smpte:TimeCode", "dpx:TimeCode"):
        value = openimageio.attribute(spec, name)
        if isinstance(value, str):
            return value
        if isinstance(value, tuple) and len(value) == 2:
            return _smpte(int(value[0]))
    return ""


def _smpte(bits: int) -> str:
    """The time in a packed SMPTE 12M word, ";" before the frame for drop-frame."""
    frame, second, minute, hour = ((bits >> shift) & mask for shift, mask in
                                   ((0, 0x3F), (8, 0x7F), (16, 0x7F), (24, 0x3F)))  # fmt: skip
    digits = [f"{(value >> 4) * 10 + (value & 0xF):02d}" for value in (hour, minute, second)]
    drop = ";" if bits & 0x40 else ":"
    return ":".join(digits) + drop + f"{(frame >> 4) * 10 + (frame & 0xF):02d}"


def _attributes(spec: OpenImageIO.ImageSpec) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for number in range(min(len(spec.extra_attribs), _MOST_ATTRIBUTES)):
        with contextlib.suppress(UnicodeDecodeError, ValueError, TypeError):
            item = spec.extra_attribs[number]
            if item.name not in _TOLD_ELSEWHERE:
                found[item.name] = as_text(item.value)
    yield from sorted((name, value) for name, value in found.items() if value)


def as_text(value: Any) -> str:
    """A metadata value for people and search; long ones cut."""
    if isinstance(value, np.ndarray):
        value = tuple(value.flatten()[: _MANY + 1].tolist())
    if isinstance(value, (tuple, list)):
        more = "…" if len(value) > _MANY else ""
        return " ".join(as_text(item) for item in value[:_MANY]) + more
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, bytes):
        return value[:_LONGEST_VALUE].decode("utf-8", "replace").strip("\0 ")
    text = str(value)
    text = text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def _of_pillow(file: OpenFile) -> Facts:
    with pillow.opened(file) as image:
        geometry = pillow.geometry_of(image)
        turned = geometry.orientation > 4
        channels = tuple("Y" if band == "L" else band for band in image.getbands())
        frames = int(getattr(image, "n_frames", 1))
        return Facts(
            format=file.format.name,
            width=geometry.height if turned else geometry.width,
            height=geometry.width if turned else geometry.height,
            display_window=Window(0, 0, image.width, image.height),
            data_window=Window(0, 0, image.width, image.height),
            layers=(Layer("", channels, 0, _BITS.get(image.mode, "uint8")),),
            channels=channels,
            pixel_type=_BITS.get(image.mode, "uint8"),
            compression=file.format.name,
            colour_space="display",
            orientation=geometry.orientation,
            alpha=image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info,
            frame_count=frames if frames > 1 else 0,
            attributes=tuple(_info(image)),
        )


def _info(image: Image.Image) -> Iterator[tuple[str, str]]:
    for name, value in sorted(image.info.items(), key=lambda item: str(item[0])):
        if isinstance(value, (str, int, float, tuple)):
            yield str(name), as_text(value)


# -- movies and sound ---------------------------------------------------------------------------------------


def _of_movie(file: OpenFile, settings: WorkerSettings) -> Facts:
    with movies.opened(file) as container:
        audio = tuple(
            AudioStream(
                codec=str(getattr(stream.codec_context, "name", "")),
                channels=int(getattr(stream, "channels", 0) or 0),
                rate=int(getattr(stream, "rate", 0) or 0),
                language=as_text(stream.metadata.get("language", "")),
            )
            for stream in container.streams.audio
        )
        if not container.streams.video or file.format.sound_only:
            if not audio:
                raise Undecodable(FailureCode.UNSUPPORTED, "neither pictures nor sound in it")
            length = movies.length_of(container, None)
            return Facts(
                format=file.format.name,
                duration=length,
                codec="",
                audio=audio,
                attributes=tuple(_metadata(container)),
            )
        return _with_pictures(file, container, audio, settings)


def _with_pictures(
    file: OpenFile, container: InputContainer, audio: tuple[AudioStream, ...], settings: WorkerSettings
) -> Facts:
    stream = movies.video_of(container, settings)
    context = stream.codec_context
    rate, length = movies.rate_of(stream), movies.length_of(container, stream)
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio
    pixel_format = context.format
    kind = pixel_format.name if pixel_format is not None else ""
    bits = max((part.bits for part in pixel_format.components), default=8) if pixel_format is not None else 8
    alpha = bool(pixel_format is not None and len(pixel_format.components) in {2, 4})
    attributes = dict(_metadata(container))
    attributes |= {"pixel format": kind, "profile": context.profile or ""}
    attributes |= {f"colour {name}": value for name, value in _colour(context).items()}
    return Facts(
        format=file.format.name,
        width=context.width,
        height=context.height,
        display_window=Window(0, 0, context.width, context.height),
        data_window=Window(0, 0, context.width, context.height),
        channels=("R", "G", "B", "A") if alpha else ("R", "G", "B"),
        layers=(Layer("", ("R", "G", "B", "A") if alpha else ("R", "G", "B"), 0, f"{bits} bit"),),
        pixel_type=f"{bits} bit",
        compression=context.name,
        colour_space=_colour(context).get("matrix", ""),
        pixel_aspect=float(aspect) if aspect and 0.05 <= aspect <= 20 else 1.0,
        alpha=alpha,
        frame_count=stream.frames or (round(length * rate) if rate else 0),
        fps=(f"{rate.numerator}/{rate.denominator}" if rate.denominator != 1 else str(rate)) if rate else "",
        timecode=_movie_timecode(container),
        duration=length,
        codec=context.name,
        audio=audio,
        attributes=tuple(sorted((name, value) for name, value in attributes.items() if value)),
    )


def _metadata(container: InputContainer) -> Iterator[tuple[str, str]]:
    for name, value in container.metadata.items():
        yield as_text(name), as_text(value)
    for stream in container.streams:
        for name, value in stream.metadata.items():
            yield f"{stream.type} {stream.index} {as_text(name)}", as_text(value)


def _movie_timecode(container: InputContainer) -> str:
    sources = [container.metadata, *(stream.metadata for stream in container.streams)]
    return next((as_text(one["timecode"]) for one in sources if "timecode" in one), "")


def _colour(context: Any) -> dict[str, str]:
    """Primaries, transfer and matrix by their numbers in ISO/IEC 23091-2, named where they are common."""
    common = {
        1: "bt709",
        5: "bt470bg",
        6: "smpte170m",
        9: "bt2020",
        16: "pq",
        18: "hlg",
        12: "p3",
        13: "srgb",
    }
    found = {}
    for name, attribute in (
        ("primaries", "color_primaries"),
        ("transfer", "color_trc"),
        ("matrix", "colorspace"),
    ):
        number = int(getattr(context, attribute, 2) or 2)
        if number != 2:
            found[name] = common.get(number, str(number))
    return found
