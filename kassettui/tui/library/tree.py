"""The tree: everything, folders, saved searches, collections, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment

from kassettui.tui import drawing
from kassettui.tui.library.questions import Branch, Tree
from kassettui.tui.lists.virtual import VirtualList

if TYPE_CHECKING:
    from kassettui.tui.theme import Paint

_WHOLE: Final = "All assets"


class TreeList(VirtualList):
    """Headings that open and close, and what stands under them."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._tree = Tree()
        self._folded: set[str] = set()
        self._lines: list[Branch] = [Branch(_WHOLE, "", sign="●")]

    @property
    def count(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    @property
    def current(self) -> Branch:
        """The line at the cursor."""
        return self._lines[self.cursor]

    def show(self, tree: Tree) -> None:
        """Another tree; the cursor stays on the same line where there is one."""
        here = self.current
        self._tree = tree
        self._lay()
        same = [
            place
            for place, line in enumerate(self._lines)
            if (line.title, line.query) == (here.title, here.query)
        ]
        self.cursor = same[0] if same else 0
        self.rows_changed()

    def _lay(self) -> None:
        lines = [Branch(_WHOLE, "", self._tree.assets, sign="●")]
        for heading, below in self._tree.sections:
            lines.append(heading)
            if heading.title not in self._folded:
                lines += below
        self._lines = lines

    def do_open(self) -> None:
        """Open or close a heading; else go to the list."""
        here = self.current
        if here.query is not None:
            super().do_open()
            return
        self._folded.symmetric_difference_update((here.title,))
        self._lay()
        self.rows_changed()

    def do_back(self) -> None:
        """Up to the heading, and close it."""
        while self.cursor > 0 and self.current.query is not None:
            self.move_to(self.cursor - 1)
        if self.current.query is None and self.current.title not in self._folded:
            self.do_open()

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One line."""
        line = self._lines[index]
        if line.query is None:
            sign = "▸" if line.title in self._folded else "▾"
            return [drawing.cell(f" {sign} {line.title}", width, paint.dim)]
        count = "" if line.count is None else f"{line.count:,}{'+' if line.capped else ''}"
        indent = " " if index == 0 else "   " + "  " * min(line.depth, 6)
        room = max(4, width - len(indent) - 2 - len(count) - 2)
        return [
            Segment(f"{indent}{line.sign} ", paint.accent if index == 0 else paint.faint),
            drawing.cell(line.title, room, paint.text),
            Segment(f" {count} ", paint.dim),
        ]
