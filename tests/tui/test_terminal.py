"""The program in a real pseudo-terminal: what it draws, what it never sends, how it ends."""

from __future__ import annotations

import re
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import Terminal
from tests.tui.conftest import fill
from tests.tui.test_screen import HOSTILE

if TYPE_CHECKING:
    from kassettui.config import Settings

pytestmark = pytest.mark.pty

_OURS = re.compile(rb"\x1b\[[0-9;?>=<u$]*[a-zA-Z~]|\x1b[=>78]|\x1b\]22;[a-z]*(\x07|\x1b\\)")


def started(settings: Settings, size: tuple[int, int]) -> Terminal:
    return Terminal(
        (sys.executable, "-P", "-m", "kassettui"),
        *size,
        {"KASSETTUI_LIBRARY": str(settings.library_path), "COLORTERM": "truecolor"},
    )


def shows(terminal: Terminal, text: str) -> None:
    """Read until the screen shows `text`."""
    deadline = time.monotonic() + 18
    while not any(text in line for line in terminal.shown):
        assert time.monotonic() < deadline, "\n".join(terminal.shown)
        terminal._take(time.monotonic() + 0.2)


def test_R8_names_send_nothing_of_their_own(settings: Settings) -> None:
    fill(settings, HOSTILE)
    terminal = started(settings, (200, 60))
    shows(terminal, "-rf.png")
    for _ in HOSTILE:
        terminal.type("j")
        terminal._take(time.monotonic() + 0.1)
    shows(terminal, "\\e]52;c;")
    shows(terminal, "[red]markup[/].png")
    terminal.type("q")
    assert terminal.finish() == 0
    rest = _OURS.sub(b"", terminal.raw)
    assert b"\x1b]52" not in terminal.raw
    assert b"\x1b" not in rest, rest[max(0, rest.index(b"\x1b") - 40) :][:120]
    assert b"\x07" not in rest
    text = rest.decode()
    assert not re.search("[\u202a-\u202e\u200b\u2066-\u2069\x80-\x9f]", text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_R11_a_signal_restores_the_terminal_and_says_so_in_the_exit_code(
    settings: Settings, number: signal.Signals
) -> None:
    fill(settings, ["a.png"])
    terminal = started(settings, (80, 24))
    shows(terminal, "a.png")
    terminal.kill(number)
    assert terminal.finish() == 130
    assert b"\x1b[?1049l" in terminal.raw
