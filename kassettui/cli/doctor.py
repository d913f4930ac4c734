"""`doctor`: whether everything here is as it should be, each point with ok, warn or fail and a remedy.

A check is a function from the situation to findings; CHECKS lists them in the order of the report.
"""

from __future__ import annotations

import locale
import os
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kassettui import __version__
from kassettui.cli import wording
from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import command
from kassettui.cli.tables import Column, Fact
from kassettui.core.errors import ExitCode, KassettuiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_OTHERS: Final = 0o077
_LITTLE_SPACE: Final = 1_000_000_000


class Verdict(StrEnum):
    """How a point stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One point of the report; `remedy` says what to do where something is to be done."""

    point: str
    verdict: Verdict
    found: str
    remedy: str = ""


_STYLE: Final = {Verdict.OK: "good", Verdict.WARN: "warn", Verdict.FAIL: "bad"}
_SHAPE: Final = {Verdict.OK: "● ok", Verdict.WARN: "▲ warn", Verdict.FAIL: "✖ fail"}


def program(_invocation: Invocation) -> Iterator[Finding]:
    """The program and its Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("program", Verdict.OK, f"kassettui {__version__}, Python {version}")


def settings(invocation: Invocation) -> Iterator[Finding]:
    """Whether the settings can be read."""
    from kassettui.config import settings_file

    try:
        file, _named = settings_file(invocation.flags.config)
        assert invocation.settings is not None  # reading them is the check
    except KassettuiError as error:
        yield Finding("settings", Verdict.FAIL, error.message, error.remedy)
        return
    yield Finding("settings", Verdict.OK, str(file) if file.exists() else f"defaults ({file} does not exist)")


def database_engine(_invocation: Invocation) -> Iterator[Finding]:
    """SQLite's version: older ones can corrupt a library that two processes write."""
    from kassettui.library.engine import SOUND_SQLITE, sqlite_version

    version = sqlite_version()
    sound = version >= SOUND_SQLITE
    yield Finding(
        "database engine",
        Verdict.OK if sound else Verdict.FAIL,
        f"SQLite {'.'.join(map(str, version))}",
        "" if sound else "Install a newer apsw: this SQLite can corrupt a library that two processes write.",
    )


def library(invocation: Invocation) -> Iterator[Finding]:
    """The library: whether it is there, where it lies, whether it opens, who may read it, room to grow."""
    from kassettui.library import place

    try:
        path = invocation.settings.library_path
    except KassettuiError:  # told by the check of the settings
        return
    lies = place.examine(str(path))
    yield Finding(
        "library's file system",
        Verdict.FAIL if lies.network else Verdict.OK,
        f"{lies.filesystem or 'unknown'} at {lies.directory}",
        "Keep the library on a local disk: SQLite over a network loses data." if lies.network else "",
    )
    if not path.exists():
        remedy = "Make one with: kassettui library init, or by the first import."
        yield Finding("library", Verdict.WARN, f"There is none at {path}.", remedy)
    else:
        yield from _opened(invocation, path)
    yield from _permissions("library", path)
    yield from _room("room for the library", path)


def _opened(invocation: Invocation, path: Path) -> Iterator[Finding]:
    from kassettui.library.stats import info

    try:
        known = info(invocation.reading())
    except KassettuiError as error:
        yield Finding("library", Verdict.FAIL, error.message, error.remedy)
        return
    found = (
        f"{path}, {wording.plural(known.assets, 'asset')}, version {known.version}, journal {known.journal}"
    )
    yield Finding("library", Verdict.OK, found)


def _permissions(what: str, path: Path) -> Iterator[Finding]:
    """A file of ours and its directory: for us alone (Security)."""
    directory = path.parent
    if not directory.exists():
        return
    open_to_others = [str(one) for one in (path, directory) if one.exists() and one.stat().st_mode & _OTHERS]
    if not os.access(directory, os.W_OK | os.X_OK) or (
        path.exists() and not os.access(path, os.R_OK | os.W_OK)
    ):
        yield Finding(
            f"{what}'s permissions", Verdict.FAIL, f"{path} cannot be written.", f"chmod u+rwX {directory}"
        )
    elif open_to_others:
        found = f"Others may look into {' and '.join(open_to_others)}."
        yield Finding(
            f"{what}'s permissions", Verdict.WARN, found, f"chmod go-rwx {' '.join(open_to_others)}"
        )
    else:
        yield Finding(f"{what}'s permissions", Verdict.OK, "for you alone")


