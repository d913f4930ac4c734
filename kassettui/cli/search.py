"""`search`: queries with a name, `@name` wherever a query or a selector is taken (spec: library L7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer
from kassettui.cli.finding import list_options, listing
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column
from kassettui.core.query import quoted

if TYPE_CHECKING:
    from kassettui.library.saved import SavedSearch

_COLUMNS: Final = (
    Column("name", "search", shown=lambda name: f"@{quoted(name)}", shrinks=True),
    Column("query", "finds", shrinks=True),
    Column("description", "", shrinks=True, rank=1),
)


@group(
    "search",
    examples=(
        ("kassettui search save broken 'health:broken OR missing:>0 sort:-mtime'", "Give a query a name."),
        ("kassettui ls @broken shot:sh020", "Use it in a query."),
        ("kassettui tag add @broken look-at-this", "Use it as a selector."),
    ),
)
def search() -> None:
    """Queries with a name: @name."""


@search.command("save", examples=(("kassettui search save good 'rating:>=4 approved:yes'", "As @good."),))
@click.argument("name")
@click.argument("query", nargs=-1)
@click.option("--description", default="", help="What it is for.")
@click.option("--replace", is_flag=True, help="Also where there is one of this name.")
@pass_invocation
def save(
    invocation: Invocation, /, name: str, query: tuple[str, ...], description: str, replace: bool
) -> None:
    """Keep QUERY under NAME. A query that cannot be run is not kept."""
    from kassettui.library import saved

    library = invocation.workspace(create=True).library
    done = library.write(saved.save, name, " ".join(query), description, replace)
    answer(
        invocation,
        "search",
        f"Saved: @{quoted(done.name)} finds {done.query or 'everything'}.",
        _fields(done),
    )


@search.command("ls", examples=(("kassettui search ls --json", "For a machine."),))
@pass_invocation
def ls(invocation: Invocation) -> None:
    """List the saved searches."""
    from kassettui.library import saved

    rows = [_fields(one) for one in invocation.reading().read(saved.listed)]
    if invocation.flags.json:
        invocation.output.json_list("searches", rows)
    else:
        invocation.output.table(_COLUMNS, rows)


@search.command("rm", examples=(("kassettui search rm broken", "What it finds stays, of course."),))
@click.argument("name")
@pass_invocation
def rm(invocation: Invocation, /, name: str) -> None:
    """Forget a saved search."""
    from kassettui.library import saved

    done = invocation.workspace().library.write(saved.delete, name)
    answer(invocation, "search_deleted", f"Forgotten: @{quoted(done.name)}.", _fields(done))


@search.command("run", examples=(("kassettui search run broken --limit 10", "As `kassettui find @broken`."),))
@click.argument("name")
@list_options
@pass_invocation
def run(invocation: Invocation, /, name: str, **options: Any) -> None:
    """List what a saved search finds."""
    from kassettui.library import saved

    found = invocation.reading().read(saved.find, name)
    listing(invocation, (f"@{quoted(found.name)}",), **options)


def _fields(one: SavedSearch) -> dict[str, Any]:
    return {
        "name": one.name,
        "uuid": one.uuid,
        "query": one.query,
        "description": one.description,
        "created_at": wording.iso(one.created_at),
        "updated_at": wording.iso(one.updated_at),
    }
