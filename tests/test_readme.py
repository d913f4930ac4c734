"""The README promises only what is there: every command line in it is one that the program reads."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from kassettui.cli.main import root
from kassettui.core.errors import ExitCode

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = sorted(set(re.findall(r"`(kassettui [^`\n]+)`", README)))


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_readme_exists_with_its_options(line: str) -> None:
    command: click.Command = root
    context = click.Context(root)
    words = shlex.split(line)[1:]
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
        context = click.Context(command, parent=context)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if re.match("--?[a-z]", word)} <= known


def test_the_readme_s_exit_codes_are_the_program_s() -> None:
    assert [int(code) for code in re.findall(r"(?m)^\| (\d+) \|", README)] == [
        code.value for code in ExitCode
    ]


def test_the_readme_begins_with_the_two_commands() -> None:
    first = README.split("```")[1]
    assert re.findall(r"\./scripts/\w+", first) == ["./scripts/run", "./scripts/test"]


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
