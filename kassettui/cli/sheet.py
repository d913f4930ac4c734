"""`contact-sheet`: many pictures on one, in a file or in the terminal (media P11)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.pictures import ask, look_of, look_options, verdict_code, write_file
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.cli.picture_sources import PictureSource
    from kassettui.jobs.control import Control
    from kassettui.media.facts import Look, Tile

_MOST: Final = 1000
_MARK: Final = "! "


@command(
    "contact-sheet",
    examples=(
        ("kassettui contact-sheet /shows/abc/plates -o plates.png", "All that lies in a directory."),
        ("kassettui contact-sheet 'shot:sh010 kind:sequence' -o sh010.png", "All that a query finds."),
        ("kassettui contact-sheet comp/beauty.#.exr -o beauty.png", "One sequence: its frames."),
        ("kassettui contact-sheet comp", "In the terminal."),
    ),
)
@click.argument("what", nargs=-1, required=True, type=click.Path(), metavar="SEL|PATH...")
@click.option(
    "-o", "output", metavar="FILE", type=click.Path(), help="Where to: a .png. Without: the terminal."
)
@click.option(
    "--size", type=click.IntRange(32, 2048), default=256, show_default=True, help="Each picture, pixels."
)
@click.option("--columns", type=click.IntRange(1, 100), help="Pictures in a row; else as square as it goes.")
@click.option(
    "--most", type=click.IntRange(1, _MOST), default=100, show_default=True, help="Pictures at most."
)
@click.option("--title", default="", help="Written above the pictures.")
@look_options
@pass_invocation
def contact_sheet(
    invocation: Invocation,
    /,
    what: tuple[str, ...],
    output: str | None,
    size: int,
    columns: int | None,
    most: int,
    title: str,
    layer: str,
    exposure: float,
    display: str,
    view: str,
    alpha: bool,
    frame: int | None,
) -> int:
    """Many pictures on one sheet.

    A single sequence gives its frames, evenly. What cannot be drawn has its place and its reason; then the
    exit code is 4, and 5 where files are damaged.
    """
    if output is not None and not output.lower().endswith(".png"):
        raise InvalidInput(f"{output} is no .png.", remedy="Name the file that way.")
    if output is None and not invocation.output.terminal:
        raise InvalidInput("There is no terminal to draw in.", remedy="Write a file with -o sheet.png.")
    from kassettui.cli.picture_sources import sources_of
    from kassettui.media.messages import Sheet

    look = look_of(layer, exposure, display, view, alpha)
    sources = sources_of(invocation, what, frame=frame, spread=most)
    if len(sources) > most:
        invocation.people.warn(f"{len(sources)} pictures, of which the first {most} are drawn (--most).")
    tiles, code = _tiles(invocation, sources[:most], size, look)
    across = columns or max(1, round((len(tiles) * 1.5) ** 0.5))
    sheet = ask(invocation, "the sheet", Sheet(tuple(tiles), min(across, len(tiles)), size, title))
    if output is None:
        from kassettui.cli.preview import draw_bytes

        draw_bytes(invocation, sheet.data, "auto")
        return code
    write_file(output, sheet.data)
    if invocation.flags.json:
        invocation.output.document(
            "contact_sheet",
            {
                "output": os.path.abspath(output),
                "width": sheet.width,
                "height": sheet.height,
                "pictures": sum(bool(tile.picture) for tile in tiles),
                "failed": sum(not tile.picture for tile in tiles),
            },
        )
    return code


def _tiles(
    invocation: Invocation, sources: Sequence[PictureSource], size: int, look: Look
) -> tuple[list[Tile], ExitCode]:
    """Every source as a tile, kept in the cache on the way; and how it went."""
    from kassettui.cli.background import in_background
    from kassettui.media.facts import Tile
    from kassettui.media.messages import Failed, FailureCode

    workspace = invocation.workspace(read_only=True)
    with invocation.people.progress("pictures") as shown:

        def work(control: Control, tell: Callable[[Any], None]) -> list[Any]:
            return _fetch(workspace.thumbnails, sources, size, look, control, tell)

        def heard(done: int) -> None:
            if shown is not None:
                shown.update("draw", done, len(sources))

        pictures = in_background(
            invocation.interruption, workspace.jobs, "pictures", work, heard, kind="sheet", queue="decode"
        )
    tiles, code = [], ExitCode.DONE
    for source, picture in zip(sources, pictures, strict=True):
        extension = os.path.splitext(source.path)[1].lstrip(".") or "file"
        if isinstance(picture, Failed):
            invocation.people.warn(f"{source.label}: {picture.reason}")
            unsupported = picture.code is FailureCode.UNSUPPORTED
            code = max(code, ExitCode.PARTIAL if unsupported else ExitCode.DAMAGED)
            reason = extension if unsupported else f"{extension}: {picture.reason}"
            tiles.append(Tile(label=source.label, placeholder=reason))
        else:
            whole = verdict_code(invocation, source.label, picture) is ExitCode.DONE
            code = code if whole else ExitCode.DAMAGED
            tiles.append(Tile(picture.data, source.label if whole else f"{_MARK}{source.label}"))
    return tiles, code


def _fetch(
    thumbnails: Any,
    sources: Sequence[PictureSource],
    size: int,
    look: Look,
    control: Control,
    tell: Callable[[Any], None],
) -> list[Any]:
    """The pictures, in order; those of a kept size come from the cache and go there."""
    from kassettui.media.decoders import Stamp
    from kassettui.media.messages import Failed, FailureCode
    from kassettui.media.sequences import wait_for
    from kassettui.media.thumbnails import Wanted, target_for
    from kassettui.media.waiting import Priority

    target = target_for(size)
    claims: list[Any] = []
    try:
        for source in sources:
            try:
                wanted = Wanted(Stamp.of(source.path), target, look, source.frame)
            except OSError as error:
                claims.append(Failed(FailureCode.GONE, error.strerror or "cannot be read"))
                continue
            claims.append(thumbnails.fetch(wanted, Priority.NEAR))
        pictures = []
        for number, claim in enumerate(claims, start=1):
            pictures.append(claim if isinstance(claim, Failed) else wait_for(claim, control))
            tell(number)
        return pictures
    finally:
        for claim in claims:
            if not isinstance(claim, Failed):
                claim.cancel()
