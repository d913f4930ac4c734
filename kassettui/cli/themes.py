"""`themes`: the colour themes there are, ours and the user's own."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COLUMNS: Final = (
    Column("name", "name"),
    Column("title", "title", shrinks=True),
    Column("base", "base"),
    Column("origin", "from", rank=1),
    Column("path", "file", shrinks=True, rank=2),
)


@command(
    "themes",
    examples=(
        ("kassettui themes", "All of them; `screen.theme` in the settings names the one to use."),
        ("kassettui config path", "Where your own go: one TOML file each."),
    ),
)
@pass_invocation
def themes(invocation: Invocation) -> None:
    """The colour themes of the screen."""
    from kassettui import paths

    rows = [
        *_found(invocation, paths.themes_directory(), "kassettui"),
        *_found(invocation, paths.own_themes_directory(), "you"),
    ]
    if invocation.flags.json:
        invocation.output.json_list("themes", rows)
    else:
        invocation.output.table(_COLUMNS, rows)


def _found(invocation: Invocation, directory: Path, origin: str) -> Iterator[dict[str, Any]]:
    for path in sorted(directory.glob("*.toml")):
        try:
            theme = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            invocation.people.warn(f"{path} is no theme: {error}.")
            continue
        yield {
            "name": str(theme.get("name", path.stem)),
            "title": str(theme.get("title", "")),
            "base": "dark" if theme.get("dark", True) else "light",
            "origin": origin,
            "path": str(path),
        }
