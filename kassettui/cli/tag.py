"""`tag`: words on assets, with levels by `/` (spec: library L5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer, chosen, uuids, yes_option
from kassettui.cli.file_work import confirm_deletion
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.library.library import Library
    from kassettui.library.tags import Tagged

_COLUMNS: Final = (
    Column("name", "tag", shrinks=True),
    Column("assets", "assets", shown=wording.number, right=True),
)


@group(
    "tag",
    examples=(
        ("kassettui tag add 'shot:sh020 task:comp' hero client/final", "Two tags on all that is found."),
        ("kassettui tag remove @broken hero", "Off again."),
        ("kassettui tag list client", "A tag, and what lies under it."),
        ("kassettui tag rename client customer", "With all that lies under it."),
    ),
)
def tag() -> None:
    """Put tags on assets, take them off, rename and merge them."""


def _tagging(name: str, words: str, examples: tuple[tuple[str, str], ...]) -> Callable[[Any], Any]:
    """A command that takes one selector and tags."""

    def decorate(body: Any) -> Any:
        with_tags = click.argument("names", nargs=-1, metavar=words)(pass_invocation(body))
        return tag.command(name, examples=examples)(click.argument("selector", metavar="SEL")(with_tags))

    return decorate


@_tagging("add", "TAG...", (("kassettui tag add 3f2a hero", "One asset by the start of its uuid."),))
def add(invocation: Invocation, /, selector: str, names: tuple[str, ...]) -> None:
    """Put every TAG on everything that SEL names."""
    from kassettui.library import tags

    library, ids = chosen(invocation, (selector,))
    _tell(invocation, library, library.write(tags.add, ids, _required(names)))


@_tagging("remove", "TAG...", (("kassettui tag remove 'tag:wip rating:>=4' wip", "Off what is good."),))
def remove(invocation: Invocation, /, selector: str, names: tuple[str, ...]) -> None:
    """Take every TAG off everything that SEL names."""
    from kassettui.library import tags

    library, ids = chosen(invocation, (selector,))
    _tell(invocation, library, library.write(tags.remove, ids, _required(names)))


@_tagging("set", "[TAG...]", (("kassettui tag set shot:sh020 hero", "That one and no other."),))
def set_(invocation: Invocation, /, selector: str, names: tuple[str, ...]) -> None:
    """Have everything that SEL names carry these TAGs and no others; without any, none."""
    from kassettui.library import tags

    library, ids = chosen(invocation, (selector,))
    _tell(invocation, library, library.write(tags.set_tags, ids, list(names)))


@tag.command("list", examples=(("kassettui tag list --json", "For a machine."),))
@click.argument("below", required=False, default="", metavar="[TAG]")
@pass_invocation
def list_(invocation: Invocation, /, below: str) -> None:
    """List tags with their assets; with TAG, that one and what lies under it."""
    from kassettui.library import tags

    found = invocation.reading().read(tags.listed, below)
    rows = [{"name": one.name, "uuid": one.uuid, "assets": one.assets} for one in found]
    if invocation.flags.json:
        invocation.output.json_list("tags", rows)
    else:
        invocation.output.table(_COLUMNS, rows)


@tag.command(
    "rename",
    examples=(
        ("kassettui tag rename client customer", "client/final becomes customer/final."),
        ("kassettui tag rename clientt client --merge", "One tag of both."),
    ),
)
@click.argument("old", metavar="TAG")
@click.argument("new", metavar="NAME")
@click.option("--merge", is_flag=True, help="Where NAME is a tag already, make one of both.")
@pass_invocation
def rename(invocation: Invocation, /, old: str, new: str, merge: bool) -> None:
    """Call a tag otherwise, and with it what lies under it."""
    from kassettui.library import tags

    library = invocation.workspace().library
    _tell(invocation, library, library.write(tags.rename, old, new, merge))


@tag.command("merge", examples=(("kassettui tag merge wip progress todo", "wip and progress become todo."),))
@click.argument("names", nargs=-1, required=True, metavar="TAG...")
@click.argument("target", metavar="TARGET")
@pass_invocation
def merge(invocation: Invocation, /, names: tuple[str, ...], target: str) -> None:
    """Make tags part of TARGET, in one go: their assets carry that instead."""
    from kassettui.library import tags

    library = invocation.workspace().library
    _tell(invocation, library, library.write(tags.merge, list(names), target))


@tag.command("delete", examples=(("kassettui tag delete wip --yes", "Off everything, without a question."),))
@click.argument("names", nargs=-1, required=True, metavar="TAG...")
@click.option("--recursive", is_flag=True, help="And what lies under them.")
@yes_option
@pass_invocation
def delete(invocation: Invocation, /, names: tuple[str, ...], recursive: bool, yes: bool) -> int:
    """Delete tags, off every asset that carries them."""
    from kassettui.library import tags

    library = invocation.workspace().library
    carried = sum(library.read(tags.find, name).assets for name in names) if not recursive else 2
    question = f"Delete {wording.plural(len(names), 'tag')}"
    question += (
        f", off {wording.plural(carried, 'asset')}?" if not recursive else " and all that lies under them?"
    )
    if carried > 1 and not confirm_deletion(invocation, question, yes=yes):
        return ExitCode.DONE
    _tell(invocation, library, library.write(tags.delete, list(names), recursive))
    return ExitCode.DONE


def _required(names: tuple[str, ...]) -> list[str]:
    if not names:
        raise InvalidInput("No tag was named.", remedy="For instance: kassettui tag add SEL hero")
    return list(names)


def _tell(invocation: Invocation, library: Library, done: Tagged) -> None:
    changed = wording.plural(len(done.assets), "asset")
    sentence = f"{changed} changed: {done.added} tags on, {done.removed} off."
    fields = {"added": done.added, "removed": done.removed, "assets": uuids(library, done.assets)}
    answer(invocation, "tags_changed", sentence, fields)
