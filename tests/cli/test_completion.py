"""Completion scripts: what they print, and that shells work with them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Runner


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on PATH with `kassettui` in it."""
    program = tmp_path / "kassettui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m kassettui "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def complete(on_path: Path, words: str) -> list[str]:
    """What bash offers after `words`, through the script and its own machinery."""
    script = (
        "source <(kassettui completion bash); "
        f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); "
        '_kassettui_completion kassettui; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, cwd=on_path)
    assert done.stderr == b"bash: line 1: compopt: not currently executing completion function\n" * (
        b"compopt" in done.stderr
    )
    return done.stdout.decode().split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("kassettui imp", ["import"]),
        ("kassettui library m", ["migrate"]),
        ("kassettui completion ''", ["bash", "zsh", "fish"]),
        ("kassettui find --pattern-format h", ["houdini"]),
        ("kassettui import --dry", ["--dry-run"]),
        ("kassettui ls --no-c", ["--no-color"]),
    ],
)
def test_bash_completes(on_path: Path, words: str, offered: list[str]) -> None:
    assert complete(on_path, words) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_names_of_collections(kassettui: Runner, on_path: Path) -> None:
    assert complete(on_path, "kassettui collections show ''") == []
    for name in ("alpha", "beta", "al\x1b[31m"):
        kassettui("collections", "add", on_path, "--name", name)
    assert complete(on_path, "kassettui collections show al") == ["alpha"]
    assert complete(on_path, "kassettui import --collection b") == ["beta"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_printed_and_need_no_shell(
    kassettui: Runner, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    script = kassettui("completion", shell).out.decode()
    assert "_KASSETTUI_COMPLETE" in script


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_accept_their_script(kassettui: Runner, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_bytes(kassettui("completion", shell).out)
    subprocess.run([shell, "-n", script], check=True, timeout=60)