def _room(point: str, path: Path) -> Iterator[Finding]:
    at = path.parent
    while not at.exists():
        at = at.parent
    free = shutil.disk_usage(at).free
    enough = free >= _LITTLE_SPACE
    yield Finding(
        point,
        Verdict.OK if enough else Verdict.WARN,
        f"{wording.size(free)} free",
        "" if enough else "Free some space: a full disk stops every write.",
    )


def log(_invocation: Invocation) -> Iterator[Finding]:
    """Where the log goes, and whether it can."""
    from kassettui import paths

    yield from _permissions("log", paths.log_file())
    yield Finding("log", Verdict.OK, str(paths.log_file()))


def terminal(invocation: Invocation) -> Iterator[Finding]:
    """What the terminal can, as far as the environment says."""
    encoding = locale.getpreferredencoding(do_setlocale=False)
    utf8 = encoding.replace("-", "").lower() == "utf8"
    yield Finding(
        "characters",
        Verdict.OK if utf8 else Verdict.WARN,
        encoding,
        "" if utf8 else "Set a UTF-8 locale, for instance LANG=C.UTF-8.",
    )
    if not invocation.output.terminal:
        yield Finding("terminal", Verdict.OK, "none (stdout is not a terminal)")
        return
    yield Finding(
        "terminal", Verdict.OK, f"{os.environ.get('TERM', 'unknown')}, {invocation.output.width} columns"
    )
    yield _colours()
    yield from _between()


def _colours() -> Finding:
    if os.environ.get("NO_COLOR"):
        return Finding("colours", Verdict.OK, "off (NO_COLOR)")
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return Finding("colours", Verdict.OK, "true colour")
    many = "256color" in os.environ.get("TERM", "")
    return Finding(
        "colours",
        Verdict.WARN,
        "256, as far as TERM says" if many else "16, as far as TERM says",
        "If your terminal has true colour: export COLORTERM=truecolor (ssh: SendEnv COLORTERM).",
    )


def _between() -> Iterator[Finding]:
    """What stands between us and the terminal."""
    if os.environ.get("TMUX"):
        remedy = "Pictures need: tmux set -g allow-passthrough on"
        yield Finding("tmux", Verdict.OK, "yes", remedy)
    if os.environ.get("SSH_CONNECTION"):
        yield Finding("ssh", Verdict.OK, "yes")


def decoders(invocation: Invocation) -> Iterator[Finding]:
    """What can be decoded and how colours are shown; whether thumbnails can be kept."""
    from kassettui.cli import doctor_pictures

    yield from doctor_pictures.decoders(invocation)
    yield from doctor_pictures.thumbnail_cache(invocation)


def pictures(invocation: Invocation) -> Iterator[Finding]:
    """How pictures are drawn in this terminal."""
    from kassettui.cli import doctor_pictures

    yield from doctor_pictures.pictures(invocation)


CHECKS: Final[tuple[Callable[[Invocation], Iterator[Finding]], ...]] = (
    program,
    settings,
    database_engine,
    library,
    log,
    decoders,
    terminal,
    pictures,
)

_COLUMNS: Final = tuple(Column(key, key) for key in ("verdict", "point", "found", "remedy"))


@command(
    "doctor",
    examples=(
        ("kassettui doctor", "The report."),
        ("kassettui doctor --json | jq '.items[] | select(.verdict != \"ok\")'", "Only what is wrong."),
    ),
)
@pass_invocation
def doctor(invocation: Invocation) -> int:
    """Whether everything here is as it should be.

    Looks at the program, the settings, the library and its file system, permissions, the log, the terminal.
    Exits 1 when something fails.
    """
    findings = [finding for check in CHECKS for finding in check(invocation)]
    rows = [
        {"point": one.point, "verdict": one.verdict, "found": one.found, "remedy": one.remedy}
        for one in findings
    ]
    if invocation.flags.json:
        invocation.output.json_list("doctor", rows)
    elif invocation.output.terminal:
        invocation.output.facts(map(_in_words, findings))
    else:
        invocation.output.table(_COLUMNS, rows)
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.DONE


def _in_words(finding: Finding) -> Fact:
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    words = f"{_SHAPE[finding.verdict]}  {finding.found}{remedy}"
    return Fact(finding.point, words, _STYLE[finding.verdict])
