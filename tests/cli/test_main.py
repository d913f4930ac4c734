"""The root: options before and after the name, exit codes, errors in one line, bare `kassettui`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from kassettui.cli import main as entry
from kassettui.cli.options import Command, Group
from kassettui.core import errors
from kassettui.core.errors import ExitCode, KassettuiError
from tests.cli.conftest import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Runner
    from tests.cli.terminal import Terminal


def commands(
    group: Group = entry.root, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below `group` with its words."""
    context = click.Context(group, info_name="kassettui", obj=None)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, Group):
            yield from commands(command, (*path, name))


ALL = list(commands())


def test_version_and_help(kassettui: Runner) -> None:
    assert kassettui("--version").out.startswith(b"kassettui ")
    assert kassettui("-h").out == kassettui("--help").out
    assert b"import" in kassettui("-h").out


@pytest.mark.parametrize("words", [words for words, _ in ALL], ids=" ".join)
def test_every_command_has_help_with_examples(kassettui: Runner, words: tuple[str, ...]) -> None:
    shown = kassettui(*words, "-h").out.decode()
    assert f"Usage: kassettui {' '.join(words)}" in shown
    assert "--library" in shown
    command = dict(ALL)[words]
    assert isinstance(command, Command)
    assert command.help
    assert command.examples or isinstance(command, Group)
    for line, meaning in command.examples:
        assert line in shown
        assert meaning in shown


def test_the_root_s_summaries_are_those_of_the_commands() -> None:
    for entries in entry.SECTIONS.values():
        for name, known in entries.items():
            command = dict(ALL)[(name,)]
            assert command.get_short_help_str(limit=200) == known.summary


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "config", "show"),
        ("config", "--json", "show"),
        ("config", "show", "--json"),
        ("config", "show", "--json", "--no-color", "-q"),
    ],
)
def test_options_are_taken_before_and_after_the_name(kassettui: Runner, arguments: tuple[str, ...]) -> None:
    assert kassettui(*arguments).json["type"] == "settings"


def test_the_option_nearest_to_the_end_wins(kassettui: Runner, tmp_path: Path) -> None:
    answer = kassettui("--library", tmp_path / "a", "config", "path", "--library", tmp_path / "b", "--json")
    assert answer.json["library"] == str(tmp_path / "b")


