"""`cp`, `mv`, `rm`, `mkdir`: files, directories and whole sequences, planned before the first byte
(spec: files).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from kassettui.cli.file_work import Wish, carry_out, tell, watched
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.files.listing import Entry
    from kassettui.files.operations import FileOperations
    from kassettui.files.plan import Answers, Options, Plan
    from kassettui.files.plans import Plans
    from kassettui.library.library import Library

POLICIES = ("fail", "overwrite", "skip", "keep-both", "newer", "size-differs", "content-differs", "merge")


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


dry_run_option = click.option("--dry-run", is_flag=True, help="Show the plan; write nothing at all.")
lines_option = click.option(
    "--json-lines", is_flag=True, help="Events as JSON, one a line; the last is the summary."
)
conflict_option = click.option(
    "--on-conflict",
    type=click.Choice(POLICIES),
    help="What to do where something exists; on a terminal you are asked, else it is `fail`.",
)
fallback_option = click.option(
    "--fallback-trash", is_flag=True, help="Use .kassettui-trash where a volume has no trash."
)
_transfer_options = _options(
    click.argument("words", nargs=-1, type=click.Path(), metavar="SEL... DESTINATION"),
    conflict_option,
    click.option(
        "--verify",
        type=click.Choice(["size", "source", "both"]),
        default=None,
        help="What proves the copy: sizes, the read pass's hashes (usual), or reading back past the cache.",
    ),
    click.option("--fail-fast", is_flag=True, help="Stop at the first item that fails."),
    click.option("--discard-replaced", is_flag=True, help="Do not keep what is overwritten in the trash."),
    fallback_option,
    click.option(
        "--no-sync", is_flag=True, help="Do not wait for the disk: faster, and not safe from a power cut."
    ),
    dry_run_option,
    lines_option,
)


def plans_of(invocation: Invocation, *, dry_run: bool) -> tuple[Plans, FileOperations | None, Library | None]:
    """What makes plans, what runs them, and the library; a dry run opens what is there and makes nothing."""
    if not dry_run:
        workspace = invocation.workspace(create=True)
        return workspace.files.plans, workspace.files, workspace.library
    from kassettui.files.plans import Plans as Maker
    from kassettui.jobs.reservations import Reservations

    library = None
    try:
        library = invocation.workspace(read_only=True).library
    except NotFound:
        library = None
    return Maker(library, Reservations()), None, library


def options_of(given: dict[str, Any]) -> Options:
    """How the plan is to be carried out, as far as options say."""
    from kassettui.files.plan import Options as Values
    from kassettui.files.plan import Verify

    return Values(
        verify=Verify(given.get("verify") or "source"),
        fail_fast=given.get("fail_fast", False),
        durable=not given.get("no_sync", False),
        keep_replaced=not given.get("discard_replaced", False),
        mhl=given.get("mhl", False),
        fallback_trash=given.get("fallback_trash", False),
    )


def wish_of(kind: str, given: dict[str, Any], *, verb: str, ask: bool = False) -> Wish:
    """How a person wants it, as far as options say."""
    from kassettui.files.plan import Policy

    policy = Policy(given["on_conflict"]) if given.get("on_conflict") else None
    return Wish(kind, given.get("dry_run", False), given.get("yes", False), policy, ask, verb)


@command(
    "cp",
    examples=(
        ("kassettui cp 'beauty.####.exr' plates/ /mnt/archive/", "A sequence and a directory, with proof."),
        ("kassettui cp beauty.%04d.exr 'hero.####.exr'", "A sequence under another name."),
        ("kassettui cp /card /archive/ --mhl", "And the next ASC MHL generation, nothing read twice."),
        ("kassettui cp comp_v012.#.exr --version-up", "As the next free version, beside it."),
        ("kassettui cp --resume 3f2a9c", "Go on with what was interrupted."),
    ),
)
@_transfer_options
@click.option("--mhl", is_flag=True, help="Write the next ASC MHL generation from the copy's own hashes.")
@click.option("--version-up", is_flag=True, help="Copy beside it, as the next free version; no DESTINATION.")
@click.option("--resume", metavar="JOB", help="Go on with an interrupted, cancelled or failed job.")
@pass_invocation
def cp(invocation: Invocation, /, words: tuple[str, ...], json_lines: bool, **given: Any) -> int:
    """Copy files, directories and whole sequences.

    SEL is a path, a sequence's pattern, or what the library knows: a uuid, @search, a query in quotes, `-`. A
    DESTINATION that is a directory, or ends in /, takes everything in; else it is the new name. Nothing
    appears under its final name before it is whole; a sequence appears with all its frames or not at all.
    """
    invocation.streams = json_lines
    if given["resume"]:
        return _resume(invocation, given["resume"])
    if given["version_up"]:
        return _version_up(invocation, words, given)
    return _transfer(invocation, words, given, "copy")


@command(
    "mv",
    examples=(
        (
            "kassettui mv 'beauty.####.exr' /mnt/archive/",
            "The whole sequence; its asset, tags and versions follow.",
        ),
        ("kassettui mv sh010 sh020 /shows/abc/sq01/ --on-conflict merge", "Directories into directories."),
    ),
)
@_transfer_options
@pass_invocation
def mv(invocation: Invocation, /, words: tuple[str, ...], json_lines: bool, **given: Any) -> int:
    """Move files, directories and whole sequences; the library follows.

    On one device names change and nothing else; across devices everything is copied and proved before any
    source goes, so that each item is whole on one side at least, whatever happens.
    """
    invocation.streams = json_lines
    return _transfer(invocation, words, given, "move")


def _transfer(invocation: Invocation, words: tuple[str, ...], given: dict[str, Any], kind: str) -> int:
    from kassettui.cli.file_selection import entries_of

    if len(words) < 2:
        raise InvalidInput(
            "Name what and where to.", remedy=f"kassettui {'cp' if kind == 'copy' else 'mv'} SEL… DESTINATION"
        )
    plans, files, library = plans_of(invocation, dry_run=given["dry_run"])
    entries, options = entries_of(words[:-1], library), options_of(given)
    maker = plans.copy if kind == "copy" else plans.move

    def make(answers: Answers) -> Plan:
        return maker(entries, words[-1], answers, options)

    return carry_out(
        invocation, files, make, wish_of(kind, given, verb="copied" if kind == "copy" else "moved")
    )


def _version_up(invocation: Invocation, words: tuple[str, ...], given: dict[str, Any]) -> int:
    from kassettui.cli.file_selection import entries_of

    plans, files, library = plans_of(invocation, dry_run=given["dry_run"])
    entries, options = entries_of(words, library), options_of(given)

    def known(entry: Entry) -> list[int]:
        from kassettui.library import versions

        return [] if library is None else library.read(versions.numbers_at, entry.path)

    def make(_answers: Answers) -> Plan:
        return plans.version_up(entries, known, options=options)

    return carry_out(invocation, files, make, wish_of("copy", given, verb="copied"))


def _resume(invocation: Invocation, job: str) -> int:
    import time

    invocation.failure_type = "copy"
    files = invocation.workspace().files
    began = time.monotonic()
    result = watched(invocation, files, lambda: files.submit_again(job), "resume")
    return tell(invocation, result, None, Wish("copy", verb="done"), began)


@command(
    "rm",
    examples=(
        ("kassettui rm 'beauty.####.exr'", "Into the volume's trash; `kassettui undo` brings it back."),
        ("kassettui rm --permanently old/ --yes", "For good; approved and best assets stay."),
    ),
)
@click.argument("words", nargs=-1, required=True, type=click.Path(), metavar="SEL...")
@click.option("--permanently", is_flag=True, help="Delete for good instead of trashing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@fallback_option
@dry_run_option
@lines_option
@pass_invocation
def rm(
    invocation: Invocation, /, words: tuple[str, ...], permanently: bool, json_lines: bool, **given: Any
) -> int:
    """Throw files, directories and sequences into the trash, or delete them for good.

    More than one item is asked about once, with counts and bytes. Approved and best assets are left alone,
    and listed.
    """
    from kassettui.cli.file_selection import entries_of

    invocation.streams = json_lines
    plans, files, library = plans_of(invocation, dry_run=given["dry_run"])
    entries, options = entries_of(words, library), options_of(given)

    def make(_answers: Answers) -> Plan:
        return plans.delete(entries, options) if permanently else plans.trash(entries, options)

    kind, verb = ("delete", "deleted") if permanently else ("trash", "trashed")
    return carry_out(invocation, files, make, wish_of(kind, given, verb=verb, ask=True))


@command(
    "mkdir",
    examples=(("kassettui mkdir -p sh010/{plates,comp}", "Directories, with their parents; undoable."),),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@click.option("--parents", "-p", is_flag=True, help="Make missing parents too; nothing where it exists.")
@dry_run_option
@lines_option
@pass_invocation
def mkdir(
    invocation: Invocation, /, paths: tuple[str, ...], parents: bool, json_lines: bool, **given: Any
) -> int:
    """Make directories."""
    invocation.streams = json_lines
    plans, files, _ = plans_of(invocation, dry_run=given["dry_run"])
    wanted = [path for path in paths if not (parents and os.path.isdir(path))]

    def make(_answers: Answers) -> Plan:
        return plans.mkdir(wanted, parents=parents)

    return carry_out(invocation, files, make, replace(wish_of("mkdir", given, verb="made")))
