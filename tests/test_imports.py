"""The walls of the house: who may import what, what a command costs to load, what no module may do.

Three ways of looking: import-linter over the graph (pyproject.toml), a fresh interpreter's `sys.modules` for
what really gets loaded, and the syntax trees for what must not be written anywhere.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kassettui

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(kassettui.__file__).parent
SCREEN = {"textual", "rich", "click", "textual_image"}
DECODERS = {"OpenImageIO", "av", "PIL", "numpy"}
DATABASE = {"apsw", "peewee", "playhouse", "sqlite3"}
SLOW = {"structlog", "prometheus_client", "asyncio", "ssl"}
BELOW = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] not in {"cli", "tui", "__main__.py", "themes"}
    and path.relative_to(PACKAGE).parts[:2] != ("media", "decode")
    and path.relative_to(PACKAGE).as_posix() != "media/demo.py"
)


def loaded_by(program: str, *arguments: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `program`."""
    report = (
        "import json, sys; sys.stderr.write(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", f"{program}\n{report}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
        env={**os.environ, "COLUMNS": "80"},
    )
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stderr.splitlines()[-1]))


def loaded_by_command(*arguments: str) -> set[str]:
    """The same after a whole command, however it ends."""
    program = (
        "import sys\nfrom kassettui.__main__ import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    )
    return loaded_by(program, *arguments)


# -- the graph ----------------------------------------------------------------------------------------------


def test_imports_go_down_only() -> None:
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


# -- what gets loaded ---------------------------------------------------------------------------------------


def test_everything_below_the_front_ends_loads_no_screen_and_no_decoder() -> None:
    """Each module alone would take minutes; all of them in one interpreter say as much."""
    found = loaded_by(
        "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)", *BELOW
    )
    assert not found & (SCREEN | DECODERS | {"structlog"})


@pytest.mark.parametrize(
    "modules",
    [
        "kassettui",
        "kassettui.core.errors",
        "kassettui.observe.log, kassettui.observe.metrics",
        "kassettui.jobs.queues",
        "kassettui.config, kassettui.paths",
        "kassettui.workspace",
    ],
)
def test_what_every_command_imports_is_light(modules: str) -> None:
    found = loaded_by(f"import {modules}")
    assert not found & (SCREEN | DECODERS | DATABASE | SLOW)


def test_a_workspace_loads_the_library_only_when_it_is_asked_for() -> None:
    program = "from kassettui.config import Settings\nfrom kassettui.workspace import Workspace\n"
    assert not loaded_by(f"{program}Workspace.open(Settings()).close()") & (
        DATABASE | DECODERS | SCREEN | SLOW
    )
    loaded_by(f"{program}with Workspace.open(Settings(), create=True) as w: w.library")
    opened = loaded_by(f"{program}with Workspace.open(Settings()) as w: w.library")
    assert "apsw" in opened
    assert not opened & (DECODERS | SCREEN | SLOW)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_B7_version_and_help_load_no_screen_no_database_no_decoder(option: str) -> None:
    found = loaded_by_command(option)
    assert not found & ({"textual", "rich", "textual_image"} | DECODERS | DATABASE | SLOW)


@pytest.mark.parametrize("command", [["import", "--help"], ["ls"], ["seq", "ls", "/"], ["config", "show"]])
def test_B7_commands_load_neither_textual_nor_decoders(command: list[str]) -> None:
    assert not loaded_by_command(*command) & ({"textual", "textual_image"} | DECODERS)


# -- what is written ----------------------------------------------------------------------------------------


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Every module of the package, parsed."""
    return tuple(
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, in whatever place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def called(tree: ast.Module) -> Iterator[tuple[int, str, ast.Call]]:
    """Line, dotted name as written, and node of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), node


OWNERS = {
    **dict.fromkeys(DATABASE, ("library/",)),
    **dict.fromkeys(DECODERS, ("media/decode/", "media/demo.py")),
    "textual": ("tui/",),
    "textual_image": ("tui/", "cli/"),
    "rich": ("cli/", "tui/"),
    "click": ("cli/",),
    "structlog": ("observe/",),
    "prometheus_client": ("observe/",),
    "platformdirs": ("paths.py",),
    "watchfiles": ("files/", "ingest/"),
}


def test_a_package_is_imported_only_where_it_belongs() -> None:
    astray = [
        f"{path}:{line} imports {name}"
        for path, tree in trees()
        for line, name in imported(tree)
        if not path.startswith(OWNERS.get(name.partition(".")[0], ("",)))
    ]
    assert astray == []


def test_L1_connections_are_opened_in_the_library_alone() -> None:
    found = [
        f"{path}:{line}"
        for path, tree in trees()
        for line, name, _ in called(tree)
        if name.rpartition(".")[2] == "connect" and not path.startswith("library/")
    ]
    assert found == []


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "yaml", "telnetlib", "commands"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "yaml.load",
    "tempfile.mktemp",
}


def test_security_no_pickle_no_eval_no_shell() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in trees()
        for line, name in imported(tree)
        if name.partition(".")[0] in FORBIDDEN_MODULES
    ]
    found += [
        f"{path}:{line} calls {name}"
        for path, tree in trees()
        for line, name, _ in called(tree)
        if name in FORBIDDEN_CALLS
    ]
    found += [
        f"{path}:{line} runs a shell"
        for path, tree in trees()
        for line, _, call in called(tree)
        for keyword in call.keywords
        if keyword.arg == "shell"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]
    assert found == []


# Programs in processes of their own: what they print goes to their parent, never to a terminal (P2).
CHILDREN = ("media/worker.py", "media/decode/", "media/demo.py", "ingest/reader_process.py")


def test_only_the_front_ends_speak_to_the_terminal() -> None:
    """No print, no question and no standard stream below cli; there, `output` and `people` do it."""
    found = [
        f"{path}:{node.lineno} uses {ast.unparse(node)}"
        for path, tree in trees()
        if not path.startswith(("cli/", "tui/", "__main__", *CHILDREN))
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id in {"print", "input"})
        or (
            isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdin", "sys.stdout", "sys.stderr"}
        )
    ]
    assert found == []


def test_nothing_is_read_from_the_environment_at_import() -> None:
    """Settings are read once at start and passed down (design)."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert found == []
