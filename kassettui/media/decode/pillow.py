"""Pictures through Pillow: JPEG (draft mode), PNG, GIF, WebP, AVIF, BMP (P1)."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from kassettui.core.health import FrameState
from kassettui.media.decode.picture import Damage, Geometry, Still, Undecodable
from kassettui.media.messages import FailureCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.media.decode.opening import OpenFile
    from kassettui.media.decode.picture import Mask, Wish
    from kassettui.media.messages import WorkerSettings

_SRGB_GAMMA: Final = 0.45455
_WIDE: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})


def configure(settings: WorkerSettings) -> None:
    """Limits for the whole process (P2)."""
    Image.MAX_IMAGE_PIXELS = settings.pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.init()


@contextlib.contextmanager
def opened(file: OpenFile) -> Iterator[Image.Image]:
    """The picture with only its header read. Raises Undecodable."""
    with open(os.dup(file.fd), "rb") as stream:
        stream.seek(0)
        try:
            image = Image.open(stream, formats=(file.format.plugin,))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Undecodable(FailureCode.TOO_LARGE, "too many pixels") from None
        except UnidentifiedImageError:
            raise Undecodable(FailureCode.DAMAGED, f"not a whole {file.format.label} header") from None
        with image:
            yield image


def read(file: OpenFile, wish: Wish) -> Still:
    """The picture, reduced while decoding where the format can. Raises Undecodable."""
    if wish.layer:
        raise Undecodable(FailureCode.NO_LAYER, f"{file.format.label} files have no layers")
    with opened(file) as image:
        geometry = geometry_of(image)
        _prepare(image, wish, geometry)
        try:
            image.load()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (Pillow's plugins raise anything on broken files)
            reason = str(error) or type(error).__name__
        else:
            return _still(image, geometry)
    return _as_far_as_it_goes(file, wish, geometry, reason)


def geometry_of(image: Image.Image) -> Geometry:
    """Size and EXIF orientation."""
    orientation = 1
    with contextlib.suppress(Exception):  # EXIF blocks break in many ways
        orientation = int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return Geometry(image.width, image.height, 1.0, orientation if 1 <= orientation <= 8 else 1)


def _prepare(image: Image.Image, wish: Wish, geometry: Geometry) -> None:
    """The wanted frame, and JPEG's own reduction to no less than twice the result."""
    if wish.frame:
        try:
            image.seek(min(wish.frame, getattr(image, "n_frames", 1) - 1))
        except (EOFError, OSError) as error:
            raise Undecodable(FailureCode.DAMAGED, str(error)) from None
    if image.format == "JPEG":
        width, height = geometry.unturned(geometry.fit(wish.width, wish.height, wish.grow))
        factor = 1 if wish.draft else 2
        image.draft(image.mode, (width * factor, height * factor))


def _as_far_as_it_goes(file: OpenFile, wish: Wish, geometry: Geometry, reason: str) -> Still:
    """What of a broken file can be drawn, the rest marked (P3)."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with opened(file) as image:
            _prepare(image, wish, geometry)
            image.load()
            still = _still(image, geometry)
    except (Undecodable, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 (see above)
        raise Undecodable(FailureCode.DAMAGED, (str(error) or reason)[:200]) from None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    missing = _untouched(still.image)
    if missing.all():
        raise Undecodable(FailureCode.DAMAGED, reason[:200])
    still.missing = missing if missing.any() else None
    still.damage = Damage(FrameState.TRUNCATED, reason[:200])
    return still


def _untouched(image: Image.Image) -> Mask:
    """Where the decoder never came: the last rows, which are all alike."""
    rows = np.asarray(image).reshape(image.height, -1)
    unlike = np.flatnonzero((rows != rows[-1]).any(axis=1) | (rows != rows[:, :1]).any(axis=1))
    mask = np.zeros((image.height, image.width), np.bool_)
    mask[(int(unlike[-1]) + 1 if unlike.size else 0) :] = True
    return mask


def _still(image: Image.Image, geometry: Geometry) -> Still:
    profile = image.info.get("icc_profile") or b""
    gamma = image.info.get("gamma") or 0.0
    if image.info.get("srgb") is not None or abs(gamma - _SRGB_GAMMA) < 0.01 or not 0.05 < gamma < 5:
        gamma = 0.0
    return Still(geometry, plain(image), profile=bytes(profile), gamma=float(gamma))


def plain(image: Image.Image) -> Image.Image:
    """In one of the modes that the rest knows: L, LA, RGB, RGBA, CMYK."""
    transparent = "transparency" in image.info
    if image.mode in {"L", "LA", "RGB", "RGBA", "CMYK"} and not transparent:
        return image.copy()
    if image.mode in _WIDE:
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"La", "RGBa", "PA"}:
        return image.convert("RGBA")
    return image.convert("RGBA" if transparent else "RGB")
