"""Runs kassettui as its users do: as a command, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What a finished command said."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout; anything beside it fails here."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True, slots=True)
class Program:
    """kassettui with one library."""

    library: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str | bytes | Path) -> list[str | bytes | Path]:
        return [sys.executable, "-P", "-m", "kassettui", "--library", self.library, *arguments]

    def __call__(self, *arguments: str | bytes | Path, expect: int = 0, stdin: bytes = b"") -> Answer:
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            timeout=110,
            check=False,
            env={**os.environ, **self.environment},
        )
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        assert answer.code == expect, (
            f"exit {answer.code}, wanted {expect}\n{answer.err}\n{answer.out[-2000:]!r}"
        )
        assert "Traceback" not in answer.err
        return answer


@pytest.fixture
def kassettui(tmp_path: Path) -> Program:
    """The program with a library of its own."""
    return Program(tmp_path / "library" / "show.kassettui")
