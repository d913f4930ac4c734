"""`version`: history, best, comparison, metadata, pruning and the way back (spec: library V1–V8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column, Fact
from kassettui.cli.version_adding import add
from kassettui.cli.version_pruning import prune
from kassettui.cli.version_reverting import revert
from kassettui.cli.version_selection import (
    Asked,
    number_of,
    numbered,
    numbers_for,
    scope_options,
    short_fields,
)
from kassettui.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.library.library import Library
    from kassettui.library.versions import Group, Version


def _badges(row: Any) -> str:
    return " ".join(
        word for word, holds in (("◆ best", row["best"]), ("✓ approved", row["approved"])) if holds
    )


_COLUMNS: Final = (
    Column("group", "group", shrinks=True, rank=3),
    Column("number", "version", shown=lambda number: f"v{number:03}"),
    Column("best", "", of_row=_badges),
    Column("type", "type", rank=2),
    Column("data", "what", shrinks=True),
    Column("size", "size", shown=wording.size, right=True, rank=1),
    Column("quality", "quality", shown="{:.2f}".format, right=True, rank=2),
    Column("created_at", "since", shown=lambda text: text[:16].replace("T", " "), rank=4),
)
_GROUPS: Final = (
    Column("project", "project", shrinks=True),
    Column("entity", "entity", of_row=lambda row: f"{row['kind']} {row['entity']}".strip(), shrinks=True),
    Column("key", "role", shrinks=True),
    Column("head", "head", shown=lambda number: f"v{number:03}"),
    Column("best", "best", shown=lambda number: f"v{number:03}" if number else "none"),
    Column("versions", "versions", right=True, rank=1),
)


@group(
    "version",
    examples=(
        ("kassettui version ls comp_v012.#.exr", "The history of an asset's role."),
        ("kassettui version best comp_v012.#.exr 12", "Say which is the best."),
        ("kassettui version compare 'shot:sh020 task:comp version:>=11'", "Side by side."),
        ("kassettui version prune --keep 3 --older 30d", "What could go; --execute lets it go."),
    ),
)
def version() -> None:
    """Versions: history, best, compare, prune, revert.

    They are of one role of one shot, scene, character… or of the project itself. Imports join `name_v012` to
    its group by themselves. The first version of a group is its best until somebody says otherwise; numbers
    are never given twice.
    """


@version.command(
    "ls",
    examples=(
        ("kassettui version ls", "All groups."),
        ("kassettui version ls shot:sh020 --sort quality", "What was evaluated best first."),
        ("kassettui version ls --project abc --entity shot=sh010 --entity shot=sh020 --key comp", "A scope."),
    ),
)
@click.argument("selector", required=False, metavar="[SEL]")
@scope_options
@click.option(
    "--sort", type=click.Choice(["newest", "oldest", "quality"]), default="newest", show_default=True
)
@click.option(
    "--only", type=click.Choice(["all", "evaluated", "unevaluated"]), default="all", show_default=True
)
@pass_invocation
def ls(invocation: Invocation, /, selector: str | None, sort: str, only: str, **scope: Any) -> None:
    """The versions of what SEL names or a scope says; without either, all groups."""
    from kassettui.library import versions
    from kassettui.library.versions import History, HistoryFilter, HistoryOrder

    library = invocation.reading()
    asked = Asked(selector, **scope)
    if selector is None and not asked.scoped:
        _list_groups(invocation, library)
        return
    groups = asked.groups(library)
    found = library.read(versions.of_groups, [one.id for one in groups])
    pairs = [
        (one, each)
        for one in groups
        for each in History(one, tuple(found.get(one.id, ()))).shown(HistoryOrder(sort), HistoryFilter(only))
    ]
    rows = _rows(library, pairs)
    if invocation.flags.json:
        invocation.output.json_list("versions", rows)
    else:
        invocation.output.table(_COLUMNS, rows)


def _list_groups(invocation: Invocation, library: Library) -> None:
    from kassettui.library import versions

    rows: list[dict[str, Any]] = []
    after = 0
    while page := library.read(versions.listed, after, 500):
        rows += [_group_fields(one) for one in page]
        after = page[-1].id
    if invocation.flags.json:
        invocation.output.json_list("version_groups", rows)
    else:
        invocation.output.table(_GROUPS, rows)


@version.command(
    "show", examples=(("kassettui version show comp_v012.#.exr 11", "One version, with its metadata."),)
)
@click.argument("selector", metavar="SEL")
@click.argument("number")
@pass_invocation
def show(invocation: Invocation, /, selector: str, number: str) -> None:
    """One version of the group that SEL belongs to."""
    library = invocation.reading()
    one = Asked(selector, None, (), None).one(library)
    [fields] = _rows(library, [(one, numbered(library, one, number_of(number)))])
    if invocation.flags.json:
        invocation.output.document("version", fields)
        return
    facts = [
        Fact(name, str(value)) for name, value in fields.items() if name != "metadata" and value is not None
    ]
    facts += [Fact(name, json.dumps(value)) for name, value in fields["metadata"].items()]
    invocation.output.facts(facts)


@version.command(
    "best",
    examples=(
        ("kassettui version best comp_v012.#.exr 12", "Set it."),
        ("kassettui version best comp_v012.#.exr none", "None is best."),
        ("kassettui version best comp_v012.#.exr", "Which it is."),
        ("kassettui version best 'shot:sh020 task:comp' --lock", "No new version takes it."),
    ),
)
@click.argument("selector", required=False, metavar="[SEL]")
@click.argument("numbers", nargs=-1, metavar="[NUMBER...]")
@scope_options
@click.option("--lock/--unlock", default=None, help="Whether a new version may take it.")
@pass_invocation
def best(
    invocation: Invocation, /, selector: str | None, numbers: tuple[str, ...], lock: bool | None, **scope: Any
) -> None:
    """Show or set the best version of what SEL names or a scope says; 0 or `none` clears it.

    With a scope all arguments are numbers: one for each entity, or one for all.
    """
    from kassettui.library import versions

    asked = Asked(selector, **scope)
    if asked.scoped:
        numbers = (*((selector,) if selector else ()), *numbers)
        asked = Asked(None, **scope)
    writes = bool(numbers) or lock is not None
    library = invocation.workspace().library if writes else invocation.reading()
    groups = asked.groups(library)
    if numbers:
        wanted = numbers_for(groups, [number_of(one) for one in numbers])
        library.write(versions.set_best_of_groups, wanted)
    if lock is not None:
        library.write(versions.lock_best, [one.id for one in groups], lock)
    rows = [_group_fields(one) for one in library.read(versions.groups, [one.id for one in groups])]
    if invocation.flags.json:
        invocation.output.json_list("version_groups", rows)
    else:
        invocation.output.table(_GROUPS, rows)


@version.command(
    "meta",
    examples=(
        ("kassettui version meta comp_v012.#.exr 12 model=sdxl evaluation.quality_score=0.93", "Merged in."),
        ("kassettui version meta comp_v012.#.exr 12", "What is there."),
    ),
)
@click.argument("selector", metavar="SEL")
@click.argument("number")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE...]")
@pass_invocation
def meta(invocation: Invocation, /, selector: str, number: str, pairs: tuple[str, ...]) -> None:
    """Show the metadata of a version, or merge keys into it. Values are JSON where they can be."""
    from kassettui.library import versions

    library = invocation.workspace().library if pairs else invocation.reading()
    one = Asked(selector, None, (), None).one(library)
    found = numbered(library, one, number_of(number))
    if pairs:
        [found] = library.write(versions.merge_metadata, [found], dict(map(_pair, pairs)))
    if invocation.flags.json:
        invocation.output.document(
            "version_metadata", {"number": found.number, "metadata": dict(found.metadata)}
        )
    else:
        invocation.output.facts([Fact(name, json.dumps(value)) for name, value in found.metadata.items()])


@version.command(
    "rm", examples=(("kassettui version rm comp_v012.#.exr 3", "Its number is not given again."),)
)
@click.argument("selector", metavar="SEL")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@pass_invocation
def rm(invocation: Invocation, /, selector: str, numbers: tuple[str, ...]) -> None:
    """Take versions out of their group. Files and assets stay; `version prune` is for those."""
    from kassettui.library import versions

    library = invocation.workspace().library
    one = Asked(selector, None, (), None).one(library)
    found = [numbered(library, one, number_of(number)) for number in numbers]
    library.write(versions.delete_versions, [each.id for each in found])
    sentence = f"Deleted: {wording.plural(len(found), 'version')} of {one.key.key}."
    answer(invocation, "versions_deleted", sentence, {"versions": [short_fields(each) for each in found]})


@version.command(
    "compare", examples=(("kassettui version compare comp_v011.#.exr comp_v012.#.exr", "Side by side."),)
)
@click.argument("selectors", nargs=-1, required=True, metavar="SEL...")
@click.option("--all", "everything", is_flag=True, help="Also what is the same for all.")
@pass_invocation
def compare(invocation: Invocation, /, selectors: tuple[str, ...], everything: bool) -> None:
    """Assets side by side: range, size, health, resolution, hash; what differs."""
    from kassettui.cli.curating import chosen
    from kassettui.library.versions import comparing

    library, ids = chosen(invocation, selectors, writes=False)
    found = library.read(comparing.compare_assets, ids)
    titles = [
        title if found.titles.count(title) == 1 else f"{title} ({n})"
        for n, title in enumerate(found.titles, 1)
    ]
    rows = [
        {"fact": name.removesuffix("_ns"), **dict(zip(titles, map(_words_for(name), values), strict=True))}
        for name, values in found.rows
        if everything or name in found.differing
    ]
    if invocation.flags.json:
        facts = {name: list(values) for name, values in found.rows}
        invocation.output.document(
            "comparison", {"assets": list(found.titles), "facts": facts, "differing": list(found.differing)}
        )
        return
    columns = [Column("fact", "")]
    columns += [Column(title, title, shrinks=True) for title in titles]
    invocation.output.table(columns, rows)


def _words_for(fact: str) -> Callable[[Any], Any]:
    """How a fact is said in a table."""
    told = {"size": wording.size, "mtime_ns": wording.iso_ns}.get(fact, str)
    return lambda value: None if value is None else told(value)


def _rows(library: Library, pairs: Sequence[tuple[Group, Version]]) -> list[dict[str, Any]]:
    """Versions as they are printed; the paths of their assets in one read."""
    from kassettui.library import assets

    ids = [one.asset_id for _, one in pairs if one.asset_id is not None]
    paths = {one.id: one.path for one in library.read(assets.summaries, ids)}
    return [_fields(group_, one, paths.get(one.asset_id or 0, one.data.value)) for group_, one in pairs]


def _fields(group_: Group, one: Version, data: str) -> dict[str, Any]:
    return {
        "group": " ".join(filter(None, (group_.key.entity, group_.key.key))),
        "project": group_.key.project,
        "kind": group_.key.kind,
        "entity": group_.key.entity,
        "key": group_.key.key,
        "number": one.number,
        "uuid": one.uuid,
        "type": str(one.type),
        "data_kind": str(one.data.kind),
        "data": data,
        "best": one.best,
        "approved": one.approved,
        "locked": group_.locked and one.best,
        "size": one.size,
        "quality": one.quality,
        "stored": one.stored_hash,
        "metadata": dict(one.metadata),
        "created_at": wording.iso(one.created_at),
    }


def _group_fields(one: Group) -> dict[str, Any]:
    return {
        "project": one.key.project,
        "kind": one.key.kind,
        "entity": one.key.entity,
        "key": one.key.key,
        "uuid": one.uuid,
        "head": one.head,
        "best": one.best,
        "locked": one.locked,
        "versions": one.versions,
    }


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidInput(f"{text!r} is no KEY=VALUE.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


for _command in (add, prune, revert):
    version.add_command(_command)
