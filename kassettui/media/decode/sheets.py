"""Contact sheets: pictures in a grid with their labels (P11)."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from kassettui.core.text import safe
from kassettui.media.decode.picture import Undecodable
from kassettui.media.decode.rendering import over_checks
from kassettui.media.messages import FailureCode, Rendered

if TYPE_CHECKING:
    from kassettui.media.facts import Tile
    from kassettui.media.messages import Sheet, WorkerSettings

_MARGIN: Final = 12
_BACKGROUND: Final = (24, 24, 26)
_CELL: Final = (36, 36, 39)
_INK: Final = (214, 214, 216)
_FAINT: Final = (150, 150, 154)
_NARROWEST: Final = 5
"""How many of the narrowest letters stand in the width of a line's height."""
_KINDS: Final = ("JPEG", "PNG")


def draw(sheet: Sheet, settings: WorkerSettings) -> Rendered:
    """The sheet as PNG. Raises Undecodable when it would have more pixels than a picture may."""
    cell, columns = max(16, sheet.cell), max(1, sheet.columns)
    text = max(10, cell // 16)
    row = cell + text * 2
    title = text * 3 if sheet.title else 0
    rows = -(-len(sheet.tiles) // columns)
    width = _MARGIN + columns * (cell + _MARGIN)
    height = _MARGIN + title + rows * (row + _MARGIN)
    if width * height > settings.pixels:
        raise Undecodable(FailureCode.TOO_LARGE, f"{width}×{height} pixels")
    page = Image.new("RGB", (width, height), _BACKGROUND)
    pen = ImageDraw.Draw(page)
    if sheet.title:
        _write(pen, (_MARGIN, _MARGIN), sheet.title, text + 4, width - 2 * _MARGIN, _INK)
    for number, tile in enumerate(sheet.tiles):
        left = _MARGIN + number % columns * (cell + _MARGIN)
        top = _MARGIN + title + number // columns * (row + _MARGIN)
        _draw_tile(page, pen, tile, (left, top), cell, text)
    out = io.BytesIO()
    page.save(out, "PNG", compress_level=3)
    return Rendered(out.getvalue(), "png", width, height)


def _draw_tile(
    page: Image.Image, pen: ImageDraw.ImageDraw, tile: Tile, place: tuple[int, int], cell: int, text: int
) -> None:
    left, top = place
    picture = _picture(tile.picture, cell)
    if picture is not None:
        page.paste(picture, (left + (cell - picture.width) // 2, top + (cell - picture.height) // 2))
    else:
        pen.rectangle((left, top, left + cell - 1, top + cell - 1), fill=_CELL)
        _write(pen, (left + 6, top + cell // 2 - text // 2), tile.placeholder, text, cell - 12, _FAINT)
    _write(pen, (left, top + cell + text // 3), tile.label, text, cell, _INK)


def _picture(data: bytes, cell: int) -> Image.Image | None:
    if not data:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=_KINDS) as image:
            image.load()
            picture = over_checks(image)
    except (OSError, ValueError, SyntaxError):
        return None
    picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
    return picture


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    room: int,
    ink: tuple[int, int, int],
) -> None:
    """One line, cut in the middle where it does not fit."""
    font = _font(size)
    line = safe(text)
    keep = max(2, _NARROWEST * room // size) // 2  # more would not fit, whatever the letters
    if len(line) > 2 * keep + 1:
        line = f"{line[:keep]}…{line[-keep:]}"
    while len(line) > 3 and pen.textlength(line, font) > room:
        keep = (len(line) - 2) // 2
        line = f"{line[:keep]}…{line[-keep:]}"
    pen.text(place, line, fill=ink, font=font)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
