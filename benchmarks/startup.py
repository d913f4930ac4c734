"""B7: what starting costs over the interpreter itself: `--version`, `--help`, `ls`, `find`.

    python -P -m benchmarks.startup [--assets N] [--rounds N]

Floor and ours alternate in one run; medians, and the difference to `python -c pass`. `ls` and `find` work on
a library of N assets in a directory that is removed afterwards.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

_KASSETTUI = (sys.executable, "-P", "-m", "kassettui")
_WARM_UP = 2


@dataclass
class Case:
    """One command line; `budget` is what B7 allows over the floor, in ms."""

    name: str
    command: tuple[str, ...]
    budget: float | None = None
    times: list[float] = field(default_factory=list)

    def run(self, environment: dict[str, str]) -> float:
        """One start to its end, in ms."""
        begun = time.perf_counter()
        subprocess.run(
            self.command, env=environment, check=True, stdin=subprocess.DEVNULL, capture_output=True
        )
        return (time.perf_counter() - begun) * 1000


def _show(directory: Path, assets: int) -> None:
    """`assets` stills in directories of a thousand."""
    for start in range(0, assets, 1000):
        below = directory / f"shot_{start // 1000:04}"
        below.mkdir(parents=True)
        for number in range(start, min(start + 1000, assets)):
            (below / f"still_{number:07}.png").touch()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        show = home / "show"
        _show(show, arguments.assets)
        environment = {**os.environ, "HOME": place, "KASSETTUI_LIBRARY": str(home / "library.kassettui")}
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            environment[variable] = str(home / variable)
        subprocess.run(
            (*_KASSETTUI, "import", str(show), "--no-enrich", "-q"),
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        _measure(_cases(show), environment, arguments.rounds, arguments.assets)


def _cases(show: Path) -> list[Case]:
    return [
        Case("python -c pass", (sys.executable, "-P", "-c", "pass")),
        Case("--version", (*_KASSETTUI, "--version"), 60),
        Case("--help", (*_KASSETTUI, "--help"), 60),
        Case("ls --limit 100", (*_KASSETTUI, "ls", "--limit", "100"), 200),
        Case("ls --limit 100 --json", (*_KASSETTUI, "ls", "--limit", "100", "--json"), 200),
        Case("find still --limit 100", (*_KASSETTUI, "find", "still", "--limit", "100"), 200),
        Case("seq ls (1,000 files)", (*_KASSETTUI, "seq", "ls", str(show / "shot_0000"))),
    ]


def _measure(cases: list[Case], environment: dict[str, str], rounds: int, assets: int) -> None:
    for number in range(rounds + _WARM_UP):
        for case in cases:
            spent = case.run(environment)
            if number >= _WARM_UP:
                case.times.append(spent)
    floor = statistics.median(cases[0].times)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{assets:,} assets, median of {rounds}; peak memory of any start {peak} MB")
    print(f"{'':24}{'ms':>8}{'over python':>14}{'target':>9}")
    for case in cases:
        median = statistics.median(case.times)
        target = f"≤ {case.budget:.0f}" if case.budget is not None else ""
        print(f"{case.name:24}{median:8.0f}{median - floor:14.0f}{target:>9}")


if __name__ == "__main__":
    main()
