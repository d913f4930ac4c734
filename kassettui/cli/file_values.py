"""Plans, conflicts, results and trash as JSON fields and as table rows, for the commands on files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import wording
from kassettui.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.files.failures import StepFailure
    from kassettui.files.outcomes import Result
    from kassettui.files.plan import Conflict, Plan, PlanItem, Problem, Side
    from kassettui.files.trash import Trashed
    from kassettui.files.verify import Finding
    from kassettui.jobs.state import Snapshot
    from kassettui.library.journal import Entry

ITEMS: Final = (
    Column("source", "from", shrinks=True),
    Column("destination", "to", shrinks=True),
    Column("kind", "kind", rank=2),
    Column("count", "files", shown=wording.number, right=True, rank=1),
    Column("bytes", "size", shown=wording.size, right=True, rank=1),
    Column("skipped", "note", rank=1),
)
CONFLICTS: Final = (
    Column("destination", "taken", shrinks=True),
    Column("here", "there now"),
    Column("new", "would come"),
    Column("answer", "answer", rank=1),
)


def plan_fields(plan: Plan, *, steps: bool = True) -> dict[str, Any]:
    """A plan as JSON; its steps are what the real run does."""
    fields = {
        "operation": str(plan.operation),
        "title": plan.title,
        "runnable": plan.runnable,
        "totals": {"items": len(plan.items), "steps": len(plan.steps), "bytes": plan.total_bytes},
        "items": [item_fields(item) for item in plan.items],
        "conflicts": [conflict_fields(conflict) for conflict in plan.conflicts],
        "problems": [problem_fields(problem) for problem in plan.problems],
        "space": [
            {"path": need.path, "needed": need.needed, "free": need.free, "reserved": need.reserved}
            for need in plan.space
        ],
    }
    if steps:
        fields["steps"] = [
            {
                "number": step.number,
                "item": step.item,
                "kind": str(step.kind),
                "source": step.source,
                "destination": step.destination,
                "bytes": step.size,
                "replaces": step.replaces is not None,
            }
            for step in plan.steps
        ]
    return fields


def item_fields(item: PlanItem) -> dict[str, Any]:
    """One item of a plan."""
    return {
        "source": item.source,
        "destination": item.destination,
        "kind": str(item.kind),
        "count": item.count,
        "bytes": item.size,
        "frames": item.frames or None,
        "skipped": item.skipped or None,
    }


def conflict_fields(conflict: Conflict) -> dict[str, Any]:
    """A conflict with both sides (F3)."""
    return {
        "kind": str(conflict.kind),
        "answer": str(conflict.answer),
        "source": _side(conflict.source),
        "destination": _side(conflict.destination),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "path": side.path,
        "kind": str(side.kind),
        "bytes": side.size,
        "mtime": wording.iso_ns(side.mtime_ns),
        "count": side.count,
        "frames": side.frames or None,
        "health": side.health or None,
    }


def side_words(side: Side) -> str:
    """One side of a conflict for a person: size, date, frame range, health."""
    parts = [wording.size(side.size), wording.moment(side.mtime_ns // 1000)]
    if side.frames:
        parts.append(f"frames {side.frames}")
    if side.health:
        parts.append(side.health)
    return ", ".join(parts if str(side.kind) != "directory" else ["directory", *parts[1:]])


def conflict_row(conflict: Conflict) -> dict[str, Any]:
    """A conflict as a row of `CONFLICTS`."""
    return {
        "destination": conflict.destination.path,
        "here": side_words(conflict.destination),
        "new": side_words(conflict.source),
        "answer": str(conflict.answer),
    }


def problem_fields(problem: Problem) -> dict[str, Any]:
    """What stands against a plan."""
    return {
        "code": problem.code,
        "path": problem.path,
        "message": problem.message,
        "remedy": problem.remedy,
        "fatal": problem.fatal,
    }


def failure_fields(failure: StepFailure) -> dict[str, Any]:
    """A step that failed."""
    return {"path": failure.path, "message": failure.message, "errno": failure.errno or None}


def result_fields(result: Result, plan: Plan | None, milliseconds: int) -> dict[str, Any]:
    """How a job ended."""
    status = "success"
    if result.failures:
        status = "partial" if result.items_done or result.items_skipped else "error"
    fields: dict[str, Any] = {
        "status": status,
        "job": result.job,
        "stats": {
            "done": result.items_done,
            "skipped": result.items_skipped,
            "failed": len(result.failures),
            "bytes": result.bytes_done,
        },
        "failures": [failure_fields(failure) for failure in result.failures],
        "warnings": list(result.warnings),
        "generations": list(result.generations),
        "duration_ms": milliseconds,
    }
    if plan is not None:
        fields["items"] = [item_fields(item) for item in plan.items]
    return fields


def snapshot_fields(snapshot: Snapshot) -> dict[str, Any]:
    """How far a job is, for JSON lines."""
    return {
        "phase": snapshot.phase,
        "state": str(snapshot.state),
        "done": snapshot.items_done,
        "total": snapshot.items_total,
        "bytes": snapshot.bytes_done,
        "bytes_total": snapshot.bytes_total,
        "speed": snapshot.speed,
        "eta": snapshot.eta,
        "current": snapshot.current,
    }


def entry_fields(entry: Entry, state: str) -> dict[str, Any]:
    """A job of the journal."""
    return {
        "job": entry.uuid,
        "kind": entry.kind,
        "title": entry.title,
        "state": state,
        "done": entry.items_done,
        "total": entry.items_total,
        "bytes": entry.bytes_done,
        "bytes_total": entry.bytes_total,
        "error": entry.error,
        "warnings": list(entry.warnings),
        "undoable": entry.undoable and entry.undone_at is None,
        "host": entry.host,
        "pid": entry.pid,
        "queued_at": wording.iso(entry.queued_at),
        "finished_at": wording.iso(entry.finished_at) if entry.finished_at is not None else None,
    }


def trashed_fields(thing: Trashed) -> Mapping[str, Any]:
    """Something in a trash."""
    return {
        "path": thing.original,
        "deleted_at": thing.deleted_at.isoformat(),
        "trash": thing.can.root,
        "name": os.path.basename(thing.path),
    }


def finding_fields(finding: Finding) -> dict[str, Any]:
    """A file that is not as a list says."""
    return {"path": finding.path, "fault": str(finding.fault), "detail": finding.detail or None}
