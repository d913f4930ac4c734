"""The shell: places, keys, palette, bars, themes, signals. What a place does stands in the place."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from kassettui.core.errors import ExitCode
from kassettui.core.text import safe
from kassettui.observe import log
from kassettui.tui.actions import ACTIONS, Action, Where
from kassettui.tui.bars import Footer, Standing, TopBar
from kassettui.tui.dialogs import Choice, Choose, Help, Question
from kassettui.tui.keymap import keymap
from kassettui.tui.lanes import Lane
from kassettui.tui.library.inspector import Inspector
from kassettui.tui.library.place import LibraryPlace
from kassettui.tui.lists.virtual import VirtualList
from kassettui.tui.log_place import LogPlace, job_share
from kassettui.tui.net import Net
from kassettui.tui.theme import DEFAULT, Paint, default_variables, themes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.filter import LineFilter

    from kassettui.core.errors import KassettuiError
    from kassettui.jobs.state import Snapshot
    from kassettui.library.library import Library
    from kassettui.observe.entries import Entry
    from kassettui.workspace import Workspace

_log = log.get("tui")
_TOLD_EVERY: Final = 0.1
"""Seconds between two looks at the log: what changes on the screen changes ten times a second at most."""


class Delivered(Message):
    """Something to be called on the screen's thread."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call


class Shell(Screen[None], inherit_bindings=False):
    """The one screen that is always there. Its keys are the registry's."""

    def compose(self) -> ComposeResult:
        """Bar, place, bar."""
        yield TopBar(id="top")
        with Container(id="places"):
            yield LibraryPlace(id="library")
            yield LogPlace(id="log")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        """The panes stand: begin."""
        app = self.app
        assert isinstance(app, Kassettui)
        app.begin()


