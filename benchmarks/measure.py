"""How everything here is measured: commands that alternate, medians, ratios pair by pair, peak memory.

    ours = Case("ours", python("-m", "benchmarks.scan", "--child", root), told=True)
    peer = Case("find", ("find", root, "-printf", "%s %T@ %p\\n"))
    measured = alternate([ours, peer], rounds=7)
    print(table(measured, against="find"))

Every run is a process of its own. A Python case that is `told` prints its own time (`tell`), without the
interpreter's start, as the last line of its stdout.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# A process keeps the peak memory of whoever started it until its exec. So a launcher starts the command that
# is itself smaller than any program worth measuring, and waits for it.
_LAUNCHER: Final = """
import os, sys, time
out, command = int(sys.argv[1]), sys.argv[2:]
begun = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, out)])
_, status, usage = os.wait4(child, 0)
spent = time.perf_counter() - begun
os.write(out, f"{spent} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {status}".encode())
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. `prepare` runs before each round, untimed; `told`: see the module."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: str | None = None
    prepare: Callable[[], None] | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall and processor seconds, peak resident bytes, and what the case told of itself."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    told: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one case, in the order of the rounds."""

    name: str
    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        """The median of the wall time."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def spread(self) -> float:
        """The slowest run over the fastest."""
        times = [sample.seconds for sample in self.samples]
        return max(times) / max(min(times), 1e-9)

    @property
    def peak_bytes(self) -> int:
        """The highest resident memory of any run."""
        return max(sample.peak_bytes for sample in self.samples)

    def told(self, name: str) -> float:
        """The median of a figure that the case told."""
        return statistics.median(sample.told[name] for sample in self.samples)

    def ratio_to(self, other: Measured) -> float:
        """The median of this one's time over the other's, round by round."""
        pairs = zip(self.samples, other.samples, strict=True)
        return statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs)


def python(*arguments: str) -> tuple[str, ...]:
    """A command line for this very interpreter."""
    return (sys.executable, "-P", *arguments)


def tell(seconds: float, **figures: float) -> None:
    """What a `told` case prints at its end: its own time and further figures."""
    print(json.dumps({"seconds": seconds, **figures}), flush=True)


def once(case: Case) -> Sample:
    """Run it once. Raises CalledProcessError when it fails."""
    if case.prepare is not None:
        case.prepare()
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writing), *case.command],
            env=case.env,
            cwd=case.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if case.told else subprocess.DEVNULL,
            pass_fds=(writing,),
            check=True,
        )
        spent, processor, peak_kib, status = os.read(reading, 4096).decode().split()
    finally:
        os.close(reading)
        os.close(writing)
    if int(status):
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(int(status)), case.command)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1]) if case.told else {}
    return Sample(told.get("seconds", float(spent)), float(processor), int(peak_kib) * 1024, told)


def alternate(cases: Sequence[Case], rounds: int = 5, warm_up: int = 1) -> dict[str, Measured]:
    """Run all cases in turn, A B C A B C…; the first `warm_up` rounds are not counted."""
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for number in range(rounds + warm_up):
        for case in cases:
            sample = once(case)
            if number >= warm_up:
                samples[case.name].append(sample)
    return {name: Measured(name, tuple(runs)) for name, runs in samples.items()}


def table(measured: Mapping[str, Measured], against: str | None = None) -> str:
    """The figures as text: median, ratio to the case named `against`, slowest over fastest, peak memory."""
    width = max(map(len, measured)) + 2
    lines = [f"{'':{width}}{'median s':>10}{'ratio':>8}{'spread':>8}{'peak MB':>9}"]
    for name, one in measured.items():
        ratio = f"{one.ratio_to(measured[against]):.2f}" if against is not None else ""
        lines.append(
            f"{name:{width}}{one.seconds:10.3f}{ratio:>8}{one.spread:8.2f}{one.peak_bytes / 1e6:9.1f}"
        )
    return "\n".join(lines)
