"""Starting `import_child`, under strace where a fault is wanted, and looking at what it left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kassettui.ingest.header_free import header_free
from kassettui.ingest.importing import run_import
from kassettui.ingest.request import ImportRequest
from kassettui.library import check
from kassettui.library.library import Library

_ROOT = Path(__file__).resolve().parents[2]
OLD_NS = 1_700_000_000_123_456_789


def make_root(root: Path, shots: int = 12) -> int:
    """A tree of sequences and stills; how many items that is."""
    for shot in range(shots):
        directory = root / f"sh{shot:03}"
        directory.mkdir(parents=True)
        for name in [f"beauty.{frame:04}.exr" for frame in range(1, 6)] + [f"still{shot:03}x.png"]:
            path = directory / name
            path.write_bytes(name.encode())
            os.utime(path, ns=(OLD_NS, OLD_NS))
    return shots * 2


def start(library: str, root: Path, *, pause_at: int | None = None) -> subprocess.Popen[str]:
    """An import that goes on beside the test."""
    words = [] if pause_at is None else ["--pause-at", str(pause_at)]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.faults.import_child", library, str(root), *words],
        cwd=_ROOT,
        env=_environment(),
        text=True,
        stdout=subprocess.PIPE,
    )


def injected(
    fault: str, calls: str, when: int | str, library: str, root: Path
) -> tuple[dict[str, Any] | None, bool]:
    """An import that meets `fault` (strace's words): its answer, if it came to one, and whether it met it."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    report = f"{library}.strace"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", report,
         "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}:when={when}",
         sys.executable, "-P", "-m", "tests.faults.import_child", library, str(root)],
        cwd=_ROOT, env=_environment(), text=True, capture_output=True, check=False, timeout=100,
    )  # fmt: skip
    text = Path(report).read_text(encoding="utf-8", errors="replace")
    Path(report).unlink()
    if "PTRACE" in text:
        pytest.skip("processes may not be traced here")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
    return lines[-1] if lines else None, "INJECTED" in text or "+++ killed by SIGKILL" in text


def left_behind(path: str) -> tuple[int, int, int]:
    """(assets, runs, collections) of a library, which must be sound."""
    with Library.open(path) as library:
        health = check.examine(library)
        assert not health.damaged, health.findings
        return library.read(
            lambda db: tuple(
                db.scalar(f"SELECT count(*) FROM {name}") for name in ("assets", "runs", "collections")
            )
        )


def finish(path: str, root: Path, items: int) -> None:
    """A second run completes the work, a third finds nothing to do."""
    with Library.open(path) as library:
        second = run_import(library, ImportRequest(path=str(root)), enrichers=header_free())
        assert second.stats.ingested + second.stats.skipped == items, second
        assert (
            library.read(lambda db: db.scalar("SELECT count(*) FROM assets WHERE state = 'enriching'")) == 0
        )
        third = run_import(library, ImportRequest(path=str(root)), enrichers=header_free())
        assert third.stats.skipped == items
        assert third.enriched is not None
        assert third.enriched.assets == 0
        assert not check.examine(library).damaged


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
