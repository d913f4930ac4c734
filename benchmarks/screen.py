"""B7, B8, B9: the screen in a pseudo-terminal: first usable frame, key to frame, memory.

    python -P -m benchmarks.screen                 100,000 assets
    python -P -m benchmarks.screen --assets 1000000

First frame: from the start of the process to the first row of the list on the terminal. Key to frame: from
the key written to the terminal to the first bytes of the answer that move the cursor's row.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from typing import TYPE_CHECKING, Final

from benchmarks.library import items

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE: Final = (60, 200)
_QUIET: Final = 0.15
"""Seconds without output after which the screen is at rest."""


def _build(path: str, count: int) -> None:
    from kassettui.library import assets, collections
    from kassettui.library.library import Library

    with Library.open(path, create=True) as library:
        uuid = library.write(collections.create, "abc", "/shows/abc").uuid
        library.write(assets.create_many, uuid, (assets.Found(item) for item in items(count)))


class Screen:
    """The program behind a pseudo-terminal."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", "kassettui"),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            start_new_session=True,
        )
        os.close(follower)

    def until(self, text: bytes) -> float:
        """Seconds from the start until `text` has come."""
        seen = b""
        while text not in seen:
            ready, _, _ = select.select([self._leader], [], [], 60)
            if not ready:
                raise TimeoutError(seen[-500:])
            seen = seen[-200_000:] + os.read(self._leader, 1 << 16)
        return time.perf_counter() - self.begun

    def rest(self, quiet: float = _QUIET) -> None:
        """Read until nothing comes any more."""
        while select.select([self._leader], [], [], quiet)[0]:
            os.read(self._leader, 1 << 16)

    def key(self, keys: bytes) -> float:
        """Milliseconds from a key to the first of its frame."""
        begun = time.perf_counter()
        os.write(self._leader, keys)
        if not select.select([self._leader], [], [], 5)[0]:
            raise TimeoutError(keys)
        spent = (time.perf_counter() - begun) * 1000
        os.read(self._leader, 1 << 16)
        return spent

    @property
    def memory(self) -> float:
        """Peak resident memory in MB."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM"))

    def leave(self) -> int:
        """Quit; the exit code."""
        os.write(self._leader, b"q")
        while self._process.poll() is None:
            if select.select([self._leader], [], [], 0.05)[0]:
                try:
                    os.read(self._leader, 1 << 16)
                except OSError:
                    break
        os.close(self._leader)
        return self._process.wait(10)


def _keys(screen: Screen, keys: bytes, count: int) -> Iterator[float]:
    for _ in range(count):
        yield screen.key(keys)
        screen.rest(0.03)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        library = os.path.join(place, "library.kassettui")
        _build(library, asked.assets)
        environment = {**os.environ, "HOME": place, "KASSETTUI_LIBRARY": library, "TERM": "xterm-256color"}
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            environment[variable] = os.path.join(place, variable)
        firsts = []
        for _ in range(asked.rounds):
            screen = Screen(environment)
            firsts.append(screen.until(b"element_0000000") * 1000)
            screen.rest(1.0)
            screen.leave()
        screen = Screen(environment)
        screen.until(b"element_0000000")
        screen.rest(2.0)
        print(f"{asked.assets:,} assets, {_SIZE[1]}×{_SIZE[0]}")
        print(f"first row on the screen {statistics.median(firsts):8.0f} ms  (target < 500)")
        for name, keys in (("down", b"j"), ("half a page", b"\x04"), ("last, first", b"G")):
            times = sorted(_keys(screen, keys, asked.keys if keys != b"G" else 1))
            p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
            print(f"{name:16} p50 {statistics.median(times):6.1f} ms  p99 {p99:6.1f} ms  (targets ≤ 8, ≤ 16)")
        print(f"peak memory {screen.memory:.0f} MB  (target ≤ 120)")
        screen.leave()


if __name__ == "__main__":
    main()
