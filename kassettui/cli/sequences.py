"""`seq`: image sequences on disk, for everybody; no library is looked at."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.states import health_style, health_words
from kassettui.cli.tables import Column
from kassettui.core.errors import ExitCode, NotFound, SourceOffline
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.cli.output import Output
    from kassettui.core.sequences import FrameGroup, Single

NOTATIONS: Final = ("native", "nuke", "rv", "houdini", "ffmpeg", "glob", "fileseq")

_COLUMNS: Final = (
    Column("name", "name", shrinks=True),
    Column("frames", "frames", shown=wording.number, right=True),
    Column("holes", "missing", shown=lambda ranges: ranges or "–", shrinks=True, rank=1),
    Column("size", "size", shown=wording.size, right=True, rank=2),
    Column("state", "health", shown=health_words, style=health_style),
)


@group("seq")
def seq() -> None:
    """Image sequences on disk; needs no library."""


@seq.command(
    "ls",
    examples=(
        ("kassettui seq ls", "The sequences and files of this directory."),
        ("kassettui seq ls -r -s /shows/abc", "Only sequences, of everything below."),
        ("kassettui seq ls --format nuke -s comp", "As Nuke writes them: beauty.%04d.exr."),
        ("kassettui seq ls --json | jq '.items[] | select(.hole_count > 0)'", "Those with holes."),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@click.option(
    "-r", "--recursive", is_flag=True, help="Everything below, too; hidden directories are left out."
)
@click.option("-s", "--sequences", "only", is_flag=True, help="Sequences only, no single files.")
@click.option(
    "--format",
    "notation",
    type=click.Choice(NOTATIONS),
    help="One pattern a line, as that program writes it.",
)
@click.option("-0", "--null", is_flag=True, help="End each pattern with NUL instead of a newline.")
@click.option("--subframes", is_flag=True, help="Read beauty.1001.25.exr as frame 1001.25.")
@click.option("--udim", is_flag=True, help="Tiles 1001–1999 are UDIM, not frames.")
@pass_invocation
def ls(
    invocation: Invocation,
    paths: tuple[str, ...],
    recursive: bool,
    only: bool,
    notation: str | None,
    null: bool,
    subframes: bool,
    udim: bool,
) -> int:
    """List the sequences and single files of directories.

    One line a sequence, with its frames, holes, size and health as far as names, sizes and times tell.
    """
    listing = _Listing(
        invocation, paths or (".",), recursive=recursive, only=only, subframes=subframes, udim=udim
    )
    if invocation.flags.json:
        invocation.output.json_list("sequences", listing.rows())
    elif notation is not None or null:
        invocation.output.paths(listing.patterns(notation or "native"), null=null)
    elif invocation.output.terminal:
        listing.show(invocation.output)
    else:
        invocation.output.table(_COLUMNS, listing.rows())
    return listing.code


class _Listing:
    """Walks the directories; what cannot be read is a warning, and exit 4 where something else could."""

    def __init__(
        self,
        invocation: Invocation,
        paths: Sequence[str],
        *,
        recursive: bool,
        only: bool,
        subframes: bool,
        udim: bool,
    ) -> None:
        self._people = invocation.people
        self._paths = paths
        self._recursive = recursive
        self._only = only
        self._reading = {"subframes": subframes, "udim": udim}
        self._many = recursive or len(paths) > 1
        self.code = ExitCode.DONE

    def rows(self) -> Iterator[dict[str, Any]]:
        """Sequences and files in the order of their names, directory by directory."""
        for directory, rows in self._directories():
            for row in rows:
                if self._many:
                    row["name"] = os.path.join(self._shown(directory), row["name"])
                yield row

    def show(self, output: Output) -> None:
        """A table for each directory, under its name where there are several."""
        first = True
        for directory, rows in self._directories():
            if not rows:
                continue
            if self._many:
                output.text("" if first else "\n")
                output.line(f"{safe(directory)}:", "strong")
            output.table(_COLUMNS, rows)
            first = False

    def _directories(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        now = time.time_ns()
        for directory, groups, singles, sizes in self._found():
            rows = [_sequence_row(directory, each, now) for each in groups]
            rows += [_file_row(directory, each, sizes[each.name]) for each in singles]
            rows.sort(key=lambda row: row["name"])
            yield directory, rows

    def patterns(self, notation: str) -> Iterator[str]:
        """The same as patterns of that notation, with their directories as they were given."""
        from kassettui.core.patterns import Notation, Pattern

        for directory, groups, singles, _sizes in self._found():
            shown = self._shown(directory)
            yield from (Pattern.of(each, shown).text(Notation(notation)) for each in groups)
            yield from (os.path.join(shown, each.name) for each in singles)

    def _found(self) -> Iterator[tuple[str, Sequence[FrameGroup], Sequence[Single], dict[str, int]]]:
        from kassettui.cli.disk import directories_below, read_directory

        good = bad = 0
        for path in self._paths:
            for directory in directories_below(path) if self._recursive else (path,):
                try:
                    grouping, sizes = read_directory(directory, **self._reading)
                except (NotFound, SourceOffline) as error:
                    if not self._many:
                        raise
                    bad += 1
                    self._people.warn(error.message)
                    continue
                good += 1
                self._warn(directory, grouping.warnings)
                yield (
                    directory,
                    grouping.groups,
                    () if self._only else grouping.singles + grouping.strays,
                    sizes,
                )
        if bad:
            self.code = ExitCode.PARTIAL if good else ExitCode.NOT_FOUND

    def _warn(self, directory: str, warnings: Sequence[str]) -> None:
        for warning in warnings:
            self._people.warn(f"{directory}: {warning}")

    @staticmethod
    def _shown(directory: str) -> str:
        return "" if directory == "." else directory.removeprefix("./")


def _sequence_row(directory: str, each: FrameGroup, now: int) -> dict[str, Any]:
    from kassettui.core.health import examine
    from kassettui.core.patterns import Pattern

    health = examine(each, now)
    sizes, mtimes = each.sizes or (), each.mtimes or ()
    return {
        "name": Pattern.of(each).text(),
        "kind": "sequence",
        "path": os.path.abspath(os.path.join(directory, each.pattern)),
        "frames": len(each.frames),
        "frame_ranges": each.ranges.text,
        "frame_first": each.ranges.first,
        "frame_last": each.ranges.last,
        "frame_step": each.ranges.step,
        "frame_padding": each.padding,
        "padding_assumed": each.padding_assumed,
        "hole_count": health.holes.count,
        "holes": health.holes.text,
        "size": sum(sizes),
        "mtime": wording.iso_ns(max(mtimes, default=0)),
        "version": each.version,
        "state": str(health.state),
        "counts": {str(state): count for state, count in health.counts.items()},
        "bad_padding": _named(each.bad_padding),
        "duplicate_frames": _named(each.duplicate_frames),
        "warnings": list(each.warnings),
    }


def _file_row(directory: str, each: Single, size: int) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": str(each.kind),
        "path": os.path.abspath(os.path.join(directory, each.name)),
        "size": size,
        "version": each.version,
    }


def _named(names: Sequence[str]) -> list[dict[str, str]]:
    """Names as objects, so that each can carry its bytes where it is not UTF-8."""
    return [{"name": name} for name in names]
