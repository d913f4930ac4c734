"""`thumb`: a picture of an asset or a file into a file, and the cache of thumbnails (media P8)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.pictures import ask, look_of, look_options, verdict_code, write_file
from kassettui.cli.tables import Fact
from kassettui.core.errors import Ambiguous, ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.thumbnail_file import ThumbnailFile
    from kassettui.media.messages import Encoding

_CACHE_WORD: Final = "cache"
_STDOUT: Final = "-"


@command(
    "thumb",
    examples=(
        ("kassettui thumb comp/beauty.#.exr -o beauty.jpg", "The frame that stands for a sequence."),
        ("kassettui thumb 3f2a -o n.png --layer N --size 1024", "An asset's normals."),
        ("kassettui thumb plate.1001.exr -o - --exposure 2 > p.png", "Two stops brighter, to a pipe."),
        ("kassettui thumb cache info", "What the cache holds; also clean, vacuum and clear."),
    ),
)
@click.argument("what", nargs=-1, required=True, type=click.Path(), metavar="SEL|PATH|cache VERB")
@click.option("-o", "output", metavar="FILE", type=click.Path(), help="Where to: .jpg or .png; - for stdout.")
@click.option(
    "--size", type=click.IntRange(1, 16384), default=256, show_default=True, help="Longer side, pixels."
)
@look_options
@pass_invocation
def thumb(
    invocation: Invocation,
    /,
    what: tuple[str, ...],
    output: str | None,
    size: int,
    layer: str,
    exposure: float,
    display: str,
    view: str,
    alpha: bool,
    frame: int | None,
) -> int:
    """A picture of an asset or a file, into a file.

    Exits 5 when the file is not whole: what there is of it is drawn. `thumb cache info|clean|vacuum|clear`
    looks after the pictures that are kept.
    """
    if what[0] == _CACHE_WORD and len(what) == 2 and what[1] in _VERBS and output is None:
        return _VERBS[what[1]](invocation, invocation.workspace(read_only=True).thumbnail_file)
    if output is None:
        raise InvalidInput("thumb writes a file.", remedy="kassettui thumb PATH -o picture.png")
    from kassettui.cli.picture_sources import sources_of
    from kassettui.media.messages import Render

    look = look_of(layer, exposure, display, view, alpha)
    found = sources_of(invocation, what, frame=frame)
    if len(found) > 1:
        raise Ambiguous(
            f"{' '.join(what)} is {len(found)} pictures.", remedy="Make them one: kassettui contact-sheet."
        )
    source = found[0]
    request = Render(os.fsencode(source.path), size, size, look, source.frame, encoding=_encoding(output))
    picture = ask(invocation, source.label, request)
    if output == _STDOUT:
        invocation.output.raw(picture.data)
        return verdict_code(invocation, source.label, picture)
    write_file(output, picture.data)
    if invocation.flags.json:
        invocation.output.document(
            "thumb",
            {
                "path": source.path,
                "output": os.path.abspath(output),
                "width": picture.width,
                "height": picture.height,
                "state": str(picture.state),
                "reason": picture.reason,
            },
        )
    return verdict_code(invocation, source.label, picture)


def _encoding(output: str) -> Encoding:
    from kassettui.media.messages import Encoding

    extension = os.path.splitext(output)[1].lower()
    if output == _STDOUT or extension == ".png":
        return Encoding.PNG
    if extension in {".jpg", ".jpeg"}:
        return Encoding.JPEG
    raise InvalidInput(f"{output} is neither a .jpg nor a .png.", remedy="Name the file that way.")


# -- the cache ----------------------------------------------------------------------------------------------


def _info(invocation: Invocation, cache: ThumbnailFile) -> int:
    info = cache.info()
    if invocation.flags.json:
        invocation.output.document(
            "thumb_cache",
            {
                "path": info.path,
                "pictures": info.pictures,
                "failures": info.failures,
                "picture_bytes": info.picture_bytes,
                "file_bytes": info.file_bytes,
                "limit_bytes": info.limit_bytes,
                "problem": cache.problem,
            },
        )
        return ExitCode.DONE
    facts = [
        Fact("file", info.path),
        Fact("pictures", f"{wording.number(info.pictures)}, {wording.size(info.picture_bytes)}"),
        Fact("failures", wording.number(info.failures)),
        Fact("on disk", f"{wording.size(info.file_bytes)} of {wording.size(info.limit_bytes)}"),
    ]
    if cache.problem:
        facts.append(Fact("problem", cache.problem, "bad"))
    invocation.output.facts(facts)
    return ExitCode.DONE


def _clean(invocation: Invocation, cache: ThumbnailFile) -> int:
    return _removed(invocation, cache, cache.clean())


def _clear(invocation: Invocation, cache: ThumbnailFile) -> int:
    return _removed(invocation, cache, cache.clear())


def _removed(invocation: Invocation, cache: ThumbnailFile, count: int) -> int:
    if invocation.flags.json:
        invocation.output.document("thumb_cache", {"removed": count, "problem": cache.problem})
    invocation.people.note(f"Removed {wording.plural(count, 'entry', 'entries')}.")
    return _outcome(invocation, cache)


def _vacuum(invocation: Invocation, cache: ThumbnailFile) -> int:
    freed = cache.vacuum()
    if invocation.flags.json:
        invocation.output.document("thumb_cache", {"freed_bytes": freed, "problem": cache.problem})
    invocation.people.note(f"Freed {wording.size(freed)}.")
    return _outcome(invocation, cache)


def _outcome(invocation: Invocation, cache: ThumbnailFile) -> int:
    if cache.problem:
        invocation.people.warn(cache.problem)
        return ExitCode.FAILED
    return ExitCode.DONE


_VERBS: Final[dict[str, Callable[[Invocation, ThumbnailFile], int]]] = {
    "info": _info,
    "clean": _clean,
    "vacuum": _vacuum,
    "clear": _clear,
}
