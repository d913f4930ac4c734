"""The Library place: puts tree, filter, list and inspector together and carries out what they are asked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from rich.text import Text
from textual.containers import Horizontal, Vertical, VerticalScroll

from kassettui.core.text import safe
from kassettui.library import search
from kassettui.library.events import AssetsChanged, Event
from kassettui.tui import drawing
from kassettui.tui.actions import Where
from kassettui.tui.dialogs import Choice, Choose, Prompt
from kassettui.tui.importing import submit_import
from kassettui.tui.lanes import Lane
from kassettui.tui.library import questions
from kassettui.tui.library.asset_list import AssetList
from kassettui.tui.library.edits import Edits
from kassettui.tui.library.filter_bar import FilterBar
from kassettui.tui.library.inspector import Inspector
from kassettui.tui.library.tree import TreeList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from kassettui.core.errors import KassettuiError
    from kassettui.core.query import Completion
    from kassettui.library.library import Library
    from kassettui.tui.app import Kassettui
    from kassettui.tui.library.questions import Asked, Facts, Tree
    from kassettui.tui.lists.virtual import VirtualList

REST: Final = 0.08
"""Seconds that the cursor rests before what it stands on is looked up."""
_COALESCE: Final = 0.25
_WIDE: Final = 120
_TALL: Final = 34
_SMALL: Final = 10
_SORTS: Final = (
    Choice("", "as they came in"),
    Choice("name", "name"),
    Choice("path", "path"),
    Choice("-mtime", "newest first"),
    Choice("-size", "largest first"),
    Choice("-rating", "best rated first"),
    Choice("-missing", "most holes first"),
    Choice("health", "health"),
    Choice("-version", "highest version first"),
)


class LibraryPlace(Horizontal):
    """The assets of the library."""

    where = Where.LIBRARY

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.library: Library | None = None
        deliver = self.home_deliver
        self._lanes = {name: Lane(name, deliver) for name in ("rows", "index", "facts", "tree", "words")}
        self._list = AssetList(self._lanes["rows"], self._lanes["index"], id="assets")
        self._edits = Edits(self._list, deliver, self._complain)
        self._resting: Timer | None = None
        self._changes: list[Event] = []
        self._coalescing: Timer | None = None
        self._inspector_wanted: bool | None = None

    @property
    def home(self) -> Kassettui:
        """The app, by its type."""
        return cast("Kassettui", self.app)

    def home_deliver(self, call: Any) -> None:
        """Have it called on the screen's thread."""
        self.home.deliver(call)

    def compose(self) -> ComposeResult:
        """Three panes, a filter over the middle one."""
        tree = TreeList(id="tree")
        tree.border_title = Text("Library")
        yield tree
        with Vertical(id="middle"):
            with Vertical(id="list-pane"):
                yield FilterBar(id="filter")
                yield self._list
            with VerticalScroll(id="inspector-pane", can_focus=False) as pane:
                pane.border_title = Text("Inspector")
                yield Inspector(id="inspector")

    def on_mount(self) -> None:
        """The list is where one begins."""
        self._list.focus()

    def on_unmount(self) -> None:
        """Nothing is read any more."""
        for lane in self._lanes.values():
            lane.close()

    @property
    def main_list(self) -> VirtualList:
        """Where the keys of lists go when no list has the focus."""
        return self._list

    @property
    def branches(self) -> TreeList:
        """The left pane."""
        return self.query_one(TreeList)

    @property
    def filter(self) -> FilterBar:
        """The filter."""
        return self.query_one(FilterBar)

    # -- the library ----------------------------------------------------------------------------------------

    def use(self, library: Library) -> None:
        """The library is open."""
        self.library = library
        library.events.subscribe(Event, lambda event: self.home.deliver(lambda: self._changed(event)))
        self._list.show(library, self._list.asked)
        self._read_tree()

    def no_library(self, *lines: str) -> None:
        """There is none, or it cannot be opened: say what to do."""
        self._list.empty_lines = lines
        self._list.refresh()

    def _read_tree(self) -> None:
        library = self.library
        if library is None:
            return

        def done(tree: Tree) -> None:
            self.branches.show(tree)
            self.home.tell_assets(tree.assets)
            if not tree.assets and self._list.asked.everything:
                self.no_library(*self.home.first_words())

        self._lanes["tree"].ask("tree", lambda: library.read(questions.tree), done, self._complain)

    def _changed(self, event: Event) -> None:
        """Events are taken together, a few times a second."""
        self._changes.append(event)
        if self._coalescing is None:
            self._coalescing = self.set_timer(_COALESCE, self._take_changes)

    def _take_changes(self) -> None:
        self._coalescing = None
        changes, self._changes = self._changes, []
        assets = [event for event in changes if isinstance(event, AssetsChanged)]
        if assets:
            many = any(event.ids is None for event in assets)
            ids = {id_ for event in assets for id_ in event.ids or ()}
            self._list.changed(AssetsChanged(None if many else tuple(ids)))
        self._read_tree()

    def _complain(self, error: KassettuiError) -> None:
        self.home.complain(error)

    # -- what the panes say ---------------------------------------------------------------------------------

    def on_virtual_list_moved(self, event: VirtualList.Moved) -> None:
        """The cursor came to rest somewhere."""
        if isinstance(event.sender, TreeList):
            query = event.sender.current.query
            if query is not None and query != self._list.asked.base:
                self._rest(partial(self._show, replace(self._list.asked, base=query)))
        elif event.sender is self._list:
            self._rest(self._look_up)

    def _rest(self, then: Any) -> None:
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST, then)

    def on_virtual_list_opened(self, event: VirtualList.Opened) -> None:
        """A branch leads to the list; an asset to what is known of it."""
        if isinstance(event.sender, TreeList):
            query = event.sender.current.query
            if query is not None:
                self._show(replace(self._list.asked, base=query))
                self._list.focus()
        else:
            self.do_inspector()

    def on_virtual_list_selected(self, _event: VirtualList.Selected) -> None:
        """Say how many."""
        number = self._list.selection.count(self._list.count)
        known = self._list.known(self._list.chosen) if 0 < number <= 1000 else {}
        size = sum(row.asset.size for row in known.values())
        more = f" · {drawing.size(size)}" if known and len(known) == number else ""
        self.home.note(f"{number:,} selected{more}" if number else "")

    def on_asset_list_counted(self) -> None:
        """How many were found."""
        pane = self.query_one("#list-pane")
        more = "" if self._list.complete else "+"
        pane.border_subtitle = Text(f"{self._list.count:,}{more}")

    def on_asset_list_understood(self) -> None:
        """The filter is right."""
        self.filter.understood()

    def on_asset_list_failed(self, event: AssetList.Failed) -> None:
        """The filter is wrong, or the library is."""
        self.filter.fault(event.error)

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Look while it is typed."""
        library = self.library
        if library is None:
            return
        self._show(replace(self._list.asked, filter=event.text))

        def offered(completion: Completion) -> None:
            self.filter.offer(completion)

        self._lanes["words"].ask(
            "words",
            lambda: library.read(search.suggest, event.text, event.cursor, 8),
            offered,
            self._complain,
        )

    def on_filter_bar_left(self) -> None:
        """Back to the list."""
        self._list.focus()

    def _show(self, asked: Asked) -> None:
        if self.library is not None and asked != self._list.asked:
            self._list.show(self.library, asked)

    def _look_up(self) -> None:
        library, row = self.library, self._list.current
        inspector = self.query_one(Inspector)
        if library is None or row is None or not self.query_one("#inspector-pane").display:
            inspector.show(None)
            return
        asset_id = row.asset.id

        def done(facts: Facts | None) -> None:
            inspector.show(facts)

        self._lanes["facts"].ask(
            "facts", lambda: library.read(questions.facts, asset_id), done, self._complain
        )

    # -- layout ---------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Inspector at the right where it is wide, below where it is tall, else only when asked for."""
        width, height = self.size.width, self.size.height
        self.set_class(width >= _WIDE, "wide")
        self.set_class(height < _SMALL, "small")
        room = width >= _WIDE or height >= _TALL
        pane = self.query_one("#inspector-pane")
        pane.display = room if self._inspector_wanted is None else self._inspector_wanted
        self.branches.display = width >= 60

    # -- actions --------------------------------------------------------------------------------------------

    def do_filter(self) -> None:
        """Type a query."""
        self.screen.set_focus(self.filter.input)

    def on_virtual_list_cleared(self) -> None:
        """Show everything of the branch again."""
        if self.filter.text:
            self.filter.clear()

    def _rate(self, rating: int | None) -> None:
        if self.library is not None and (ids := self._list.chosen):
            self._edits.rate(self.library, ids, rating)

    def do_unrate(self) -> None:
        """No rating."""
        self._rate(None)

    def do_rate(self, stars: int) -> None:
        """That many stars."""
        self._rate(stars)

    def do_approve(self) -> None:
        """Approve, or take it back."""
        if self.library is not None and (ids := self._list.chosen):
            self._edits.approve(self.library, ids)

    def do_tag(self) -> None:
        """Edit tags."""
        library, ids = self.library, self._list.chosen
        if library is None or not ids:
            return
        rows = self._list.known(ids).values()
        now = sorted({tag for row in rows for tag in row.tags})
        words = "Names with commas between; a - before a name takes it off."
        if now:
            words = f"Now: {', '.join(map(safe, now[:12]))}\n{words}"

        def answered(text: str | None) -> None:
            if text:
                self._edits.tag(library, ids, text)

        self.app.push_screen(Prompt(f"Tag {drawing.plural(len(ids), 'asset')}", words), answered)

    def do_sort(self) -> None:
        """Choose the order."""

        def answered(sort: str | None) -> None:
            if sort is not None:
                self._show(replace(self._list.asked, sort=sort))

        self.app.push_screen(Choose("Order", _SORTS, self._list.asked.sort), answered)

    def do_inspector(self) -> None:
        """Show or hide it."""
        pane = self.query_one("#inspector-pane")
        pane.display = self._inspector_wanted = not pane.display
        self._look_up()

    def do_copy_path(self) -> None:
        """Copy the path."""
        row = self._list.current
        if row is not None:
            self.app.copy_to_clipboard(row.asset.path.encode("utf-8", "replace").decode())
            self.home.say("The path is in the clipboard.")

    def do_import_path(self) -> None:
        """Import a directory."""

        def answered(path: str | None) -> None:
            if path and path.strip():
                submit_import(self.home.workspace, path.strip())
                self.home.say("The import runs; see Log & jobs.")
                self.home.library_wanted()

        words = "A directory: frames become sequences, one asset each. It runs as a job."
        self.app.push_screen(Prompt("Import", words), answered)
