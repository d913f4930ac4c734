"""`metrics`: what was counted on this library, by every process that worked on it (library L13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator


@command(
    "metrics",
    examples=(
        ("kassettui metrics", "Counters and timings, in words."),
        ("kassettui metrics --prometheus > /var/lib/node_exporter/kassettui.prom", "For node_exporter."),
    ),
)
@click.option("--prometheus", is_flag=True, help="In Prometheus's text format.")
@pass_invocation
def metrics(invocation: Invocation, /, prometheus: bool) -> None:
    """Counters and timings."""
    workspace = invocation.workspace(read_only=True)
    counts, readings = workspace.counts(), workspace.readings()
    if prometheus:
        invocation.output.text(counts.exposition(readings))
    elif invocation.flags.json:
        invocation.output.document("metrics", {"metrics": counts.snapshot(readings)})
    else:
        invocation.output.facts(Fact(name, words) for name, words in _flat(counts.snapshot(readings)))


def _flat(figures: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every figure with its name; labels in brackets, spreads in one line."""
    for name, value in figures.items():
        label = f"{above}[{name or '-'}]" if above else name.replace("_", " ")
        if isinstance(value, dict) and "count" in value:
            yield label, f"{value['count']} times, median {value['p50']:.3g}, 99 % below {value['p99']:.3g}"
        elif isinstance(value, dict):
            yield from _flat(value, label)
        else:
            yield label, f"{value:g}"
