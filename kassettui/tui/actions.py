"""The one registry of what can be done on the screen: keys, footer, palette, help and the docs read it.

Nothing of Textual here, so that `kassettui keys` costs little. An action called `name` is carried out by the
method `do_name` of whoever stands for its `where`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Where(StrEnum):
    """Where an action holds."""

    EVERYWHERE = "everywhere"
    LISTS = "lists"
    """In whichever list has the focus."""
    LIBRARY = "library"
    LOG = "log"


class Group(StrEnum):
    """The heading that an action stands under in help."""

    PLACES = "Places"
    MOVE = "Move"
    SELECT = "Select"
    ASSETS = "Assets"
    JOBS = "Jobs and log"
    PROGRAM = "Program"


PRESETS: Final = ("default", "mc", "plain")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `presets` has the keys of the presets that differ from `keys`."""

    name: str
    title: str
    """In the palette: a few words."""
    help: str
    """In help: one sentence."""
    group: Group
    where: Where
    keys: tuple[str, ...]
    presets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    footer: str = ""
    """The word in the footer; empty: it is not shown there."""

    def keys_of(self, preset: str) -> tuple[str, ...]:
        """The keys of a preset."""
        return self.presets.get(preset, self.keys)


def _move(name: str, title: str, help_: str, *keys: str) -> Action:
    return Action(name, title, help_, Group.MOVE, Where.LISTS, keys)


def _select(name: str, title: str, help_: str, keys: tuple[str, ...], **more: tuple[str, ...]) -> Action:
    return Action(name, title, help_, Group.SELECT, Where.LISTS, keys, more)


def _asset(
    name: str, title: str, help_: str, *keys: str, footer: str = "", **more: tuple[str, ...]
) -> Action:
    return Action(name, title, help_, Group.ASSETS, Where.LIBRARY, keys, more, footer)


def _job(name: str, title: str, help_: str, *keys: str, footer: str = "") -> Action:
    return Action(name, title, help_, Group.JOBS, Where.LOG, keys, {}, footer)


def _rate(stars: int) -> Action:
    title = f"Rate {'★' * stars}" if stars else "Rate 0"
    help_ = f"Give the selection {stars} star{'' if stars == 1 else 's'}."
    return _asset(f"rate_{stars}", title, help_, str(stars), footer="rate" if stars == 3 else "")


ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "library", "Library", "The assets of the library.", Group.PLACES, Where.EVERYWHERE, ("f2", "L"),
    ),
    Action(
        "log", "Log & jobs", "What runs now, and what was said.", Group.PLACES, Where.EVERYWHERE,
        ("f4", "J", "w"), {"plain": ("f4", "J")}, "jobs",
    ),
    Action(
        "next_pane", "Next pane", "Move the focus to the next pane.", Group.PLACES, Where.EVERYWHERE,
        ("tab",),
    ),
    Action(
        "previous_pane", "Previous pane", "Move the focus to the pane before.", Group.PLACES,
        Where.EVERYWHERE, ("shift+tab",),
    ),
    _move("down", "Down", "One row down.", "j", "down"),
    _move("up", "Up", "One row up.", "k", "up"),
    _move("half_down", "Half a page down", "Half a page down.", "ctrl+d"),
    _move("half_up", "Half a page up", "Half a page up.", "ctrl+u"),
    _move("page_down", "Page down", "One page down.", "pagedown"),
    _move("page_up", "Page up", "One page up.", "pageup"),
    _move("first", "First row", "To the first row.", "g g", "home"),
    _move("last", "Last row", "To the last row.", "G", "end"),
    _move("open", "Open", "Open what the cursor stands on.", "enter", "l", "right"),
    _move("back", "Back", "Close a branch, or go one pane to the left.", "h", "left", "backspace"),
    _select("select", "Select", "Select the row, or not; go one down.", ("space",), mc=("insert", "space")),
    _select("range", "Select a range", "Select from here to where the cursor goes; again: done.", ("V",)),
    _select("select_all", "Select all", "Select every row of the list.", ("ctrl+a",)),
    _select("invert", "Invert the selection", "Select what is not selected.", ("*",)),
    _select("clear", "Clear", "Clear the selection, then the filter.", ("escape",)),
    _asset(
        "filter", "Filter", "Show what a query finds.", "/", "f", footer="filter", plain=("ctrl+f", "/"),
    ),
    *(_rate(stars) for stars in range(6)),
    _asset("unrate", "Take the rating away", "Take the rating of the selection away.", "-"),
    _asset("tag", "Tag", "Edit the tags of the selection.", "t", footer="tag"),
    _asset("approve", "Approve", "Approve the selection, or take that back.", "A", footer="approve"),
    _asset("sort", "Sort", "Choose the order of the list.", ",", footer="sort"),
    _asset("inspector", "Inspector", "Show or hide what is known of the asset.", "i", footer="inspector"),
    _asset("copy_path", "Copy the path", "Copy the path to the clipboard.", "y", plain=("ctrl+c", "y")),
    _asset("import_path", "Import…", "Import a directory into the library, as a job.", "I", footer="import"),
    _job("job_cancel", "Cancel the job", "Stop the job at the cursor.", "x", footer="cancel"),
    _job("job_pause", "Pause the job", "Hold the job, or let it go on.", "p", footer="pause"),
    _job("job_retry", "Retry the job", "Do a job that ended badly again.", "r", footer="retry"),
    _job("job_cancel_all", "Cancel all jobs", "Stop every job, after a question.", "X"),
    _job("log_level", "Level of the log", "Show the next heavier level and above.", "v", footer="level"),
    _job("log_clear", "Clear the log", "Clear what is shown; the file stays.", "c"),
    Action(
        "palette", "Palette", "Everything that can be done, by its words.", Group.PROGRAM, Where.EVERYWHERE,
        ("ctrl+p", ":"), footer="commands",
    ),
    Action("theme", "Theme…", "Choose the colours, seen at once.", Group.PROGRAM, Where.EVERYWHERE, ("T",)),
    Action(
        "help", "Help", "The keys that count here.", Group.PROGRAM, Where.EVERYWHERE, ("?",), footer="help",
    ),
    Action("help_all", "All help", "Every key there is.", Group.PROGRAM, Where.EVERYWHERE, ("f1",)),
    Action(
        "quit", "Quit", "Leave; asks while jobs run.", Group.PROGRAM, Where.EVERYWHERE, ("q",),
        {"mc": ("f10", "q"), "plain": ("ctrl+q", "q")}, "quit",
    ),
)  # fmt: skip

BY_NAME: Final = {action.name: action for action in ACTIONS}


def together(one: Where, other: Where) -> bool:
    """Whether both can hold at the same moment, so that one key cannot mean both."""
    shared = {Where.EVERYWHERE, Where.LISTS}
    return one is other or one in shared or other in shared
