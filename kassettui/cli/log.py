"""`log`: what the program noted, of all its processes, oldest first."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import KassettuiError
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.observe.entries import Entry

LEVELS: Final = ("debug", "info", "warning", "error")
_SHOWN: Final = 100
_STYLE: Final = {"debug": "dim", "warning": "warn", "error": "bad"}


@command(
    "log",
    examples=(
        ("kassettui log --level warning", "What went wrong lately."),
        ("kassettui log -f", "Follow it while something runs elsewhere."),
        ("kassettui log --lines 0 --json", "All that is kept, for a machine."),
    ),
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="The least weight to show.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=_SHOWN, show_default=True, help="How many; 0: all."
)
@pass_invocation
def log(invocation: Invocation, follow: bool, level: str, lines: int) -> None:
    """The program's log.

    With --json one document; with --json and -f one JSON object a line.
    """
    from kassettui import paths
    from kassettui.observe.logreader import read_log

    path = paths.log_file()
    try:
        if follow:
            invocation.streams = invocation.flags.json
            there = sum(1 for _ in read_log(path, level=level)) if lines else 0
            _show(invocation, islice(read_log(path, follow=True, level=level), max(0, there - lines), None))
            return
        last = deque(read_log(path, level=level), maxlen=lines or None)
    except OSError as error:
        raise KassettuiError(f"The log {path} cannot be read: {error.strerror}.") from error
    if invocation.flags.json:
        invocation.output.json_list("log", (entry.as_json() for entry in last))
    else:
        _show(invocation, last)
    if not last:
        invocation.people.note(f"Nothing is logged in {path}.")


def _show(invocation: Invocation, entries: Iterator[Entry] | deque[Entry]) -> None:
    for entry in entries:
        if invocation.streams:
            invocation.output.event(entry.as_json())
            continue
        for line in _lines(entry):
            invocation.output.line(line, _STYLE.get(entry.level.name.lower(), ""))
        invocation.output.flush()


def _lines(entry: Entry) -> Iterator[str]:
    """An entry in words, its traceback on lines of its own."""
    fields = dict(entry.fields)
    trace = fields.pop("exception", None)
    words = " ".join(f"{key}={value}" for key, value in fields.items())
    head = f"{entry.time} {entry.level.name.lower():7} {entry.logger}: {entry.event}"
    yield safe(f"{head} {words}".rstrip())
    if trace:
        yield from (f"    {safe(line)}" for line in str(trace).splitlines())
