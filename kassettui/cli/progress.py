"""The live line on a terminal's stderr while work runs. Only `people` makes one; it imports rich."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kassettui.cli import wording
from kassettui.core.text import safe
from kassettui.jobs.speed import Speed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from rich.console import RenderableType

_REFRESH: Final = 8  # times a second (T5: at most 10)
_BAR: Final = 20
_ROOM_FOR_NAMES: Final = 70


class Progress:
    """Phase, bar or count, speed, time left, the item at hand. A context manager; it leaves no trace.

    `update` only notes figures; drawing happens on a thread of its own.
    """

    def __init__(self, fd: int, title: str, *, color: bool) -> None:
        # newline="" keeps rich's own line ends; the stream is ours, so the display never closes stderr.
        self._stream = os.fdopen(os.dup(fd), "w", encoding="utf-8", errors="replace", newline="")
        self._console = Console(
            file=self._stream,
            force_terminal=True,
            no_color=not color,
            markup=False,
            highlight=False,
            emoji=False,
        )
        self._spinner = Spinner("dots")
        self._speed = Speed(time.monotonic())
        self._phase = title
        self._done = 0
        self._total: int | None = None
        self._bytes = 0
        self._current = self._note = ""
        self._live = Live(
            get_renderable=self._line,
            console=self._console,
            refresh_per_second=_REFRESH,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def update(
        self,
        phase: str,
        done: int,
        total: int | None = None,
        *,
        done_bytes: int = 0,
        current: str = "",
        note: str = "",
    ) -> None:
        """How far it is now; a new phase begins from nothing. `note` is a further figure in words."""
        now = time.monotonic()
        if phase != self._phase:
            self._speed.restart(now, 0, 0)
        self._phase, self._done, self._total = phase, done, total
        self._bytes, self._current, self._note = done_bytes, current, note
        self._speed.note(now, done, done_bytes)

    def above(self, text: str) -> None:
        """A line that stays, printed above the moving one. Already safe."""
        self._console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)

    def _line(self) -> RenderableType:
        """Everything in one line; the item at hand takes what room is left, and none below 70 columns."""
        line = Table.grid(padding=(0, 2, 0, 0))
        cells = list(self._cells())
        for cell in cells:
            line.add_column(no_wrap=True, min_width=cell.cell_len if isinstance(cell, Text) else None)
        if self._current and self._console.width >= _ROOM_FOR_NAMES:
            line.add_column(no_wrap=True)
            cells.append(Text(safe(self._current), style="dim", no_wrap=True, overflow="ellipsis"))
        line.add_row(*cells)
        return line

    def _cells(self) -> Iterator[RenderableType]:
        rates = self._speed.rates(time.monotonic(), self._done, self._bytes)
        speed = rates[0] if rates else None
        yield self._spinner
        yield Text(self._phase)
        if self._total:
            yield ProgressBar(self._total, min(self._done, self._total), width=_BAR)
            yield Text(f"{min(1.0, self._done / self._total):4.0%}")
            yield Text(f"{wording.number(self._done)}/{wording.number(self._total)}")
        else:
            yield Text(wording.number(self._done))
        if self._note:
            yield Text(self._note)
        if speed:
            yield Text(f"{wording.number(round(speed))}/s", style="dim")
            if self._total:
                left = wording.duration(max(0, self._total - self._done) / speed)
                yield Text(f"{left} left", style="dim")
        if self._bytes:
            yield Text(wording.size(self._bytes), style="dim")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._live.stop()
            self._stream.close()
        except OSError:
            return  # the terminal is gone; there is nothing to restore
