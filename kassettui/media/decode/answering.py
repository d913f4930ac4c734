"""One request in, one answer out, whatever the file does short of a crash."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

import av
import numpy as np
import OpenImageIO
import PIL
from PIL import features

from kassettui.core.health import FrameState
from kassettui.media import formats
from kassettui.media.decode import checking, movies, openimageio, pillow, probing, rendering, sheets
from kassettui.media.decode.colour import DisplayTransform
from kassettui.media.decode.opening import OpenFile
from kassettui.media.decode.picture import Damage, Undecodable, Wish
from kassettui.media.formats import Reader
from kassettui.media.messages import (
    Check,
    Checked,
    Failed,
    FailureCode,
    Probe,
    Probed,
    Render,
    Report,
    Reported,
    Sheet,
)
from kassettui.media.structure import check_structure

if TYPE_CHECKING:
    from kassettui.media.decode.picture import Picture
    from kassettui.media.messages import Answer, Rendered, Request, WorkerSettings

_SHARE_OF_TIME: Final = 0.7
"""Of the time limit, after which a reader is content with what it has."""

_LARGEST_RESULT: Final = 64 * 1024 * 1024


class Answering:
    """The decoders of this process, set up once."""

    def __init__(self, settings: WorkerSettings) -> None:
        np.seterr(all="ignore")  # pictures hold infinities and what is no number; that is their business
        openimageio.configure(settings)
        pillow.configure(settings)
        movies.configure()
        self._settings = settings
        self._transform: DisplayTransform | None = None

    def answer(self, request: Request) -> Answer:
        """The answer; never raises for what a file is or holds."""
        try:
            return self._answer(request)
        except Undecodable as refused:
            return Failed(refused.code, refused.reason)
        except MemoryError:
            return Failed(FailureCode.OUT_OF_MEMORY, "not enough memory to decode it")
        except Exception as error:  # noqa: BLE001 (decoders raise anything; the file's fault, told in the log)
            print(traceback.format_exc(), file=sys.stderr, flush=True)  # noqa: T201 (to the log, by the parent)
            return Failed(FailureCode.DAMAGED, f"the decoder gave up: {error}"[:300])

    def _answer(self, request: Request) -> Answer:
        deadline = time.monotonic() + self._settings.seconds * _SHARE_OF_TIME
        match request:
            case Probe():
                with OpenFile(request.path) as file:
                    return Probed(probing.probe(file, self._settings))
            case Check():
                return Checked(checking.check(request.path, self._settings, deadline))
            case Render():
                with OpenFile(request.path) as file:
                    return self._render(file, request, deadline)
            case Sheet():
                return sheets.draw(request, self._settings)
            case Report():
                return Reported(tuple(self._report()))

    def _render(self, file: OpenFile, request: Render, deadline: float) -> Rendered:
        if request.width < 1 or request.height < 1 or request.width * request.height > _LARGEST_RESULT:
            raise Undecodable(FailureCode.TOO_LARGE, f"a result of {request.width}×{request.height} pixels")
        transform = self._display()
        transform.check(request.look)
        wish = Wish(
            width=request.width,
            height=request.height,
            grow=request.grow,
            layer=request.look.layer,
            frame=request.frame,
            draft=request.draft,
            deadline=deadline,
        )
        picture = self._read(file, wish)
        if picture.damage is None:
            picture.damage = _proven_damage(file.path)
        return rendering.render(picture, request, transform, file.path)

    def _read(self, file: OpenFile, wish: Wish) -> Picture:
        if file.format.reader is Reader.OPENIMAGEIO:
            return openimageio.read(file, wish, self._settings)
        if file.format.reader is Reader.PILLOW:
            return pillow.read(file, wish)
        if file.format.sound_only:
            raise Undecodable(FailureCode.UNSUPPORTED, "sound has no picture")
        return movies.read(file, wish, self._settings)

    def _display(self) -> DisplayTransform:
        if self._transform is None:
            self._transform = DisplayTransform(self._settings.display, self._settings.view)
        return self._transform

    def _report(self) -> list[tuple[str, str]]:
        """For doctor: what reads what."""
        transform = self._display()
        ocio = OpenImageIO.OpenColorIO_version_hex
        lines = [
            ("OpenImageIO", OpenImageIO.__version__),
            ("OpenColorIO", f"{ocio >> 24}.{(ocio >> 16) & 0xFF}.{(ocio >> 8) & 0xFF}"),
            ("Pillow", PIL.__version__),
            ("FFmpeg", ".".join(str(number) for number in av.library_versions["libavformat"])),
            ("colour configuration", transform.name),
            ("display", f"{transform.display} / {transform.view}" if transform.usable else "sRGB"),
        ]
        if transform.problem:
            lines.append(("colour problem", transform.problem.splitlines()[0]))
        if os.environ.get("OCIO"):
            lines.append(("OCIO", os.environ["OCIO"]))
        known = set(OpenImageIO.get_string_attribute("input_format_list").split(","))
        return lines + [
            (f"format {row.name}", "ok" if _available(row, known) else "missing") for row in formats.FORMATS
        ]


def _proven_damage(path: str) -> Damage | None:
    """What the structure says against a file that decoders were content with: it is not shown as good."""
    verdict = check_structure(path)
    if verdict.state is None or verdict.state is FrameState.OK:
        return None
    return Damage(verdict.state, verdict.reason)


def _available(row: formats.Format, plugins: set[str]) -> bool:
    if row.reader is Reader.OPENIMAGEIO:
        return row.plugin in plugins
    if row.reader is Reader.PILLOW:
        modules = {"jpeg": "jpg", "webp": "webp", "avif": "avif", "png": "zlib"}
        return row.name not in modules or bool(features.check(modules[row.name]))
    return any(row.plugin in name.split(",") for name in av.formats_available)
