"""`jobs`: the file jobs in the journal, whose process ran or runs them; resume, retry, clean up
(spec: files F8, F15).
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

import click

from kassettui.cli import file_values, wording
from kassettui.cli.file_work import Wish, tell, watched
from kassettui.cli.files import lines_option
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import ExitCode, Refused

if TYPE_CHECKING:
    from kassettui.library.journal import Entry

_ROWS: Final = (
    Column("job", "job"),
    Column("state", "state"),
    Column("kind", "what", rank=2),
    Column("done", "done", shown=wording.number, right=True, rank=1),
    Column("total", "of", shown=wording.number, right=True, rank=1),
    Column("bytes", "bytes", shown=wording.size, right=True, rank=2),
    Column("title", "", shrinks=True),
)
_STEPS: Final = (
    Column("number", "step", right=True),
    Column("state", "state"),
    Column("kind", "what"),
    Column("source", "from", shrinks=True),
    Column("destination", "to", shrinks=True),
    Column("error", "error", rank=1),
)


@group(
    "jobs",
    examples=(
        ("kassettui jobs", "The last jobs, and what was interrupted."),
        ("kassettui jobs show 3f2a9c --steps", "Every step of one, with its outcome."),
        ("kassettui jobs retry 3f2a9c", "Do what failed, or was left, once more."),
        ("kassettui jobs clean", "Settle what a crash interrupted, and remove its temps."),
    ),
    invoke_without_command=True,
)
@click.pass_context
def jobs(context: click.Context) -> None:
    """File jobs: what was done, what runs, what was interrupted."""
    if context.invoked_subcommand is None:
        context.invoke(ls)


@jobs.command("ls", examples=(("kassettui jobs ls --limit 5", "The last five."),))
@click.option("--limit", type=click.IntRange(min=1), default=30, help="How many.")
@pass_invocation
def ls(invocation: Invocation, /, limit: int = 30) -> None:
    """List jobs, the newest first; `interrupted` are those whose process is gone."""
    files = invocation.workspace(read_only=True).files
    rows = [file_values.entry_fields(entry, files.state_of(entry)) for entry in files.history(limit)]
    if invocation.flags.json:
        invocation.output.json_list("jobs", rows)
        return
    invocation.output.table(_ROWS, rows)
    if any(row["state"] == "interrupted" for row in rows):
        invocation.people.note("Interrupted: kassettui jobs retry JOB goes on, undo JOB takes back.")


@jobs.command("show", examples=(("kassettui jobs show 3f2a9c --json", "All of it, for machines."),))
@click.argument("job")
@click.option("--steps", is_flag=True, help="Every step, not only those that failed.")
@pass_invocation
def show(invocation: Invocation, /, job: str, steps: bool) -> None:
    """One job: how far it came, and which steps failed."""
    files = invocation.workspace(read_only=True).files
    entry = files.find(job)
    rows = files.steps_of(entry)
    listed = [
        {
            "number": row.number,
            "state": row.state,
            "kind": row.kind,
            "source": row.source,
            "destination": row.destination,
            "bytes": row.bytes,
            "hash": row.content_hash,
            "error": row.error,
        }
        for row in rows
        if steps or row.state == "failed"
    ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    fields = {**file_values.entry_fields(entry, files.state_of(entry)), "counts": counts, "steps": listed}
    if invocation.flags.json:
        invocation.output.document("job", fields)
        return
    invocation.output.facts(_facts(entry, fields["state"], counts))
    if listed:
        invocation.output.table(_STEPS, listed)


def _facts(entry: Entry, state: str, counts: dict[str, int]) -> list[Fact]:
    facts = [
        Fact("job", entry.uuid),
        Fact("title", entry.title),
        Fact("state", state),
        Fact("steps", ", ".join(f"{wording.number(count)} {name}" for name, count in sorted(counts.items()))),
        Fact("begun", wording.moment(entry.queued_at)),
    ]
    if entry.error:
        facts.append(Fact("error", entry.error, "bad"))
    facts += [Fact("warning", warning, "warn") for warning in entry.warnings]
    return facts


@jobs.command("retry", examples=(("kassettui jobs retry 3f2a9c", "What is done stays done."),))
@click.argument("job")
@lines_option
@pass_invocation
def retry(invocation: Invocation, /, job: str, json_lines: bool) -> int:
    """Go on with a job that failed, was cancelled or interrupted."""
    invocation.streams = json_lines
    invocation.failure_type = "job"
    files = invocation.workspace().files
    began = time.monotonic()
    result = watched(invocation, files, lambda: files.submit_again(job), "retry")
    return tell(invocation, result, None, Wish("job", verb="done"), began)


@jobs.command("cancel", examples=(("kassettui jobs cancel 3f2a9c", "As Ctrl-C in its own terminal does."),))
@click.argument("job")
@pass_invocation
def cancel(invocation: Invocation, /, job: str) -> int:
    """Stop a job of another process on this machine; it cleans up after itself."""
    files = invocation.workspace(read_only=True).files
    entry = files.find(job)
    if files.state_of(entry) != "running" or entry.pid is None or not files.is_here(entry):
        raise Refused(f"“{entry.title}” is not at work on this machine.")
    os.kill(entry.pid, signal.SIGINT)
    invocation.people.note(f"{entry.title}: asked to stop.")
    return ExitCode.DONE


@jobs.command(
    "clean", examples=(("kassettui jobs clean", "Also happens before such a job is resumed or undone."),)
)
@pass_invocation
def clean(invocation: Invocation, /) -> int:
    """Settle jobs that a crash interrupted: find out what was done, remove what was not finished."""
    files = invocation.workspace().files
    settled = [file_values.entry_fields(files.settle(entry), "failed") for entry in files.interrupted()]
    removed = files.remove_leftovers()
    if invocation.flags.json:
        invocation.output.document("jobs", {"status": "success", "settled": settled, "removed": removed})
        return ExitCode.DONE
    for fields in settled:
        count = f"{fields['done']} of {fields['total']} done"
        invocation.people.note(f"{fields['job']}: {fields['title']}: {count}.")
    invocation.people.note(
        f"{wording.plural(len(settled), 'job')} settled, {wording.plural(len(removed), 'leftover')} removed."
    )
    return ExitCode.DONE
