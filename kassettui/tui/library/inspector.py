"""The inspector: what is known of the asset at the cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widgets import Static

from kassettui.core.errors import InvalidInput
from kassettui.core.frames import FrameRanges
from kassettui.core.health import FrameState, strip
from kassettui.core.text import safe
from kassettui.tui import drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.assets import Asset
    from kassettui.tui.app import Kassettui
    from kassettui.tui.library.questions import Facts
    from kassettui.tui.theme import Paint


class Inspector(Static):
    """Facts, frame strip, tags; text objects only."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._facts: Facts | None = None

    def show(self, facts: Facts | None) -> None:
        """Another asset, or none."""
        self._facts = facts
        self.draw_again()

    def on_resize(self) -> None:
        """The strip has another width."""
        self.draw_again()

    def draw_again(self) -> None:
        """After a change of theme or size."""
        if self._facts is None:
            self.update(Text(""))
            return
        paint = cast("Kassettui", self.app).paint
        lines = Text("\n").join(_lines(self._facts, paint, max(10, self.content_size.width)))
        lines.no_wrap, lines.overflow = False, "fold"
        self.update(lines)


def _lines(facts: Facts, paint: Paint, width: int) -> Iterator[Text]:
    asset, row = facts.asset, facts.row
    yield Text(safe(asset.name), paint.strong)
    if asset.title:
        yield Text(safe(asset.title), paint.text)
    yield Text(" · ").join(
        Text(word, paint.dim) for word in (asset.kind, drawing.size(asset.size), *_picture(asset)) if word
    )
    if asset.health is not None:
        words, style = drawing.health(paint, asset.health, asset.hole_count, asset.damaged_count)
        words += " complete" if asset.health == "complete" else ""
        yield Text(words, style) + Text(f"  looked at level {asset.health_level or 0}", paint.dim)
    yield from _strip(asset, paint, width)
    stars = Text.assemble(*((one.text, one.style or "") for one in drawing.stars(paint, asset.rating)))
    state = "approved" if asset.approved_for_broadcast else asset.state
    yield stars + Text("  ") + Text(state, paint.of("states", state))
    if asset.missing_since is not None:
        yield Text(f"not found since {_moment(asset.missing_since)}", paint.of("states", "missing"))
    if asset.last_error:
        yield Text(safe(asset.last_error), paint.bad)
    yield Text("")
    for name, value in _table(facts):
        yield Text(f"{name:9}", paint.dim) + Text(safe(value), paint.text)
    if row.tags:
        yield Text(f"{'tags':9}", paint.dim) + Text("  ".join(map(safe, row.tags)), paint.accent)
    if asset.description:
        yield Text("")
        yield Text(safe(asset.description[:2000]), paint.text)


def _picture(asset: Asset) -> Iterator[str]:
    if asset.width and asset.height:
        yield f"{asset.width}×{asset.height}"
    for word in (asset.pixel_type, asset.compression, asset.colour_space):
        if word:
            yield safe(word)
    if asset.duration_ms:
        yield drawing.clock(asset.duration_ms / 1000)
    if asset.fps:
        yield f"{asset.fps:g} fps"


def _strip(asset: Asset, paint: Paint, width: int) -> Iterator[Text]:
    if not asset.frame_ranges:
        return
    try:
        ranges = FrameRanges.parse(asset.frame_ranges)
        expected = FrameRanges.parse(asset.expected_ranges) if asset.expected_ranges else None
        bad = {int(frame): FrameState(state) for frame, state in asset.health_frames.items()}
    except (InvalidInput, ValueError):
        yield Text(safe(asset.frame_ranges), paint.dim)
        return
    cells = strip(ranges, bad, width - 2, expected=expected)
    drawn = Text.assemble(*((one.text, one.style or "") for one in drawing.strip_segments(paint, cells)))
    yield Text("▕", paint.faint) + drawn + Text("▏", paint.faint)
    yield Text(f"{ranges.first}–{ranges.last}", paint.dim) + Text(
        f"  {drawing.plural(ranges.count, 'frame')}", paint.dim
    )
    if legend := drawing.strip_legend(cells):
        yield Text(legend, paint.dim)
    if holes := ranges.holes():
        yield Text(f"missing {holes.text[:200]}", paint.of("states", "holes"))


def _table(facts: Facts) -> Iterator[tuple[str, str]]:
    asset = facts.asset
    if asset.version_number is not None:
        best = f", best v{facts.row.best:03}" if facts.row.best else ""
        yield "version", f"v{asset.version_number:03}{best}"
    for level, value in asset.layout.items():
        yield level[:8], value
    if asset.mtime_ns:
        yield "changed", _moment(asset.mtime_ns // 1000)
    yield "came in", _moment(asset.created_at)
    if facts.folders:
        yield "folders", "  ".join(facts.folders)
    yield "path", asset.path


def _moment(microseconds: int) -> str:
    try:
        at = datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return "a time no calendar has"
    return at.strftime("%Y-%m-%d %H:%M")
