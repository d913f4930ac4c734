"""A small show of real files for `kassettui demo`: EXR, DPX, JPEG, PNG, a movie; a hole, a truncated frame.

Run as a process of its own (`python -P -m kassettui.media.demo DIRECTORY`), for it imports the picture
libraries. It prints one JSON line a file, the last one with the sum. The same call makes the same pictures.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import numpy as np
import OpenImageIO
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

LAYOUT: Final = "{show}/{sequence}/{shot}/{task}"
WIDTH: Final = 480
HEIGHT: Final = 270
FPS: Final = 24
FIRST: Final = 1001
LAST: Final = 1012
HOLE: Final = 1006
TRUNCATED: Final = 1009
KEPT_OF_TRUNCATED: Final = 0.4
# Frames younger than ten minutes count as a render that still grows; this one ended on some day before.
RENDERED_AT: Final = 1_767_261_600  # 2026-01-01 10:00 UTC


@dataclass(frozen=True, slots=True)
class Shot:
    """What a shot's picture looks like: sky and ground in linear light, where the sun goes."""

    sequence: str
    name: str
    sky: tuple[float, float, float]
    ground: tuple[float, float, float]
    sun: float


SHOTS: Final = (
    Shot("sq010", "sh010", (0.10, 0.22, 0.55), (0.04, 0.10, 0.05), 4.0),
    Shot("sq010", "sh020", (0.60, 0.25, 0.12), (0.08, 0.05, 0.04), 9.0),
    Shot("sq020", "sh010", (0.02, 0.03, 0.10), (0.01, 0.02, 0.04), 1.5),
)


def picture(shot: Shot, frame: int, label: str) -> tuple[Pixels, Pixels]:
    """One frame in linear light: (height, width, 4) RGBA, and (height, width) distance in metres."""
    across, down = np.meshgrid(
        np.linspace(0.0, 1.0, WIDTH, dtype=np.float32), np.linspace(0.0, 1.0, HEIGHT, dtype=np.float32)
    )
    time = (frame - FIRST) / max(1, LAST - FIRST)
    rgba = np.ones((HEIGHT, WIDTH, 4), np.float32)
    rgba[..., :3] = np.asarray(shot.sky, np.float32) * (0.35 + 0.65 * down)[..., None]
    aspect = WIDTH / HEIGHT
    away = np.hypot((across - (0.15 + 0.7 * time)) * aspect, down - (0.45 - 0.25 * np.sin(np.pi * time)))
    rgba[..., :3] += (shot.sun * np.exp(-((away / 0.07) ** 2)) + 0.25 * shot.sun * np.exp(-away / 0.18))[
        ..., None
    ] * (np.asarray((1.0, 0.82, 0.55), np.float32))
    depth = np.full((HEIGHT, WIDTH), 10_000.0, np.float32)
    for ridge in range(4):
        height = (
            0.55
            + 0.11 * ridge
            + 0.05 * np.sin(across * (5.0 + 3.0 * ridge) + ridge * 1.7 + 0.4 * time * ridge)
        )
        hill = down > height
        rgba[..., :3][hill] = np.asarray(shot.ground, np.float32) * (0.5 + 0.9 * ridge)
        depth[hill] = 2_000.0 / (1 + ridge) ** 2
    _write_label(rgba, label)
    return rgba, depth


def _write_label(rgba: Pixels, label: str) -> None:
    image = Image.new("L", (WIDTH, 20))
    ImageDraw.Draw(image).text((8, 3), label, fill=255)
    mask = np.asarray(image, np.float32)[..., None] / 255.0
    strip = rgba[-20:, :, :3]
    rgba[-20:, :, :3] = strip * 0.4 * (1 - mask) + 0.8 * mask


