"""`demo`: a small show of real files, made by a process of its own, then imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.import_report import answer, exit_code
from kassettui.cli.importing import import_all
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import KassettuiError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.jobs.control import Control
    from kassettui.workspace import Workspace

_LAYOUT: Final = "{show}/{sequence}/{shot}/{task}"
_MARK: Final = ".kassettui-demo"
_BEGUN: Final = "kassettui demo began here and did not end.\n"
_MADE: Final = "Made by kassettui demo; remove the directory when you are done.\n"
_FILES: Final = 111
"""How many the generator makes: for the progress bar."""


@command(
    "demo",
    examples=(
        ("kassettui demo", "Make it in ./kassettui-demo, import it."),
        ("kassettui demo /tmp/show --library /tmp/demo.kassettui", "In a library of its own."),
    ),
)
@click.argument("directory", type=click.Path(), default="kassettui-demo", metavar="[DIR]")
@pass_invocation
def demo(invocation: Invocation, /, directory: str) -> int:
    """Make a small show of real files, and import it.

    EXR, DPX, JPEG and PNG sequences, a movie; one comp has a hole and a truncated frame. DIR must be new or
    empty; the demo made there before is imported again.
    """
    from kassettui.ingest.request import ImportRequest

    invocation.failure_type = "import"
    root = os.path.abspath(directory)
    workspace = invocation.workspace(create=True)
    if _mark(root) == _MADE:
        invocation.people.note(f"The demo is in {root} already.")
    else:
        _make(invocation, workspace, root)
    request = ImportRequest(path=root, name="demo", layout=_LAYOUT, enrich=invocation.settings.imports.enrich)
    reports = import_all(invocation, workspace, [request])
    answer(invocation, reports)
    if not invocation.flags.json:
        invocation.people.note("Try: kassettui ls · kassettui find 'missing:>0' · kassettui stats")
    return exit_code(reports)


def _mark(root: str) -> str:
    """What the mark of a demo in `root` says, "" in a new or empty directory. Raises Refused for others."""
    try:
        with open(os.path.join(root, _MARK), encoding="utf-8") as mark:
            return mark.read()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Refused(f"{root} cannot be used: {error.strerror}.", remedy="Name a new directory.") from error
    if os.path.isdir(root) and os.listdir(root):
        raise Refused(f"{root} is not empty.", remedy="Name a new or empty directory.")
    return ""


def _set_mark(root: str, text: str) -> None:
    with open(os.path.join(root, _MARK), "w", encoding="utf-8") as mark:
        mark.write(text)


def _make(invocation: Invocation, workspace: Workspace, root: str) -> None:
    """Run the generator; one that was interrupted is run again by the next demo."""
    from kassettui.cli.background import in_background

    os.makedirs(root, exist_ok=True)
    _set_mark(root, _BEGUN)
    with invocation.people.progress("demo") as shown:

        def heard(line: dict[str, Any]) -> None:
            if shown is not None:
                shown.update("demo", line["files"], _FILES, done_bytes=line["bytes"], current=line["file"])

        def work(control: Control, tell: Callable[[Any], None]) -> None:
            _generate(root, control, tell)

        in_background(invocation.interruption, workspace.jobs, "the demo", work, heard, kind="demo")
    _set_mark(root, _MADE)


def _generate(root: str, control: Control, tell: Callable[[Any], None]) -> None:
    """Start the process that imports the picture libraries, and pass on what it says. Raises Cancelled."""
    command_line = [sys.executable, "-P", "-m", "kassettui.media.demo", root]
    with subprocess.Popen(
        command_line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with control.at_cancel(process.kill):
            for line in process.stdout:
                control.checkpoint()
                tell(json.loads(line))
            complaint = process.stderr.read().decode(errors="replace").strip()
        control.checkpoint()
    if process.returncode:
        last = complaint.splitlines()[-1] if complaint else f"exit {process.returncode}"
        raise KassettuiError(
            f"The demo could not be made: {last}.", remedy=f"What there is stands in {root}."
        )
