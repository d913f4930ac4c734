"""`trash`: what lies in the trash of every volume, back or gone for good (spec: files F11)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import file_values, wording
from kassettui.cli.file_work import carry_out
from kassettui.cli.files import conflict_option, dry_run_option, lines_option, plans_of, wish_of
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column
from kassettui.core.errors import NotFound

if TYPE_CHECKING:
    from kassettui.files.plan import Answers, Plan
    from kassettui.files.trash import Trashed
    from kassettui.library.library import Library

_ROWS: Final = (
    Column("deleted_at", "thrown away", shown=lambda text: text.replace("T", " ")),
    Column("path", "was", shrinks=True),
    Column("trash", "trash", shrinks=True, rank=2),
    Column("name", "there as", rank=3),
)


@group(
    "trash",
    examples=(
        ("kassettui trash ls", "What lies in the trash of every volume."),
        ("kassettui trash restore /shows/abc/plate.0001.exr", "Back to where it was."),
        ("kassettui trash empty --older 30", "Gone for good: what was thrown away 30 days ago or earlier."),
    ),
)
def trash() -> None:
    """The trash of every volume, by the freedesktop rules."""


def _things(library: Library | None) -> list[Trashed]:
    from kassettui.files.trash import cans, listed
    from kassettui.library import journal

    also = tuple(library.read(journal.fallback_trashes)) if library is not None else ()
    found = [thing for can in cans(also) for thing in listed(can)]
    return sorted(found, key=lambda thing: (thing.deleted_at, thing.original), reverse=True)


@trash.command("ls", examples=(("kassettui trash ls /shows/abc", "Only what was below there."),))
@click.argument("below", required=False, type=click.Path(), metavar="[DIRECTORY]")
@pass_invocation
def ls(invocation: Invocation, /, below: str | None) -> None:
    """List what lies in the trash, the newest first."""
    _, _, library = plans_of(invocation, dry_run=True)
    things = _below(_things(library), below)
    rows = [file_values.trashed_fields(thing) for thing in things]
    if invocation.flags.json:
        invocation.output.json_list("trash", rows)
    else:
        invocation.output.table(_ROWS, rows)


def _below(things: list[Trashed], directory: str | None) -> list[Trashed]:
    if directory is None:
        return things
    place = os.path.abspath(directory)
    return [
        thing
        for thing in things
        if thing.original == place or thing.original.startswith(place.rstrip("/") + "/")
    ]


@trash.command(
    "restore", examples=(("kassettui trash restore plate.0001.exr --to /tmp/rescued", "To another place."),)
)
@click.argument("words", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option("--to", default="", type=click.Path(), help="Put it into this directory instead.")
@conflict_option
@dry_run_option
@lines_option
@pass_invocation
def restore(
    invocation: Invocation, /, words: tuple[str, ...], to: str, json_lines: bool, **given: Any
) -> int:
    """Bring things back to where they were; of several with that name, the one thrown away last.

    PATH is where it was, or a directory that held it, or the name it has in the trash.
    """
    invocation.streams = json_lines
    plans, files, library = plans_of(invocation, dry_run=given["dry_run"])
    things = _things(library)
    chosen: dict[str, Trashed] = {}
    for word in words:
        path = os.path.abspath(word)
        found = [thing for thing in things if thing.original == path or os.path.basename(thing.path) == word][
            :1
        ]
        found = found or _below(things, word)
        if not found:
            raise NotFound(f"{word} is not in the trash.", remedy="kassettui trash ls lists what is.")
        for thing in found:
            chosen.setdefault(thing.original, thing)

    def make(answers: Answers) -> Plan:
        return plans.restore(list(chosen.values()), os.path.abspath(to) if to else "", answers)

    return carry_out(invocation, files, make, wish_of("restore", given, verb="restored"))


@trash.command("empty", examples=(("kassettui trash empty --yes", "All of it, without a question."),))
@click.option("--older", type=click.IntRange(min=0), default=0, metavar="DAYS", help="Only what is older.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@dry_run_option
@pass_invocation
def empty(invocation: Invocation, /, older: int, yes: bool, dry_run: bool) -> int:
    """Delete for good what lies in the trash."""
    from kassettui.cli.file_work import confirm_deletion
    from kassettui.files import emptying

    invocation.failure_type = "trash"
    _, _, library = plans_of(invocation, dry_run=True)
    things = emptying.older_than(_things(library), older)
    files, size = emptying.measure(things)
    what = f"{wording.plural(len(things), 'thing')}, {wording.plural(files, 'file')}, {wording.size(size)}"
    fields = {
        "status": "dry_run" if dry_run else "success",
        "things": len(things),
        "files": files,
        "bytes": size,
    }
    if things and not dry_run:
        if not confirm_deletion(invocation, f"Delete {what} for good?", yes=yes):
            return 0
        failed = emptying.empty(things)
        for message in failed:
            invocation.people.error(message)
        fields |= {"failed": len(failed)}
        if failed:
            fields["status"] = "partial"
    if invocation.flags.json:
        invocation.output.document("trash", fields)
    else:
        invocation.people.note(f"{what}{' would be' if dry_run else ''} deleted.")
    return 4 if fields.get("failed") else 0
