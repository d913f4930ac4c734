"""The filter: the search grammar, completed while it is typed, its error shown under the place at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static

from kassettui.core.query import QueryError
from kassettui.core.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from kassettui.core.errors import KassettuiError
    from kassettui.core.query import Completion
    from kassettui.tui.app import Kassettui

_SHOWN = 6


class FilterBar(Vertical):
    """One line to type in, and one that answers while it is typed in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "complete", show=False, priority=True),
    ]

    class Changed(Message):
        """Another query was typed."""

        def __init__(self, text: str, cursor: int) -> None:
            super().__init__()
            self.text = text
            self.cursor = cursor

        def can_replace(self, message: Message) -> bool:
            """Only the last counts."""
            return isinstance(message, FilterBar.Changed)

    class Left(Message):
        """The person is done with it."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._completion: Completion | None = None

    def compose(self) -> ComposeResult:
        """The line, and its answer."""
        yield Input(placeholder="filter:  shot:sh020 rating>=3 -tag:wip", id="filter-input", compact=True)
        yield Static(Text(""), id="filter-hint")

    @property
    def input(self) -> Input:
        """Where it is typed."""
        return self.query_one(Input)

    @property
    def text(self) -> str:
        """The query."""
        return self.input.value

    def clear(self) -> None:
        """No filter."""
        self.input.value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every key."""
        event.stop()
        self._completion = None
        self.post_message(self.Changed(event.value, self.input.cursor_position))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.post_message(self.Left())

    def action_leave(self) -> None:
        """Back to the list; the filter stays."""
        self.post_message(self.Left())

    def action_complete(self) -> None:
        """Take the first of what may stand here; with nothing to take, go on to the next pane."""
        completion = self._completion
        if completion is None or not completion.candidates:
            self.screen.focus_next()
            return
        text, candidate = self.input.value, completion.candidates[0].text
        self.input.value = text[: completion.span.start] + candidate + text[completion.span.end :]
        self.input.cursor_position = completion.span.start + len(candidate)

    def offer(self, completion: Completion) -> None:
        """What may stand at the cursor."""
        self._completion = completion
        if not self.input.has_focus:
            self._say(Text(""))
            return
        paint = cast("Kassettui", self.app).paint
        words = Text("")
        for number, candidate in enumerate(completion.candidates[:_SHOWN]):
            words.append("  " if number else "⇥ ", paint.faint)
            words.append(safe(candidate.text), paint.accent if number == 0 else paint.dim)
        if completion.candidates and completion.candidates[0].help:
            words.append(f"   {safe(completion.candidates[0].help)}", paint.faint)
        self._say(words)

    def fault(self, error: KassettuiError) -> None:
        """Why the query cannot be read: a caret under the place, and the reason."""
        paint = cast("Kassettui", self.app).paint
        words = Text("")
        if isinstance(error, QueryError) and self.input.scroll_offset.x == 0:
            words.append(error.detail[1].replace("^", "▲"), paint.bad)
            words.append(" ")
        words.append(safe(error.message), paint.bad)
        self._say(words)

    def understood(self) -> None:
        """The query is right: an error that was shown goes."""
        if self._completion is None:
            self._say(Text(""))

    def on_descendant_blur(self) -> None:
        """Nothing is completed when nobody types; an error stays."""
        if self._completion is not None:
            self._completion = None
            self._say(Text(""))

    def _say(self, words: Text) -> None:
        words.no_wrap, words.overflow = True, "ellipsis"
        hint = self.query_one("#filter-hint", Static)
        hint.update(words)
        hint.display = bool(words.plain)
