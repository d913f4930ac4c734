"""What a decoder process does to itself before it opens a file (P2): limits, and an end with its parent.

Imports no decoder. Linux only where it must be (`prctl`); without it the pipe's end still ends the process.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_NICENESS: Final = 5


def enter(*, memory: int, parent: int) -> None:
    """Bound this process: `memory` bytes of address space, no core dumps, no new privileges, low priority.

    Ends the process at once when `parent` is not its parent any more.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)  # RLIMIT_CORE alone does not stop a core pattern that is a pipe
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.nice(_NICENESS)


def forbid_writing() -> None:
    """From here on no file can be written: for when everything of ours is loaded."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def resident() -> int:
    """Bytes of memory that this process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
