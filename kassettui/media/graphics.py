"""What pictures the terminal can show (P12): asked once, before a screen starts, never without a terminal.

One write carries three questions: kitty graphics, the size of a cell in pixels, and primary device
attributes, which every terminal answers, last. So the wait ends with that answer and no other; what was
typed meanwhile is kept and given back. Standard library only: drawing is for the front ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import termios
import time
import tty
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS: Final = 1.0
"""How long a terminal may take to answer; a slow line needs most of it."""

_KITTY: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_CELL: Final = b"\x1b[16t"
_ATTRIBUTES: Final = b"\x1b[c"

_KITTY_ANSWER: Final = re.compile(rb"\x1b_G([^\x1b]*)\x1b\\")
_CELL_ANSWER: Final = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_ATTRIBUTES_ANSWER: Final = re.compile(rb"\x1b\[\?([\d;]*)c")
_USUAL_CELL: Final = (10, 20)
_SIXEL_ATTRIBUTE: Final = "4"


class Images(StrEnum):
    """How pictures are drawn."""

    KITTY = "kitty"
    SIXEL = "sixel"
    HALFBLOCK = "halfblock"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Graphics:
    """What a terminal said. `cell` is a cell's width and height in pixels; `typed` what a person typed.

    `asked` is False where nobody was asked: no terminal, or not ours to talk to.
    """

    kitty: bool = False
    sixel: bool = False
    cell: tuple[int, int] = _USUAL_CELL
    asked: bool = False
    answered: bool = False
    typed: bytes = b""


def choose(setting: str, found: Graphics, environment: Mapping[str, str]) -> Images:
    """The way to draw: what was asked for, else the best that the terminal said it can.

    Sixel before kitty: terminals that answer both draw kitty's placeholders wrongly. Without a terminal that
    can place a cursor nothing is drawn.
    """
    if setting != "auto":
        return Images(setting)
    if not found.asked or environment.get("TERM", "dumb") in {"dumb", ""}:
        return Images.NONE
    if found.sixel:
        return Images.SIXEL
    return Images.KITTY if found.kitty else Images.HALFBLOCK


def ask(*, seconds: float = SECONDS) -> Graphics:
    """What the controlling terminal can; asks nobody without one, or while we are in its background."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return Graphics()
    try:
        return ask_terminal(fd, seconds=seconds)
    finally:
        os.close(fd)


def ask_terminal(fd: int, *, seconds: float = SECONDS) -> Graphics:
    """What the terminal behind `fd` can."""
    try:
        if not os.isatty(fd) or os.tcgetpgrp(fd) != os.getpgrp():
            return Graphics()
        with _raw(fd):
            os.write(fd, _KITTY + _CELL + _ATTRIBUTES)
            answers = _read(fd, time.monotonic() + seconds)
    except (OSError, termios.error):
        return Graphics()
    return _understood(answers, fd)


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Keys and answers byte by byte, without echo; as it was afterwards."""
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)


def _read(fd: int, deadline: float) -> bytes:
    """Everything up to the answer that comes last, or the deadline."""
    data = b""
    while not _ATTRIBUTES_ANSWER.search(data):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            break
        more = os.read(fd, 4096)
        if not more:
            break
        data += more
    return data


def _understood(answers: bytes, fd: int) -> Graphics:
    kitty, cell = _KITTY_ANSWER.search(answers), _CELL_ANSWER.search(answers)
    attributes = _ATTRIBUTES_ANSWER.search(answers)
    size = (int(cell[2]), int(cell[1])) if cell is not None else (0, 0)
    typed = answers
    for pattern in (_KITTY_ANSWER, _CELL_ANSWER, _ATTRIBUTES_ANSWER):
        typed = pattern.sub(b"", typed)
    return Graphics(
        kitty=kitty is not None and kitty[1].endswith(b";OK"),
        sixel=attributes is not None and _SIXEL_ATTRIBUTE in attributes[1].decode("ascii").split(";"),
        cell=size if min(size) > 0 else _cell_by_window(fd),
        asked=True,
        answered=attributes is not None,
        typed=typed,
    )


def _cell_by_window(fd: int) -> tuple[int, int]:
    """From the window's size in pixels, where the terminal's driver knows it."""
    try:
        rows, columns, width, height = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        return _USUAL_CELL
    return (width // columns, height // rows) if rows and columns and width and height else _USUAL_CELL
