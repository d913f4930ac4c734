"""Ways to run a command: in this process, as a process, and in a pseudo-terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from kassettui.__main__ import Screen
from kassettui.cli.main import run
from tests.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _pytest.capture import CaptureFixture

PROGRAM = (sys.executable, "-P", "-m", "kassettui")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said: its exit code, stdout as bytes, stderr as text."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout; anything beside it fails here."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a list."""
        items: list[dict[str, Any]] = self.json["items"]
        return items

    @property
    def lines(self) -> list[str]:
        """stdout as text, line by line."""
        return self.out.decode().splitlines()


class Runner(Protocol):
    """Runs a command line and compares its exit code."""

    def __call__(self, *arguments: str | Path, code: int = 0) -> Answer: ...


@pytest.fixture
def kassettui(capfdbinary: CaptureFixture[bytes]) -> Runner:
    """The program in this process; stdout is no terminal."""

    def call(*arguments: str | Path, code: int = 0) -> Answer:
        capfdbinary.readouterr()
        got = run([os.fspath(argument) for argument in arguments], Screen())
        out, err = capfdbinary.readouterr()
        answer = Answer(got, out, err.decode(errors="replace"))
        assert got == code, f"exit {got}, wanted {code}\n{answer.err}\n{out[-2000:]!r}"
        assert "Traceback" not in answer.err
        return answer

    return call


@pytest.fixture
def process() -> Runner:
    """The program as a process of its own."""

    def call(*arguments: str | Path, code: int = 0) -> Answer:
        done = subprocess.run(
            [*PROGRAM, *(os.fspath(argument) for argument in arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=100,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        assert answer.code == code, f"exit {answer.code}, wanted {code}\n{answer.err}\n{answer.out[-2000:]!r}"
        assert "Traceback" not in answer.err
        return answer

    return call


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts commands in a pseudo-terminal under pyte; what still runs at the end is killed."""
    started: list[Terminal] = []

    def start(*arguments: str | Path, columns: int = 80, lines: int = 24, **environment: str) -> Terminal:
        shown = Terminal(
            [*PROGRAM, *(os.fspath(argument) for argument in arguments)], columns, lines, environment
        )
        started.append(shown)
        return shown

    yield start
    for shown in started:
        shown.kill(signal.SIGKILL)
        shown.wait()
