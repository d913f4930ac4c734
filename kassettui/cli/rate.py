"""`rate` and `note`: stars, titles and descriptions (spec: library L6)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer, chosen, selectors_argument, uuids
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.library.library import Library
    from kassettui.library.notes import Edit, Note

_NONE: Final = ("clear", "none", "unrated")
_RATINGS: Final = (*"012345", *_NONE)


@command(
    "rate",
    examples=(
        ("kassettui rate 'shot:sh020 best:yes' 5", "Five stars for what is best of a shot."),
        ("kassettui rate - clear < uuids.txt", "No rating any more."),
    ),
)
@selectors_argument
@click.argument("rating", type=click.Choice(_RATINGS), metavar="0-5|clear")
@pass_invocation
def rate(invocation: Invocation, /, selectors: tuple[str, ...], rating: str) -> None:
    """Zero to five stars, or none.

    Everything that SEL names gets them, in one go.
    """
    from kassettui.library import ratings

    stars = None if rating in _NONE else int(rating)
    library, ids = chosen(invocation, selectors)
    done = library.write(ratings.set_rating, ids, stars)
    changed, same = len(done.before), len(ids) - len(done.before)
    what = "Unrated" if stars is None else f"Rated {stars}"
    sentence = f"{what}: {wording.plural(changed, 'asset')}" + (
        f"; {same} had that already." if same else "."
    )
    answer(
        invocation,
        "rated",
        sentence,
        {"rating": stars, "assets": uuids(library, done.assets), "unchanged": same},
    )


@command(
    "note",
    examples=(
        ("kassettui note 3f2a --title 'Final comp' --description 'As agreed on Monday.'", "Both at once."),
        ("kassettui note 3f2a", "What is noted."),
        ("kassettui note /shows/abc/readme.txt --title 'Read this'", "A path that is no asset."),
        ("kassettui note --orphans --forget", "Notes on paths that are gone: away with them."),
    ),
)
@click.argument("selectors", nargs=-1, metavar="SEL...")
@click.option("--title", help='A line; "" for none.')
@click.option("--description", help='As long as you like; "" for none.')
@click.option("--orphans", is_flag=True, help="The notes on paths that are not there any more.")
@click.option("--forget", is_flag=True, help="With --orphans: remove them.")
@pass_invocation
def note(
    invocation: Invocation,
    /,
    selectors: tuple[str, ...],
    title: str | None,
    description: str | None,
    orphans: bool,
    forget: bool,
) -> None:
    """A title and a description, for assets and for paths.

    Without options, they are shown.
    """
    from kassettui.library.notes import Edit

    if orphans:
        _orphans(invocation, forget=forget)
        return
    if not selectors:
        raise InvalidInput("Nothing was named.", remedy="See: kassettui note -h")
    if title is None and description is None:
        _show(invocation, selectors)
    else:
        _write(invocation, selectors, Edit(title, description))


def _split(selectors: Sequence[str], library: Library) -> tuple[list[int], list[str]]:
    """What is an asset, and what is only a path on disk."""
    from kassettui.cli.selectors import select

    ids: list[int] = []
    paths: list[str] = []
    for selector in selectors:
        try:
            ids += select(library, (selector,))
        except NotFound:
            if not os.path.lexists(selector):
                raise
            paths.append(os.path.abspath(selector))
    return ids, paths


def _write(invocation: Invocation, selectors: Sequence[str], edit: Edit) -> None:
    from kassettui.library import notes

    library = invocation.workspace().library
    ids, paths = _split(selectors, library)
    changed = library.write(notes.write, ids, edit) if ids else ()
    changed_paths = library.write(notes.write_paths, dict.fromkeys(paths, edit)) if paths else ()
    sentence = f"Noted: {wording.plural(len(changed), 'asset')}"
    sentence += f", {wording.plural(len(changed_paths), 'path')}." if paths else "."
    answer(invocation, "noted", sentence, {"assets": uuids(library, changed), "paths": list(changed_paths)})


def _show(invocation: Invocation, selectors: Sequence[str]) -> None:
    from kassettui.library import assets, notes

    library = invocation.reading()
    ids, paths = _split(selectors, library)
    of_assets = library.read(notes.of_assets, ids)
    of_paths = library.read(notes.of_paths, paths)
    places = {one.id: (one.uuid, one.path) for one in library.read(assets.summaries, ids)}
    rows = [_row(*places[id_], of_assets[id_]) for id_ in ids if id_ in places]
    rows += [_row(None, path, of_paths.get(path)) for path in paths]
    _print(invocation, rows)


def _row(uuid: str | None, path: str, note_: Note | None) -> dict[str, Any]:
    title, description = (note_.title, note_.description) if note_ is not None else ("", "")
    return {"uuid": uuid, "path": path, "title": title, "description": description}


def _print(invocation: Invocation, rows: list[dict[str, Any]]) -> None:
    from kassettui.cli.tables import Fact

    if invocation.flags.json:
        invocation.output.json_list("notes", rows)
        return
    for row in rows:
        facts = [Fact("path", row["path"]), Fact("title", row["title"])]
        invocation.output.facts([*facts, Fact("description", row["description"])])


def _orphans(invocation: Invocation, *, forget: bool) -> None:
    """Notes whose path is not on disk now. A mount that is away takes its paths with it: hence by hand."""
    from kassettui.library import notes

    library = invocation.workspace().library if forget else invocation.reading()
    gone = [path for path in library.read(notes.annotated_paths) if not os.path.lexists(path)]
    if forget:
        number = library.write(notes.forget_paths, gone)
        answer(
            invocation, "notes_forgotten", f"Forgotten: {wording.plural(number, 'note')}.", {"paths": gone}
        )
        return
    found = library.read(notes.of_paths, gone)
    _print(invocation, [_row(None, path, found.get(path)) for path in gone])
