"""`folder`: virtual folders, in which an asset may lie many times (spec: library L4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.curating import answer, chosen, selectors_argument, uuids, yes_option
from kassettui.cli.file_work import confirm_deletion
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column
from kassettui.core.errors import ExitCode, NotFound

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.folder_changes import Node


def _indented(row: Any) -> str:
    mark = f"  @{row['search']}" if row["search"] else ""
    return f"{'  ' * row['depth']}{row['name']}{mark}"


_COLUMNS: Final = (
    Column("path", "folder", of_row=_indented, shrinks=True),
    Column("assets", "assets", shown=wording.number, right=True),
)


@group(
    "folder",
    examples=(
        ("kassettui folder mk dailies/monday", "With all that is missing on the way."),
        ("kassettui folder add 'shot:sh020 best:yes' dailies/monday", "Assets may lie in many folders."),
        ("kassettui folder mk 'review/broken' --search broken", "A smart folder: what a saved search finds."),
        ("kassettui ls folder:dailies", "What lies there, and below."),
    ),
)
def folder() -> None:
    """Virtual folders, plain and smart.

    Files stay where they are.
    """


@folder.command("mk", examples=(("kassettui folder mk delivery/v2", "Nothing happens where it is there."),))
@click.argument("path")
@click.option("--search", metavar="NAME", help="Have it show what this saved search finds.")
@pass_invocation
def mk(invocation: Invocation, /, path: str, search: str | None) -> None:
    """Make a folder, and those above it."""
    from kassettui.library import folder_changes

    library = invocation.workspace(create=True).library
    if search is None:
        library.write(folder_changes.make, path)
    else:
        library.write(folder_changes.make_smart, path, search)
    answer(invocation, "folder", f"There is a folder {path.strip('/')}.", {"path": path.strip("/")})


@folder.command(
    "mv",
    examples=(
        ("kassettui folder mv dailies/monday archive", "Into a folder that is there."),
        ("kassettui folder mv dailies/monday dailies/tuesday", "Another name."),
    ),
)
@click.argument("path")
@click.argument("destination")
@pass_invocation
def mv(invocation: Invocation, /, path: str, destination: str) -> None:
    """Put a folder into another one, or call it otherwise."""
    library = invocation.workspace().library
    shown = library.write(_move, path, destination)
    answer(invocation, "folder", f"It is {shown} now.", {"path": shown})


def _move(db: LibraryDatabase, path: str, destination: str) -> str:
    """In one transaction; the path that the folder has then."""
    from kassettui.library import folder_changes, folders

    moving = folders.find(db, path)
    parts = folders.parts_of(destination)
    try:
        parent, name = folders.find(db, destination), ""
    except NotFound:
        parent, name = folders.find(db, "/".join(parts[:-1])), parts[-1]
    if parent == moving:
        return folders.path_of(db, moving)
    folder_changes.move(db, moving, parent)
    if name:
        folder_changes.rename(db, moving, name)
    return folders.path_of(db, moving)


@folder.command(
    "rm",
    examples=(
        ("kassettui folder rm dailies --recursive", "And all below it; the assets stay in the library."),
        ("kassettui folder rm dailies --move-to archive", "Its assets go there."),
    ),
)
@click.argument("path")
@click.option("--recursive", is_flag=True, help="Also what is not empty, with all below it.")
@click.option("--move-to", metavar="PATH", help="The folder that takes its assets.")
@yes_option
@pass_invocation
def rm(invocation: Invocation, /, path: str, recursive: bool, move_to: str | None, yes: bool) -> int:
    """Delete a folder. Assets are never deleted with it."""
    from kassettui.library import folder_changes, folders

    library = invocation.workspace().library
    folder_id = library.read(folders.find, path)
    target = None if move_to is None else library.read(folders.find, move_to)
    nodes = library.read(folder_changes.tree, folder_id)
    if recursive and len(nodes) > 1:
        members = wording.plural(sum(node.assets for node in nodes), "asset")
        question = f"Delete {wording.plural(len(nodes), 'folder')}, with {members} in them that stay?"
        if not confirm_deletion(invocation, question, yes=yes):
            return ExitCode.DONE
    done = library.write(folder_changes.delete, folder_id, recursive, target)
    sentence = f"Deleted: {wording.plural(done.folders, 'folder')}."
    answer(invocation, "folder_deleted", sentence, {"folders": done.folders, "memberships": done.memberships})
    return ExitCode.DONE


@folder.command("ls", examples=(("kassettui folder ls dailies --json", "A folder and all below it."),))
@click.argument("path", required=False, default="")
@pass_invocation
def ls(invocation: Invocation, /, path: str) -> None:
    """The tree of folders, with the number of assets in each."""
    from kassettui.library import folder_changes, folders

    library = invocation.reading()
    nodes = library.read(folder_changes.tree, library.read(folders.find, path))
    if invocation.flags.json:
        invocation.output.json_list("folders", [_fields(node) for node in nodes])
    else:
        invocation.output.table(_COLUMNS, [_fields(node) for node in nodes])


def _fields(node: Node) -> dict[str, Any]:
    return {
        "path": node.path,
        "name": node.name,
        "uuid": node.uuid,
        "depth": node.depth,
        "assets": node.assets,
        "search": node.search,
    }


@folder.command("add", examples=(("kassettui folder add @review dailies/monday", "What a search finds."),))
@selectors_argument
@click.argument("path")
@pass_invocation
def add(invocation: Invocation, /, selectors: tuple[str, ...], path: str) -> None:
    """Put assets into a folder, beside the folders that they lie in already."""
    from kassettui.library import folder_changes, folders

    library, ids = chosen(invocation, selectors)
    done = library.write(folder_changes.put, ids, library.read(folders.find, path))
    sentence = f"Put into {path}: {wording.plural(len(done), 'asset')}."
    answer(invocation, "folder_changed", sentence, {"path": path.strip("/"), "assets": uuids(library, done)})


@folder.command(
    "remove", examples=(("kassettui folder remove tag:old dailies/monday", "They stay in the library."),)
)
@selectors_argument
@click.argument("path")
@pass_invocation
def remove(invocation: Invocation, /, selectors: tuple[str, ...], path: str) -> None:
    """Take assets out of a folder."""
    from kassettui.library import folder_changes, folders

    library, ids = chosen(invocation, selectors)
    done = library.write(folder_changes.take_out, ids, library.read(folders.find, path))
    sentence = f"Taken out of {path}: {wording.plural(len(done), 'asset')}."
    answer(invocation, "folder_changed", sentence, {"path": path.strip("/"), "assets": uuids(library, done)})
