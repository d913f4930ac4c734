"""From a reader's picture to the bytes asked for: resampled, coloured, upright, encoded (P5–P7, P13)."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageChops, ImageCms

from kassettui.core.health import FrameState
from kassettui.media.decode.colour import from_srgb, srgb
from kassettui.media.decode.picture import Raster, Still, Tone
from kassettui.media.messages import Encoding, Rendered

if TYPE_CHECKING:
    from kassettui.media.decode.colour import DisplayTransform
    from kassettui.media.decode.picture import Floats, Mask, Picture
    from kassettui.media.facts import Look
    from kassettui.media.messages import Render

_QUALITY: Final = 85
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CHECKS: Final = (110, 150)
_CHECK_SIZE: Final = 8
_HATCH: Final = ((52, 36, 44), (176, 42, 96))


def render(picture: Picture, request: Render, transform: DisplayTransform, path: str) -> Rendered:
    """The answer to `request` from what its reader brought."""
    geometry = picture.geometry
    size = geometry.fit(request.width, request.height, request.grow)
    unturned = geometry.unturned(size)
    if isinstance(picture, Raster):
        image = _from_raster(picture, unturned, request.look, transform, path)
    else:
        image = _from_still(picture, unturned, request.look)
    image = _alpha_only(image) if request.look.alpha_only else _without_idle_alpha(image)
    if picture.missing is not None:
        image = _hatched(image, picture.missing)
    if geometry.orientation in _TURNS:
        image = image.transpose(_TURNS[geometry.orientation])
    data, kind = encode(image, request.encoding)
    damage = picture.damage
    return Rendered(
        data=data,
        kind=kind,
        width=image.width,
        height=image.height,
        alpha=image.mode in {"RGBA", "LA"},
        state=damage.state if damage is not None else FrameState.OK,
        reason=damage.reason if damage is not None else "",
        draft=picture.draft,
    )


def encode(image: Image.Image, encoding: Encoding) -> tuple[bytes, str]:
    """The picture's bytes and their kind (P7)."""
    if encoding is Encoding.RAW:
        return over_checks(image).tobytes(), "rgb"
    out = io.BytesIO()
    if encoding is Encoding.JPEG:
        image = over_checks(image)
    if encoding is Encoding.PNG or image.mode in {"RGBA", "LA"}:
        image.save(out, "PNG", compress_level=3)
        return out.getvalue(), "png"
    image.save(out, "JPEG", quality=_QUALITY, subsampling="4:4:4")
    return out.getvalue(), "jpeg"


def over_checks(image: Image.Image) -> Image.Image:
    """An opaque RGB picture: transparent parts show a checkerboard (P7)."""
    if image.mode not in {"RGBA", "LA"}:
        return image.convert("RGB")
    y, x = np.mgrid[0 : image.height, 0 : image.width] // _CHECK_SIZE
    board = np.where((x + y) % 2 == 0, _CHECKS[0], _CHECKS[1]).astype(np.uint8)
    return Image.composite(image.convert("RGB"), Image.fromarray(board).convert("RGB"), image.getchannel("A"))


# -- float pictures -----------------------------------------------------------------------------------------


def _from_raster(
    raster: Raster, size: tuple[int, int], look: Look, transform: DisplayTransform, path: str
) -> Image.Image:
    pixels, alpha = raster.pixels, raster.alpha
    if alpha is not None:
        alpha = np.clip(np.nan_to_num(alpha), 0.0, 1.0)
        if not raster.associated:
            pixels = pixels * alpha[..., None]
    block = raster.block
    box = (0.0, 0.0, raster.geometry.width / block, raster.geometry.height / block)
    smooth = Image.Resampling.LANCZOS if raster.tone is Tone.DISPLAY else Image.Resampling.BILINEAR
    pixels = _resampled(np.nan_to_num(pixels, posinf=65504.0, neginf=0.0), size, box, smooth)
    if alpha is not None:
        alpha = np.clip(_resampled(alpha[..., None], size, box, smooth)[..., 0], 0.0, 1.0)
        pixels = np.where(alpha[..., None] > 1 / 1024, pixels / alpha[..., None], pixels)
    shown = _bytes(transform.apply(raster, pixels, look, path))
    image = Image.fromarray(shown if shown.shape[-1] == 3 else shown[..., 0])
    if raster.profile and raster.tone is Tone.DISPLAY:
        image = to_srgb(image, raster.profile)
    if alpha is not None:
        image.putalpha(Image.fromarray(_bytes(alpha)))
    return image


