"""B10, B11, B14: thumbnails, drafts and frame checks beside vips, OpenImageIO, Pillow and their commands.

    python -P -m benchmarks.thumbnails                 B10: a 256-pixel thumbnail of each kind of file
    python -P -m benchmarks.thumbnails --drafts        B11: the first draft of an EXR
    python -P -m benchmarks.thumbnails --health        B14: H1 of 10,000 EXR frames, and decoding some of them
    python -P -m benchmarks.thumbnails --files DIR     keep the files in DIR for the next time
    python -P -m benchmarks.thumbnails --only exr      only files whose name contains this

Ours, and peers "in process", are warm: a process of its own makes the same thumbnail again and again and
tells the median. Ours is the whole answer of a decoder process: read, reduced, coloured, encoded, packed. A
peer in process does what it can: vips its `thumbnail` (no colour transform for EXR), OpenImageIO only reads
the channels, at its best type and with its threads. A peer's command is a process a file, start included.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import io
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Case, Measured, alternate, python, table, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE: Final = 256
_INNER: Final = 9
_OIIOTOOL: Final = str(Path(sys.executable).with_name("oiiotool"))


# -- the files ----------------------------------------------------------------------------------------------


def make_files(directory: Path) -> None:
    """Pictures with some noise, as cameras and renderers make them."""
    import numpy as np
    import OpenImageIO
    from PIL import Image

    chance = np.random.default_rng(3)

    def scene(width: int, height: int) -> Any:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        waves = [0.5 + 0.5 * np.sin(x / 97 + y / 31), 0.5 + 0.4 * np.cos(x / 41), x / width * y / height]
        noise = chance.normal(0, 0.02, (height, width, 3)).astype(np.float32)
        return np.clip(np.stack(waves, axis=-1) * 2 + noise, 0, None).astype(np.float32)

    def write(name: str, pixels: Any, kind: str, channels: Sequence[str] = (), **attributes: Any) -> None:
        spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
        if channels:
            spec.channelnames = tuple(channels)
        for key, value in attributes.items():
            spec[key.replace("__", ":")] = value
        path = str(directory / name)
        out = OpenImageIO.ImageOutput.create(path)
        assert out is not None
        assert out.open(path, spec), out.geterror()
        assert out.write_image(pixels), out.geterror()
        out.close()

    two, four = scene(2048, 1080), scene(4096, 2160)
    rgba = np.dstack([two, np.ones(two.shape[:2], np.float32)])
    for compression in ("zip", "zips", "piz", "dwaa"):
        write(f"exr_2k_rgba_{compression}.exr", rgba, "half", "RGBA", compression=compression)
    layers = [f"aov{layer}.{channel}" for layer in range(5) for channel in "RGBA"]
    many = np.concatenate([rgba * (number + 1) / 6 for number in range(6)], axis=-1)
    for compression in ("zip", "zips"):
        write(f"exr_2k_24ch_{compression}.exr", many, "half", [*"RGBA", *layers], compression=compression)
    write("exr_4k_dwaa.exr", np.dstack([four, np.ones(four.shape[:2], np.float32)]), "half", "RGBA",
          compression="dwaa")  # fmt: skip
    texture = OpenImageIO.ImageSpec()
    texture["compression"] = "zip"
    buffer = OpenImageIO.ImageBuf(two)
    OpenImageIO.ImageBufAlgo.make_texture(
        OpenImageIO.MakeTxTexture, buffer, str(directory / "exr_2k_mip.exr"), texture
    )
    shown = np.clip(scene(3840, 2160) / 2, 0, 1) ** (1 / 2.2)
    for compression in ("none", "zip"):
        write(f"tiff_4k_16bit_{compression}.tif", shown, "uint16", compression=compression)
    write("png_4k.png", shown, "uint8")
    write("dpx_2k_10bit.dpx", np.clip(two / 2, 0, 1), "uint16", oiio__BitsPerSample=10)
    jpeg = np.clip(scene(6000, 4000) / 2, 0, 1) ** (1 / 2.2)
    Image.fromarray((jpeg * 255).astype(np.uint8)).save(directory / "jpeg_24mp.jpg", quality=90)
    _movies(directory, (np.clip(scene(1920, 1080) / 2, 0, 1) * 255).astype(np.uint8))


def _movies(directory: Path, picture: Any) -> None:
    import av
    import numpy as np

    for name, codec, pixel_format, options in (
        ("h264_1080p.mp4", "libx264", "yuv420p", {"crf": "20", "g": "48", "preset": "veryfast"}),
        ("prores_1080p.mov", "prores_ks", "yuv422p10le", {"profile": "3"}),
    ):
        with av.open(str(directory / name), "w") as out:
            stream: Any = out.add_stream(codec, rate=24, options=options)
            stream.width, stream.height, stream.pix_fmt = 1920, 1080, pixel_format
            for number in range(96):
                moved = np.roll(picture, number * 7, axis=1)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
            out.mux(stream.encode(None))


# -- what the children do -----------------------------------------------------------------------------------


def _ours(path: str, *, draft: bool = False) -> Callable[[], object]:
    from kassettui.media.decode.answering import Answering
    from kassettui.media.messages import Answered, Render, Rendered, WorkerSettings, pack

    answering = Answering(WorkerSettings(threads=os.cpu_count() or 1))

    def run() -> object:
        answer = answering.answer(Render(os.fsencode(path), SIZE, SIZE, draft=draft))
        assert isinstance(answer, Rendered), answer
        return pack(Answered(1, answer, 0))

    return run


def _openimageio(path: str) -> Callable[[], object]:
    """Only reading: red, green, blue and alpha, as they are stored."""
    import OpenImageIO

    OpenImageIO.attribute("threads", os.cpu_count() or 1)
    OpenImageIO.attribute("exr_threads", os.cpu_count() or 1)

    def run() -> object:
        source = OpenImageIO.ImageInput.open(path)
        assert source is not None
        spec = source.spec()
        pixels = source.read_image(0, 0, 0, min(4, spec.nchannels), spec.format)
        assert pixels is not None
        source.close()
        return pixels

    return run


def _pillow(path: str) -> Callable[[], object]:
    from PIL import Image

    def run() -> object:
        with Image.open(path) as image:
            image.draft("RGB", (SIZE * 2, SIZE * 2))
            image.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS, reducing_gap=2.0)
            out = io.BytesIO()
            image.convert("RGB").save(out, "JPEG", quality=85)
            return out.getvalue()

    return run


def _vips(path: str) -> Callable[[], object]:
    """libvips' own thumbnail, encoded as JPEG, through its C interface."""
    name = ctypes.util.find_library("vips")
    assert name is not None
    vips = ctypes.CDLL(name)
    gobject = ctypes.CDLL(ctypes.util.find_library("gobject-2.0") or "libgobject-2.0.so.0")
    glib = ctypes.CDLL(ctypes.util.find_library("glib-2.0") or "libglib-2.0.so.0")
    assert vips.vips_init(b"benchmark") == 0
    vips.vips_cache_set_max(0)
    encoded = os.fsencode(path)

    def run() -> object:
        picture, data, length = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_size_t()
        assert vips.vips_thumbnail(encoded, ctypes.byref(picture), ctypes.c_int(SIZE), None) == 0
        assert (
            vips.vips_jpegsave_buffer(
                picture, ctypes.byref(data), ctypes.byref(length), b"Q", ctypes.c_int(85), None
            )
            == 0
        )
        gobject.g_object_unref(picture)
        glib.g_free(data)
        return length.value

    return run


