"""`manifest`: lists of sums and ASC MHL generations (spec: files F18)."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import click

from kassettui.cli import file_values, wording
from kassettui.cli.background import in_background
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.verify import Made
    from kassettui.jobs.control import Control
    from kassettui.jobs.state import Snapshot
    from kassettui.library.library import Library

T = TypeVar("T")


@group(
    "manifest",
    examples=(
        ("kassettui manifest create /mnt/delivery > delivery.xxh128", "Sums that `xxhsum -c` checks."),
        ("kassettui manifest create /mnt/delivery --mhl", "The next ASC MHL generation."),
    ),
)
def manifest() -> None:
    """Proof of what a directory holds."""


@manifest.command(
    "create",
    examples=(
        ("kassettui manifest create . -o sums.xxh128", "A list beside the files, for `kassettui verify`."),
    ),
)
@click.argument("words", nargs=-1, required=True, type=click.Path(), metavar="DIRECTORY|SEL...")
@click.option("--mhl", is_flag=True, help="ASC MHL v2: the next generation of the directory's history.")
@click.option("-o", "--output", "path", type=click.Path(), metavar="FILE", help="Write the list to FILE.")
@pass_invocation
def create(invocation: Invocation, /, words: tuple[str, ...], mhl: bool, path: str | None) -> int:
    """Write sums of everything in a directory, or of what is selected, as xxhsum does: to stdout, or to FILE.

    Paths are relative to FILE's directory, or to the current one. With --mhl, a directory gets the next
    generation of its ASC MHL history; what differs from the last one is found.
    """
    invocation.failure_type = "manifest"
    if mhl:
        if len(words) != 1 or not os.path.isdir(words[0]):
            raise InvalidInput("ASC MHL is made of one directory.")
        made = proving(invocation, "manifest", lambda control: _generation(words[0], control))
    else:
        made = proving(invocation, "manifest", lambda control: _sums(invocation, words, path, control))
        if not path and not invocation.flags.json:
            invocation.output.raw(made.data)
    for finding in made.findings:
        invocation.people.error(
            f"{finding.path}: {finding.fault}{': ' if finding.detail else ''}{finding.detail}"
        )
    fields = {
        "status": "partial" if made.findings else "success",
        "paths": list(made.paths),
        "files": made.files,
        "bytes": made.size,
        "findings": [file_values.finding_fields(finding) for finding in made.findings],
    }
    if invocation.flags.json:
        invocation.output.document("manifest", fields)
    else:
        files = wording.plural(made.files, "file")
        where = f" in {', '.join(made.paths)}" if made.paths else ""
        invocation.people.note(f"{files}, {wording.size(made.size)}{where}.")
    return _code(made, mhl=mhl)


def _code(made: Made, *, mhl: bool) -> ExitCode:
    faults = {str(finding.fault) for finding in made.findings}
    if not faults:
        return ExitCode.DONE
    return ExitCode.DAMAGED if mhl and faults & {"changed", "missing"} else ExitCode.PARTIAL


def proving(invocation: Invocation, title: str, work: Callable[[Control], T]) -> T:
    """A pass over files as a job, its progress shown. Raises what it raises; Interrupted after a signal."""
    jobs = invocation.workspace().jobs
    with invocation.people.progress(title) as shown:

        def heard(snapshot: Snapshot) -> None:
            if shown is not None and snapshot.title == title:
                done, total = snapshot.bytes_done, snapshot.bytes_total
                shown.update(title, done, total, done_bytes=done, current=snapshot.current)

        unsubscribe = jobs.subscribe(heard)
        try:
            return in_background(
                invocation.interruption, jobs, title, lambda control, _: work(control), _ignore, kind="verify"
            )
        finally:
            unsubscribe()


def _ignore(_: object) -> None:
    """Snapshots tell all there is."""


def _generation(directory: str, control: Control) -> Made:
    from kassettui.files.verify import create_generation

    return create_generation(os.path.abspath(directory), control)


def _sums(invocation: Invocation, words: tuple[str, ...], path: str | None, control: Control) -> Made:
    """The list of what `words` name; into the file, if one is given."""
    from kassettui.files.verify import sums_of, write_list

    library = existing_library(invocation)
    base = os.path.dirname(os.path.abspath(path)) if path else os.getcwd()
    absolute = path is None and all(os.path.isabs(word) for word in words)
    names = [name if absolute else os.path.relpath(name, base) for name in _files(words, library, control)]
    made = sums_of(base, control, names)
    if path is None:
        return made
    write_list(path, made.data)
    return replace(made, paths=(path,))


def _files(words: tuple[str, ...], library: Library | None, control: Control) -> list[str]:
    """Every file that `words` name, with all below directories."""
    from kassettui.cli.file_selection import entries_of
    from kassettui.files.plan import ItemKind
    from kassettui.files.verify import files_below

    found: list[str] = []
    for entry in entries_of(words, library):
        if entry.kind is ItemKind.DIRECTORY:
            found += files_below(entry.path, control)
        else:
            found += [os.path.join(entry.directory, name) for name in entry.members()]
    return found


def existing_library(invocation: Invocation) -> Library | None:
    """The library, where there is one; none is made for a look at files."""
    workspace = invocation.workspace()
    return workspace.library if workspace.library_path.exists() else None
