"""`version revert`: a file as a stored version was (spec: library V7)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from kassettui.cli.curating import answer
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.version_selection import Asked, number_of, numbered
from kassettui.core.errors import NotFound

if TYPE_CHECKING:
    from kassettui.library.library import Library
    from kassettui.library.versions import Group


@command(
    "revert",
    examples=(
        ("kassettui version revert grade.cc 2", "The file is as it was then; what it was now is a version."),
    ),
)
@click.argument("selector", metavar="SEL|PATH")
@click.argument("number")
@click.option("--to", metavar="PATH", type=click.Path(), help="Another file than the version's own.")
@pass_invocation
def revert(invocation: Invocation, /, selector: str, number: str, to: str | None) -> None:
    """Give a file the content of a stored version; its present content becomes a version first."""
    from kassettui.library.versions import storing

    library = invocation.workspace().library
    one = _group_of_file(library, selector)
    found = numbered(library, one, number_of(number))
    done = storing.revert(library, found.id, None if to is None else os.path.abspath(to))
    backup = None if done.backup is None else done.backup.number
    sentence = f"{done.path} is as version {found.number} was."
    sentence += f" What it was before is version {backup}." if backup else ""
    fields = {"path": done.path, "number": found.number, "backup": backup, "changed": done.changed}
    answer(invocation, "version_reverted", sentence, fields)


def _group_of_file(library: Library, selector: str) -> Group:
    """The group of an asset, or of a plain file that versions were made of."""
    from kassettui.library import versions

    try:
        return Asked(selector, None, (), None).one(library)
    except NotFound:
        found = library.read(versions.groups_of_path, os.path.abspath(selector))
        if len(found) != 1:
            raise
        return found[0]
