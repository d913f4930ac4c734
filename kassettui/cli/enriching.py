"""`enrich`: find out what an import left open, or what a kill interrupted (ingest I24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.people import Warnings
from kassettui.cli.tables import Fact
from kassettui.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.ingest.enrich import Enriched, Part
    from kassettui.ingest.enricher import Enricher
    from kassettui.jobs.control import Control
    from kassettui.workspace import Workspace


def standing_enrichers(workspace: Workspace) -> tuple[Enricher, ...]:
    """The enrichers that imports and `enrich` run: the one place that says so."""
    from kassettui.ingest.enrichers import enrichers

    return enrichers(workspace.decoders, workspace.thumbnails)


@command(
    "enrich",
    examples=(
        ("kassettui enrich", "All assets that are not ready; goes on where a kill left it."),
        ("kassettui enrich 'shot:sh010 health:growing' --again", "These once more."),
        ("kassettui find kind:movie -0 | kassettui enrich -", "What another command found."),
    ),
)
@click.argument("selectors", nargs=-1, metavar="[SEL]...")
@click.option("--again", is_flag=True, help="Also those that ended without becoming ready.")
@click.option("--hash", "hash_content", is_flag=True, help="Hash the content of what has no hash yet.")
@pass_invocation
def enrich(invocation: Invocation, /, selectors: tuple[str, ...], again: bool, hash_content: bool) -> int:
    """Find out what the import left open about assets.

    SEL is a uuid or its start, a path, a pattern, a query in quotes, or `-` for uuids on stdin; without SEL
    everything that is not ready. What is written stays when it is stopped.
    """
    from kassettui.cli.selectors import select
    from kassettui.ingest.checksum import ChecksumEnricher
    from kassettui.ingest.enrich import Part

    invocation.failure_type = "enrichment"
    workspace = invocation.workspace()
    part = Part(ids=select(workspace.library, selectors)) if selectors else Part()
    enrichers = [*standing_enrichers(workspace), *([ChecksumEnricher()] if hash_content else [])]
    done = _run(invocation, workspace, enrichers, part, again=again)
    code = ExitCode.PARTIAL if done.failed else ExitCode.DONE
    if invocation.flags.json:
        status = "partial" if done.failed else "success"
        invocation.output.document("enrichment", {"status": status, **done.as_json()})
    else:
        invocation.output.facts(_facts(done))
    return code


def _run(
    invocation: Invocation, workspace: Workspace, enrichers: Sequence[Enricher], part: Part, *, again: bool
) -> Enriched:
    from kassettui.cli.background import in_background
    from kassettui.ingest.enrich import run_enrich
    from kassettui.ingest.progress import Progressed, Warned

    library = workspace.library
    warnings = Warnings(invocation.people)

    def work(control: Control, tell: Callable[[Any], None]) -> Enriched:
        return run_enrich(library, enrichers, part, control=control, observer=tell, again=again)

    with invocation.people.progress("enrich") as shown:

        def heard(event: object) -> None:
            if isinstance(event, Warned):
                warnings.add(f"{event.path}: {event.message}" if event.path else event.message)
            elif isinstance(event, Progressed) and shown is not None:
                shown.update(str(event.phase), event.done, event.total, current=event.current)

        try:
            return in_background(
                invocation.interruption, workspace.jobs, "enrich", work, heard, kind="enrich"
            )
        finally:
            warnings.end()


def _facts(done: Enriched) -> list[Fact]:
    facts = [
        Fact("looked at", wording.plural(done.assets, "asset")),
        Fact("ready", wording.number(done.ready), "good"),
    ]
    for label, count, style in (
        ("not ready yet", done.waiting, ""),
        ("failed", done.failed, "bad"),
        ("hashed", done.hashed, ""),
    ):
        if count:
            facts.append(Fact(label, wording.number(count), style))
    return facts
