"""Pieces of a line: safe text cut and padded to cells, figures and states as signs and words."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from kassettui.core.health import FrameState
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

    from kassettui.tui.theme import Paint

_UNITS: Final = ("kB", "MB", "GB", "TB", "PB", "EB")
_HEALTH: Final = {
    "complete": "●",
    "growing": "◐",
    "holes": "▲",
    "stalled": "▲",
    "broken": "✖",
}
_CELLS: Final = {
    FrameState.OK: "▇",
    FrameState.MISSING: "·",
    FrameState.ZERO: "▁",
    FrameState.PLACEHOLDER: "░",
    FrameState.TRUNCATED: "▚",
    FrameState.BAD_MAGIC: "✖",
    FrameState.UNREADABLE: "✖",
    FrameState.ODD_SIZE: "▃",
    FrameState.INCONSISTENT: "▞",
}


def cell(text: str, width: int, style: Style, *, right: bool = False) -> Segment:
    """`text`, made safe, in exactly `width` cells; what is cut ends in `…`."""
    return Segment(fitted(text, width, right=right), style)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """`text`, made safe, in exactly `width` cells."""
    if width <= 0:
        return ""
    shown = safe(text)
    length = cell_len(shown)
    if length > width:
        return set_cell_size(shown, width - 1) + "…"
    return " " * (width - length) + shown if right else shown + " " * (width - length)


def name_cell(text: str, width: int, style: Style) -> Segment:
    """A file's name: what is cut is cut in the middle, for both ends tell something."""
    shown = safe(text)
    if cell_len(shown) <= width or width < 12:
        return cell(text, width, style)
    tail = width // 2 - 1
    return Segment(set_cell_size(f"{set_cell_size(shown, width - tail - 1)}…{shown[-tail:]}", width), style)


def size(value: int) -> str:
    """Bytes in decimal units: `1.9 GB`."""
    amount, unit = float(value), "B"
    for larger in _UNITS:
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if unit != "B" and amount < 9.95 else f"{amount:.0f} {unit}"


def plural(count: int, one: str) -> str:
    """`1 frame`, `12,000 frames`."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def clock(seconds: float) -> str:
    """`0:42`, `4:12`, `1:04:12`."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar(share: float, width: int) -> str:
    """A bar `width` cells long, in eighths of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[rest] * (1 if rest else 0)).ljust(width)


def health(paint: Paint, state: str | None, holes: int | None, damaged: int | None) -> tuple[str, Style]:
    """A sequence's health as shape, words and colour together."""
    if state is None:
        return "", paint.dim
    words = _HEALTH.get(state, "○")
    if state == "broken" and damaged:
        words += f" {damaged:,} bad"
    elif state in {"holes", "stalled"} and holes:
        words += f" {plural(holes, 'hole')}" if state == "holes" else f" stalled −{holes:,}"
    elif state != "complete":
        words += f" {state}"
    return words, paint.good if state == "complete" else paint.of("states", state)


def stars(paint: Paint, rating: int | None) -> list[Segment]:
    """Five cells; an asset without rating has none."""
    if rating is None:
        return [Segment("     ", paint.text)]
    return [
        Segment("★" * rating, paint.of("stars", "filled")),
        Segment("☆" * (5 - rating), paint.of("stars", "empty")),
    ]


def strip_segments(paint: Paint, cells: Sequence[FrameState]) -> list[Segment]:
    """The frame strip as coloured cells, each state of a shape of its own."""
    return [
        Segment(_CELLS[state] * len(list(run)), paint.of("strip", str(state)))
        for state, run in groupby(cells)
    ]


def strip_legend(cells: Iterable[FrameState]) -> str:
    """What the shapes mean, without that of a good frame."""
    shown = set(cells)
    return "  ".join(
        f"{_CELLS[state]} {state.replace('_', ' ')}"
        for state in FrameState
        if state in shown and state is not FrameState.OK
    )
