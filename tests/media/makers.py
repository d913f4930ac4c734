"""Makes the pictures, movies and sounds that the tests of media/ need: `python -P -m tests.media.makers DIR`.

A process of its own, because it imports the picture libraries. The same call always makes the same files.
"""

from __future__ import annotations

import io
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenImageIO
from PIL import Image, ImageCms

WIDTH, HEIGHT = 320, 180
COMPRESSIONS = ("none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab")


def scene(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Linear light with highlights above 1, dark parts and hard edges: (height, width, 3) float32."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width, y / height
    picture = np.stack([0.18 + 0.5 * u, 0.1 + 0.6 * v, 0.3 + 0.2 * np.sin(9 * u)], axis=-1)
    picture[(x - width * 0.3) ** 2 + (y - height * 0.4) ** 2 < (height * 0.2) ** 2] = (4.0, 2.5, 0.6)
    picture[int(height * 0.7) :, : width // 2] = (0.02, 0.03, 0.05)
    picture += np.random.default_rng(7).normal(0, 0.01, picture.shape).astype(np.float32)
    return np.asarray(np.clip(picture, 0, None), np.float32)


def encoded(picture: np.ndarray) -> np.ndarray:
    """`picture` with the sRGB curve, 0–1."""
    clipped = np.clip(picture, 0, 1)
    return np.asarray(np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055))


def write(path: Path, pixels: np.ndarray, kind: str = "float", **attributes: object) -> None:
    """One picture through OpenImageIO.

    Special: `channels`, `tile`, `data` (x, y), `display` (x, y, width, height); the rest are attributes.
    """
    height, width = pixels.shape[:2]
    count = 1 if pixels.ndim == 2 else pixels.shape[2]
    spec = OpenImageIO.ImageSpec(width, height, count, kind)
    if "channels" in attributes:
        spec.channelnames = attributes.pop("channels")
    if "tile" in attributes:
        spec.tile_width = spec.tile_height = int(str(attributes.pop("tile")))
    if "data" in attributes:
        spec.x, spec.y = attributes.pop("data")  # type: ignore[misc]
    if "display" in attributes:
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = attributes.pop("display")  # type: ignore[misc]
    for name, value in attributes.items():
        if isinstance(value, tuple):
            spec.attribute(name, f"float[{len(value)}]", value)
        else:
            spec[name.replace("__", ":")] = value
    out = OpenImageIO.ImageOutput.create(str(path))
    assert out is not None, OpenImageIO.geterror()
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(np.ascontiguousarray(pixels, np.float32)), out.geterror()
    assert out.close(), out.geterror()


def exrs(root: Path) -> None:
    """Every compression, tiles, mip levels, parts, layers, windows, chroma, NaN."""
    picture = scene()
    for compression in COMPRESSIONS:
        write(root / f"{compression}.exr", picture, "half", compression=compression)
    write(root / "tiled.exr", picture, "half", compression="zip", tile=64)
    write(root / "float.exr", picture, "float", compression="zip")
    config = OpenImageIO.ImageSpec()
    config["compression"] = "zip"
    buffer = OpenImageIO.ImageBuf(scene(512, 256))
    assert OpenImageIO.ImageBufAlgo.make_texture(
        OpenImageIO.MakeTxTexture, buffer, str(root / "mip.exr"), config
    )
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[30:150, 40:280] = 1.0
    alpha[60:90, 100:200] = 0.5
    rgba = np.dstack([picture * alpha[..., None], alpha])
    write(root / "alpha.exr", rgba, "half", compression="zip", channels=("R", "G", "B", "A"))
    depth = np.linspace(1, 100, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH, 1)
    normal = np.dstack([np.full((HEIGHT, WIDTH), value, np.float32) for value in (0.0, 0.6, 0.8)])
    layers = np.concatenate([rgba, depth, normal, picture * 0.5, alpha[..., None]], axis=2)
    names = ("R", "G", "B", "A", "Z", "N.X", "N.Y", "N.Z", "diffuse.R", "diffuse.G", "diffuse.B", "mask.A")
    write(root / "layers.exr", layers, "half", compression="zip", channels=names)
    beauty = np.concatenate([depth, picture], axis=2)
    write(root / "beauty.exr", beauty, "half", channels=("P.X", "beauty.R", "beauty.G", "beauty.B"))
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    chroma = np.dstack(
        [
            luminance,
            picture[..., 0] / np.maximum(luminance, 1e-4) - 1,
            picture[..., 2] / np.maximum(luminance, 1e-4) - 1,
        ]
    )
    write(root / "chroma.exr", chroma, "float", channels=("Y", "RY", "BY"))
    write(root / "grey.exr", luminance[..., None], "half", channels=("Y",))
    write(root / "window.exr", picture, "half", data=(-20, 10), display=(0, 0, 400, 160))
    write(root / "outside.exr", picture, "half", data=(1000, 1000), display=(0, 0, 200, 100))
    write(root / "anamorphic.exr", picture, "half", PixelAspectRatio=2.0)
    odd = picture.copy()
    odd[10:12, 10:20] = np.nan
    odd[40, 50:55, 1] = np.inf
    write(root / "nan.exr", odd, "half", compression="zip")
    write(root / "black.exr", picture * 0, "half", compression="zip")
    wide = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
    matrix = np.linalg.inv(_to_xyz(wide)) @ _to_xyz((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290))
    write(root / "p3.exr", picture @ matrix.T.astype(np.float32), "float", chromaticities=wide)
    _parts(root / "parts.exr", picture, depth)


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    columns = np.array([[x, y, 1 - x - y] for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)]).T
    x, y = primaries[6:]
    return columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))


