"""`preview`: a picture in the terminal, as well as the terminal can (media P12, P13).

Drawing is done by textual-image's renderables; what the terminal can is asked by our own probe before they
are imported, for theirs would ask again, and badly.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.pictures import answer_to, ask, look_of, look_options, verdict_code
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.cli.picture_sources import PictureSource
    from kassettui.cli.tables import Fact
    from kassettui.media.graphics import Graphics, Images
    from kassettui.media.messages import Rendered

_ROWS_LEFT: Final = 2
_GROW: Final = 2.0
_CHOICES: Final = ("auto", "kitty", "sixel", "halfblock", "none")


@command(
    "preview",
    examples=(
        ("kassettui preview comp/beauty.#.exr", "The frame that stands for a sequence."),
        ("kassettui preview plate.1001.exr --exposure 1.5", "One frame, brighter."),
        ("kassettui preview cut.mov --frame 240", "A movie's frame."),
    ),
)
@click.argument("what", nargs=-1, required=True, type=click.Path(), metavar="PATH|SEL...")
@click.option("--images", type=click.Choice(_CHOICES), help="How to draw; else as the settings say.")
@click.option("--width", type=click.IntRange(1, 1000), help="Columns to draw in at most.")
@look_options
@pass_invocation
def preview(
    invocation: Invocation,
    /,
    what: tuple[str, ...],
    images: str | None,
    width: int | None,
    layer: str,
    exposure: float,
    display: str,
    view: str,
    alpha: bool,
    frame: int | None,
) -> int:
    """Draw pictures in the terminal.

    Exits 5 when a file is not whole: what there is of it is drawn. Without a terminal, or with `--images
    none`, only what is known of the picture is printed.
    """
    from kassettui.cli.picture_sources import sources_of
    from kassettui.media.messages import Encoding, Render

    look = look_of(layer, exposure, display, view, alpha)
    setting = "none" if invocation.flags.json else images or invocation.settings.screen.images
    canvas = Canvas(invocation, setting, width)
    code, rows = ExitCode.DONE, []
    for source in sources_of(invocation, what, frame=frame):
        request = Render(
            os.fsencode(source.path), *canvas.pixels, look, source.frame, encoding=Encoding.RAW, grow=_GROW
        )
        picture = ask(invocation, source.label, request)
        code = max(code, verdict_code(invocation, source.label, picture))
        row = _row(invocation, source, picture)
        rows.append(row)
        if not invocation.flags.json:
            canvas.draw(picture.data, picture.width, picture.height)
            invocation.output.facts([_caption(row)])
    if invocation.flags.json:
        invocation.output.json_list("preview", rows)
    return code


def draw_bytes(invocation: Invocation, data: bytes, images: str) -> None:
    """Draw an encoded picture of our own (a contact sheet) in the terminal. Raises InvalidInput."""
    import tempfile

    from kassettui.media.messages import Encoding, Render

    canvas = Canvas(invocation, images, None)
    if canvas.drawn_by == "none":
        raise InvalidInput("This terminal cannot show pictures.", remedy="Write a file with -o sheet.png.")
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(data)
        file.flush()
        request = Render(os.fsencode(file.name), *canvas.pixels, encoding=Encoding.RAW, grow=_GROW)
        picture = ask(invocation, "the sheet", request)
    canvas.draw(picture.data, picture.width, picture.height)


class Canvas:
    """The terminal as something to draw on."""

    def __init__(self, invocation: Invocation, setting: str, width: int | None) -> None:
        from kassettui.media import graphics

        self._output = invocation.output
        terminal = self._output.terminal
        found = graphics.ask() if terminal and setting != "none" else graphics.Graphics()
        self.drawn_by: Images = (
            graphics.choose(setting, found, os.environ) if terminal else graphics.Images.NONE
        )
        self._found: Graphics = found
        self._columns = min(width or self._output.width, self._output.width)
        try:
            self._rows = max(1, os.get_terminal_size(1).lines - _ROWS_LEFT)
        except OSError:
            self._rows = 24 - _ROWS_LEFT

    @property
    def pixels(self) -> tuple[int, int]:
        """The most pixels that can be shown: half blocks have two a cell."""
        if self.drawn_by == "halfblock":
            return self._columns * 2, self._rows * 4  # twice what is seen: the last step averages
        width, height = self._found.cell
        return min(4096, self._columns * width), min(4096, self._rows * height)

    def draw(self, data: bytes, width: int, height: int) -> None:
        """Packed RGB rows, as large as fits."""
        if self.drawn_by == "none":
            return
        renderable = _renderable(self.drawn_by, data, (width, height), self._found.cell, self._rows)
        self._output.drawing(_drawn(renderable, self._columns, self._rows))


def _renderable(kind: Images, data: bytes, size: tuple[int, int], cell: tuple[int, int], rows: int) -> object:
    classes = _classes(cell)
    width, height = size
    picture = io.BytesIO(b"P6 %d %d 255\n" % size + data)  # a PPM: the plainest picture there is
    columns = max(1, -(-width // cell[0]))
    if kind == "halfblock":
        columns = max(1, width // 2)
    lines = max(1, round(columns * cell[0] * height / width / cell[1]))
    if lines > rows:
        columns, lines = max(1, columns * rows // lines), rows
    return classes[kind](picture, width=columns, height=lines)


def _classes(cell: tuple[int, int]) -> dict[str, Any]:
    """textual-image's renderables, imported without letting them ask the terminal."""
    stdout = sys.__stdout__
    sys.__stdout__ = None  # type: ignore[misc] # it asks only where it sees a terminal
    try:
        from textual_image import _terminal, renderable
    finally:
        sys.__stdout__ = stdout  # type: ignore[misc]
    _terminal.get_cell_size._result = _terminal.CellSize(*cell)  # type: ignore[attr-defined]
    return {
        "kitty": renderable.TGPImage,
        "sixel": renderable.SixelImage,
        "halfblock": renderable.HalfcellImage,
    }


