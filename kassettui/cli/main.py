"""The command line's root: the table of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from kassettui import __version__
from kassettui.cli.interruption import Interruption
from kassettui.cli.invocation import Invocation
from kassettui.cli.options import CONTEXT, Entry, LazyGroup
from kassettui.cli.output import ReaderLeft, failure
from kassettui.core.errors import ExitCode, Interrupted, InvalidInput, KassettuiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassettui.cli.invocation import Screen

PROGRAM: Final = "kassettui"
COMPLETE_VARIABLE: Final = "_KASSETTUI_COMPLETE"


def _at(module: str, attribute: str, summary: str) -> Entry:
    return Entry(f"kassettui.cli.{module}:{attribute}", summary)


SECTIONS: Final = {
    "Bring in": {
        "import": _at("importing", "import_", "Import a directory, or a part of it, into the library."),
        "collections": _at("collections", "collections", "The source roots that are ingested."),
        "enrich": _at("enriching", "enrich", "Find out what the import left open about assets."),
        "runs": _at("runs", "runs", "The imports so far, and what each did."),
        "why": _at("runs", "why", "Why an asset was created, updated, moved or skipped."),
        "demo": _at("demo", "demo", "Make a small show of real files, and import it."),
    },
    "Look": {
        "ls": _at("finding", "ls", "List assets."),
        "show": _at("showing", "show", "Everything that is known of an asset."),
        "find": _at("finding", "find", "Search the library."),
        "seq": _at("sequences", "seq", "Image sequences on disk; needs no library."),
        "frames": _at("frames", "frames", "The health of a sequence, frame by frame."),
        "preview": _at("preview", "preview", "Draw pictures in the terminal."),
        "thumb": _at("thumb", "thumb", "A picture of an asset or a file, into a file."),
        "contact-sheet": _at("sheet", "contact_sheet", "Many pictures on one sheet."),
        "stats": _at("stats", "stats", "Counts and sizes of the library."),
    },
    "Curate": {
        "tag": _at("tag", "tag", "Put tags on assets, take them off, rename and merge them."),
        "rate": _at("rate", "rate", "Zero to five stars, or none."),
        "note": _at("rate", "note", "A title and a description, for assets and for paths."),
        "approve": _at("approve", "approve", "Approve ready assets for broadcast."),
        "unapprove": _at("approve", "unapprove", "Take approvals back."),
        "retire": _at("approve", "retire", "Take assets out of use."),
        "folder": _at("folder", "folder", "Virtual folders, plain and smart."),
        "search": _at("search", "search", "Queries with a name: @name."),
        "version": _at("version", "version", "Versions: history, best, compare, prune, revert."),
        "du": _at("du", "du", "What assets take on disk."),
    },
    "Files": {
        "cp": _at("files", "cp", "Copy files, directories and whole sequences."),
        "mv": _at("files", "mv", "Move files, directories and whole sequences; the library follows."),
        "rm": _at(
            "files", "rm", "Throw files, directories and sequences into the trash, or delete them for good."
        ),
        "rename": _at(
            "rename",
            "rename",
            "Give files, directories and sequences other names, where they are: all of them or none.",
        ),
        "mkdir": _at("files", "mkdir", "Make directories."),
        "trash": _at("trash", "trash", "The trash of every volume, by the freedesktop rules."),
        "undo": _at(
            "undo",
            "undo",
            "Undo renames, moves, copies (to the trash), trash, new directories, tags, ratings, folders, best versions.",  # noqa: E501 (the command's own sentence)
        ),
        "jobs": _at("jobs", "jobs", "File jobs: what was done, what runs, what was interrupted."),
        "verify": _at("verify", "verify", "Find files that changed, are missing, or came since."),
        "manifest": _at("manifest", "manifest", "Proof of what a directory holds."),
    },
    "Look after": {
        "library": _at("library", "library", "Make, check and migrate the library."),
        "doctor": _at("doctor", "doctor", "Whether everything here is as it should be."),
        "metrics": _at("metrics", "metrics", "Counters and timings."),
        "log": _at("log", "log", "The program's log."),
        "config": _at("config", "config", "The settings: where, which, and whether they are right."),
        "keys": _at("keys", "keys", "What can be done on the screen, and with which keys."),
        "themes": _at("themes", "themes", "The colour themes of the screen."),
        "completion": _at("completion", "completion", "Completion of commands and options for a shell."),
    },
}


@click.group(
    PROGRAM,
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings=CONTEXT,
    invoke_without_command=True,
    examples=(
        ("kassettui import /shows/abc", "Bring a show into the library."),
        ("kassettui find 'comp missing:>0'", "What is called comp and has missing frames."),
        ("kassettui seq ls /shows/abc/sh020", "The sequences of a directory, without any library."),
    ),
)
@click.option("--version", is_flag=True, help="Print the version.")
@click.pass_context
def root(context: click.Context, version: bool) -> int | None:
    """An asset library and file manager that lives where the frames are."""
    invocation = context.find_object(Invocation)
    assert invocation is not None
    if version:
        invocation.output.text(f"{PROGRAM} {__version__}")
        context.exit(ExitCode.DONE)
    if context.invoked_subcommand is None:
        return _without_command(context, invocation)
    return None


def _without_command(context: click.Context, invocation: Invocation) -> int:
    """What bare `kassettui` does: the screen's place on a terminal, help where there is none."""
    if invocation.on_terminal:
        return invocation.screen.open(invocation.workspace(create=True))
    invocation.people.lines(context.get_help())
    return ExitCode.FAILED