def _parts(path: Path, picture: np.ndarray, depth: np.ndarray) -> None:
    specs = []
    for name, channels in (("rgba", ("R", "G", "B")), ("depth", ("Z",)), ("spec", ("R", "G", "B"))):
        spec = OpenImageIO.ImageSpec(WIDTH, HEIGHT, len(channels), "half")
        spec.channelnames = channels
        spec["oiio:subimagename"] = name
        spec["compression"] = "zip"
        specs.append(spec)
    out = OpenImageIO.ImageOutput.create(str(path))
    assert out is not None, OpenImageIO.geterror()
    assert out.open(str(path), tuple(specs)), out.geterror()
    for number, pixels in enumerate((picture, depth, picture * 0.25)):
        if number:
            assert out.open(str(path), specs[number], "AppendSubimage"), out.geterror()
        assert out.write_image(np.ascontiguousarray(pixels, np.float32)), out.geterror()
    assert out.close(), out.geterror()


def stills(root: Path) -> None:
    """Every other format that can be written here."""
    shown = encoded(scene())
    bytes8 = (shown * 255 + 0.5).astype(np.uint8)
    image = Image.fromarray(bytes8)
    for bits, transfer in ((8, "Linear"), (10, "Printing density"), (12, "UserDefined"), (16, "UserDefined")):
        kind = "uint8" if bits == 8 else "uint16"
        write(root / f"{bits}.dpx", shown, kind, oiio__BitsPerSample=bits, dpx__Transfer=transfer)
    write(root / "little.dpx", shown, "uint16", oiio__BitsPerSample=16, oiio__Endian="little")
    (root / "log.cin").write_bytes(_cineon(shown))
    for kind, compression in (("uint8", "lzw"), ("uint16", "zip"), ("uint16", "none"), ("float", "zip")):
        pixels = scene() if kind == "float" else shown
        write(root / f"{kind}_{compression}.tif", pixels, kind, compression=compression)
    write(root / "tiled.tif", shown, "uint8", compression="zip", tile=64)
    image.save(root / "big.tif", big_tiff=True)
    write(root / "light.hdr", scene(), "float")
    for name in ("plain.tga", "plain.sgi", "plain.jp2", "plain.jxl", "plain.ppm", "plain.iff"):
        write(root / name, shown, "uint8")
    image.save(root / "plain.png")
    image.save(root / "plain.bmp")
    image.save(root / "plain.webp", lossless=True)
    image.save(root / "plain.avif", quality=90)
    image.convert("L").save(root / "grey.png")
    image.quantize(64).save(root / "palette.png")
    image.quantize(64).save(root / "plain.gif")
    write(root / "sixteen.png", shown, "uint16")
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[30:150, 40:280] = 255
    alpha[60:90, 100:200] = 128
    Image.fromarray(np.dstack([bytes8, alpha])).save(root / "alpha.png")
    Image.fromarray(np.dstack([bytes8, alpha])).save(root / "alpha.tif")
    image.save(root / "gamma.png", pnginfo=_linear_mark())
    jpegs(root, image)


def _linear_mark() -> object:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add(b"gAMA", struct.pack(">I", 100_000))
    return info


