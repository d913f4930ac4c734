"""Evenly reduced pixels: blocks of k × k averaged on the display window's grid (P6, P13).

A thumbnail needs a small part of what a frame holds. Blocks leave at least twice the pixels that the result
will have, so that the final resampling has something to work with; of each block all columns and up to two
rows count (measured against full averaging: mean ΔE2000 well below 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kassettui.media.decode.picture import Floats, Mask
    from kassettui.media.facts import Window

_ROWS_A_BLOCK: Final = 2


@dataclass(slots=True)
class Grid:
    """The display window in blocks, the data window on it, and the sums so far.

    Rows are counted as the file does (data-window coordinates, `y` absolute). `add` may come in any order.
    """

    block: int
    canvas: Floats
    counts: NDArray[np.int32]
    left: int
    right: int
    pad: int
    column: int
    top: int
    rows: range
    scale: float

    @classmethod
    def over(cls, display: Window, data: Window, reduction: float, channels: int, scale: float) -> Grid:
        """A grid for `channels` channels of values that are multiplied by `scale` in the end.

        `reduction` is how many of the picture's pixels make one of the result's.
        """
        block = max(1, int(reduction / 2))
        width, height = -(-display.width // block), -(-display.height // block)
        left, right = max(data.x, display.x), min(data.x + data.width, display.x + display.width)
        top, bottom = max(data.y, display.y), min(data.y + data.height, display.y + display.height)
        offset = left - display.x
        return cls(
            block=block,
            canvas=np.zeros((height, width, channels), np.float32),
            counts=np.zeros(height, np.int32),
            left=left - data.x,
            right=max(right, left) - data.x,
            pad=offset % block,
            column=offset // block,
            top=display.y,
            rows=range(top, max(bottom, top)),
            scale=scale,
        )

    @property
    def empty(self) -> bool:
        """Whether the data window lies wholly outside the display window."""
        return self.right <= self.left or not self.rows

    @property
    def steps(self) -> tuple[int, ...]:
        """Which rows of a block count."""
        block = self.block
        return tuple(range(block)) if block <= _ROWS_A_BLOCK else (block // 4, block - 1 - block // 4)

    def lines(self) -> Iterator[tuple[int, int]]:
        """Every line y that counts, top to bottom, with its row on the canvas."""
        for row in range((self.rows.start - self.top) // self.block, self.canvas.shape[0]):
            for step in self.steps:
                y = self.top + row * self.block + step
                if y in self.rows:
                    yield y, row

    def add(self, first: int, samples: NDArray[np.generic]) -> None:
        """Take in lines `first`… of the data window: (h, w, c), whole lines; those that do not count too."""
        start, stop = max(first, self.rows.start), min(first + samples.shape[0], self.rows.stop)
        for step in self.steps:
            row = -(-(start - self.top - step) // self.block)
            y = self.top + row * self.block + step
            if y < stop:
                self._add_to(row, samples[y - first : stop - first : self.block])

    def _add_to(self, row: int, lines: NDArray[np.generic]) -> None:
        """Add lines to the canvas's rows `row`…, one each."""
        part = lines[:, self.left : self.right]
        target = slice(self.column, self.column + -(-(self.pad + part.shape[1]) // self.block))
        rows = slice(row, row + lines.shape[0])
        if self.block == 1:
            self.canvas[rows, target] = part
        else:
            self.canvas[rows, target] += self._across(part)
        self.counts[rows] += 1

    def _across(self, part: NDArray[np.generic]) -> Floats:
        """Sums over `block` columns; what lies outside the data window counts as 0."""
        count, width, channels = part.shape
        whole = -(-(self.pad + width) // self.block) * self.block
        padded = np.zeros((count, whole, channels), np.float32)
        padded[:, self.pad : self.pad + width] = part
        folded = padded.reshape(count, whole // self.block, self.block, channels)
        total: Floats = folded[:, :, 0].copy()
        for step in range(1, self.block):
            total += folded[:, :, step]
        return total

    def finish(self) -> tuple[Floats, Mask | None]:
        """The averaged canvas, and where nothing came although the data window covers it (None: nowhere)."""
        canvas, expected = self.canvas, self._expected()
        if self.block > 1:
            share = self.scale / self.block / np.maximum(self.counts, 1)
            canvas *= share.astype(np.float32)[:, None, None]
        elif self.scale != 1.0:
            canvas *= np.float32(self.scale)
        missing = (self.counts == 0) & (expected > 0)
        if self.empty or not missing.any():
            return canvas, None
        mask = np.zeros(canvas.shape[:2], np.bool_)
        mask[missing, self.column : self.column + -(-(self.pad + self.right - self.left) // self.block)] = (
            True
        )
        return canvas, mask

    def _expected(self) -> NDArray[np.int32]:
        """How many lines each of the canvas's rows should get."""
        expected = np.zeros(self.canvas.shape[0], np.int32)
        for _, row in self.lines():
            expected[row] += 1
        return expected
