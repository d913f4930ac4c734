"""What every test gets: a home of its own, and the picture corpus where it stands beside the checkout."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "kassettui",
    deadline=None,  # never a timed unit test
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    database=None,
)
settings.load_profile("kassettui")

MAKERS = Path(__file__).parent / "media" / "makers.py"
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's settings, library, cache or log."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in {
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_CACHE_HOME": "cache",
        "XDG_STATE_HOME": "state",
        "XDG_RUNTIME_DIR": "run",
    }.items():
        (home / folder).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(home / folder))
    for variable in [name for name in os.environ if name.startswith("KASSETTUI_")] + ["NO_COLOR"]:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real pictures, whole and damaged; read-only."""
    if not CORPUS.is_dir():
        pytest.skip("the picture corpus is not beside the checkout")
    return CORPUS


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