def jpegs(root: Path, image: Image.Image) -> None:
    """Orientations, an embedded thumbnail, CMYK, a profile, padding behind the end."""
    image.save(root / "plain.jpg", quality=92)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        _turned(image, orientation).save(root / f"turned{orientation}.jpg", quality=95, exif=exif)
    image.convert("CMYK").save(root / "cmyk.jpg", quality=92)
    image.convert("L").save(root / "grey.jpg", quality=92)
    image.save(root / "profile.jpg", quality=95, icc_profile=swapped_profile())
    small = io.BytesIO()
    image.resize((160, 90)).save(small, "JPEG")
    segment = b"Exif\0\0" + small.getvalue()
    whole = (root / "plain.jpg").read_bytes()
    marker = b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    (root / "embedded.jpg").write_bytes(whole[:2] + marker + whole[2:])
    (root / "trailer.jpg").write_bytes(whole + b"\0" * 3000 + b"maker's own trailer")


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera would store it so that `orientation` turns it upright again."""
    backward = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(backward[orientation]) if orientation in backward else image


def swapped_profile() -> bytes:
    """An ICC profile whose red and green primaries are exchanged: whoever ignores it shows other colours."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", srgb, 128)[0]
    for entry in range(count):
        place = 132 + 12 * entry
        tag = bytes(srgb[place : place + 4])
        if tag in {b"rXYZ", b"gXYZ"}:
            srgb[place : place + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}[tag]
    return bytes(srgb)


def _cineon(shown: np.ndarray) -> bytes:
    """A 10-bit Cineon file, three samples in 32 bits."""
    height, width = shown.shape[:2]
    codes = (shown * 1023 + 0.5).astype(np.uint32)
    words = (codes[..., 0] << 22) | (codes[..., 1] << 12) | (codes[..., 2] << 2)
    header = bytearray(b"\xff" * 2048)
    struct.pack_into(">IIIIII", header, 0, 0x802A5FD7, 2048, 1024, 1024, 0, 2048 + words.size * 4)
    struct.pack_into(">8s100s12s12s", header, 24, b"V4.5", b"log.cin", b"2026:01:01", b"10:00:00")
    struct.pack_into(">BBxx", header, 192, 0, 3)
    for channel in range(3):
        struct.pack_into(">BBBxII", header, 196 + 28 * channel, 0, channel + 1, 10, width, height)
    struct.pack_into(">BBBBIII", header, 680, 0, 5, 0, 0, 0, 0, 0)
    return bytes(header) + words.astype(">u4").tobytes()


def movies(root: Path) -> None:
    """H.264, ProRes (one with alpha), MJPEG, a turned one, one that begins black, sound."""
    movie(root / "h264.mp4", "libx264", "yuv420p", {"crf": "12", "g": "6"})
    movie(root / "prores.mov", "prores_ks", "yuv422p10le", {"profile": "3"}, timecode="01:02:03:04")
    movie(root / "alpha.mov", "prores_ks", "yuva444p10le", {"profile": "4"})
    movie(root / "mjpeg.avi", "mjpeg", "yuvj420p", {})
    movie(root / "black.mp4", "libx264", "yuv420p", {"crf": "12", "g": "6"}, black=20)
    movie(root / "dnxhd.mxf", "dnxhd", "yuv422p", {"b": "60M"}, size=(1280, 720), count=5)
    with av.open(str(root / "tone.wav"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=48000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        wave = (np.sin(np.arange(48000) / 20) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
        frame.sample_rate = 48000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def movie(
    path: Path,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
    *,
    black: int = 0,
    count: int = 48,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    timecode: str = "",
) -> None:
    """`count` frames at 24 a second; frame n is the scene with n in its corner's brightness."""
    base = (encoded(scene(*size)) * 255 + 0.5).astype(np.uint8)
    with av.open(str(path), "w") as out:
        if timecode:
            out.metadata["timecode"] = timecode
        stream = out.add_stream(codec, rate=Fraction(24), options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        for number in range(count):
            picture = base.copy() if number >= black else base * 0
            if number >= black:
                picture[:40, :40] = number * 5
            alpha = "yuva" in pixel_format
            pixels = np.dstack([picture, np.full(picture.shape[:2], 200, np.uint8)]) if alpha else picture
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if alpha else "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for folder, make in (("exr", exrs), ("stills", stills), ("movies", movies)):
        (where / folder).mkdir(parents=True)
        make(where / folder)
