"""Starting `library_child`, under strace where faults are injected, and reading what it acknowledged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]
CHANGING = "pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
"""System calls by which a database changes its files."""


def command(*words: str) -> list[str]:
    """What starts a child."""
    return [sys.executable, "-P", "-m", "tests.faults.library_child", *words]


def environment() -> dict[str, str]:
    """A child's environment: it finds the tests, and writes no byte code (which would be counted)."""
    return os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def start(*words: str, stdin: int | None = None) -> subprocess.Popen[str]:
    """A child that goes on beside the test."""
    return subprocess.Popen(
        command(*words), env=environment(), cwd=_ROOT, text=True, stdout=subprocess.PIPE, stdin=stdin
    )


def run(
    *words: str, before: list[str] | None = None, may_fail: bool = False
) -> tuple[list[dict[str, Any]], int]:
    """What a child acknowledged, and its exit code. `before` stands in front of its command."""
    done = subprocess.run(
        [*(before or []), *command(*words)],
        env=environment(),
        cwd=_ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=100,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
    if done.returncode not in (0, -9, 137) and not may_fail:
        raise AssertionError(done.stderr)
    return lines, done.returncode


def injected(fault: str, calls: str, when: int | str, *words: str) -> tuple[list[dict[str, Any]], bool]:
    """A child that meets `fault` (strace's words) at the `when`-th of `calls`: what it said, whether it did.

    Python's own start makes none of the calls that change databases, so they are counted from the work on.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    report = f"/tmp/strace-{os.getpid()}-{os.urandom(4).hex()}"
    before = [
        "strace",
        "-f",
        "-qq",
        "-o",
        report,
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:{fault}:when={when}",
    ]
    try:
        lines, _ = run(*words, before=before, may_fail=True)
        text = Path(report).read_text(encoding="utf-8", errors="replace")
    finally:
        Path(report).unlink(missing_ok=True)
    if "PTRACE" in text or not text:
        pytest.skip("processes may not be traced here")
    return lines, "INJECTED" in text or "+++ killed by SIGKILL" in text
