"""docs/commands.md from the commands themselves: every command with its help, options and examples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kassettui.cli.main import SECTIONS, root
from kassettui.cli.options import SHARED, Command, Group
from kassettui.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = """\
# Commands

Made by `./scripts/docs` from the program's own help; `kassettui COMMAND -h` says the same.

Data goes to stdout, everything for people to stderr. `--json` prints one document with `schema_version`;
lists have `items` and `next`. On a terminal tables fit its width; piped they are tab-separated. Names are
made safe on a terminal and come as they are in JSON, where `<field>_b64` stands beside each that is not UTF-8.
"""  # noqa: E501 (a page's lines are as long as the page likes)
_MEANING = {
    ExitCode.DONE: 'done (a dry run and an answered "no" included)',
    ExitCode.FAILED: "failed or refused: usage, validation, ambiguous name",
    ExitCode.NOT_FOUND: "not found: scope, asset, folder, version",
    ExitCode.OFFLINE: "source offline or unreachable",
    ExitCode.PARTIAL: "partial: some items failed",
    ExitCode.DAMAGED: "integrity: damage was found",
    ExitCode.BUSY: "library busy",
    ExitCode.STALE_PLAN: "stale plan",
    ExitCode.INTERRUPTED: "interrupted",
}


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for left, right in rows:
        yield f"| `{left}` | {right} |".replace(" | ` |", " |")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _options(options: Iterable[click.Parameter], context: click.Context) -> Iterator[str]:
    records = [record for option in options if (record := option.get_help_record(context)) is not None]
    if records:
        yield from _table((_escaped(names), _escaped(text)) for names, text in records)
        yield ""


def _command(path: str, command: click.Command, level: int) -> Iterator[str]:
    assert isinstance(command, Command)
    context = click.Context(command, info_name=path)
    yield f"{'#' * level} {path}"
    yield ""
    if not isinstance(command, Group):
        yield f"`{path} {' '.join(command.collect_usage_pieces(context)[1:])}`".replace(" `", "`")
        yield ""
    for paragraph in (command.help or "").split("\n\n"):
        yield " ".join(paragraph.split())
        yield ""
    yield from _options(command.params, context)
    if command.examples:
        yield "```"
        for line, meaning in command.examples:
            yield f"# {meaning}"
            yield line
        yield "```"
        yield ""
    if isinstance(command, Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _command(f"{path} {name}", below, level + 1)


def _page() -> Iterator[str]:
    context = click.Context(root, info_name="kassettui")
    yield _HEAD
    yield "## Options of every command, before or after its name"
    yield ""
    yield from _options(SHARED, context)
    yield "## Exit codes"
    yield ""
    yield from _table((str(int(code)), _MEANING[code]) for code in ExitCode)
    yield ""
    for title, entries in SECTIONS.items():
        yield f"## {title}"
        yield ""
        for name in entries:
            command = root.get_command(context, name)
            assert command is not None
            yield from _command(f"kassettui {name}", command, 3)


def render() -> str:
    """The whole page."""
    return "\n".join(_page()).rstrip("\n") + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
