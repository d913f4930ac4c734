"""What the commands of curation share: the assets that are meant, the answer, one question for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kassettui.cli import wording
from kassettui.cli.file_work import confirm_deletion
from kassettui.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.cli.invocation import Invocation
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

SELECTORS = "SEL..."

selectors_argument = click.argument("selectors", nargs=-1, required=True, metavar=SELECTORS)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def chosen(
    invocation: Invocation, selectors: Sequence[str], *, writes: bool = True
) -> tuple[Library, list[int]]:
    """The library, and the row ids of what the selectors name. Raises NotFound, Ambiguous, QueryError."""
    from kassettui.cli.selectors import select

    library = invocation.workspace().library if writes else invocation.reading()
    ids = select(library, selectors)
    if not ids:
        raise NotFound("Nothing was selected.")
    return library, ids


def uuids(library: Library, asset_ids: Sequence[int]) -> list[str]:
    """The uuids of assets, in this order, for a machine."""
    return library.read(_uuids, list(asset_ids))


def _uuids(db: LibraryDatabase, asset_ids: list[int]) -> list[str]:
    from kassettui.library import assets

    return [one.uuid for one in assets.summaries(db, asset_ids)]


def answer(invocation: Invocation, kind: str, sentence: str, fields: Mapping[str, Any]) -> None:
    """How it went: a document for a machine, a sentence for a person."""
    if invocation.flags.json:
        invocation.output.document(kind, {"status": "success", **fields})
    else:
        invocation.people.note(sentence)


def confirmed(
    invocation: Invocation, verb: str, library: Library, asset_ids: Sequence[int], *, yes: bool
) -> bool:
    """One question for many assets, with their number and bytes; a single one goes unasked."""
    if len(asset_ids) < 2:
        return True
    size = sum(one.size for one in library.read(_sizes, list(asset_ids)))
    question = f"{verb} {wording.plural(len(asset_ids), 'asset')}, {wording.size(size)}?"
    return confirm_deletion(invocation, question, yes=yes)


def _sizes(db: LibraryDatabase, asset_ids: list[int]) -> list[Any]:
    from kassettui.library import assets

    return list(assets.summaries(db, asset_ids))
