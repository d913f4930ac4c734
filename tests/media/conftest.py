"""Pictures of our own, made once by a process of its own, and a pool of decoders."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kassettui.media.decoders import Decoders
from kassettui.media.messages import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

MAKERS = Path(__file__).with_name("makers.py")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Files made by `makers.py`, in exr/, stills/ and movies/; shared by the run's processes; read-only."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "made"
    with open(f"{shared}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.is_dir():
            temporary = shared.with_name("made.new")
            subprocess.run([sys.executable, "-P", str(MAKERS), str(temporary)], check=True, timeout=100)
            temporary.rename(shared)
    return shared


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    """Two decoder processes that a module's tests share, for tests that leave them alive."""
    with Decoders(WorkerSettings(seconds=30.0, threads=1), count=2) as pool:
        yield pool


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 2 MB; skips where none can be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted: {mounted.stderr.decode(errors='replace').strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
