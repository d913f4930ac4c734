"""Movies and sound through FFmpeg (PyAV): the frame that stands for a movie, or any frame (P1, P4)."""

from __future__ import annotations

import contextlib
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import av.error
import numpy as np
from av.codec.context import ThreadType
from av.video.reformatter import Colorspace, Interpolation
from PIL import Image

from kassettui.media import formats
from kassettui.media.decode.picture import Geometry, Still, Undecodable
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from kassettui.media.decode.opening import OpenFile
    from kassettui.media.decode.picture import Wish
    from kassettui.media.messages import WorkerSettings

_PLACES: Final = (0.1, 0.25, 0.5, 0.75, 0.0)
"""Where in a movie to look for the frame that stands for it, in this order, skipping black."""

_BLACK: Final = 24.0
_TURNS: Final = {90: 8, 180: 3, -180: 3, -90: 6, 270: 6}
_FRAMES_AT_MOST: Final = 5000
_UNSPECIFIED: Final = 2


def configure() -> None:
    """FFmpeg says nothing but what went wrong for good."""
    av.logging.set_level(av.logging.FATAL)


@contextlib.contextmanager
def opened(file: OpenFile) -> Iterator[InputContainer]:
    """The container: only formats that bring everything in one file, no network (P2). Raises Undecodable."""
    try:
        container = av.open(
            file.alias,
            container_options={"format_whitelist": formats.DEMUXERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise Undecodable(FailureCode.DAMAGED, reason(error)) from None
    with container:
        yield container


def reason(error: Exception) -> str:
    """An FFmpeg error, short and without the file's name."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]


def video_of(container: InputContainer, settings: WorkerSettings) -> VideoStream:
    """The first picture stream. Raises Undecodable when there is none or it is too large."""
    if not container.streams.video:
        raise Undecodable(FailureCode.UNSUPPORTED, "no picture in it")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise Undecodable(FailureCode.UNSUPPORTED, "no decoder for its codec")
    if not context.width or not context.height:
        raise Undecodable(FailureCode.DAMAGED, "empty picture")
    if context.width * context.height > settings.pixels:
        raise Undecodable(FailureCode.TOO_LARGE, f"{context.width}×{context.height} pixels")
    return stream


def read(file: OpenFile, wish: Wish, settings: WorkerSettings) -> Still:
    """The wanted frame, or the one that stands for the movie (P4), at the result's size.

    Raises Undecodable.
    """
    if wish.layer:
        raise Undecodable(FailureCode.NO_LAYER, "movies have no layers")
    with opened(file) as container:
        stream = video_of(container, settings)
        stream.thread_type = ThreadType.NONE
        try:
            frame = _frame_at(container, stream, wish) if wish.frame is not None else None
            frame = frame or _representative(container, stream, wish)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise Undecodable(FailureCode.DAMAGED, reason(error)) from None
        if frame is None:
            raise Undecodable(FailureCode.DAMAGED, "no frame can be decoded")
        return _still(frame, stream, wish)


def length_of(container: InputContainer, stream: VideoStream | None) -> float:
    """Seconds; 0 when the file does not say."""
    if container.duration:
        return max(0.0, container.duration / 1_000_000)
    if stream is not None and stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    return 0.0


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second; 0 when the file does not say."""
    rate = stream.average_rate or stream.guessed_rate
    return rate if rate is not None and 0 < rate < 100_000 else Fraction(0)


def _representative(container: InputContainer, stream: VideoStream, wish: Wish) -> VideoFrame | None:
    """The keyframe near 10 %, skipping black; the brightest of those looked at when all are dark (P4)."""
    stream.codec_context.skip_frame = "NONKEY"
    length = length_of(container, stream)
    best: VideoFrame | None = None
    best_light = -1.0
    for place in _PLACES if length > 0 else (0.0,):
        frame = _keyframe(container, stream, place * length)
        if frame is None:
            continue
        light = _lightness(frame)
        if light > best_light:
            best, best_light = frame, light
        if light > _BLACK or time.monotonic() > wish.deadline:
            break
    return best


def _keyframe(container: InputContainer, stream: VideoStream, seconds: float) -> VideoFrame | None:
    try:
        container.seek(int(seconds * 1_000_000))
        return next(iter(container.decode(stream)), None)
    except (av.error.FFmpegError, ValueError):
        return None


def _frame_at(container: InputContainer, stream: VideoStream, wish: Wish) -> VideoFrame | None:
    """Frame number `wish.frame`: the keyframe before it, then forward."""
    rate = rate_of(stream)
    start = float((stream.start_time or 0) * (stream.time_base or 0))
    wanted = start + float((wish.frame or 0) / rate) if rate else start
    with contextlib.suppress(av.error.FFmpegError):
        container.seek(max(0, int(wanted * 1_000_000)))
    margin = float(1 / rate) / 2 if rate else 0.0
    last: VideoFrame | None = None
    for count, frame in enumerate(container.decode(stream)):
        last = frame
        late = time.monotonic() > wish.deadline or count > _FRAMES_AT_MOST
        if late or frame.pts is None or frame.time > wanted - margin:
            break
    return last


def _lightness(frame: VideoFrame) -> float:
    """Mean lightness, 0–255, of a small copy."""
    small = frame.reformat(width=32, height=18, format="gray", interpolation=Interpolation.AREA)
    return float(np.asarray(small.to_ndarray()).mean())


def _still(frame: VideoFrame, stream: VideoStream, wish: Wish) -> Still:
    aspect = stream.sample_aspect_ratio
    aspect = Fraction(1) if aspect is None or not Fraction(1, 20) <= aspect <= 20 else aspect
    geometry = Geometry(
        frame.width,
        frame.height,
        float(aspect),
        _TURNS.get(round(frame.rotation), 1),
    )
    width, height = geometry.unturned(geometry.fit(wish.width, wish.height, wish.grow))
    alpha = "a" in frame.format.name.partition("p")[0] or frame.format.name.startswith(
        ("rgba", "bgra", "gbrap")
    )
    rgb = frame.reformat(
        width=width,
        height=height,
        format="rgba" if alpha else "rgb24",
        src_colorspace=_matrix(frame),
        interpolation=Interpolation.AREA if width < frame.width else Interpolation.BICUBIC,
    )
    return Still(geometry, Image.fromarray(rgb.to_ndarray()))


def _matrix(frame: VideoFrame) -> int | None:
    """The YUV matrix; HD without a word about it is Rec. 709, which swscale would not assume."""
    named = int(frame.colorspace)
    if named != _UNSPECIFIED or frame.format.is_rgb:
        return None
    return int(Colorspace.ITU709 if frame.height > 576 else Colorspace.ITU601)