class Everything(Provider):
    """The palette: every action that can be done here, with its key (T9)."""

    async def discover(self) -> Hits:
        """All of them."""
        for action in self._held:
            yield DiscoveryHit(self._shown(action), partial(self._home.perform, action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that the words fit."""
        matcher = self.matcher(query)
        for action in self._held:
            score = matcher.match(f"{action.title} {action.help}")
            if score > 0:
                call = partial(self._home.perform, action)
                yield Hit(score, self._shown(action), call, text=action.title, help=action.help)

    @property
    def _home(self) -> Kassettui:
        app = self.app
        assert isinstance(app, Kassettui)
        return app

    @property
    def _held(self) -> list[Action]:
        return [action for action in ACTIONS if action.where in self._home.held]

    def _shown(self, action: Action) -> Content:
        return Content(f"{action.title}   {self._home.keymap.labels(action)}")


class Kassettui(App[None], inherit_bindings=False):
    """The screen on one workspace."""

    CSS_PATH = "screen.tcss"
    TITLE = "kassettui"
    COMMANDS: ClassVar[set[Any]] = {Everything}
    ENABLE_COMMAND_PALETTE = False  # its key is ours to give

    def __init__(self, workspace: Workspace) -> None:
        settings = workspace.settings.screen
        self.keymap = keymap(settings.keymap, workspace.settings.keys)
        self.workspace = workspace
        self.crash: Exception | None = None
        self.place = "library"
        self._net = Net()
        super().__init__()
        self.looks, self._refused_themes = themes()
        for look in self.looks.values():
            self.register_theme(look.theme)
        self.theme = settings.theme if settings.theme in self.looks else DEFAULT
        self.paint = Paint(self.theme_variables)
        self._lane = Lane("library", self.deliver)
        self._pending_key = ""
        self._standing = Standing()
        self._jobs: dict[str, Snapshot] = {}
        self._log_waits = False
        self._leaving: list[Callable[[], None]] = []

    # -- Textual's ways -------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        """Ours."""
        return Shell(id="shell")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours, where a theme lacks some."""
        return default_variables()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The net behind `safe` (T7)."""
        return [*super().get_line_filters(), self._net]

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Close; the command line tells, in one line: Textual's own page prints every local variable."""
        self._close_messages_no_wait()

    # -- start and end --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Listen, and open the library. The panes stand."""
        self.theme_changed_signal.subscribe(self, self._painted)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError, RuntimeError):  # not the main thread: no signals there
                loop.add_signal_handler(number, partial(self.exit, return_code=ExitCode.INTERRUPTED))
        self._leaving.append(self.workspace.jobs.subscribe(self._hear_job))
        self._leaving.append(log.subscribe(self._hear_log))
        for error in self._refused_themes:
            self.complain(error)
        self.go("library")
        if self.workspace.library_path.exists():
            self.library_wanted()
        else:
            self.screen.query_one(LibraryPlace).no_library(*self.first_words())
            self._tell(Standing(self.workspace.library_path.name))

    def on_unmount(self) -> None:
        """Hear nothing more."""
        for leave in self._leaving:
            leave()
        self._lane.close()

    def library_wanted(self) -> None:
        """Open the library, unless it is open; made where there is none."""
        place = self.shell.query_one(LibraryPlace)
        if place.library is not None:
            return

        def done(library: Library) -> None:
            self._tell(Standing(self.workspace.library_path.name))
            if place.library is None:
                place.use(library)

        def failed(error: KassettuiError) -> None:
            place.no_library(error.message, "", error.remedy)
            self.complain(error)

        self._lane.ask("library", lambda: self.workspace.library, done, failed)

    def first_words(self) -> tuple[str, ...]:
        """What to do with a library that is empty."""
        importing = next(action for action in ACTIONS if action.name == "import_path")
        return (
            "Nothing is in this library yet.",
            "",
            f"{self.keymap.label(importing):4} import a directory",
            "      or try: kassettui demo",
            "",
            str(self.workspace.library_path),
        )

    # -- from other threads ---------------------------------------------------------------------------------

    def deliver(self, call: Callable[[], None]) -> None:
        """Have `call` called on the screen's thread. Safe on any thread."""
        self.post_message(Delivered(call))

    def on_delivered(self, event: Delivered) -> None:
        """Call it, unless all is over."""
        if self.is_running and self.crash is None:
            event.call()

    def _hear_job(self, snapshot: Snapshot) -> None:
        self.deliver(partial(self._job, snapshot))

    def _job(self, snapshot: Snapshot) -> None:
        before = self._jobs.get(snapshot.job_id)
        self._jobs[snapshot.job_id] = snapshot
        if snapshot.ended:
            del self._jobs[snapshot.job_id]
            if before is not None or snapshot.error:
                self.say(
                    f"{snapshot.title}: {snapshot.error or str(snapshot.state).replace('_', ' ')}",
                    bad=bool(snapshot.error),
                )
        self.shell.query_one(LogPlace).jobs.take(snapshot)
        shares = [share for job in self._jobs.values() if (share := job_share(job)) is not None]
        whole = sum(shares) / len(shares) if shares else None
        self._tell(Standing(self._standing.library, self._standing.assets, len(self._jobs), whole))

    def _hear_log(self, _entry: Entry) -> None:
        if not self._log_waits:
            self._log_waits = True
            self.deliver(self._log_soon)

    def _log_soon(self) -> None:
        self.set_timer(_TOLD_EVERY, self._log_changed)

    def _log_changed(self) -> None:
        self._log_waits = False
        self.shell.query_one(LogPlace).log_changed()

    # -- what is told ---------------------------------------------------------------------------------------

    @property
    def shell(self) -> Screen[Any]:
        """The screen under every dialog."""
        return self.screen_stack[0]

    def _tell(self, standing: Standing) -> None:
        self._standing = standing
        self.shell.query_one(TopBar).tell(standing)

    def tell_assets(self, number: int) -> None:
        """How many assets the library has."""
        now = self._standing
        self._tell(Standing(now.library, number, now.jobs, now.share))

    def note(self, words: str) -> None:
        """What is selected."""
        self.shell.query_one(Footer).note(words)

    def say(self, words: str, *, bad: bool = False) -> None:
        """A word in passing."""
        self.notify(safe(words), severity="error" if bad else "information", timeout=4, markup=False)

    def complain(self, error: KassettuiError) -> None:
        """Something did not work: a word in passing, and a line in the log."""
        _log.warning(error.message, code=error.code)
        self.say(str(error), bad=True)

    # -- keys -----------------------------------------------------------------------------------------------

    @property
    def held(self) -> tuple[Where, ...]:
        """Which actions count now."""
        return (Where.EVERYWHERE, Where.LISTS, self._place.where)

    @property
    def _place(self) -> LibraryPlace | LogPlace:
        if self.place == "library":
            return self.shell.query_one(LibraryPlace)
        return self.shell.query_one(LogPlace)

    async def on_event(self, event: events.Event) -> None:
        """Keys that mean something go first, in the order typed: no key overtakes the focus it moved."""
        if not (isinstance(event, events.Key) and self._took(event)):
            await super().on_event(event)

    def _took(self, event: events.Key) -> bool:
        """Whether the keymap has something to say about the key here, and did it."""
        typed = event.character
        pressed = typed if typed and typed.isprintable() and typed != " " else event.key
        if isinstance(self.screen, ModalScreen):
            return False
        if isinstance(self.focused, Input) and not (pressed[0] == "f" and pressed[1:].isdigit()):
            return False
        before, self._pending_key = self._pending_key, ""
        action = self.keymap.find(f"{before} {pressed}", self.held) if before else None
        action = action or self.keymap.find(pressed, self.held)
        if action is not None:
            self.perform(action)
        elif self.keymap.begins(pressed, self.held):
            self._pending_key = pressed
        return action is not None or bool(self._pending_key)

    def perform(self, action: Action) -> None:
        """Do it, where it belongs."""
        target: object = self
        if action.where is Where.LISTS:
            focused = self.focused
            target = focused if isinstance(focused, VirtualList) else self._place.main_list
        elif action.where is not Where.EVERYWHERE:
            target = self._place
        stem, _, number = action.name.rpartition("_")
        if number.isdigit():
            getattr(target, f"do_{stem}")(int(number))
        else:
            getattr(target, f"do_{action.name}")()

    # -- actions --------------------------------------------------------------------------------------------

    def go(self, place: str) -> None:
        """Show a place."""
        self.place = place
        for name in ("library", "log"):
            self.shell.query_one(f"#{name}").display = name == place
        here = self._place
        self.shell.set_focus(here.main_list)
        if isinstance(here, LogPlace):
            here.log_changed()
        self.shell.query_one(TopBar).refresh()
        self.shell.query_one(Footer).refresh()

    def do_library(self) -> None:
        """The Library place."""
        self.go("library")

    def do_log(self) -> None:
        """Log & jobs."""
        self.go("log")

    def do_next_pane(self) -> None:
        """The next pane."""
        self.screen.focus_next()

    def do_previous_pane(self) -> None:
        """The pane before."""
        self.screen.focus_previous()

    def do_palette(self) -> None:
        """The palette."""
        self.action_command_palette()

    def do_theme(self) -> None:
        """Choose a theme, seen while the cursor moves."""
        before = self.theme

        def answered(name: str | None) -> None:
            self.theme = name or before

        def seen(name: str) -> None:
            self.theme = name

        choices = [Choice(name, look.title) for name, look in self.looks.items()]
        self.push_screen(Choose("Theme", choices, before, seen), answered)

    def do_help(self) -> None:
        """The keys that count here."""
        self.push_screen(Help("Keys here", self.keymap, self.held))

    def do_help_all(self) -> None:
        """Every key."""
        self.push_screen(Help("All keys", self.keymap, tuple(Where)))

    def do_quit(self) -> None:
        """Leave; asks while jobs run."""
        if not self.workspace.jobs.busy:
            self.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        words = "Jobs are running. Leaving cancels them."
        self.push_screen(Question("Quit", words, "quit"), answered)

    def _painted(self, _theme: object) -> None:
        self.paint = Paint(self.theme_variables)
        for screen in self.screen_stack:
            screen.refresh(layout=False)
            for widget in screen.query("*"):
                widget.refresh()
        for inspector in self.shell.query(Inspector):
            inspector.draw_again()
