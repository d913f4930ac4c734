"""Dialogs: a question, a line to type, a choice, help. Each answers and goes; escape is no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kassettui.core.text import safe
from kassettui.tui import drawing
from kassettui.tui.actions import ACTIONS, Group
from kassettui.tui.lists.virtual import VirtualList

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from textual.app import ComposeResult

    from kassettui.tui.actions import Where
    from kassettui.tui.app import Kassettui
    from kassettui.tui.keymap import Keymap
    from kassettui.tui.theme import Paint


class Question(ModalScreen[bool]):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)"),
        Binding("n,escape,q", "answer(False)"),
    ]

    def __init__(self, title: str, words: str, yes: str) -> None:
        super().__init__()
        self._title, self._words, self._yes = title, words, yes

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(classes="dialog") as box:
            box.border_title = Text(safe(self._title))
            yield Static(Text(self._words))
            yield Static(Text(f"\ny  {self._yes}      n  no"), classes="keys")

    def action_answer(self, answer: bool) -> None:
        """It is answered."""
        self.dismiss(answer)


class Prompt(ModalScreen[str | None]):
    """A line of text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave")]

    def __init__(self, title: str, words: str, value: str = "") -> None:
        super().__init__()
        self._title, self._words, self._value = title, words, value

    def compose(self) -> ComposeResult:
        """The line, and what it means."""
        with Vertical(classes="dialog") as box:
            box.border_title = Text(safe(self._title))
            yield Input(self._value, id="prompt-input", compact=True)
            yield Static(Text(f"\n{self._words}"), classes="keys")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """It is answered."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """No answer."""
        self.dismiss(None)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    value: str
    title: str
    help: str = ""


class ChoiceList(VirtualList):
    """The choices as rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "go('down')"),
        Binding("up,k", "go('up')"),
        Binding("pagedown", "go('page_down')"),
        Binding("pageup", "go('page_up')"),
        Binding("home", "go('first')"),
        Binding("end,G", "go('last')"),
        Binding("enter,l", "go('open')"),
    ]

    def __init__(self, choices: Sequence[Choice], cursor: int) -> None:
        super().__init__(id="choices")
        self._choices = choices
        self.cursor = cursor

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._choices)

    @property
    def current(self) -> Choice:
        """The one at the cursor."""
        return self._choices[self.cursor]

    def action_go(self, where: str) -> None:
        """Move, or choose."""
        getattr(self, f"do_{where}")()

    def draw(self, index: int, width: int, paint: Paint) -> list[Segment]:
        """One choice."""
        choice = self._choices[index]
        room = max(8, width - len(choice.help) - 2)
        return [drawing.cell(f" {choice.title}", room, paint.text), Segment(choice.help, paint.dim)]


class Choose(ModalScreen[str | None]):
    """One of several; `seen` is called with each that the cursor comes to."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave")]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        now: str = "",
        seen: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._choices, self._seen = title, choices, seen
        self._now = next((place for place, one in enumerate(choices) if one.value == now), 0)

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog") as box:
            box.border_title = Text(safe(self._title))
            choices = ChoiceList(self._choices, self._now)
            choices.styles.height = min(len(self._choices), 14)
            yield choices

    def on_virtual_list_moved(self, event: VirtualList.Moved) -> None:
        """Seen."""
        if isinstance(event.sender, ChoiceList) and self._seen is not None:
            self._seen(event.sender.current.value)

    def on_virtual_list_opened(self, event: VirtualList.Opened) -> None:
        """Chosen."""
        if isinstance(event.sender, ChoiceList):
            self.dismiss(event.sender.current.value)

    def action_leave(self) -> None:
        """No answer."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """The keys, from the registry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "leave"),
        Binding("j,down", "scroll(1)"),
        Binding("k,up", "scroll(-1)"),
        Binding("pagedown,space,ctrl+d", "scroll(12)"),
        Binding("pageup,ctrl+u", "scroll(-12)"),
    ]

    def __init__(self, title: str, keymap: Keymap, held: Collection[Where]) -> None:
        super().__init__()
        self._title, self._keymap, self._held = title, keymap, held

    def compose(self) -> ComposeResult:
        """All of it."""
        with VerticalScroll(classes="dialog help", can_focus=False) as box:
            box.border_title = Text(self._title)
            box.border_subtitle = Text("esc closes")
            yield Static(self._page())

    def _page(self) -> Text:
        paint = cast("Kassettui", self.app).paint
        page = Text()
        for group in Group:
            found = [one for one in ACTIONS if one.group is group and one.where in self._held]
            if found:
                page.append(f"{group}\n", paint.accent)
            for action in found:
                page.append(f"  {self._keymap.labels(action):16}", paint.strong)
                page.append(f"{action.help}\n", paint.text)
            if found:
                page.append("\n")
        return page

    def action_scroll(self, lines: int) -> None:
        """Further down, or up."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)