def display(rgba: Pixels) -> NDArray[np.uint8]:
    """Linear light as 8-bit sRGB, highlights rolled off."""
    tamed = rgba[..., :3] / (1.0 + 0.6 * rgba[..., :3])
    encoded = np.where(
        tamed <= 0.0031308, tamed * 12.92, 1.055 * np.maximum(tamed, 1e-6) ** (1 / 2.4) - 0.055
    )
    return np.asarray(np.clip(encoded, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _save(path: Path, pixels: Pixels | NDArray[np.uint8], spec: OpenImageIO.ImageSpec) -> None:
    out = OpenImageIO.ImageOutput.create(os.fspath(path))
    if out is None or not out.open(os.fspath(path), spec) or not out.write_image(pixels):
        raise RuntimeError(
            f"{path.name} could not be written: {OpenImageIO.geterror() if out is None else out.geterror()}"
        )
    out.close()


def _frame_facts(spec: OpenImageIO.ImageSpec, frame: int) -> None:
    spec.attribute("FramesPerSecond", float(FPS))
    spec.attribute("ImageDescription", f"kassettui demo, frame {frame}")


def _exr(path: Path, rgba: Pixels, depth: Pixels | None, frame: int) -> None:
    names = ["R", "G", "B", "A"]
    pixels = rgba
    if depth is not None:
        normal = np.dstack((np.gradient(depth, axis=1), np.gradient(depth, axis=0), np.ones_like(depth)))
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        pixels = np.dstack((rgba, depth, normal)).astype(np.float32)
        names += ["Z", "N.X", "N.Y", "N.Z"]
    spec = OpenImageIO.ImageSpec(WIDTH, HEIGHT, len(names), OpenImageIO.HALF)
    spec.channelnames = tuple(names)
    spec.attribute("compression", "zip")
    spec.attribute("oiio:ColorSpace", "lin_rec709_scene")
    _frame_facts(spec, frame)
    _save(path, pixels, spec)


def _dpx(path: Path, rgba: Pixels, frame: int) -> None:
    spec = OpenImageIO.ImageSpec(WIDTH, HEIGHT, 3, OpenImageIO.UINT16)
    spec.attribute("oiio:BitsPerSample", 10)
    _frame_facts(spec, frame)
    _save(path, display(rgba).astype(np.float32) / 255.0, spec)


def _movie(path: Path, shot: Shot) -> None:
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(FIRST, FIRST + 2 * FPS):
            rgba, _depth = picture(
                shot, FIRST + (frame - FIRST) % (LAST - FIRST + 1), f"{shot.name} reference {frame}"
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(display(rgba), format="rgb24")))
        container.mux(stream.encode(None))


def _frames(
    directory: Path, shot: Shot, task: str, version: int, extension: str
) -> Iterator[tuple[Path, Pixels, Pixels, int]]:
    directory.mkdir(parents=True, exist_ok=True)
    for frame in range(FIRST, LAST + 1):
        name = f"{shot.name}_{task}_v{version:03}"
        rgba, depth = picture(shot, frame, f"{shot.sequence}  {name}  {frame}")
        yield directory / f"{name}.{frame}.{extension}", rgba, depth, frame


def make(root: Path) -> Iterator[Path]:
    """Write the show below `root`/demo; yields each file when it stands."""
    for number, shot in enumerate(SHOTS):
        place = root / "demo" / shot.sequence / shot.name
        for path, rgba, _depth, frame in _frames(
            place / "plate", shot, "plate", 1, "dpx" if number == 0 else "jpg"
        ):
            if number == 0:
                _dpx(path, rgba, frame)
            else:
                Image.fromarray(display(rgba)).save(path, quality=92)
            yield path
        for version in (1, 2):
            yield from _comp(
                place / "comp" / f"v{version:03}", shot, version, broken=number == 0 and version == 2
            )
        reference = place / "ref"
        reference.mkdir(parents=True, exist_ok=True)
        if number == 0:
            _movie(reference / f"{shot.name}_ref.mov", shot)
            yield reference / f"{shot.name}_ref.mov"
        rgba, _depth = picture(shot, FIRST, f"{shot.sequence} {shot.name} key art")
        Image.fromarray(display(rgba)).save(reference / f"{shot.name}_key_art.png")
        yield reference / f"{shot.name}_key_art.png"


def _comp(directory: Path, shot: Shot, version: int, *, broken: bool) -> Iterator[Path]:
    """A comp's EXR frames; a broken one has a hole, and a frame that was cut off."""
    for path, rgba, depth, frame in _frames(directory, shot, "comp", version, "exr"):
        if broken and frame == HOLE:
            continue
        _exr(path, rgba, depth if version == 2 else None, frame)
        if broken and frame == TRUNCATED:
            os.truncate(path, int(path.stat().st_size * KEPT_OF_TRUNCATED))
        yield path


def main(arguments: list[str]) -> int:
    """`DIRECTORY`: make the show there; progress as JSON lines on stdout."""
    root = Path(arguments[0])
    total = 0
    for number, path in enumerate(make(root)):
        rendered = RENDERED_AT + 60 * number
        os.utime(path, (rendered, rendered))
        total += path.stat().st_size
        line = {"file": os.fspath(path.relative_to(root)), "files": number + 1, "bytes": total}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