def _resampled(
    values: Floats, size: tuple[int, int], box: tuple[float, float, float, float], how: Image.Resampling
) -> Floats:
    height, width = values.shape[:2]
    fitting = (0.0, 0.0, min(box[2], width), min(box[3], height))
    if size == (width, height) and fitting == (0.0, 0.0, width, height):
        return values
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., channel])).resize(size, how, fitting))
        for channel in range(values.shape[-1])
    ]
    return np.stack(planes, axis=-1)


def _bytes(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (np.clip(values, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


# -- 8-bit pictures -----------------------------------------------------------------------------------------


def _from_still(still: Still, size: tuple[int, int], look: Look) -> Image.Image:
    image = still.image
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if still.profile:
        image = to_srgb(image, still.profile)
    elif still.gamma:
        image = _with_curve(image, _gamma_curve(still.gamma))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    if look.exposure:
        image = _with_curve(image, _exposure_curve(look.exposure))
    return image


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from `profile` to sRGB; None when the profile is no use."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "L" if mode == "L" else "RGB", flags=_CMS_FLAGS
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


_CMS_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture with its embedded profile honoured, alpha kept; unchanged when the profile is no use."""
    alpha = image.getchannel("A") if image.mode in {"RGBA", "LA"} else None
    plain = image.convert("RGB" if image.mode == "RGBA" else "L") if alpha is not None else image
    transform = _transform(profile, plain.mode)
    if transform is None:
        return image
    converted = ImageCms.applyTransform(plain, transform)
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _with_curve(image: Image.Image, curve: list[int]) -> Image.Image:
    if image.mode in {"RGBA", "LA"}:
        alpha = image.getchannel("A")
        image = image.convert("RGB" if image.mode == "RGBA" else "L")
        image = image.point(curve * len(image.getbands()))
        image.putalpha(alpha)
        return image
    return image.point(curve * len(image.getbands()))


def _codes() -> Floats:
    """All 8-bit values as 0–1."""
    return np.linspace(0.0, 1.0, 256, dtype=np.float32)


@lru_cache(maxsize=8)
def _gamma_curve(gamma: float) -> list[int]:
    """8-bit values encoded with `gamma` (a PNG's gAMA) as 8-bit sRGB."""
    values = _codes() ** np.float32(1 / gamma)
    return [int(value) for value in _bytes(srgb(values))]


@lru_cache(maxsize=8)
def _exposure_curve(stops: float) -> list[int]:
    values = from_srgb(_codes()) * np.float32(2.0**stops)
    return [int(value) for value in _bytes(srgb(values))]


# -- alpha and damage ---------------------------------------------------------------------------------------


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    """Alpha that hides nothing is dropped; so is one that would hide everything there is to see (P7)."""
    if image.mode not in {"RGBA", "LA"}:
        return image
    low, high = image.getchannel("A").getextrema()
    if low == 255 or high == 0:
        return image.convert("RGB" if image.mode == "RGBA" else "L")
    return image


def _alpha_only(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA"}:
        return image.getchannel("A")
    return Image.new("L", image.size, 255)


def _hatched(image: Image.Image, missing: Mask) -> Image.Image:
    """A pattern that no picture has where nothing could be decoded (P3)."""
    mask = Image.fromarray(missing.astype(np.uint8) * 255).resize(image.size, Image.Resampling.NEAREST)
    y, x = np.mgrid[0 : image.height, 0 : image.width]
    stripes = ((x + y) // 6 % 2)[..., None]
    pattern = Image.fromarray(np.where(stripes == 0, _HATCH[0], _HATCH[1]).astype(np.uint8))
    alpha = image.getchannel("A") if image.mode in {"RGBA", "LA"} else None
    drawn = Image.composite(pattern, image.convert("RGB"), mask)
    if alpha is not None:
        drawn.putalpha(ImageChops.lighter(alpha, mask))
    return drawn
