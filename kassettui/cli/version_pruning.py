"""`version prune`: old versions into the trash by rules; a dry run unless told otherwise (library V6)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.file_work import confirm_deletion, watched
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column
from kassettui.cli.version_selection import Asked
from kassettui.core.errors import ExitCode, InvalidInput
from kassettui.core.query import literals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.library import Library
    from kassettui.library.versions.pruning import Candidate, PrunePlan, Rules

_COLUMNS: Final = (
    Column("number", "version", shown=lambda number: f"v{number:03}"),
    Column("path", "what", shrinks=True),
    Column("size", "size", shown=wording.size, right=True),
)


@command(
    "prune",
    examples=(
        ("kassettui version prune --keep 3", "What could go: all but the three newest of each group."),
        (
            "kassettui version prune shot:sh020 --keep 1 --older 30d --keep-tag client",
            "Of one shot, and older.",
        ),
        (
            "kassettui version prune --keep 3 --execute",
            "Let it go, after one question; `undo` brings it back.",
        ),
    ),
)
@click.argument("selector", required=False, metavar="[SEL]")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="The newest N of each group stay.")
@click.option("--older", metavar="AGE", help="Only what is older: 30d, 12h, 90min.")
@click.option(
    "--keep-tag", "keep_tags", multiple=True, metavar="TAG", help="What carries it stays; repeatable."
)
@click.option("--keep-best", is_flag=True, help="Always so: the best version stays.")
@click.option("--keep-approved", is_flag=True, help="Always so: what is approved stays.")
@click.option("--execute", is_flag=True, help="Do it. Without, it is a dry run.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_invocation
def prune(
    invocation: Invocation,
    /,
    selector: str | None,
    keep: int | None,
    older: str | None,
    keep_tags: tuple[str, ...],
    execute: bool,
    yes: bool,
    **_always: Any,
) -> int:
    """Throw old versions into the trash: of the groups of SEL, or of all.

    Best and approved versions, and those of locked collections, always stay.
    """
    from kassettui.library.versions import pruning
    from kassettui.library.versions.pruning import Rules

    if keep is None and older is None:
        raise InvalidInput("Nothing says what may go.", remedy="For instance: --keep 3, or --older 30d")
    rules = Rules(keep or 0, None if older is None else _seconds(older), keep_tags)
    library = invocation.workspace().library if execute else invocation.reading()
    groups = None if selector is None else [one.id for one in Asked(selector, None, (), None).groups(library)]
    plan = pruning.measured(library.read(pruning.plan, rules, groups))
    if not execute or not plan.candidates:
        return _show(invocation, plan, "dry_run" if not execute else "success")
    if not confirm_deletion(invocation, _question(plan), yes=yes):
        return ExitCode.DONE
    return _execute(invocation, library, plan, rules)


def _seconds(age: str) -> float:
    try:
        return literals.duration(age) / 1000
    except literals.BadLiteral as error:
        raise InvalidInput(f"--older takes {error}.") from error


def _question(plan: PrunePlan) -> str:
    measured = plan.measured
    assert measured is not None
    versions = wording.plural(len(plan.candidates), "version")
    return (
        f"Trash {versions}: {wording.plural(measured.files, 'file')}, {wording.size(measured.size)}, "
        f"{wording.size(measured.reclaimable)} reclaimable?"
    )


def _execute(invocation: Invocation, library: Library, plan: PrunePlan, rules: Rules) -> int:
    from kassettui.files.listing import select
    from kassettui.library.versions import pruning

    files = invocation.workspace().files
    members = {one.asset.path: one.asset for one in plan.candidates}

    def throw(paths: Sequence[str]) -> list[str]:
        thrown = files.plans.trash(select(list(paths)))
        if thrown.steps:
            watched(invocation, files, lambda: files.submit(thrown), "prune")
        return [path for path in paths if not any(map(os.path.lexists, members[path].files()))]

    gone = pruning.carry_out(library, plan, rules, throw)
    left = len(plan.candidates) - len(gone)
    if left:
        invocation.people.warn(f"{wording.plural(left, 'version')} could not go, or must not any more.")
    if invocation.flags.json:
        status = "partial" if left else "success"
        invocation.output.document("prune", {"status": status, "pruned": [_fields(one) for one in gone]})
    else:
        invocation.people.note(
            f"In the trash: {wording.plural(len(gone), 'version')}. `kassettui undo` brings them back."
        )
    return ExitCode.PARTIAL if left else ExitCode.DONE


def _show(invocation: Invocation, plan: PrunePlan, status: str) -> int:
    measured = plan.measured
    assert measured is not None
    rows = [_fields(one) for one in plan.candidates]
    if invocation.flags.json:
        fields = {
            "status": status,
            "candidates": rows,
            "kept": dict(plan.kept),
            "files": measured.files,
            "bytes": measured.size,
            "reclaimable": measured.reclaimable,
        }
        invocation.output.document("prune", fields)
        return ExitCode.DONE
    invocation.output.table(_COLUMNS, rows)
    stays = ", ".join(f"{number} {reason}" for reason, number in plan.kept.items()) or "none"
    invocation.people.note(
        f"{wording.plural(len(rows), 'version')} could go: {wording.plural(measured.files, 'file')}, "
        f"{wording.size(measured.size)}, {wording.size(measured.reclaimable)} reclaimable. Stay: {stays}."
    )
    if rows:
        invocation.people.note("Nothing was done. Do it with --execute.")
    return ExitCode.DONE


def _fields(one: Candidate) -> dict[str, Any]:
    return {"number": one.number, "path": one.asset.path, "size": one.asset.size}
