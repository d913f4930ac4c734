"""`stats`: what the library holds, in figures (library L12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kassettui.library.stats import Amount, Info, Stats

_BAR: Final = 24


@command(
    "stats",
    examples=(
        ("kassettui stats", "Counts and sizes by kind, state, collection and rating."),
        ("kassettui stats --json | jq .total", "For a machine."),
    ),
)
@pass_invocation
def stats(invocation: Invocation) -> None:
    """Counts and sizes of the library."""
    from kassettui.library.stats import info
    from kassettui.library.stats import stats as count

    library = invocation.reading()
    figures, file = library.read(count), info(library)
    if invocation.flags.json:
        invocation.output.document("stats", _document(figures, file))
    else:
        invocation.output.facts(_facts(figures, file))


def _amount(amount: Amount) -> dict[str, int]:
    return {"assets": amount.assets, "bytes": amount.bytes}


def _document(figures: Stats, file: Info) -> dict[str, Any]:
    return {
        "total": _amount(figures.total),
        "frames": figures.frames,
        "holes": figures.holes,
        "approved": figures.approved,
        "missing": figures.missing,
        "deleted": figures.deleted,
        "by_kind": {name: _amount(amount) for name, amount in figures.by_kind.items()},
        "by_state": {name: _amount(amount) for name, amount in figures.by_state.items()},
        "by_rating": {_rating(rating): _amount(amount) for rating, amount in figures.by_rating.items()},
        "by_collection": [
            {"collection_id": uuid, "collection": figures.collections.get(uuid, ""), **_amount(amount)}
            for uuid, amount in figures.by_collection.items()
        ],
        "folders": figures.folders,
        "tags": figures.tags,
        "versions": figures.versions,
        "library": {"path": file.path, "bytes": file.size, "log_bytes": file.log_size},
        "last_runs": [
            {
                "run_id": run.uuid,
                "collection": run.collection_name,
                "status": run.status,
                "started_at": wording.iso(run.started_at),
            }
            for run in figures.last_runs
        ],
    }


def _rating(rating: int | None) -> str:
    return "unrated" if rating is None else str(rating)


def _facts(figures: Stats, file: Info) -> Iterator[Fact]:
    total = figures.total
    yield Fact("assets", f"{wording.number(total.assets)}, {wording.size(total.bytes)}", "strong")
    yield Fact("frames", wording.number(figures.frames))
    for label, count in (
        ("missing frames", figures.holes),
        ("missing assets", figures.missing),
        ("deleted", figures.deleted),
    ):
        if count:
            yield Fact(label, wording.number(count), "warn")
    yield Fact("approved", wording.number(figures.approved))
    yield from _bars("kind", figures.by_kind, total)
    yield from _bars("state", figures.by_state, total)
    named = {figures.collections.get(uuid, uuid): amount for uuid, amount in figures.by_collection.items()}
    yield from _bars("collection", named, total)
    rated = {_rating(rating): amount for rating, amount in figures.by_rating.items() if rating is not None}
    yield from _bars("rating", rated, total)
    for label, count in (
        ("folders", figures.folders),
        ("tags", figures.tags),
        ("versions", figures.versions),
    ):
        yield Fact(label, wording.number(count))
    yield Fact("library", f"{wording.size(file.size + file.log_size)} at {file.path}")
    for run in figures.last_runs:
        yield Fact("last run", f"{wording.moment(run.started_at)} {run.collection_name}: {run.status}")


def _bars(label: str, amounts: Mapping[str, Amount], total: Amount) -> Iterator[Fact]:
    """One line a name with a bar of its share; what has nothing is left out."""
    for name, amount in amounts.items():
        if amount.assets:
            bar = "▇" * max(1, round(_BAR * amount.assets / max(1, total.assets)))
            figures = f"{wording.number(amount.assets)}, {wording.size(amount.bytes)}"
            yield Fact(f"{label} {name}", f"{bar} {figures}")