def run(arguments: Sequence[str], screen: Screen) -> int:
    """Run one command line; its exit code. Nothing escapes: what is unexpected goes to the log."""
    invocation = Invocation(Interruption(), screen)
    with invocation.interruption.installed():
        try:
            code = _dispatch(invocation, arguments)
            invocation.output.close()
        except ReaderLeft:
            code = ExitCode.DONE
        except KassettuiError as error:
            code = _complain(invocation, arguments, error)
        except click.UsageError as error:
            code = _complain(invocation, arguments, _usage(error))
        except click.ClickException as error:
            code = _complain(invocation, arguments, InvalidInput(error.format_message()))
        except (KeyboardInterrupt, click.Abort):
            code = _complain(invocation, arguments, Interrupted("Interrupted."))
        except Exception as error:  # noqa: BLE001 (the last line of defence: nobody gets to see a traceback)
            code = _complain(invocation, arguments, invocation.unexpected(error))
        finally:
            invocation.close()
    return code


def _dispatch(invocation: Invocation, arguments: Sequence[str]) -> int:
    """Parse and run; the command's exit code, 0 where it says nothing."""
    if COMPLETE_VARIABLE in os.environ:
        from kassettui.cli.completion import answer

        return answer(root, invocation)
    try:
        with root.make_context(PROGRAM, list(arguments), obj=invocation) as context:
            result = root.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    return result if isinstance(result, int) else ExitCode.DONE


def _usage(error: click.UsageError) -> InvalidInput:
    path = error.ctx.command_path if error.ctx is not None else PROGRAM
    return InvalidInput(error.format_message(), remedy=f"See: {path} -h")


def _complain(invocation: Invocation, arguments: Sequence[str], error: KassettuiError) -> int:
    """Say what went wrong: one line for people and, where JSON was asked for, the one document."""
    with invocation.interruption.ignored(), suppress(ReaderLeft, KassettuiError):
        invocation.people.error(error.message, error.remedy, detail=getattr(error, "detail", ()))
        if not invocation.output.answered:
            if invocation.streams or "--json-lines" in arguments:
                invocation.output.document("summary", failure(error))
            elif invocation.flags.json or "--json" in arguments:
                invocation.output.document(invocation.failure_type, failure(error))
        invocation.output.close()
    return error.exit_code