def _drawn(renderable: object, columns: int, rows: int) -> bytes:
    """What the renderable sends to a terminal with true colour, all of it, in order."""
    from rich.console import Console

    sent = io.StringIO()
    stdout = sys.__stdout__
    sys.__stdout__ = sent  # type: ignore[misc,assignment] # kitty's pictures are sent past the console
    try:
        console = Console(
            file=sent, force_terminal=True, color_system="truecolor", width=columns, height=rows + _ROWS_LEFT
        )
        console.print(renderable, end="")
    finally:
        sys.__stdout__ = stdout  # type: ignore[misc]
    return sent.getvalue().encode()


def _row(invocation: Invocation, source: PictureSource, picture: Rendered) -> dict[str, Any]:
    """What a person asks of the picture first."""
    from kassettui.media.messages import Probe, Probed

    answer = answer_to(invocation, source.label, Probe(os.fsencode(source.path)))
    facts = answer.facts if isinstance(answer, Probed) else None
    return {
        "name": source.label,
        "path": source.path,
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "pixel_type": facts.pixel_type if facts else None,
        "compression": facts.compression if facts else None,
        "colour_space": facts.colour_space if facts else None,
        "layers": [layer.name or "rgba" for layer in facts.layers] if facts else [],
        "state": str(picture.state),
        "reason": picture.reason,
    }


def _caption(row: Mapping[str, Any]) -> Fact:
    from kassettui.cli.tables import Fact

    size = f"{row['width']} × {row['height']}" if row["width"] else ""
    words = [size, row["pixel_type"], row["compression"], row["colour_space"]]
    if row["state"] != "ok":
        words.append(row["state"].replace("_", " "))
    layers = [name for name in row["layers"] if name != "rgba"]
    if layers:
        words.append(f"layers: {' '.join(layers)}")
    return Fact(row["name"], ", ".join(word for word in words if word), "" if row["state"] == "ok" else "bad")
