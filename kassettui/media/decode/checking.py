"""Is a file whole, by decoding all of it (H2): broken chunks, NaN and infinity, all black."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import av.error
import numpy as np

from kassettui.core.health import FrameState
from kassettui.media.decode import layers, movies, openimageio, pillow
from kassettui.media.decode.opening import OpenFile
from kassettui.media.decode.picture import Undecodable
from kassettui.media.decode.probing import probe
from kassettui.media.decode.scanning import Scan
from kassettui.media.facts import Verdict
from kassettui.media.formats import Reader
from kassettui.media.messages import FailureCode
from kassettui.media.structure import check_structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kassettui.media.facts import Facts
    from kassettui.media.messages import WorkerSettings

_BAND_BYTES: Final = 64 * 1024 * 1024
_LEVEL: Final = 2


@dataclass(slots=True)
class _Tally:
    """What was seen so far."""

    nan: int = 0
    inf: int = 0
    black: bool = True
    good: int = 0
    bad: int = 0
    reason: str = ""
    late: bool = False

    def take(self, samples: NDArray[np.generic], colours: list[int]) -> None:
        """Count odd values; `colours` are the channels that must not all be black."""
        self.good += 1
        if samples.dtype == np.float16:
            bits = np.ascontiguousarray(samples).view(np.uint16) & np.uint16(0x7FFF)
            self.inf += int(np.count_nonzero(bits == 0x7C00))
            self.nan += int(np.count_nonzero(bits > 0x7C00))
        elif samples.dtype == np.float32:
            finite = np.isfinite(samples)
            if not finite.all():
                odd = samples[~finite]
                self.nan += int(np.isnan(odd).sum())
                self.inf += int(np.isinf(odd).sum())
        if self.black and colours:
            self.black = not np.any(samples[..., colours])

    def verdict(self, facts: Facts) -> Verdict:
        """Level 2's word."""
        state: FrameState | None = FrameState.OK
        if self.bad:
            state = FrameState.TRUNCATED if self.good else FrameState.UNREADABLE
        elif self.late:
            state = None
        return Verdict(
            state,
            level=_LEVEL,
            reason=self.reason,
            nan=self.nan,
            inf=self.inf,
            black=self.black and self.good > 0 and state is FrameState.OK,
            make=make_of(facts),
        )


def make_of(facts: Facts) -> str:
    """What consistency across a sequence compares, as one line."""
    return f"{facts.width}x{facts.height} {','.join(facts.channels)} {facts.pixel_type} {facts.compression}"


def check(path: bytes, settings: WorkerSettings, deadline: float) -> Verdict:
    """The verdict of level 2; what structure already proves broken is not called better.

    Raises Undecodable for what cannot be judged at all: too large, not supported, gone.
    """
    structure = replace(check_structure(os.fsdecode(path)), level=_LEVEL)
    proven = structure.state not in {None, FrameState.OK}
    try:
        with OpenFile(path) as file:
            facts = probe(file, settings)
            verdict = _tally(file, settings, deadline).verdict(facts)
    except Undecodable as refused:
        if proven:
            return structure
        if refused.code is FailureCode.DAMAGED:
            return Verdict(FrameState.UNREADABLE, level=_LEVEL, reason=refused.reason)
        raise
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything on broken files
        if proven:
            return structure
        raise Undecodable(FailureCode.DAMAGED, f"the decoder gave up: {error}"[:300]) from error
    return replace(verdict, state=structure.state, reason=structure.reason) if proven else verdict


def _tally(file: OpenFile, settings: WorkerSettings, deadline: float) -> _Tally:
    if file.format.reader is Reader.OPENIMAGEIO:
        return _through_openimageio(file, settings, deadline)
    if file.format.reader is Reader.PILLOW:
        return _through_pillow(file)
    return _through_ffmpeg(file, settings, deadline)


def _through_openimageio(file: OpenFile, settings: WorkerSettings, deadline: float) -> _Tally:
    opened = openimageio.open_parts(file, settings)
    main = layers.choose(opened.parts, "")
    tally = _Tally()
    for part, spec in enumerate(opened.specs):
        if spec.deep:
            data = opened.source.read_native_deep_image(part, 0)
            tally.good, tally.bad = tally.good + (data is not None), tally.bad + (data is None)
            tally.black = False
            continue
        scan = Scan(
            source=opened.source,
            part=part,
            level=0,
            spec=spec,
            first_channel=0,
            last_channel=spec.nchannels,
            sample_type=openimageio.sample_type(spec),
            exr=opened.name == "exr",
            deadline=deadline,
        )
        _scan_part(scan, tally, list(main.channels) if part == main.part else [])
        if tally.late:
            break
    return tally


def _scan_part(scan: Scan, tally: _Tally, colours: list[int]) -> None:
    spec, chunk = scan.spec, scan.chunk
    step = max(chunk, _BAND_BYTES // max(1, spec.width * spec.nchannels * 4) // chunk * chunk)
    for first in range(spec.y, spec.y + spec.height, step):
        if scan.late:
            tally.late, tally.reason = True, "too large to check in the time allowed"
            return
        samples = scan.read(first, min(first + step, spec.y + spec.height))
        if samples is None:
            tally.bad += 1
            tally.reason = scan.error
            if first > spec.y or _some_line(scan):
                tally.good += 1
            return
        tally.take(samples, colours)


def _some_line(scan: Scan) -> bool:
    """Whether at least the first chunk can be decoded: then the file broke off."""
    first = scan.spec.y
    return scan.read(first, min(first + scan.chunk, first + scan.spec.height)) is not None


def _through_pillow(file: OpenFile) -> _Tally:
    tally = _Tally()
    with pillow.opened(file) as image:
        try:
            image.load()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (Pillow's plugins raise anything on broken files)
            tally.bad, tally.reason = 1, (str(error) or type(error).__name__)[:200]
            tally.good = int("truncated" in tally.reason)
            return tally
        plain = pillow.plain(image)
    samples = np.asarray(plain)
    samples = samples if samples.ndim == 3 else samples[..., None]
    alpha = plain.mode in {"LA", "RGBA"}
    tally.take(samples, list(range(samples.shape[-1] - alpha)))
    return tally


def _through_ffmpeg(file: OpenFile, settings: WorkerSettings, deadline: float) -> _Tally:
    """Every packet read, every frame decoded, as far as the time reaches."""
    tally = _Tally(black=False)
    with movies.opened(file) as container:
        if container.streams.video and not file.format.sound_only:
            movies.video_of(container, settings)
        try:
            for packet in container.demux():
                decoded = packet.decode() if packet.stream.type in {"video", "audio"} else ()
                tally.good += len(decoded)
                if time.monotonic() > deadline:
                    tally.late, tally.reason = True, "too long to check in the time allowed"
                    break
        except (av.error.FFmpegError, ValueError, OSError) as error:
            tally.bad, tally.reason = 1, movies.reason(error)
    if not tally.good and not tally.bad and not tally.late:
        tally.bad, tally.reason = 1, "nothing in it can be decoded"
    return tally
