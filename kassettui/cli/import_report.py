"""What an import answers when it is over: one summary for people, one document for machines (I26, I27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import wording
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kassettui.cli.invocation import Invocation
    from kassettui.ingest.enrich import Enriched
    from kassettui.ingest.report import Report

_NAMED_ERRORS: Final = 20

_PLAN: Final = (
    Column("decision", "decision"),
    Column("kind", "kind", rank=2),
    Column("frames", "frames", right=True, rank=1),
    Column("path", "path", shrinks=True),
    Column("reason", "reason", rank=1),
)
_STYLES: Final = {
    "success": "good",
    "partial": "warn",
    "error": "bad",
    "cancelled": "warn",
    "dry_run": "",
}
_COUNTS: Final = (
    ("ingested", "new"),
    ("updated", "updated"),
    ("moved", "moved"),
    ("skipped", "unchanged"),
    ("duplicates_prevented", "found twice"),
    ("missing", "missing"),
    ("errors", "not readable"),
)


def exit_code(reports: Sequence[Report]) -> ExitCode:
    """The one code of several runs: what they share; partial where some ended well and some did not."""
    codes = {report.exit_code for report in reports} or {ExitCode.DONE}
    if ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    return codes.pop() if len(codes) == 1 else ExitCode.PARTIAL


def answer(invocation: Invocation, reports: Sequence[Report], *, several: bool = False) -> None:
    """Say how it went, on stdout and stderr; `several`: as a list, also where it was one run."""
    for report in reports:
        _complain(invocation, report)
    documents = [_document(report) for report in reports]
    one = documents[0] if len(documents) == 1 and not several else None
    if invocation.streams:
        fields = one if one is not None else {"runs": documents}
        invocation.output.json({**fields, "schema_version": 1, "type": "summary"})
    elif invocation.flags.json:
        if one is not None:
            invocation.output.json(one)
        else:
            invocation.output.json_list("imports", documents)
    else:
        for report in reports:
            _tell(invocation, report)


def _document(report: Report) -> dict[str, Any]:
    """I27's object; a dry run carries its plan too."""
    document: dict[str, Any] = report.as_json()
    if report.plan is not None and report.status == "dry_run":
        document["plan"] = list(report.plan.as_json())
    return document


def _complain(invocation: Invocation, report: Report) -> None:
    for error in report.errors[:_NAMED_ERRORS]:
        invocation.people.warn(f"{error.path}: {error.message}")
    if len(report.errors) > _NAMED_ERRORS:
        rest = wording.number(len(report.errors) - _NAMED_ERRORS)
        invocation.people.warn(f"…and {rest} more; see: kassettui runs show {report.run_id or 'ID'}")
    if report.message is not None:
        invocation.people.error(report.message, report.remedy or "")


def _tell(invocation: Invocation, report: Report) -> None:
    """The plan of a dry run, then the summary table."""
    if report.plan is not None and report.status == "dry_run":
        changes = list(report.plan.as_json())
        invocation.output.table(_PLAN, changes)
        if changes and invocation.output.terminal:
            invocation.output.text("\n")
    if report.collection is not None:
        invocation.output.facts(_facts(report))


def _enriched(enriched: Enriched) -> str:
    """How the enrichment after it ended."""
    parts = [f"{wording.number(enriched.ready)} ready"]
    if enriched.waiting:
        parts.append(f"{wording.number(enriched.waiting)} not ready yet")
    if enriched.failed:
        parts.append(f"{wording.number(enriched.failed)} failed")
    return ", ".join(parts)


def _facts(report: Report) -> Iterator[Fact]:
    stats = report.stats
    yield Fact("collection", f"{report.collection}")
    took = wording.duration(report.duration_ms / 1000)
    yield Fact("outcome", f"{report.status.replace('_', ' ')} in {took}", _STYLES[report.status])
    found = wording.plural(stats.discovered, "item")
    frames = f", {wording.plural(stats.frames, 'frame')}" if stats.frames else ""
    yield Fact("found", f"{found}{frames}, {wording.size(stats.bytes)}")
    for key, label in _COUNTS:
        count = getattr(stats, key)
        if count or key in ("ingested", "updated", "skipped"):
            yield Fact(label, wording.number(count), "bad" if key == "errors" else "")
    if report.enriched is not None and report.enriched.assets:
        yield Fact("enriched", _enriched(report.enriched))
    if report.run_id is not None:
        yield Fact("run", report.run_id)
