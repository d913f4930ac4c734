"""`rename`: one thing or many, by template, find and replace, or a person's editor; sequences
renumbered (F9, F10).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli.file_work import carry_out
from kassettui.cli.files import dry_run_option, lines_option, options_of, plans_of, wish_of
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column
from kassettui.core.errors import InvalidInput, KassettuiError, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kassettui.cli.file_work import Wish
    from kassettui.files.listing import Entry
    from kassettui.files.operations import FileOperations
    from kassettui.files.plan import Answers, Plan
    from kassettui.files.plans import Plans
    from kassettui.files.renaming import Pair
    from kassettui.library.library import Library

_PAIRS: Final = (
    Column("before", "name", shrinks=True),
    Column("after", "new name", shrinks=True),
    Column("problem", "problem", style=lambda _: "bad", rank=1),
)


@command(
    "rename",
    examples=(
        ("kassettui rename old.mov new.mov", "One thing."),
        ("kassettui rename 'a.####.exr' 'b.####.exr'", "A sequence, all frames or none."),
        ("kassettui rename --to '{stem}_v{version:03}_{n:02}' *.mov", "Many, by a template."),
        ("kassettui rename --find plate --with bg plates/*", "Many, by finding and replacing."),
        ("kassettui rename --edit *", "Many, in $EDITOR, a line each."),
        ("kassettui rename 'a.####.exr' --start 1001 --padding 5", "Other frame numbers."),
    ),
)
@click.argument("words", nargs=-1, type=click.Path(), metavar="SEL...")
@click.option(
    "--to", "template", metavar="TEMPLATE", help="Names from {name} {stem} {ext} {frame:04} {n:03}…"
)
@click.option("--first", type=int, default=1, help="What {n} begins with.")
@click.option("--find", help="What to replace in the names.")
@click.option("--with", "instead", default="", help="What to put there; nothing, if not given.")
@click.option("--regex", is_flag=True, help="--find is a regular expression, --with may use \\1.")
@click.option("--ignore-case", is_flag=True, help="--find does not tell cases apart.")
@click.option("--extension", is_flag=True, help="--find looks at extensions too.")
@click.option("--edit", is_flag=True, help="Edit the names in $EDITOR.")
@click.option("--offset", type=int, help="Add this to the frame numbers of a sequence.")
@click.option("--start", type=int, help="Let the frame numbers of a sequence begin here.")
@click.option("--padding", type=int, help="How many digits the frame numbers get.")
@click.option("--overwrite", is_flag=True, help="What has a wanted name goes to the trash.")
@dry_run_option
@lines_option
@pass_invocation
def rename(invocation: Invocation, /, words: tuple[str, ...], json_lines: bool, **given: Any) -> int:
    """Give files, directories and sequences other names, where they are: all of them or none.

    Swaps and cycles are fine. The extension is kept unless the template has {ext} or {name}. The library
    follows: assets keep their tags, ratings and versions.
    """
    invocation.streams = json_lines
    invocation.failure_type = "rename"
    given["on_conflict"] = "overwrite" if given["overwrite"] else None
    plans, files, library = plans_of(invocation, dry_run=given["dry_run"])
    wish = wish_of("rename", given, verb="renamed")
    if any(given[name] is not None for name in ("offset", "start", "padding")):
        return _renumber(invocation, words, given, plans, files, library, wish)
    pairs = _pairs(invocation, words, given, library)
    problems = [pair for pair in pairs if pair.problem]
    if problems or given["dry_run"]:
        rows = [
            {"before": pair.before, "after": pair.after, "problem": pair.problem or None} for pair in pairs
        ]
        if problems:
            return _refuse(invocation, rows)
        if not (invocation.flags.json or invocation.streams):
            invocation.output.table(_PAIRS, rows)
            return 0

    def make(answers: Answers) -> Plan:
        return plans.rename(pairs, _with_policy(given, answers))

    return carry_out(invocation, files, make, wish)


def _with_policy(given: Mapping[str, Any], answers: Answers) -> Any:
    from dataclasses import replace

    return replace(options_of(dict(given)), on_conflict=answers.for_all)


def _renumber(
    invocation: Invocation,
    words: tuple[str, ...],
    given: dict[str, Any],
    plans: Plans,
    files: FileOperations | None,
    library: Library | None,
    wish: Wish,
) -> int:
    from kassettui.cli.file_selection import entries_of

    entries = entries_of(words, library)
    if len(entries) != 1:
        raise InvalidInput(f"One sequence is renumbered at a time, these are {len(entries)} things.")
    if given["offset"] is not None and given["start"] is not None:
        raise InvalidInput("--offset and --start say two different things.")

    def make(answers: Answers) -> Plan:
        return plans.renumber(
            entries[0],
            offset=given["offset"] or 0,
            start=given["start"],
            padding=given["padding"],
            options=_with_policy(given, answers),
        )

    return carry_out(invocation, files, make, wish)


def _pairs(
    invocation: Invocation, words: tuple[str, ...], given: Mapping[str, Any], library: Library | None
) -> list[Pair]:
    """Every thing with its new name, by the one way that was asked for."""
    from kassettui.cli.file_selection import entries_of
    from kassettui.files import renaming

    ways = [name for name in ("template", "find", "edit") if given[name]]
    if len(ways) > 1:
        raise InvalidInput("--to, --find and --edit are three ways; choose one.")
    if not ways:
        return _one(words, library)
    entries = entries_of(words, library)
    if given["template"]:
        return renaming.by_template(entries, given["template"], first=given["first"])
    if given["find"]:
        return renaming.by_replacing(
            entries,
            given["find"],
            given["instead"],
            regex=given["regex"],
            ignore_case=given["ignore_case"],
            extension=given["extension"],
        )
    return _edited(invocation, entries)


def _one(words: Sequence[str], library: Library | None) -> list[Pair]:
    """`rename OLD NEW`."""
    from kassettui.cli.file_selection import entries_of
    from kassettui.files import renaming

    if len(words) != 2:
        raise InvalidInput("Name one thing and its new name.", remedy="For many: --to, --find or --edit.")
    entries = entries_of(words[:1], library)
    new = words[1]
    if os.path.dirname(new) and os.path.abspath(os.path.dirname(new)) != entries[0].directory:
        raise InvalidInput("A rename stays in its directory.", remedy="kassettui mv goes elsewhere.")
    return renaming.by_lines(entries, renaming.escaped(os.path.basename(new)) + "\n")


def _edited(invocation: Invocation, entries: Sequence[Entry]) -> list[Pair]:
    """The names as a person left them in the editor; again, as long as something is wrong and they
    want to.
    """
    from kassettui.files import renaming

    if not invocation.people.asks:
        raise Refused("There is no terminal for an editor.", remedy="Use --to or --find.")
    text = renaming.editor_text(entries)
    while True:
        text = _editor(text)
        try:
            pairs = renaming.by_lines(entries, text)
            problems = [f"{pair.before} → {pair.after}: {pair.problem}" for pair in pairs if pair.problem]
        except InvalidInput as error:
            pairs, problems = [], [str(error)]
        if not problems:
            return pairs
        for problem in problems:
            invocation.people.error(problem)
        if not invocation.people.confirm("Edit again?"):
            raise Refused("Nothing was renamed.")


def _editor(text: str) -> str:
    """`text` after a person's editor had it, from a private file. Raises KassettuiError when that fails."""
    command_line = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.NamedTemporaryFile("w", prefix="kassettui-", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            done = subprocess.run([*command_line, file.name], check=False)
        except OSError as error:
            raise KassettuiError(
                f"The editor {command_line[0]} cannot be started: {error.strerror}.", remedy="Set $EDITOR."
            ) from error
        if done.returncode:
            raise Refused(f"The editor ended with {done.returncode}: nothing was renamed.")
        with open(file.name, encoding="utf-8", errors="surrogateescape") as edited:
            return edited.read()


def _refuse(invocation: Invocation, rows: list[dict[str, Any]]) -> int:
    """Every pair that cannot be, at once (F10)."""
    from kassettui.core.errors import ExitCode

    if invocation.flags.json or invocation.streams:
        fields = {
            "status": "error",
            "code": "invalid",
            "message": "Some names cannot be given.",
            "pairs": rows,
        }
        kind = "summary" if invocation.streams else "rename"
        invocation.output.document(kind, {**fields, "exit_code": int(ExitCode.FAILED)})
    for row in rows:
        if row["problem"]:
            invocation.people.error(f"{row['before']} → {row['after']}: {row['problem']}.")
    invocation.people.note("Nothing was renamed.")
    return ExitCode.FAILED
