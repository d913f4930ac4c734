"""`runs` and `why`: what imports did, and why, from the library (I28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.candidates import collection_names
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command, group
from kassettui.cli.tables import Column, Fact

if TYPE_CHECKING:
    from kassettui.library.runs import Run

_STYLES: Final = {"success": "good", "partial": "warn", "cancelled": "warn", "error": "bad"}

_RUNS: Final = (
    Column("run_id", "id", shown=lambda uuid: uuid[:8], style=lambda _: "dim"),
    Column("started_at", "when", of_row=lambda row: wording.moment(row["started_us"]), rank=1),
    Column("collection", "collection", shrinks=True),
    Column("status", "outcome", style=lambda status: _STYLES.get(status, "")),
    Column("ingested", "new", shown=wording.number, right=True),
    Column("updated", "updated", shown=wording.number, right=True),
    Column("moved", "moved", shown=wording.number, right=True, rank=4),
    Column("skipped", "same", shown=wording.number, right=True, rank=3),
    Column("missing", "missing", shown=wording.number, right=True, rank=5),
    Column("errors", "errors", shown=wording.number, right=True, rank=2),
)
_DECISIONS: Final = (
    Column("decision", "decision"),
    Column("path", "path", shrinks=True),
    Column("reason", "reason", rank=1),
    Column("detail", "detail", shrinks=True, rank=2),
)
_WHY: Final = (
    Column("time", "when", of_row=lambda row: wording.moment(row["time_us"])),
    Column("decision", "decision"),
    Column("reason", "reason", shrinks=True),
    Column("run_id", "run", shown=lambda uuid: uuid[:8], style=lambda _: "dim", rank=1),
    Column("detail", "detail", shrinks=True, rank=2),
)


@group(
    "runs",
    invoke_without_command=True,
    examples=(
        ("kassettui runs", "The last imports."),
        ("kassettui runs --collection abc --limit 100", "Those of one collection."),
        ("kassettui runs show 5f0c", "What one of them did with each item, and why."),
    ),
)
@click.option(
    "--collection",
    metavar="SEL",
    shell_complete=collection_names,
    help="Only of this collection: its uuid, external id or name.",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.pass_context
def runs(context: click.Context, collection: str | None, limit: int) -> None:
    """The imports so far, and what each did."""
    if context.invoked_subcommand is not None:
        return
    from kassettui.library import collections
    from kassettui.library import runs as kept

    invocation = context.ensure_object(Invocation)
    library = invocation.reading()
    uuid = None if collection is None else library.read(collections.find, collection).uuid
    found = library.read(lambda db: kept.latest(db, collection_uuid=uuid, limit=limit))
    if invocation.flags.json:
        invocation.output.json_list("runs", map(_row, found))
    else:
        invocation.output.table(_RUNS, (_row(run) | {"started_us": run.started_at} for run in found))
        if not found:
            invocation.people.note("Nothing has been imported yet.")


@runs.command(
    "show", examples=(("kassettui runs show 5f0c --json", "By the start of its id, for a machine."),)
)
@click.argument("run_id", metavar="ID")
@click.option(
    "--limit", type=click.IntRange(min=1), default=200, show_default=True, help="How many decisions."
)
@pass_invocation
def show(invocation: Invocation, /, run_id: str, limit: int) -> None:
    """What a run did with each item, and why."""
    from kassettui.library import runs as kept

    library = invocation.reading()
    run = library.read(kept.find, run_id)
    decisions = [
        {
            "decision": one.decision,
            "path": _path(one.canonical_key),
            "reason": one.reason,
            "detail": one.detail,
        }
        for one in library.read(lambda db: kept.decisions_of(db, run.uuid, limit=limit))
    ]
    if invocation.flags.json:
        invocation.output.document("run", _row(run) | {"decisions": decisions})
        return
    invocation.output.facts(_facts(run))
    if decisions:
        invocation.output.text("\n")
        invocation.output.table(_DECISIONS, decisions)


@command(
    "why",
    examples=(
        ("kassettui why 3f2a9c01", "Why the last imports did what they did with it."),
        ("kassettui why /shows/abc/sh010/comp/beauty.#.exr --json", "By its pattern, for a machine."),
    ),
)
@click.argument("asset", metavar="ASSET")
@click.option(
    "--limit", type=click.IntRange(min=1), default=10, show_default=True, help="How many decisions."
)
@pass_invocation
def why(invocation: Invocation, /, asset: str, limit: int) -> None:
    """Why an asset was created, updated, moved or skipped."""
    from kassettui.cli.selectors import one
    from kassettui.library import assets
    from kassettui.library import runs as kept

    library = invocation.reading()
    found = library.read(assets.get, one(library, asset))
    rows = [
        {
            "time": wording.iso(decision.time),
            "time_us": decision.time,
            "decision": decision.decision,
            "reason": decision.reason,
            "detail": decision.detail,
            "run_id": decision.run_uuid,
        }
        for decision in library.read(lambda db: kept.decisions_about(db, found.id, limit=limit))
    ]
    if invocation.flags.json:
        for row in rows:
            del row["time_us"]
        invocation.output.document(
            "why", {"uuid": found.uuid, "name": found.name, "path": found.path, "decisions": rows}
        )
    else:
        invocation.output.table(_WHY, rows)
        if not rows:
            invocation.people.note("No decision about it is kept.")


def _path(key: str) -> str:
    """The item's path below its root, out of its canonical key."""
    from kassettui.core.identity import relative_path

    return relative_path(key) if key.startswith("fs:") else key


def _row(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.uuid,
        "kind": run.kind,
        "collection_id": run.collection_uuid,
        "collection": run.collection_name,
        "status": run.status,
        "code": run.code,
        "message": run.message,
        "scope": dict(run.scope),
        "arguments": dict(run.arguments),
        "started_at": wording.iso(run.started_at),
        "finished_at": None if run.finished_at is None else wording.iso(run.finished_at),
        "program_version": run.program_version,
        **run.counts,
        "reasons": dict(run.reasons),
    }


def _facts(run: Run) -> list[Fact]:
    facts = [
        Fact("run", run.uuid),
        Fact("collection", run.collection_name),
        Fact("outcome", run.status, _STYLES.get(run.status, "")),
        Fact("began", wording.moment(run.started_at)),
    ]
    if run.finished_at is not None:
        facts.append(Fact("took", wording.duration((run.finished_at - run.started_at) / 1_000_000)))
    if run.message:
        facts.append(Fact("message", run.message, "bad"))
    facts += [
        Fact(name.replace("_", " "), wording.number(count)) for name, count in run.counts.items() if count
    ]
    facts += [Fact(reason, wording.number(count)) for reason, count in run.reasons.items()]
    return facts