def _mip_or_sparse(path: str) -> Callable[[], object]:
    """The least that shows something: a mip level, or one line of each chunk, by OpenImageIO alone."""
    import OpenImageIO

    OpenImageIO.attribute("threads", os.cpu_count() or 1)
    OpenImageIO.attribute("exr_threads", os.cpu_count() or 1)
    lines = {"zips": 1, "zip": 16, "piz": 32, "dwaa": 32}

    def run() -> object:
        source = OpenImageIO.ImageInput.open(path)
        assert source is not None
        spec = source.spec()
        if spec.tile_width:
            return source.read_image(0, 3, 0, 3, "half")
        chunk = lines[spec.get_string_attribute("compression").partition(":")[0]]
        step = max(chunk, spec.height // (SIZE // 2))
        return [source.read_scanlines(0, 0, y, y + 1, 0, 0, 3, "half") for y in range(0, spec.height, step)]

    return run


_CHILDREN: Final[dict[str, Callable[[str], Callable[[], object]]]] = {
    "ours": _ours,
    "openimageio": _openimageio,
    "pillow": _pillow,
    "vips": _vips,
    "sparse": _mip_or_sparse,
    "draft": lambda path: _ours(path, draft=True),
}


def _child(kind: str, path: str) -> None:
    run = _CHILDREN[kind](path)
    for _ in range(2):
        run()
    times = []
    for _ in range(_INNER):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    tell(statistics.median(times))


def _child_health(directory: str, level: int) -> None:
    from kassettui.media.decode.answering import Answering
    from kassettui.media.messages import Check, WorkerSettings
    from kassettui.media.structure import check_structure

    paths = sorted(entry.path for entry in os.scandir(directory))
    if level == 2:
        answering = Answering(WorkerSettings(threads=os.cpu_count() or 1))
        paths = paths[:200]
        began = time.perf_counter()
        for path in paths:
            answering.answer(Check(os.fsencode(path)))
    else:
        began = time.perf_counter()
        assert all(check_structure(path).good for path in paths)
    spent = time.perf_counter() - began
    tell(spent, per_frame_ms=spent / len(paths) * 1000)


# -- the tables ---------------------------------------------------------------------------------------------


def _case(name: str, kind: str, path: Path) -> Case:
    return Case(name, python("-m", "benchmarks.thumbnails", "--child", kind, str(path)), told=True)


def _cases(path: Path, out: str) -> list[Case]:
    """Ours, then every peer that reads this file."""
    movie = path.suffix in {".mp4", ".mov"}
    cases = [_case("ours", "ours", path)]
    if not movie:
        cases.append(_case("OpenImageIO, reading only, in process", "openimageio", path))
        cases.append(
            Case("oiiotool command", (_OIIOTOOL, str(path), "--fit", f"{SIZE}x{SIZE}", "-o", f"{out}/o.jpg"))
        )
        if ctypes.util.find_library("vips"):
            cases.append(_case("vips in process", "vips", path))
    if path.suffix in {".jpg", ".png"}:
        cases.append(_case("Pillow in process", "pillow", path))
    if not movie and shutil.which("vipsthumbnail"):
        cases.append(
            Case("vipsthumbnail command", ("vipsthumbnail", str(path), "-s", str(SIZE), "-o", f"{out}/v.jpg"))
        )
    if movie and shutil.which("ffmpegthumbnailer"):
        cases.append(
            Case(
                "ffmpegthumbnailer command",
                ("ffmpegthumbnailer", "-i", str(path), "-o", f"{out}/f.jpg", "-s", str(SIZE)),
            )
        )
    return [case for case in cases if _works(case)]


def _works(case: Case) -> bool:
    """Whether a peer reads the file at all."""
    from subprocess import CalledProcessError

    from benchmarks.measure import once

    try:
        once(case)
    except CalledProcessError:
        print(f"    {case.name}: cannot")
        return False
    return True


def _thumbnails(files: Path, only: str, rounds: int) -> None:
    summary: list[tuple[str, float, float | None, float | None]] = []
    with tempfile.TemporaryDirectory() as out:
        for path in sorted(files.iterdir()):
            if only not in path.name or path.name == "exr_2k_mip.exr":
                continue
            print(f"\n{path.name}")
            measured = alternate(_cases(path, out), rounds=rounds)
            print(table(measured, against="ours"))
            ours = measured["ours"]
            summary.append(
                (
                    path.name,
                    ours.seconds * 1000,
                    _best(ours, measured, " in process"),
                    _best(ours, measured, " command"),
                )
            )
    print(f"\n{'':28}{'ours ms':>9}{'/ best in process':>19}{'best command /':>16}")
    for name, milliseconds, in_process, command in summary:
        first = f"{in_process:.2f}" if in_process is not None else "–"
        second = f"{1 / command:.1f}" if command is not None else "–"
        print(f"{name:28}{milliseconds:9.1f}{first:>19}{second:>16}")


def _best(ours: Measured, measured: dict[str, Measured], kind: str) -> float | None:
    """Ours over the fastest peer of that kind."""
    peers = [one for name, one in measured.items() if name.endswith(kind)]
    return ours.ratio_to(min(peers, key=lambda one: one.seconds)) if peers else None


def _drafts(files: Path, only: str, rounds: int) -> None:
    for path in sorted(files.glob("*.exr")):
        if only not in path.name:
            continue
        print(f"\n{path.name}")
        cases = [
            _case("ours, draft", "draft", path), _case("sparse or mip, OpenImageIO alone", "sparse", path),
            _case("ours, whole", "ours", path),
        ]  # fmt: skip
        print(table(alternate(cases, rounds=rounds), against="ours, draft"))


def _health(files: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory(dir=files.parent) as place:
        source = files / "exr_2k_rgba_zip.exr"
        for number in range(10_000):
            os.link(source, os.path.join(place, f"beauty.{number:05}.exr"))
        cases = [
            Case(name, python("-m", "benchmarks.thumbnails", "--child-health", level, place), told=True)
            for name, level in (("H1, 10,000 frames", "1"), ("H2, 200 frames", "2"))
        ]
        measured = alternate(cases, rounds=rounds)
    print(table(measured))
    for name, one in measured.items():
        print(f"{name}: {one.told('per_frame_ms'):.3f} ms a frame")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--drafts", action="store_true")
    parser.add_argument("--health", action="store_true")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--child-health", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        _child(*chosen.child)
    elif chosen.child_health:
        _child_health(chosen.child_health[1], int(chosen.child_health[0]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            files = chosen.files or Path(scratch) / "files"
            if not files.is_dir():
                made = files.with_name(f"{files.name}.making")
                shutil.rmtree(made, ignore_errors=True)
                made.mkdir(parents=True)
                make_files(made)
                made.rename(files)
            if chosen.health:
                _health(files, chosen.rounds)
            elif chosen.drafts:
                _drafts(files, chosen.only, chosen.rounds)
            else:
                _thumbnails(files, chosen.only, chosen.rounds)


if __name__ == "__main__":
    main()
