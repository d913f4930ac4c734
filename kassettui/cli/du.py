"""`du`: what assets take on disk, by version, shot or collection, hard links counted once (spec: cli)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column
from kassettui.core.versions import without_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kassettui.jobs.control import Control
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.usage import AssetFiles, Share

_BAR: Final = 20
_SLICE: Final = 2_000
_BY: Final = ("collection", "shot", "version")


def _bar(row: Any) -> str:
    filled: int = round(_BAR * row["share"])
    return "█" * filled + "·" * (_BAR - filled)


_COLUMNS: Final = (
    Column("label", "", shrinks=True),
    Column("assets", "assets", shown=wording.number, right=True, rank=2),
    Column("files", "files", shown=wording.number, right=True, rank=1),
    Column("bytes", "size", shown=wording.size, right=True),
    Column("share", "", of_row=_bar, plain=lambda share: f"{share:.4f}", rank=1),
    Column("reclaimable", "reclaimable", shown=wording.size, right=True, rank=3),
    Column("missing", "not found", shown=wording.number, right=True, rank=4),
)


@command(
    "du",
    examples=(
        ("kassettui du", "By collection."),
        ("kassettui du --by version 'shot:sh020 task:comp'", "What each version of a shot's comp takes."),
        ("kassettui du --by shot --json", "For a machine."),
    ),
)
@click.argument("query", nargs=-1)
@click.option(
    "--by", type=click.Choice(_BY), default="collection", show_default=True, help="One line for each."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The largest N only.")
@pass_invocation
def du(invocation: Invocation, /, query: tuple[str, ...], by: str, limit: int | None) -> None:
    """What assets take on disk.

    Every file is asked, a hard link counts once. Without QUERY all assets. Reclaimable is what the disk would
    get back if all of them went.
    """
    from kassettui.cli.background import in_background
    from kassettui.library import usage

    workspace = invocation.workspace(read_only=True)
    library = workspace.library
    text = " ".join(query)

    def work(control: Control, tell: Callable[[Any], None]) -> list[Share]:
        assets = library.read(_selected, text)
        label = {"collection": _collection, "shot": _shot, "version": _version}[by]
        return usage.report(_told(assets, tell), label, control.checkpoint)

    with invocation.people.progress("du") as shown:

        def heard(progress: tuple[int, int]) -> None:
            if shown is not None:
                shown.update(phase="asking the disk", done=progress[0], total=progress[1])

        shares = in_background(invocation.interruption, workspace.jobs, "du", work, heard, kind="du")
    _print(invocation, by, shares[:limit], sum(share.measured.size for share in shares))


def _told(assets: list[AssetFiles], tell: Callable[[Any], None]) -> Iterator[AssetFiles]:
    """The assets, while somebody hears how far it is."""
    for number, asset in enumerate(assets):
        if number % _SLICE == 0:
            tell((number, len(assets)))
        yield asset


def _selected(db: LibraryDatabase, query: str) -> list[AssetFiles]:
    from kassettui.library import search, usage

    ids = search.ids(db, query)
    return [
        one
        for start in range(0, len(ids), _SLICE)
        for one in usage.asset_files(db, ids[start : start + _SLICE])
    ]


def _collection(asset: AssetFiles) -> str:
    return asset.collection


def _shot(asset: AssetFiles) -> str:
    return asset.shot or "(no shot)"


def _version(asset: AssetFiles) -> str:
    if asset.version is None:
        return "(no version)"
    role = without_version(os.path.basename(asset.path))
    return f"{asset.shot or asset.collection} {role} v{asset.version:03}"


def _print(invocation: Invocation, by: str, shares: list[Share], total: int) -> None:
    rows = [
        {
            "label": share.label,
            "assets": share.assets,
            "files": share.measured.files,
            "missing": share.measured.missing,
            "bytes": share.measured.size,
            "allocated": share.measured.allocated,
            "reclaimable": share.measured.reclaimable,
            "share": share.measured.size / total if total else 0.0,
        }
        for share in shares
    ]
    if invocation.flags.json:
        invocation.output.document("du", {"by": by, "bytes": total, "items": rows})
        return
    invocation.output.table(_COLUMNS, rows)
    invocation.people.note(f"{wording.size(total)} in all.")
