"""The frame strip on a terminal's line: a cell a frame or a bin of frames, told apart by shape and colour."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from kassettui.cli.tables import painted
from kassettui.core.health import FrameState

if TYPE_CHECKING:
    from collections.abc import Sequence

_CELLS: Final = {
    FrameState.OK: ("▇", "#", "good"),
    FrameState.MISSING: ("·", ".", "dim"),
    FrameState.ZERO: ("▁", "0", "bad"),
    FrameState.PLACEHOLDER: ("░", "p", "dim"),
    FrameState.TRUNCATED: ("▚", "t", "bad"),
    FrameState.BAD_MAGIC: ("✖", "x", "bad"),
    FrameState.UNREADABLE: ("✖", "?", "bad"),
    FrameState.ODD_SIZE: ("▃", "s", "warn"),
    FrameState.INCONSISTENT: ("▞", "i", "warn"),
}


def draw(cells: Sequence[FrameState], *, color: bool, unicode: bool = True) -> str:
    """The cells as one piece of a line, between two bars."""
    shape = 0 if unicode else 1
    runs = ((state, len(list(run))) for state, run in groupby(cells))
    body = "".join(
        painted(_CELLS[state][shape] * length, _CELLS[state][2], color=color) for state, length in runs
    )
    return f"▕{body}▏" if unicode else f"[{body}]"


def legend(cells: Sequence[FrameState], *, color: bool, unicode: bool = True) -> str:
    """What the shapes in `cells` mean, without the one of a good frame."""
    shape = 0 if unicode else 1
    shown = [state for state in FrameState if state is not FrameState.OK and state in set(cells)]
    return "  ".join(
        f"{painted(_CELLS[state][shape], _CELLS[state][2], color=color)} {state.replace('_', ' ')}"
        for state in shown
    )
