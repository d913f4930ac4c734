"""`undo`: take back what was done last, or do it again (spec: files F12)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import file_values, wording
from kassettui.cli.file_work import Wish, tell, watched
from kassettui.cli.files import dry_run_option, fallback_option, lines_option
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column
from kassettui.core.errors import ExitCode, NotFound

if TYPE_CHECKING:
    from kassettui.files.operations import FileOperations
    from kassettui.library.journal import Entry

_ROWS: Final = (
    Column("job", "job"),
    Column("finished_at", "when", shown=lambda text: text[:19].replace("T", " "), rank=1),
    Column("kind", "what", rank=2),
    Column("title", "", shrinks=True),
)


@command(
    "undo",
    examples=(
        ("kassettui undo", "Take back the last thing."),
        ("kassettui undo --list", "What could be taken back, and what done again."),
        ("kassettui undo 3f2a9c", "Take back that one."),
        ("kassettui undo --redo", "Do again what was taken back last."),
    ),
)
@click.argument("job", required=False)
@click.option("--list", "listing", is_flag=True, help="List what can be undone and redone.")
@click.option("--redo", is_flag=True, help="Do again what was undone last.")
@fallback_option
@dry_run_option
@lines_option
@pass_invocation
def undo(
    invocation: Invocation,
    /,
    job: str | None,
    listing: bool,
    redo: bool,
    fallback_trash: bool,
    dry_run: bool,
    json_lines: bool,
) -> int:
    """Undo renames, moves, copies (to the trash), trash, new directories, tags, ratings, folders, best
    versions.

    When something has changed since, it says so and does nothing.
    """
    invocation.streams = json_lines
    invocation.failure_type = "undo"
    files = invocation.workspace().files
    if listing:
        return _list(invocation, files)
    entry = _chosen(files, job, redo=redo)
    plan = files.undo_plan(entry, fallback_trash=fallback_trash)
    if plan is None:
        return _rows(invocation, files, entry, dry_run=dry_run)
    if dry_run:
        invocation.output.document("undo", {"status": "dry_run", **file_values.plan_fields(plan)})
        return ExitCode.DONE
    began = time.monotonic()
    result = watched(invocation, files, lambda: files.submit(plan), "undo")
    return tell(invocation, result, plan, Wish("undo", verb="put back"), began)


def _chosen(files: FileOperations, job: str | None, *, redo: bool) -> Entry:
    """What is to be undone or redone. Raises NotFound, Ambiguous."""
    if job is not None:
        return files.find(job)
    stack = files.redo_stack(1) if redo else files.undo_stack(1)
    if not stack:
        raise NotFound(f"There is nothing to {'redo' if redo else 'undo'}.")
    return stack[0]


def _rows(invocation: Invocation, files: FileOperations, entry: Entry, *, dry_run: bool) -> int:
    """A change of tags, ratings and the like."""
    if not dry_run:
        files.undo_rows(entry)
    fields: dict[str, Any] = {
        "status": "dry_run" if dry_run else "success",
        "job": entry.uuid,
        "title": entry.title,
    }
    if invocation.flags.json or invocation.streams:
        invocation.output.document("summary" if invocation.streams else "undo", fields)
    else:
        invocation.people.note(f"{entry.title}: {'would be ' if dry_run else ''}undone.")
    return ExitCode.DONE


def _list(invocation: Invocation, files: FileOperations) -> int:
    undoable, redoable = files.undo_stack(), files.redo_stack()
    rows = [{**file_values.entry_fields(entry, entry.state), "redo": False} for entry in undoable]
    rows += [{**file_values.entry_fields(entry, entry.state), "redo": True} for entry in redoable]
    if invocation.flags.json:
        invocation.output.json_list("undo", rows)
        return ExitCode.DONE
    invocation.output.table(_ROWS, [row for row in rows if not row["redo"]])
    if redoable:
        invocation.people.note(f"{wording.plural(len(redoable), 'thing')} can be done again with --redo.")
    return ExitCode.DONE
