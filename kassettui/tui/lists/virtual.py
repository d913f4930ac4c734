"""A list of any length on the Line API: it draws the lines that are seen and no others (T1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kassettui.tui.lists.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rich.style import Style
    from textual import events

    from kassettui.tui.app import Kassettui
    from kassettui.tui.theme import Paint


class VirtualList(ScrollView, can_focus=True, inherit_bindings=False):
    """Cursor, selection, range, scrolling, mouse. Who inherits says which rows and draws them."""

    selects: ClassVar[bool] = False
    """Whether rows can be selected."""
    header: ClassVar[int] = 0
    """Lines at the top that stay."""

    class Moved(Message):
        """The cursor stands on another row, or that row changed."""

        def __init__(self, sender: VirtualList) -> None:
            super().__init__()
            self.sender = sender

        @property
        def control(self) -> VirtualList:
            """The list."""
            return self.sender

        def can_replace(self, message: Message) -> bool:
            """Only the last move counts."""
            return type(message) is type(self) and getattr(message, "sender", None) is self.sender

    class Opened(Moved):
        """The row at the cursor was opened."""

    class Selected(Moved):
        """The selection changed."""

    class Cleared(Moved):
        """There was nothing to clear."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.cursor = 0
        self.selection = Selection()
        self._anchor: int | None = None
        self._before = Selection()

    # -- what rows there are: for who inherits --------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many rows there are."""
        return 0

    def key_at(self, index: int) -> Hashable:
        """What a row is called, whatever its place."""
        return index

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One row; texts in it are safe."""
        raise TypeError(f"row {index} of {width} cells: {paint}")

    def draw_header(self, width: int, paint: Paint) -> list[Segment]:
        """The line that stays at the top."""
        return [Segment(" " * width, paint.dim)]

    def draw_empty(self, line: int, width: int, paint: Paint) -> list[Segment]:
        """A line of a list without rows: what to do next."""
        return [Segment(" " * width if line else "", paint.dim)]

    # -- drawing --------------------------------------------------------------------------------------------

    @property
    def paint(self) -> Paint:
        """The styles of the theme."""
        return cast("Kassettui", self.app).paint

    def render_line(self, y: int) -> Strip:
        """One line of the list."""
        paint, width = self.paint, self.scrollable_content_region.width
        if y < self.header:
            return self._strip(self.draw_header(width, paint), width, paint.plain)
        index = self.scroll_offset.y + y - self.header
        if index >= self.count:
            segments = [] if self.count else self.draw_empty(y - self.header, width, paint)
            return self._strip(segments, width, paint.plain)
        ground = paint.plain
        if index == self.cursor and self.count:
            ground = paint.cursor if self.has_focus else paint.cursor_away
        elif self.selects and self.key_at(index) in self.selection:
            ground = paint.selected
        return self._strip(self.draw(index, width, paint), width, ground)

    @staticmethod
    def _strip(segments: list[Segment], width: int, ground: Style) -> Strip:
        painted = [Segment(text, ground + style if style else ground) for text, style, _ in segments]
        return Strip(painted).adjust_cell_length(width, ground)

    def rows_changed(self) -> None:
        """Call it when rows came, went or changed."""
        self.virtual_size = Size(max(1, self.scrollable_content_region.width), self.count + self.header)
        self.cursor = max(0, min(self.cursor, self.count - 1))
        self.refresh()

    def refresh_row(self, index: int) -> None:
        """Draw one row again."""
        y = index - self.scroll_offset.y + self.header
        if self.header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    @property
    def rows_seen(self) -> int:
        """How many rows fit."""
        return max(1, self.size.height - self.header)

    # -- moving ---------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, and that row where it is seen."""
        index = max(0, min(index, self.count - 1))
        before, self.cursor = self.cursor, index
        if self._anchor is not None:
            low, high = sorted((self._anchor, index))
            self.selection = self._before.copy()
            self.selection.add(self.key_at(row) for row in range(low, high + 1))
            self.refresh()
            self.post_message(self.Selected(self))
        top = self.scroll_offset.y
        if index < top:
            self._scroll(index)
        elif index >= top + self.rows_seen:
            self._scroll(index - self.rows_seen + 1)
        self.refresh_row(before)
        self.refresh_row(index)
        self.post_message(self.Moved(self))

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def do_down(self) -> None:
        """One row down."""
        self.move_to(self.cursor + 1)

    def do_up(self) -> None:
        """One row up."""
        self.move_to(self.cursor - 1)

    def do_half_down(self) -> None:
        """Half a page down."""
        self.move_to(self.cursor + max(1, self.rows_seen // 2))

    def do_half_up(self) -> None:
        """Half a page up."""
        self.move_to(self.cursor - max(1, self.rows_seen // 2))

    def do_page_down(self) -> None:
        """One page down."""
        self.move_to(self.cursor + self.rows_seen)

    def do_page_up(self) -> None:
        """One page up."""
        self.move_to(self.cursor - self.rows_seen)

    def do_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def do_last(self) -> None:
        """To the last row."""
        self.move_to(self.count - 1)

    def do_open(self) -> None:
        """Open what the cursor stands on."""
        if self.count:
            self.post_message(self.Opened(self))

    def do_back(self) -> None:
        """One pane to the left."""
        self.screen.focus_previous()

    # -- selecting ------------------------------------------------------------------------------------------

    def do_select(self) -> None:
        """Select the row, or not, and go down."""
        if self.selects and self.count:
            self.selection.toggle(self.key_at(self.cursor))
            self._selected()
            self.move_to(self.cursor + 1)

    def do_range(self) -> None:
        """Begin a range, or end it."""
        if not self.selects or not self.count:
            return
        if self._anchor is None:
            self._anchor, self._before = self.cursor, self.selection.copy()
            self.move_to(self.cursor)
        else:
            self._anchor = None

    def do_select_all(self) -> None:
        """Select every row."""
        if self.selects:
            self.selection.all()
            self._selected()

    def do_invert(self) -> None:
        """Select what is not selected."""
        if self.selects:
            self.selection.invert()
            self._selected()

    def do_clear(self) -> None:
        """Select nothing; where nothing is selected, whoever has the list clears what narrows it."""
        if not self.selection.count(self.count):
            self.post_message(self.Cleared(self))
        self.selection.clear()
        self._selected()

    def _selected(self) -> None:
        self._anchor = None
        self.refresh()
        self.post_message(self.Selected(self))

    # -- events ---------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; twice: open."""
        index = self.scroll_offset.y + event.y - self.header
        if event.y >= self.header and index < self.count:
            self.move_to(index)
            if event.ctrl:
                self.do_select()
            elif event.chain == 2:
                self.do_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down, without moving the cursor."""
        self._scroll(self.scroll_offset.y + 3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        self._scroll(max(0, self.scroll_offset.y - 3))
        event.stop()

    def on_focus(self) -> None:
        """The cursor is drawn in the accent."""
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor is drawn away."""
        self.refresh_row(self.cursor)

    def on_resize(self) -> None:
        """Widths are other ones."""
        self.rows_changed()
