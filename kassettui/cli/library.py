"""`library`: the library's file: made, described, checked, moved between versions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import ExitCode, Refused

if TYPE_CHECKING:
    from kassettui.library.check import Finding
    from kassettui.library.stats import Info

_STYLES: Final = {"damage": "bad", "warning": "warn", "note": ""}
_SHAPES: Final = {"damage": "✖", "warning": "▲", "note": "●"}
_FINDINGS: Final = tuple(Column(key, key) for key in ("severity", "check", "message", "remedy"))


@group(
    "library",
    examples=(
        ("kassettui library init --library /fast/shows.kassettui", "A new library in a place of your own."),
        ("kassettui library check", "Whether it is sound; exit 5 when it is not."),
    ),
)
def library() -> None:
    """Make, check and migrate the library."""


@library.command("init", examples=(("kassettui library init", "In the default place; see `config path`."),))
@pass_invocation
def init(invocation: Invocation) -> None:
    """Make an empty library. Nothing that exists is ever overwritten."""
    path = invocation.settings.library_path
    if os.path.lexists(path):
        raise Refused(f"{path} exists already.", remedy="Name another place with --library PATH.")
    made = invocation.workspace(create=True).library
    for warning in made.warnings:
        invocation.people.warn(warning)
    if invocation.flags.json:
        invocation.output.document("library", {"status": "created", "path": made.path})
    else:
        invocation.people.note(f"Made {made.path}.")


@library.command("info", examples=(("kassettui library info --json", "For a machine."),))
@pass_invocation
def info(invocation: Invocation) -> None:
    """Where the library is, and what its file is like."""
    from kassettui.library.stats import info as describe

    described = describe(invocation.reading())
    if invocation.flags.json:
        invocation.output.document("library", _document(described))
    else:
        invocation.output.facts(_facts(described))


@library.command(
    "check",
    examples=(
        ("kassettui library check", "Structure, keys, states, index; and a sample of the files."),
        ("kassettui library check --all-files", "Look for every file that it lists."),
    ),
)
@click.option("--all-files", is_flag=True, help="Look for all files, not for a sample.")
@click.option("--read-only", is_flag=True, help="Without the checks that need to write (full-text index).")
@pass_invocation
def check(invocation: Invocation, /, all_files: bool, read_only: bool) -> int:
    """Whether the library is sound. Mends nothing; exits 5 when something is damaged."""
    from kassettui.library.check import examine

    opened = invocation.workspace(read_only=read_only).library
    health = examine(opened, all_files=all_files)
    rows = list(map(_finding, health.findings))
    code = ExitCode.DAMAGED if health.damaged else ExitCode.DONE
    if invocation.flags.json:
        fields: dict[str, Any] = {"status": "damaged" if health.damaged else "ok", "path": opened.path}
        invocation.output.document("library_check", fields | {"checks": list(health.checks), "items": rows})
    else:
        if invocation.output.terminal:
            invocation.output.facts(map(_in_words, health.findings))
        else:
            invocation.output.table(_FINDINGS, rows)
        invocation.people.note(f"{len(health.checks)} checks: {'damaged' if health.damaged else 'sound'}.")
    return code


@library.command(
    "migrate",
    examples=(
        ("kassettui library migrate", "To the newest version that this kassettui knows."),
        ("kassettui library migrate --to 1", "Back to an older one, for an older kassettui."),
    ),
)
@click.option("--to", "version", type=click.IntRange(min=0), metavar="N", help="The version to go to.")
@pass_invocation
def migrate(invocation: Invocation, /, version: int | None) -> None:
    """Move the library to another version of its schema.

    A verified backup is made first; a step that fails leaves the library at its old version.
    """
    done = invocation.workspace().library.migrate(version)
    if invocation.flags.json:
        fields = {"status": "migrated" if done.before != done.after else "unchanged"}
        invocation.output.document(
            "migration", fields | {"from": done.before, "to": done.after, "backup": done.backup}
        )
    elif done.before == done.after:
        invocation.people.note(f"The library has version {done.after} already.")
    else:
        invocation.people.note(f"Version {done.before} → {done.after}. The backup: {done.backup}")


def _in_words(finding: Finding) -> Fact:
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    words = f"{_SHAPES[finding.severity]} {finding.severity}: {finding.message}{remedy}"
    return Fact(finding.check, words, _STYLES[finding.severity])


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": str(finding.severity),
        "check": finding.check,
        "message": finding.message,
        "remedy": finding.remedy,
        "fixable": finding.fixable,
        "count": finding.count,
    }


def _document(described: Info) -> dict[str, Any]:
    return {
        "path": described.path,
        "filesystem": described.filesystem,
        "network": described.network,
        "version": described.version,
        "latest_version": described.latest_version,
        "engine": described.engine,
        "journal": described.journal,
        "bytes": described.size,
        "log_bytes": described.log_size,
        "page_bytes": described.page_size,
        "free_pages": described.free_pages,
        "assets": described.assets,
        "backups": [{"path": backup.path} for backup in described.backups],
        "warnings": list(described.warnings),
    }


def _facts(described: Info) -> list[Fact]:
    shared = " (shared by hosts)" if described.network else ""
    facts = [
        Fact("path", described.path),
        Fact(
            "file system", f"{described.filesystem or 'unknown'}{shared}", "warn" if described.network else ""
        ),
        Fact("version", f"{described.version} of {described.latest_version}"),
        Fact("engine", f"{described.engine}, journal {described.journal}"),
        Fact("size", f"{wording.size(described.size)} and {wording.size(described.log_size)} of log"),
        Fact("assets", wording.number(described.assets)),
    ]
    facts += [Fact("backup", backup.path) for backup in described.backups]
    return facts + [Fact("warning", warning, "warn") for warning in described.warnings]
