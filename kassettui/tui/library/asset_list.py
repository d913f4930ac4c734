"""The list of assets: ids of the whole query, rows of what is seen, both read off the screen's thread."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.message import Message

from kassettui.core.frames import FrameRanges
from kassettui.core.query import QueryError
from kassettui.tui import drawing
from kassettui.tui.library import questions
from kassettui.tui.library.questions import Asked, Row, Stretch
from kassettui.tui.lists.virtual import VirtualList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.geometry import Region
    from textual.strip import Strip

    from kassettui.core.errors import KassettuiError
    from kassettui.library.events import AssetsChanged
    from kassettui.library.library import Library
    from kassettui.library.search import Cursor
    from kassettui.tui.lanes import Lane
    from kassettui.tui.theme import Paint

_KEPT: Final = 3_000
"""Rows that stay in memory around what is seen."""
_AROUND: Final = 100


@dataclass(frozen=True, slots=True)
class Widths:
    """The columns that a width has room for, in cells."""

    name: int
    frames: int
    health: int
    state: int
    tags: int


def widths(width: int) -> Widths:
    """Name first; the others come as there is room."""
    frames, health = (8, 11) if width >= 64 else (6, 2) if width >= 44 else (0, 0)
    state = 11 if width >= 56 else 0
    tags = 16 if width >= 96 else 0
    signs = 3 + 6
    gaps = sum(1 for column in (frames, health, state, tags) if column) * 1
    return Widths(max(8, width - signs - frames - health - state - tags - gaps), frames, health, state, tags)


class AssetList(VirtualList):
    """Assets of a query; a sequence is one row."""

    selects: ClassVar[bool] = True
    header: ClassVar[int] = 1

    class Counted(Message):
        """How many rows there are is known better."""

    class Failed(Message):
        """The query cannot be read."""

        def __init__(self, error: KassettuiError) -> None:
            super().__init__()
            self.error = error

    class Understood(Message):
        """The query could be read."""

    def __init__(self, rows_lane: Lane, index_lane: Lane, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows_lane = rows_lane
        self._index_lane = index_lane
        self._library: Library | None = None
        self._ids: array[int] = array("q")
        self._rows: dict[int, Row] = {}
        self._asked_rows: tuple[int, int] = (0, 0)
        self._generation = 0
        self.asked = Asked()
        self.complete = False
        """Whether every id is known."""
        self.empty_lines: tuple[str, ...] = ("Opening the library…",)

    # -- rows -----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many assets the query found, as far as known."""
        return len(self._ids)

    def key_at(self, index: int) -> int:
        """The asset's row id."""
        return self._ids[index]

    def row_at(self, index: int) -> Row | None:
        """The row, once it is read."""
        return self._rows.get(self._ids[index]) if 0 <= index < len(self._ids) else None

    @property
    def current(self) -> Row | None:
        """The row at the cursor."""
        return self.row_at(self.cursor)

    @property
    def chosen(self) -> list[int]:
        """The ids that an action is for: the selection, else the asset at the cursor."""
        number = self.selection.count(self.count)
        if number and not self.selection.inverted:
            return [key for key in self.selection.keys if isinstance(key, int)]
        if number:
            return [id_ for id_ in self._ids if id_ in self.selection]
        return [self._ids[self.cursor]] if self.count else []

    def known(self, ids: Iterable[int]) -> dict[int, Row]:
        """Those of the rows that are in memory."""
        return {id_: self._rows[id_] for id_ in ids if id_ in self._rows}

    def put(self, rows: dict[int, Row]) -> None:
        """Show these rows as they are said to be now."""
        for id_, row in rows.items():
            if id_ in self._rows:
                self._rows[id_] = row
        self.refresh()
        self.post_message(self.Moved(self))

    # -- reading --------------------------------------------------------------------------------------------

    def show(self, library: Library, asked: Asked) -> None:
        """List what is asked for, from the top."""
        self._library = library
        again = asked == self.asked and self.complete
        self.asked = asked
        self._generation += 1
        self._read(library, None, array("q"), again)

    def _read(self, library: Library, after: Cursor | None, found: array[int], again: bool) -> None:
        generation, asked = self._generation, self.asked

        def done(part: Stretch) -> None:
            if generation == self._generation:
                self._take(library, part, found, again, first=after is None)

        def failed(error: KassettuiError) -> None:
            if generation == self._generation:
                self._trouble(error)

        self._index_lane.ask(
            "index",
            lambda: library.read(questions.stretch, asked, after, _AROUND if after is None else 0),
            done,
            failed,
        )

    def _take(self, library: Library, part: Stretch, found: array[int], again: bool, *, first: bool) -> None:
        """Another stretch of ids. A list that is only renewed stays as it is until all of it is known."""
        found.extend(part.ids)
        self.complete = part.after is None
        if first:
            self.post_message(self.Understood())
        if first and not again:
            self._rows, self.cursor = part.rows, 0
            self.selection.clear()
            self._ids = found
            self.empty_lines = ("Nothing is found.", "", "esc clears the filter.")
            self.scroll_to(y=0, animate=False, immediate=True)
        elif again and self.complete:
            self._swap(found)
        if first or self.complete:
            self.post_message(self.Moved(self))
        if not again or self.complete:
            self.rows_changed()
            self.post_message(self.Counted())
        if part.after is not None:
            self._read(library, part.after, found, again)

    def _swap(self, found: array[int]) -> None:
        """The same list, renewed: the cursor stays on its asset where that is still there."""
        here = self._ids[self.cursor] if self.count else None
        self._ids = found
        self._asked_rows = (0, 0)
        if here is not None and here in found:
            self.cursor = found.index(here)

    def _trouble(self, error: KassettuiError) -> None:
        if not isinstance(error, QueryError):
            self._ids, self._rows = array("q"), {}
            self.empty_lines = (error.message, "", error.remedy)
            self.rows_changed()
        self.post_message(self.Failed(error))

    def changed(self, event: AssetsChanged) -> None:
        """Read again what the library says has changed."""
        if self._library is None:
            return
        self._asked_rows = (0, 0)
        if event.ids is None:
            self._renew()
        elif touched := [id_ for id_ in event.ids if id_ in self._rows]:
            self._ask_rows(self._library, touched)
        if event.ids is None or not self.asked.everything or any(id_ not in self._rows for id_ in event.ids):
            self.show(self._library, self.asked)

    def _renew(self) -> None:
        """Have the rows that are seen read again, and forget the others."""
        low = self.scroll_offset.y
        seen = set(self._ids[low : low + self.rows_seen + 1])
        self._rows = {id_: row for id_, row in self._rows.items() if id_ in seen}
        if self._library is not None and self._rows:
            self._ask_rows(self._library, list(self._rows))

    def _want_rows(self) -> None:
        """Ask for what is seen and a little more."""
        if self._library is None:
            return
        low = max(0, self.scroll_offset.y - _AROUND)
        high = min(self.count, self.scroll_offset.y + self.rows_seen + _AROUND)
        if (low, high) == self._asked_rows:
            return
        self._asked_rows = (low, high)
        missing = [id_ for id_ in self._ids[low:high] if id_ not in self._rows]
        if missing:
            if len(self._rows) > _KEPT:
                near = set(self._ids[low:high])
                self._rows = {id_: row for id_, row in self._rows.items() if id_ in near}
            self._ask_rows(self._library, missing)

    def _ask_rows(self, library: Library, ids: list[int]) -> None:
        def done(rows: dict[int, Row]) -> None:
            self._rows.update(rows)
            self.refresh()
            self.post_message(self.Moved(self))

        self._rows_lane.ask("rows", lambda: library.read(questions.rows_of, ids), done, self._trouble)

    def do_back(self) -> None:
        """To the tree."""
        self.screen.query_one("#tree").focus()

    # -- drawing --------------------------------------------------------------------------------------------

    def draw_header(self, width: int, paint: Paint) -> list[Segment]:
        """The columns' names."""
        has = widths(width)
        line = "   " + drawing.fitted("name", has.name)
        for column, title, right in _COLUMNS:
            if cells := getattr(has, column):
                line += " " + drawing.fitted(title if cells > 3 else "", cells, right=right)
        return [Segment(line + "  ★", paint.dim)]

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One asset."""
        row = self._rows.get(self._ids[index])
        if row is None:
            self._want_rows()
            return [Segment("   …", paint.faint)]
        asset, has = row.asset, widths(width)
        gone = asset.missing_since is not None or asset.is_deleted
        mark = "▌" if self.key_at(index) in self.selection else " "
        text = paint.faint if gone else paint.strong if index == self.cursor else paint.text
        best = "◆" if row.best and row.best == asset.version_number else " "
        segments = [Segment(f" {mark}", paint.accent), Segment(best, paint.accent)]
        segments.append(drawing.name_cell(shown_name(row), has.name, text))
        if has.frames:
            segments += [_gap(paint), drawing.cell(_frames(row), has.frames, paint.dim, right=True)]
        if has.health:
            words, style = drawing.health(paint, asset.health, asset.hole_count, asset.damaged_count)
            words, style = ("✖ gone", paint.of("states", "missing")) if gone else (words, style)
            segments += [_gap(paint), drawing.cell(words[:1] if has.health < 4 else words, has.health, style)]
        if has.state:
            state = "approved" if asset.approved_for_broadcast else asset.state
            sign = "✓ " if asset.approved_for_broadcast else ""
            segments += [_gap(paint), drawing.cell(sign + state, has.state, paint.of("states", state))]
        if has.tags:
            segments += [_gap(paint), drawing.cell(" ".join(row.tags), has.tags, paint.dim)]
        return [*segments, _gap(paint), *drawing.stars(paint, asset.rating)]

    def draw_empty(self, line: int, width: int, paint: Paint) -> list[Segment]:
        """Why there is nothing, and what to do."""
        place = line - 2
        if 0 <= place < len(self.empty_lines):
            style = paint.text if place == 0 else paint.dim
            return [drawing.cell(f"   {self.empty_lines[place]}", width, style)]
        return []

    def render_lines(self, crop: Region) -> list[Strip]:
        """As it is, after asking for the rows."""
        self._want_rows()
        return super().render_lines(crop)


_COLUMNS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("frames", "frames", True),
    ("health", "health", False),
    ("state", "state", False),
    ("tags", "tags", False),
)


def _gap(paint: Paint) -> Segment:
    return Segment(" ", paint.text)


def shown_name(row: Row) -> str:
    """A sequence's name with its range: `beauty.[1001-1100].exr`."""
    asset = row.asset
    if asset.frame_ranges is None or "#" not in asset.name:
        return asset.name
    head, _, tail = asset.name.partition("#")
    return f"{head}[{_ends(asset.frame_ranges)}]{tail}"


def _ends(ranges: str) -> str:
    whole = FrameRanges.parse(ranges)
    return f"{whole.first}-{whole.last}"


def _frames(row: Row) -> str:
    asset = row.asset
    if asset.frame_count is not None and asset.kind == "sequence":
        holes = asset.hole_count or 0
        return f"{asset.frame_count}/{asset.frame_count + holes}" if holes else f"{asset.frame_count:,}"
    return drawing.clock(asset.duration_ms / 1000) if asset.duration_ms else ""
