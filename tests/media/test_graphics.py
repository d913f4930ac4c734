"""P12: what a terminal can is asked once, safely; and how that decides."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from kassettui.media.graphics import Graphics, Images, ask, ask_terminal, choose

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("setting", "found", "environment", "expected"),
    [
        ("auto", Graphics(), XTERM, Images.NONE),
        ("auto", Graphics(asked=True), XTERM, Images.HALFBLOCK),
        ("auto", Graphics(asked=True), {"TERM": "dumb"}, Images.NONE),
        ("auto", Graphics(asked=True), {}, Images.NONE),
        ("auto", Graphics(asked=True, kitty=True), XTERM, Images.KITTY),
        ("auto", Graphics(asked=True, sixel=True), XTERM, Images.SIXEL),
        ("auto", Graphics(asked=True, sixel=True, kitty=True), XTERM, Images.SIXEL),
        ("none", Graphics(asked=True, kitty=True), XTERM, Images.NONE),
        ("kitty", Graphics(), {}, Images.KITTY),
        ("halfblock", Graphics(asked=True, sixel=True), XTERM, Images.HALFBLOCK),
    ],
)
def test_P12_the_way_to_draw(
    setting: str, found: Graphics, environment: dict[str, str], expected: Images
) -> None:
    assert choose(setting, found, environment) is expected


PROGRAM = """
import sys; from kassettui.media.graphics import ask
found = ask(seconds=float(sys.argv[1]))
print("FOUND", found.kitty, found.sixel, found.cell, found.asked, found.answered, found.typed, flush=True)
"""


def as_a_terminal(
    answer: bytes, *, seconds: float = 20.0, pixels: tuple[int, int] = (0, 0), before: bytes = b""
) -> str:
    """What `ask` finds on a terminal that answers so."""
    pid, leader = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-P", "-c", PROGRAM, str(seconds)])
    try:
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, *pixels))
        heard, answered = b"", False
        deadline = time.monotonic() + 60
        while b"FOUND" not in heard or not heard.endswith(b"\n"):
            assert time.monotonic() < deadline, heard
            if select.select([leader], [], [], 1)[0]:
                heard += os.read(leader, 4096)
            if not answered and b"\x1b[c" in heard:
                answered = True
                os.write(leader, before + answer)
        assert heard.count(b"\x1b[c") == 1
        return heard[heard.index(b"FOUND") :].decode().strip()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(leader)


KITTY, CELL = b"\x1b_Gi=31;OK\x1b\\", b"\x1b[6;36;18t"


def test_P12_a_terminal_with_kitty_graphics() -> None:
    found = as_a_terminal(KITTY + CELL + b"\x1b[?62;c")
    assert found == "FOUND True False (18, 36) True True b''"


def test_P12_a_terminal_with_sixel_whose_driver_knows_the_pixels() -> None:
    found = as_a_terminal(b"\x1b[?62;4;22c", pixels=(800, 384))
    assert found == "FOUND False True (10, 16) True True b''"


def test_P12_what_was_typed_meanwhile_is_kept() -> None:
    found = as_a_terminal(KITTY + b"\x1b[?1;2c", before=b"jk\x1b[A")
    assert found == r"FOUND True False (10, 20) True True b'jk\x1b[A'"


def test_P12_a_terminal_that_refuses_kitty_graphics() -> None:
    assert as_a_terminal(b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?1;2c").startswith("FOUND False False")


def test_P12_a_terminal_that_never_answers_costs_the_time_allowed() -> None:
    assert as_a_terminal(b"", seconds=0.3) == "FOUND False False (10, 20) True False b''"


def test_P12_nobody_is_asked_without_a_terminal() -> None:
    read, write = os.pipe()
    try:
        assert ask_terminal(read) == Graphics()
    finally:
        os.close(read)
        os.close(write)
    leader, follower = pty.openpty()  # a terminal, but not ours
    try:
        assert ask_terminal(follower) == Graphics()
    finally:
        os.close(leader)
        os.close(follower)
    assert isinstance(ask(seconds=0.01), Graphics)