def test_library_and_config_come_from_the_environment(
    kassettui: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text('[screen]\ntheme = "celluloid"\n')
    monkeypatch.setenv("KASSETTUI_CONFIG", str(tmp_path / "own.toml"))
    monkeypatch.setenv("KASSETTUI_LIBRARY", str(tmp_path / "library"))
    assert kassettui("config", "path", "--json").json["library"] == str(tmp_path / "library")
    theme = next(row for row in kassettui("config", "show", "--json").items if row["key"] == "screen.theme")
    assert (theme["value"], theme["changed"]) == ("celluloid", True)


EXIT_CODES = {
    "KassettuiError": 1,
    "InvalidInput": 1,
    "Ambiguous": 1,
    "Refused": 1,
    "NotFound": 2,
    "SourceOffline": 3,
    "PartialFailure": 4,
    "DamageFound": 5,
    "LibraryCorrupt": 5,
    "LibraryBusy": 7,
    "LibraryReadOnly": 1,
    "LibraryTooNew": 1,
    "LibraryUnavailable": 1,
    "LibraryClosed": 1,
    "MigrationFailed": 1,
    "RunFailed": 1,
    "StalePlan": 8,
    "Interrupted": 130,
}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_each_error_ends_with_its_exit_code_one_line_and_one_document(
    kassettui: Runner, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kind: type[KassettuiError] = getattr(errors, name)

    def fail(*_: object) -> int:
        raise kind("It is\x1b[31m so.", remedy="Do this.")

    monkeypatch.setattr(entry, "_dispatch", fail)
    answer = kassettui("stats", "--json", code=EXIT_CODES[name])
    assert answer.err == "kassettui: It is\\e[31m so. Do this.\n"
    assert answer.json["exit_code"] == EXIT_CODES[name]
    assert answer.json["code"] == kind.code
    assert (answer.json["message"], answer.json["remedy"]) == ("It is\x1b[31m so.", "Do this.")
    assert kassettui("stats", code=EXIT_CODES[name]).out == b""


def test_every_error_of_the_tree_stands_in_the_table() -> None:
    def below(kind: type[KassettuiError]) -> Iterator[type[KassettuiError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    for kind in below(KassettuiError):
        if kind.__module__ == errors.__name__:
            assert EXIT_CODES.get(kind.__name__, int(kind.exit_code)) == kind.exit_code
    assert {int(code) for code in ExitCode} == {0, 1, 2, 3, 4, 5, 7, 8, 130}


@pytest.mark.parametrize(
    "arguments", [("bogus",), ("--bogus",), ("completion", "tcsh"), ("config",), ("log", "-n", "x"), ("why",)]
)
def test_wrong_usage_is_exit_1_in_one_line(kassettui: Runner, arguments: tuple[str, ...]) -> None:
    answer = kassettui(*arguments, code=1)
    assert answer.out == b""
    assert answer.err.startswith("kassettui: ")
    assert kassettui(*arguments, "--json", code=1).json["code"] == "invalid"


def test_what_nobody_expected_is_one_line_and_its_traceback_is_in_the_log(
    kassettui: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError("by zero")

    with monkeypatch.context() as patched:
        patched.setattr(entry, "_dispatch", fail)
        answer = kassettui("stats", "--json", code=1)
    assert answer.err.count("\n") == 1
    assert "ZeroDivisionError: by zero" in answer.err
    assert answer.json["code"] == "failed"
    logged = kassettui("log", "--level", "error", "--json").items
    assert any("ZeroDivisionError" in str(entry_.get("exception")) for entry_ in logged)


def test_bare_kassettui_without_a_terminal_prints_help_and_exits_1(process: Runner) -> None:
    answer = process(code=1)
    assert "Usage: kassettui" in answer.err
    assert answer.out == b""


@pytest.mark.pty
def test_no_color_and_the_variable_paint_nothing(terminal: Callable[..., Terminal]) -> None:
    painted = terminal("themes")
    assert painted.finish() == 0
    assert b"\x1b[2m" in painted.raw
    for plain in (
        terminal("themes", "--no-color"),
        terminal("themes", NO_COLOR="1"),
        terminal("themes", TERM="dumb"),
    ):
        assert plain.finish() == 0
        assert b"\x1b" not in plain.raw


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_crash(stream: str) -> None:
    number = {"stdout": 1, "stderr": 2}[stream]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {number}>&-', "sh", *PROGRAM, "config", "path"],
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_is_quiet() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -c 1', "sh", *PROGRAM, "config", "schema"], capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_under_stdout_is_said() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*PROGRAM, "config", "schema"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["import", "--help"], ["ls", "--help"]])
def test_starting_imports_no_screen_and_no_decoder(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom kassettui.__main__ import Screen\nfrom kassettui.cli.main import run\n"
        "run(sys.argv[1:], Screen())\n"
        "heavy = {'textual', 'rich', 'OpenImageIO', 'av', 'PIL', 'numpy', 'structlog', 'peewee', 'apsw'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code, *arguments], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_stdout_and_stderr_have_one_writer_each() -> None:
    """No other module of the command line touches the streams."""
    import kassettui.cli as package

    (folder,) = package.__path__
    from pathlib import Path

    for path in Path(folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name == "invocation.py":  # finds the descriptors, and hands them to the two
            continue
        assert "sys.stdout" not in text, path
        assert "sys.stderr" not in text, path
        assert "click.echo" not in text, path
        assert not re.search(r"(?<![.\w])print\(", text), path


def test_json_errors_are_whole_documents(kassettui: Runner) -> None:
    document = json.loads(kassettui("show", "--json", "--bogus", code=1).out)
    assert document["schema_version"] == 1
    assert document["status"] == "error"
