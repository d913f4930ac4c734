"""Whether the process that runs a job still does: host, process id and when that process started
(spec: files F8).
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def this_process() -> dict[str, Any]:
    """What a journal entry keeps, besides host and id, to tell this process from a later one with its id."""
    return {"started": _started(os.getpid()), "boot": _boot()}


def is_alive(name: str | None, pid: int | None, process: Mapping[str, Any]) -> bool:
    """Whether the process that an entry names is at work. Another host's is taken to be: we cannot see it."""
    if name != host():
        return True
    if pid is None or process.get("boot") != _boot():
        return False
    started = _started(pid)
    return bool(started) and started == process.get("started")


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; "" when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # A zombie has ended, whatever its parent is waiting for.
    return "" if fields[0] in {b"Z", b"X"} else fields[19].decode()


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().strip().decode()
    except FileNotFoundError:  # no /proc, as in a bare chroot
        return ""
