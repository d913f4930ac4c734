"""The line at the top (where, what, how much work) and the line at the bottom (what can be done here)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from kassettui.core.text import safe
from kassettui.tui import drawing
from kassettui.tui.actions import ACTIONS, BY_NAME

if TYPE_CHECKING:
    from textual import events

    from kassettui.tui.app import Kassettui


_HERE: Final = Style(bold=True, underline=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the top line says at its right end."""

    library: str = ""
    assets: int | None = None
    jobs: int = 0
    share: float | None = None
    """Of the work of all jobs, 0 to 1; None where it is not known."""


class ActionBar(Widget):
    """A line whose words do things when they are clicked."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._spans: list[tuple[int, int, str]] = []

    @property
    def home(self) -> Kassettui:
        """The app, by its type."""
        return cast("Kassettui", self.app)

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for start, end, name in self._spans:
            if start <= event.x < end:
                self.home.perform(BY_NAME[name])


class TopBar(ActionBar):
    """Places at the left, the library and its jobs at the right."""

    standing = Standing()

    def tell(self, standing: Standing) -> None:
        """Something is other than before."""
        if standing != self.standing:
            self.standing = standing
            self.refresh()

    def render(self) -> Text:
        """The line."""
        paint, width = self.home.paint, self.size.width
        line = Text(" kassettui ", paint.strong, no_wrap=True, end="")
        self._spans = []
        for name in ("library", "log"):
            here = name == self.home.place
            word = f" {BY_NAME[name].title} "
            self._spans.append((cell_len(line.plain), cell_len(line.plain) + cell_len(word), name))
            line.append(word, paint.accent + _HERE if here else paint.dim)
        words = []
        standing = self.standing
        if standing.assets is not None:
            words.append(drawing.plural(standing.assets, "asset"))
        if standing.jobs:
            share = (
                f" ▕{drawing.bar(standing.share, 8)}▏{standing.share:4.0%}"
                if standing.share is not None
                else ""
            )
            words.append(f"{drawing.plural(standing.jobs, 'job')}{share}")
        tail = " · ".join(words)
        room = width - cell_len(line.plain) - cell_len(tail) - 4
        name_ = (
            drawing.fitted(standing.library, min(cell_len(safe(standing.library)), room)) if room > 6 else ""
        )
        right = " · ".join(part for part in (name_, tail) if part)
        line.append(" " * max(1, width - cell_len(line.plain) - cell_len(right) - 1))
        line.append(right, paint.dim)
        return line


class Footer(ActionBar):
    """What is selected, and the keys that count here now."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._note = ""

    def note(self, words: str) -> None:
        """What is selected."""
        if words != self._note:
            self._note = words
            self.refresh()

    def render(self) -> Text:
        """The line."""
        paint, width = self.home.paint, self.size.width
        line = Text(" ", no_wrap=True, end="")
        if self._note:
            line.append(f"{self._note}   ", paint.accent)
        self._spans = []
        held = self.home.held
        shown = [action for action in ACTIONS if action.footer and action.where in held]
        for action in sorted(shown, key=lambda one: one.name not in {"help", "quit"}):
            key = self.home.keymap.label(action)
            if action.name == "rate_3":  # one word for the six of them
                key = "-".join(self.home.keymap.label(BY_NAME[name]) for name in ("rate_0", "rate_5"))
            start = cell_len(line.plain)
            if start + cell_len(key) + cell_len(action.footer) + 4 > width:
                break
            line.append(key, paint.strong)
            line.append(f" {action.footer}  ", paint.dim)
            self._spans.append((start, cell_len(line.plain) - 2, action.name))
        return line
