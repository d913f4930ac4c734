"""`import`: bring source roots into the library; its options and how they become requests (spec: ingest)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kassettui.cli.candidates import collection_names
from kassettui.cli.import_report import answer, exit_code
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.core.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.ingest.report import Report
    from kassettui.ingest.request import ImportRequest
    from kassettui.workspace import Workspace

_SHORT = ("title", "season", "episode")


@command(
    "import",
    examples=(
        ("kassettui import /shows/abc", "The whole show; run again, it skips what has not changed."),
        (
            "kassettui import /shows --layout '{show}/{sequence}/{shot}/{task}' --name shows",
            "Say what the directories mean, the first time.",
        ),
        ("kassettui import --collection shows --scope show=abc --scope sequence=sq010", "Only a part of it."),
        ("kassettui import /shows/abc --dry-run", "What would be done, without doing it."),
        (
            "kassettui import /shows/abc --plan-out plan.json",
            "Only keep the plan; --apply-plan plan.json runs it later.",
        ),
        ("kassettui import /shows/abc --json-lines", "Events for a farm, the last line always a summary."),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(), metavar="PATH...")
@click.option(
    "--collection",
    metavar="SEL",
    shell_complete=collection_names,
    help="The collection: its uuid, external id or name.",
)
@click.option("--name", help="The name of the collection that is made, when none holds PATH.")
@click.option(
    "--layout", metavar="TEMPLATE", help="What its directories mean, for instance {show}/{shot}/{task}."
)
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Leave out what matches (gitignore syntax).")
@click.option(
    "--scope", multiple=True, metavar="LEVEL=VALUE", help="Only this part of the layout; repeatable."
)
@click.option("--title", help="The same as --scope title=…")
@click.option("--season", help="The same as --scope season=…")
@click.option("--episode", help="The same as --scope episode=…")
@click.option("--into", metavar="FOLDER", help="Recreate the tree below this virtual folder.")
@click.option("--all-files", is_flag=True, help="Take in files of no known kind too.")
@click.option("--follow-symlinks", is_flag=True, help="Walk into symlinked directories.")
@click.option("--hash", "hash_content", is_flag=True, help="Hash content: touched but equal is unchanged.")
@click.option("--no-enrich", is_flag=True, help="Leave probing and checking to `kassettui enrich`.")
@click.option("--accept-missing", is_flag=True, help="Go on although much of it is gone.")
@click.option("--accept-device", is_flag=True, help="Go on although the root lies on another device now.")
@click.option("--dry-run", is_flag=True, help="Show the plan; write nothing at all.")
@click.option("--test-db", is_flag=True, help="Write to a throw-away library beside the real one.")
@click.option(
    "--plan-out", type=click.Path(), metavar="FILE", help="Write the plan to FILE, and nothing else."
)
@click.option(
    "--apply-plan", type=click.Path(), metavar="FILE", help="Run the plan in FILE, if it still holds."
)
@click.option("--json-lines", is_flag=True, help="Events as JSON, one a line; the last is the summary.")
@pass_invocation
def import_(
    invocation: Invocation, /, paths: tuple[str, ...], json_lines: bool, test_db: bool, **given: Any
) -> int:
    """Import a directory, or a part of it, into the library.

    Frames become sequences, one asset each; stills, movies and sounds stand for themselves. Everything is
    written in one transaction or not at all. The collection is the one whose root holds PATH; where there is
    none, one is made with PATH as its root. Ctrl-C stops it before anything is written.
    """
    invocation.streams = json_lines
    invocation.failure_type = "import"
    if not (paths or given["collection"] or given["apply_plan"]):
        raise InvalidInput("Nothing to import.", remedy="Name a PATH, or a collection with --collection.")
    requests = [_request(invocation, path, given) for path in paths or (None,)]
    only_reads = given["dry_run"] or given["plan_out"] is not None
    workspace = _workspace(invocation, test_db=test_db, only_reads=only_reads)
    reports = import_all(invocation, workspace, requests)
    answer(invocation, reports)
    return exit_code(reports)


def import_all(invocation: Invocation, workspace: Workspace, requests: list[ImportRequest]) -> list[Report]:
    """Run the requests one after the other, up to the first that is interrupted."""
    from kassettui.cli.import_events import run_watched

    reports = []
    for request in requests:
        reports.append(run_watched(invocation, workspace, request))
        if reports[-1].exit_code is ExitCode.INTERRUPTED:
            break
    return reports


def _workspace(invocation: Invocation, *, test_db: bool, only_reads: bool) -> Workspace:
    """On the library, or on a test library beside it; a dry run only reads (I19)."""
    library = None
    if test_db:
        real = invocation.settings.library_path
        library = str(real.with_name(f"{real.stem}.test{real.suffix}"))
        invocation.people.note(f"The test library is {library}; remove it when you are done.")
    return invocation.workspace(create=not only_reads, read_only=only_reads, library=library)


def _request(invocation: Invocation, path: str | None, given: Mapping[str, Any]) -> ImportRequest:
    """What is asked for, the settings where nothing was said."""
    from kassettui.ingest.request import ImportRequest

    usual = invocation.settings.imports
    return ImportRequest(
        path=path,
        collection=given["collection"],
        name=given["name"],
        layout=given["layout"],
        ignore=(*usual.ignore, *given["ignore"]),
        scope=_scope(given),
        into=given["into"],
        dry_run=given["dry_run"],
        enrich=usual.enrich and not given["no_enrich"],
        hash_content=usual.hash or given["hash_content"],
        accept_missing=given["accept_missing"],
        accept_device=given["accept_device"],
        all_files=usual.all_files or given["all_files"],
        follow_symlinks=usual.follow_symlinks or given["follow_symlinks"],
        plan_out=given["plan_out"],
        apply_plan=given["apply_plan"],
    )


def _scope(given: Mapping[str, Any]) -> dict[str, str]:
    """`--scope level=value` and the short forms. Raises InvalidInput for two values of one level (I2)."""
    scope: dict[str, str] = {}
    pairs = [tuple(entry.partition("=")) for entry in given["scope"]]
    pairs += [(level, "=", given[level]) for level in _SHORT if given[level] is not None]
    for level, sign, value in pairs:
        if not sign or not level or not value:
            raise InvalidInput(f"--scope {level}{sign}{value} is not LEVEL=VALUE.")
        if scope.setdefault(level, value) != value:
            raise InvalidInput(f"Two values for the level {level}: {scope[level]} and {value}.")
    return scope
