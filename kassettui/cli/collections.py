"""`collections`: the source roots that are ingested."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.candidates import collection_names
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import InvalidInput, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.collections import Collection
    from kassettui.library.library import Library

_COLUMNS: Final = (
    Column("name", "name", shrinks=True),
    Column("assets", "assets", shown=wording.number, right=True),
    Column("bytes", "size", shown=wording.size, right=True, rank=1),
    Column("last_ingest_time", "last import", of_row=lambda row: _when(row["last_us"]), rank=2),
    Column("root", "root", shrinks=True),
    Column("layout", "layout", shrinks=True, rank=3),
    Column("collection_id", "id", shown=lambda uuid: uuid[:8], style=lambda _: "dim", rank=4),
)


def _editing(body: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what a collection is like."""
    for option in reversed(
        (
            click.option("--name", help="Its name."),
            click.option(
                "--layout", metavar="TEMPLATE", help="What its directories mean: {show}/{shot}/{task}."
            ),
            click.option(
                "--ignore", multiple=True, metavar="PATTERN", help="Left out (gitignore syntax); repeatable."
            ),
            click.option("--external-id", metavar="ID", help="Its id elsewhere."),
            click.option(
                "--sync/--no-sync", default=None, help="Whether `collections sync --all` takes it along."
            ),
            click.option(
                "--ingestible/--not-ingestible", default=None, help="Whether it may be imported at all."
            ),
        )
    ):
        body = option(body)
    return body


@group(
    "collections",
    invoke_without_command=True,
    examples=(
        ("kassettui collections", "All of them."),
        ("kassettui collections add /shows/abc --layout '{show}/{sequence}/{shot}/{task}'", "One more."),
        ("kassettui collections edit abc --layout '{show}/{shot}'", "Say what its directories mean."),
        ("kassettui collections sync --all", "Import all of them again."),
    ),
)
@click.pass_context
def collections(context: click.Context) -> None:
    """The source roots that are ingested."""
    if context.invoked_subcommand is None:
        _list(context.ensure_object(Invocation))


@collections.command("ls", examples=(("kassettui collections ls --json", "For a machine."),))
@pass_invocation
def ls(invocation: Invocation) -> None:
    """List all collections."""
    _list(invocation)


@collections.command(
    "add",
    examples=(("kassettui collections add /shows/abc --name abc", "Nothing is imported yet."),),
)
@click.argument("root", type=click.Path(), metavar="PATH")
@_editing
@pass_invocation
def add(invocation: Invocation, /, root: str, **given: Any) -> None:
    """Make a collection with PATH as its root. Import it with `kassettui import PATH`."""
    from kassettui.library import collections as kept

    path = os.path.abspath(root)
    if not os.path.isdir(path):
        raise NotFound(f"There is no directory {path}.")
    library = invocation.workspace(create=True).library

    def make(db: Any) -> Collection:
        name = given["name"] or kept.unique_name(db, os.path.basename(path) or path)
        made = kept.create(
            db,
            name,
            path,
            external_id=given["external_id"],
            layout=_layout(given["layout"]) or "",
            ignore_patterns=given["ignore"],
        )
        switches = {"sync_enabled": given["sync"], "ingestible": given["ingestible"]}
        changes = {field: value for field, value in switches.items() if value is not None}
        return kept.edit(db, made.uuid, **changes) if changes else made

    _answer(invocation, library, library.write(make))


@collections.command(
    "edit",
    examples=(
        ("kassettui collections edit abc --name 'ABC 2'", "Another name."),
        ("kassettui collections edit abc --root /mnt/new/abc", "Its files lie elsewhere now."),
    ),
)
@click.argument("selector", metavar="COLLECTION", shell_complete=collection_names)
@click.option("--root", type=click.Path(), metavar="PATH", help="Where its files are.")
@_editing
@pass_invocation
def edit(invocation: Invocation, /, selector: str, root: str | None, **given: Any) -> None:
    """Change what a collection is like."""
    from kassettui.library import collections as kept

    wanted = {
        "name": given["name"],
        "root": None if root is None else os.path.abspath(root),
        "layout": _layout(given["layout"]),
        "ignore_patterns": given["ignore"] or None,
        "external_id": given["external_id"],
        "sync_enabled": given["sync"],
        "ingestible": given["ingestible"],
    }
    changes = {field: value for field, value in wanted.items() if value is not None}
    if not changes:
        raise InvalidInput("Nothing to change.", remedy="See: kassettui collections edit -h")
    library = invocation.workspace().library
    _answer(
        invocation, library, library.write(lambda db: kept.edit(db, kept.find(db, selector).uuid, **changes))
    )


@collections.command("show", examples=(("kassettui collections show abc", "By its name."),))
@click.argument("selector", metavar="COLLECTION", shell_complete=collection_names)
@pass_invocation
def show(invocation: Invocation, /, selector: str) -> None:
    """Everything that is known of a collection."""
    from kassettui.library import collections as kept

    library = invocation.reading()
    _answer(invocation, library, library.read(kept.find, selector))


