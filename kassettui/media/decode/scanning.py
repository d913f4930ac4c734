"""Reading samples through OpenImageIO explicitly: whole where it works, in ever smaller bands where not (P3).

OpenImageIO's lazy access retries broken chunks pixel by pixel for minutes, and its `oiio:missingcolor` writes
beyond its buffers (3.2, truncated ZIP and PIZ files): neither is used.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kassettui.media.facts import Window

if TYPE_CHECKING:
    import numpy as np
    import OpenImageIO
    from numpy.typing import NDArray

    from kassettui.media.decode.sampling import Grid

    Samples = NDArray[np.generic]

_BAND_BYTES: Final = 256 * 1024 * 1024
_FAILURES_IN_A_ROW: Final = 8
_NAMED: Final = re.compile(r"^EXR Error \(.*?\): | \(?[\"']/[^\"']*[\"']\)?")
_LINES: Final = {
    "none": 1, "rle": 1, "zips": 1, "zip": 16, "piz": 32, "pxr24": 16, "b44": 32, "b44a": 32, "dwaa": 32,
    "dwab": 256, "htj2k": 32, "htj2k256": 256, "htj2k32": 32,
}  # fmt: skip


@dataclass(slots=True)
class Scan:
    """One level of one part, its wanted channels, and how it may be read."""

    source: OpenImageIO.ImageInput
    part: int
    level: int
    spec: OpenImageIO.ImageSpec
    first_channel: int
    last_channel: int
    sample_type: str
    exr: bool
    deadline: float
    error: str = ""

    @property
    def data(self) -> Window:
        """The data window."""
        return Window(self.spec.x, self.spec.y, self.spec.width, self.spec.height)

    @property
    def chunk(self) -> int:
        """Lines that can only be read together."""
        if self.spec.tile_width:
            return int(self.spec.tile_height)
        if self.exr:
            return _LINES.get(self.spec.get_string_attribute("compression").partition(":")[0].lower(), 256)
        return 1

    @property
    def separate(self) -> bool:
        """Whether a line costs the same wherever it lies, so that reading few costs little."""
        if self.spec.tile_width:
            return False
        compression = self.spec.get_string_attribute("compression").lower()
        name = self.source.format_name()
        if self.exr:
            return self.chunk == 1
        return (name == "tiff" and compression == "none") or name in {"dpx", "cineon"}

    def read(self, first: int, last: int) -> Samples | None:
        """Lines `first`…`last` (exclusive; data-window coordinates) of the wanted channels, or None."""
        spec, channels = self.spec, (self.first_channel, self.last_channel, self.sample_type)
        if spec.tile_width:
            x_end, y_end = spec.x + spec.width, min(last, spec.y + spec.height)
            lines = self.source.read_tiles(
                self.part, self.level, spec.x, x_end, first, y_end, 0, 1, *channels
            )
        else:
            lines = self.source.read_scanlines(self.part, self.level, first, last, 0, *channels)
        if lines is None:
            self.error = complaint(self.source)
            return None
        return _shaped(lines, last - first, spec.width)

    @property
    def late(self) -> bool:
        """Whether it is time to be content with what there is."""
        return time.monotonic() > self.deadline


def _shaped(lines: Any, height: int, width: int) -> Samples:
    samples: Samples = lines.reshape(height, width, -1)
    return samples


def complaint(source: Any) -> str:
    """What OpenImageIO has to say against a file, short, without its name; asking clears it.

    `source` is whatever has `geterror`: an input, a buffer, the module.
    """
    try:
        message = str(source.geterror())
    except UnicodeDecodeError:  # it quotes the file's own bytes
        message = ""
    line = next((part.strip() for part in message.splitlines() if part.strip()), "")
    line = _NAMED.sub("", line)
    return line[:200] or "cannot be decoded"


def fill(grid: Grid, scan: Scan) -> None:
    """Read everything that `grid` wants; what cannot be read stays missing, `scan.error` says why."""
    if grid.empty:
        return
    if scan.separate and grid.block > 2:
        _fill_lines(grid, scan)
        return
    chunk, start = scan.chunk, scan.spec.y
    first = start + (grid.rows.start - start) // chunk * chunk
    last = min(start + -(-(grid.rows.stop - start) // chunk) * chunk, start + scan.spec.height)
    line_bytes = scan.spec.width * (scan.last_channel - scan.first_channel) * 4
    step = max(chunk, _BAND_BYTES // max(line_bytes, 1) // chunk * chunk)
    bands = _Bands(grid, scan)
    for top in range(first, last, step):
        bands.read(top, min(top + step, last))


def _fill_lines(grid: Grid, scan: Scan) -> None:
    failures = 0
    for y, _ in grid.lines():
        lines = scan.read(y, y + 1)
        failures = failures + 1 if lines is None else 0
        if lines is not None:
            grid.add(y, lines)
        elif failures > _FAILURES_IN_A_ROW and not scan.exr:
            return
        if scan.late:
            scan.error = scan.error or "stopped: it takes too long"
            return


@dataclass(slots=True)
class _Bands:
    """Halves a band that fails until the lines are found that do."""

    grid: Grid
    scan: Scan
    failures: int = 0

    def read(self, first: int, last: int) -> None:
        scan = self.scan
        if scan.late:
            scan.error = scan.error or "stopped: it takes too long"
            return
        if self.failures >= _FAILURES_IN_A_ROW and not scan.exr:
            return  # a stream that broke stays broken
        lines = scan.read(first, last)
        if lines is not None:
            self.failures = 0
            self.grid.add(first, lines)
            return
        chunk = scan.chunk
        if last - first <= chunk:
            self.failures += 1
            return
        middle = first + max(1, (last - first) // 2 // chunk) * chunk
        self.read(first, middle)
        self.read(middle, last)