@collections.command(
    "rm", examples=(("kassettui collections rm abc", "Asks first; files on disk are never touched."),)
)
@click.argument("selector", metavar="COLLECTION", shell_complete=collection_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def rm(invocation: Invocation, /, selector: str, yes: bool) -> None:
    """Take a collection and its assets out of the library. Files on disk are never touched."""
    from kassettui.library import collections as kept

    library = invocation.workspace().library
    found = library.read(kept.find, selector)
    weight = library.read(kept.weight, found.uuid)
    if weight.approved:
        raise Refused(
            f"{wording.plural(weight.approved, 'asset')} of “{found.name}” approved: those are protected.",
            remedy=f"See them with: kassettui find 'collection:=\"{found.name}\" approved:yes'",
        )
    question = (
        f"Take “{found.name}” out of the library with {wording.plural(weight.assets, 'asset')} "
        f"({wording.size(weight.bytes)})? Their tags, ratings and versions go too; files stay."
    )
    agreed = not weight.assets or invocation.people.confirm(question, yes=yes)
    if agreed:
        library.write(lambda db: kept.remove(db, found.uuid, with_assets=True))
    elif not invocation.people.asks:
        invocation.people.note("Nothing was removed: say --yes where nobody can be asked.")
    if invocation.flags.json:
        invocation.output.document(
            "collection_removed",
            {
                "status": "removed" if agreed else "kept",
                "collection_id": found.uuid,
                "collection": found.name,
                "assets": weight.assets,
            },
        )


@collections.command(
    "sync",
    examples=(
        ("kassettui collections sync --all", "Every collection that takes part; see `edit --sync`."),
        ("kassettui collections sync abc def --no-enrich", "These two, without probing."),
    ),
)
@click.argument("selectors", nargs=-1, metavar="[COLLECTION]...", shell_complete=collection_names)
@click.option("--all", "everything", is_flag=True, help="All that take part.")
@click.option("--no-enrich", is_flag=True, help="Leave probing and checking to `kassettui enrich`.")
@click.option("--accept-missing", is_flag=True, help="Go on although much of it is gone.")
@click.option("--dry-run", is_flag=True, help="Show the plans; write nothing at all.")
@click.option("--json-lines", is_flag=True, help="Events as JSON, one a line; the last is the summary.")
@pass_invocation
def sync(
    invocation: Invocation,
    /,
    selectors: tuple[str, ...],
    everything: bool,
    no_enrich: bool,
    accept_missing: bool,
    dry_run: bool,
    json_lines: bool,
) -> int:
    """Import collections again, one after the other; one that is offline does not stop the others."""
    from kassettui.cli.import_report import answer, exit_code
    from kassettui.cli.importing import import_all
    from kassettui.ingest.request import ImportRequest
    from kassettui.library import collections as kept

    invocation.streams = json_lines
    invocation.failure_type = "import"
    if bool(selectors) == everything:
        raise InvalidInput("Name collections, or say --all.")
    workspace = invocation.workspace(read_only=dry_run)
    if everything:
        chosen = [
            one for one in workspace.library.read(kept.everything) if one.sync_enabled and one.ingestible
        ]
    else:
        chosen = [workspace.library.read(kept.find, selector) for selector in selectors]
    usual = invocation.settings.imports
    requests = [
        ImportRequest(
            collection=one.uuid,
            dry_run=dry_run,
            enrich=usual.enrich and not no_enrich,
            hash_content=usual.hash,
            accept_missing=accept_missing,
            all_files=usual.all_files,
            follow_symlinks=usual.follow_symlinks,
            ignore=usual.ignore,
        )
        for one in chosen
    ]
    reports = import_all(invocation, workspace, requests)
    answer(invocation, reports, several=True)
    return exit_code(reports)


def _list(invocation: Invocation) -> None:
    from kassettui.library import collections as kept

    library = invocation.reading()
    rows = [_row(library, one) for one in library.read(kept.everything)]
    if invocation.flags.json:
        invocation.output.json_list("collections", (_public(row) for row in rows))
    else:
        invocation.output.table(_COLUMNS, rows)
        if not rows:
            invocation.people.note("There are none yet: kassettui import PATH makes one.")


def _answer(invocation: Invocation, library: Library, collection: Collection) -> None:
    row = _row(library, collection)
    if invocation.flags.json:
        invocation.output.document("collection", _public(row))
        return
    facts = [
        Fact("name", row["name"], "strong"),
        Fact("id", row["collection_id"]),
        Fact("root", row["root"]),
        Fact("source", row["source_type"]),
        Fact("layout", row["layout"] or "–"),
        Fact("ignored", ", ".join(row["ignore_patterns"]) or "–"),
        Fact("takes part", f"import {_yes(row['ingestible'])}, sync --all {_yes(row['sync_enabled'])}"),
        Fact("assets", f"{wording.number(row['assets'])}, {wording.size(row['bytes'])}"),
        Fact("last import", _when(row["last_us"])),
    ]
    if row["external_id"]:
        facts.append(Fact("external id", row["external_id"]))
    invocation.output.facts(facts)


def _row(library: Library, collection: Collection) -> dict[str, Any]:
    from kassettui.library import collections as kept

    weight = library.read(kept.weight, collection.uuid)
    last = collection.last_ingest_time
    return {
        "collection_id": collection.uuid,
        "name": collection.name,
        "root": collection.root,
        "source_type": collection.source_type,
        "external_id": collection.external_id,
        "layout": collection.layout,
        "ignore_patterns": list(collection.ignore_patterns),
        "sync_enabled": collection.sync_enabled,
        "ingestible": collection.ingestible,
        "watched": collection.watched,
        "locked": collection.locked,
        "assets": weight.assets,
        "bytes": weight.bytes,
        "last_us": last,
        "last_ingest_time": None if last is None else wording.iso(last),
        "created_at": wording.iso(collection.created_at),
        "updated_at": wording.iso(collection.updated_at),
    }


def _public(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "last_us"}


def _layout(template: str | None) -> str | None:
    """The template, once it is one. Raises InvalidInput."""
    from kassettui.core.layout import Layout

    return Layout(template).template if template else template


def _when(microseconds: int | None) -> str:
    return "never" if microseconds is None else wording.moment(microseconds)


def _yes(switch: bool) -> str:
    return "yes" if switch else "no"
