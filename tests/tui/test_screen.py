"""The screen driven by keys: every action is bound, in the palette, and does what it says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from kassettui.core.errors import ConstraintViolated
from kassettui.library import assets, ratings, search, tags
from kassettui.tui.actions import ACTIONS, Where
from kassettui.tui.app import Everything, Kassettui, Shell
from kassettui.tui.dialogs import Choose, Help, Prompt, Question
from kassettui.tui.library.inspector import Inspector
from kassettui.tui.library.tree import TreeList
from kassettui.tui.log_place import LogPlace
from kassettui.workspace import Workspace
from tests.tui.conftest import Screen, fill, run

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.config import Settings
    from kassettui.jobs.control import Control

NAMES = [f"still_{number:04}.png" for number in range(200)]
HOSTILE = [
    "new\nline.png",
    "esc\x1b]52;c;cHduZWQ=\x07.png",
    "csi\x1b[31;1mred.png",
    "[red]markup[/].png",
    "[/].png",
    "[v001].png",
    "bidi\u202egpj.png",
    "zero\u200bwidth.png",
    "c1\x9b31m.png",
    "bad\udcff\udcfe.png",
    "-rf.png",
    " spaces ",
    "n" * 255,
    "emoji🎬.png",
    "%s;rm $(x)",
]


def test_every_action_has_who_carries_it_out() -> None:
    from kassettui.tui.library.place import LibraryPlace
    from kassettui.tui.lists.virtual import VirtualList

    owners = {
        Where.EVERYWHERE: Kassettui,
        Where.LISTS: VirtualList,
        Where.LIBRARY: LibraryPlace,
        Where.LOG: LogPlace,
    }
    for action in ACTIONS:
        name = "rate" if action.name.startswith("rate_") else action.name
        assert callable(getattr(owners[action.where], f"do_{name}")), action.name


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_T9_every_action_is_bound_and_in_the_palette(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, action: object
) -> None:
    from kassettui.tui.actions import Action

    assert isinstance(action, Action)
    fill(settings, NAMES[:3])

    async def play(screen: Screen) -> None:
        await screen.ready()
        if action.where is Where.LOG:
            await screen.press("f4")
        done: list[str] = []
        monkeypatch.setattr(screen.app, "perform", lambda one: done.append(one.name))
        for key in screen.app.keymap.keys[action.name]:
            done.clear()
            await screen.press(*key.split(" "))
            assert done == [action.name], key
        palette = Everything(screen.app.screen)
        offered = [hit.help async for hit in palette.discover()]
        assert action.help in offered
        found = [hit.text async for hit in palette.search(action.title)]
        assert action.title in found

    run(settings, play)


def test_moving_selecting_ranges(settings: Settings) -> None:
    fill(settings, NAMES)

    async def play(screen: Screen) -> None:
        await screen.ready()
        shown = screen.assets
        assert shown.count == len(NAMES)
        await screen.press("j", "down", "k")
        assert shown.cursor == 1
        await screen.press("G")
        assert shown.cursor == len(NAMES) - 1
        await screen.until(lambda: "still_0199.png" in screen.text)
        await screen.press("g", "g")
        assert shown.cursor == 0
        await screen.press("ctrl+d")
        half = shown.cursor
        assert half > 1
        await screen.press("ctrl+u", "pagedown")
        assert shown.cursor >= half
        await screen.press("pageup", "end", "home", "space", "space")
        assert shown.chosen == [1, 2]
        await screen.press("V", "j", "j", "V", "j")
        assert sorted(shown.chosen) == [1, 2, 3, 4, 5]
        await screen.until(lambda: "5 selected" in screen.text)
        await screen.press("*")
        assert len(shown.chosen) == len(NAMES) - 5
        await screen.press("ctrl+a")
        assert shown.selection.count(shown.count) == len(NAMES)
        await screen.press("escape")
        assert shown.chosen == [shown.key_at(shown.cursor)]

    run(settings, play)


def test_T2_ratings_show_at_once_and_are_written(settings: Settings) -> None:
    fill(settings, NAMES[:5])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("4")
        row = screen.assets.current
        assert row is not None
        assert row.asset.rating == 4
        await screen.until(lambda: "★★★★☆" in screen.text)
        library = screen.app.workspace.library
        await screen.until(lambda: library.read(assets.summaries, [1])[0].rating == 4)
        await screen.press("-")
        await screen.until(lambda: library.read(assets.summaries, [1])[0].rating is None)

    run(settings, play)


def test_T2_an_edit_that_fails_is_taken_back_with_a_message(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(settings, NAMES[:5])

    def refuse(*_: object) -> None:
        raise ConstraintViolated("It is locked.")

    monkeypatch.setattr(ratings, "set_rating", refuse)

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("5")
        await screen.until(lambda: "It is locked." in screen.told)
        row = screen.assets.current
        assert row is not None
        assert row.asset.rating is None

    run(settings, play)


def test_approving_what_is_not_ready_is_refused_and_told(settings: Settings) -> None:
    fill(settings, NAMES[:2])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("A")
        await screen.until(lambda: "approved" in screen.told)
        row = screen.assets.current
        assert row is not None
        assert not row.asset.approved_for_broadcast

    run(settings, play)


def test_tags_are_put_on_and_taken_off(settings: Settings) -> None:
    fill(settings, NAMES[:3])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("t")
        await screen.at(Prompt)
        await screen.press(*"client, -hero", "enter")
        library = screen.app.workspace.library
        await screen.until(lambda: library.read(assets.attached, [1]).tags.get(1) == ("client",))
        await screen.until(lambda: "# client" in screen.text)
        assert not library.read(tags.find, "hero").assets

    run(settings, play)


def test_L7_the_filter_finds_completes_and_points_at_faults(settings: Settings) -> None:
    fill(settings, NAMES)

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("/", *"tag:he")
        await screen.until(lambda: "⇥ hero" in screen.text)
        await screen.press("tab")
        assert screen.place.filter.text == "tag:hero"
        await screen.until(lambda: screen.assets.count == 1)
        await screen.press(*" )")
        await screen.until(lambda: "closes nothing" in screen.text)
        line = next(line for line in screen.lines() if "▲" in line)
        typed = next(line for line in screen.lines() if "tag:hero )" in line)
        assert line.index("▲") == typed.index(")")
        assert screen.assets.count == 1
        await screen.press("backspace", "backspace", "enter")
        await screen.until(lambda: "closes nothing" not in screen.text)
        await screen.press("escape")
        await screen.until(lambda: screen.assets.count == len(NAMES))

    run(settings, play)


def test_letters_in_an_input_are_text(settings: Settings) -> None:
    fill(settings, NAMES[:2])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("f", *"q3T?G")
        assert screen.app.query_one(Input).value == "q3T?G"
        await screen.press("f4")
        assert screen.app.place == "log"

    run(settings, play)


def test_the_tree_narrows_the_list_and_counts(settings: Settings) -> None:
    fill(settings, NAMES)

    async def play(screen: Screen) -> None:
        await screen.ready()
        tree = screen.app.query_one(TreeList)
        await screen.until(lambda: tree.count == 5)
        await screen.press("h")
        assert isinstance(screen.app.focused, TreeList)
        await screen.press("G")
        await screen.until(lambda: screen.assets.count == 1)
        await screen.press("h")
        assert tree.count == 4
        await screen.press("l", "G", "l")
        await screen.until(lambda: screen.app.focused is screen.assets)
        await screen.press("h", "g", "g")
        await screen.until(lambda: screen.assets.count == len(NAMES))

    run(settings, play)


def test_sort_inspector_and_copy(settings: Settings) -> None:
    fill(settings, NAMES[:20])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("2", "j", "5", ",")
        await screen.at(Choose)
        await screen.press("j", "j", "j", "j", "j", "enter")
        await screen.until(lambda: screen.assets.asked.sort == "-rating" and screen.assets.complete)
        await screen.until(lambda: "still_0001" in screen.lines()[4])
        await screen.press("i")
        await screen.until(lambda: "/show/still_0001.png" in screen.text)
        await screen.press("enter")
        assert not screen.app.query_one("#inspector-pane").display
        await screen.press("y")
        assert screen.app.clipboard == "/show/still_0001.png"

    run(settings, play)


def test_changes_from_elsewhere_are_seen(settings: Settings) -> None:
    fill(settings, NAMES[:5])

    async def play(screen: Screen) -> None:
        await screen.ready()
        library = screen.app.workspace.library
        library.write(ratings.set_rating, [2], 3)
        await screen.until(lambda: "★★★☆☆" in screen.text)
        library.write(tags.add, [3], ["elsewhere"])
        await screen.until(lambda: "# elsewhere" in screen.text)

    run(settings, play)


def test_T8_a_theme_is_seen_while_the_cursor_moves_and_goes_back(settings: Settings) -> None:
    fill(settings, NAMES[:2])

    async def play(screen: Screen) -> None:
        await screen.ready()
        before = screen.app.theme
        await screen.press("T", "k", "k")
        await screen.until(lambda: screen.app.theme != before)
        await screen.press("escape")
        assert screen.app.theme == before
        await screen.press("T", "home", "enter")
        assert screen.app.theme == next(iter(screen.app.looks))

    run(settings, play)


def test_help_is_the_registry(settings: Settings) -> None:
    fill(settings, NAMES[:2])

    async def play(screen: Screen) -> None:
        await screen.ready()
        await screen.press("?")
        await screen.at(Help)
        await screen.until(lambda: "The assets of the library." in screen.text)
        await screen.press("space", "escape")
        await screen.at(Shell)
        await screen.press("f1")
        await screen.at(Help)
        await screen.press("escape")
        await screen.at(Shell)
        await screen.press(":")
        await screen.until(lambda: "Take the rating away" in screen.text or "Library" in screen.text)

    run(settings, play, (120, 40))


def test_T6_first_start_says_what_to_do_and_an_import_is_a_job(settings: Settings, tmp_path: Path) -> None:
    show = tmp_path / "show"
    show.mkdir()
    for frame in (1001, 1002, 1004):
        (show / f"beauty.{frame}.exr").write_bytes(b"x")

    async def play(screen: Screen) -> None:
        await screen.until(lambda: "import a directory" in screen.text)
        assert not settings.library_path.exists()
        await screen.press("I", *str(show), "enter")
        await screen.until(lambda: screen.assets.current is not None)
        await screen.until(lambda: "beauty.[1001-1004].exr" in screen.text)
        await screen.press("w")
        await screen.until(lambda: "done" in screen.text and "import" in screen.text)
        await screen.press("x", "p", "r", "v", "c")

    run(settings, play, (100, 30))


def test_jobs_pause_go_on_are_cancelled_and_done_again(settings: Settings) -> None:
    fill(settings, NAMES[:2])
    go = threading.Event()

    def work(control: Control) -> None:
        while not go.is_set():
            control.checkpoint()
            control.progress(items=1, total_items=4)
            control.wait(0.01)

    async def play(screen: Screen) -> None:
        await screen.ready()
        jobs = screen.app.workspace.jobs
        job = jobs.submit("test", "long work", work)
        await screen.press("J")
        await screen.until(lambda: "long work" in screen.text)
        await screen.until(lambda: "1/4" in screen.text)
        await screen.press("p")
        await screen.until(lambda: job.state == "paused")
        await screen.press("p")
        await screen.until(lambda: job.state == "running")
        await screen.press("q")
        await screen.at(Question)
        await screen.press("n")
        await screen.at(Shell)
        await screen.press("x")
        await screen.until(lambda: job.state == "cancelled")
        await screen.until(lambda: "cancelled" in screen.text)
        await screen.press("r")
        await screen.until(lambda: jobs.busy)
        await screen.press("X")
        await screen.at(Question)
        await screen.press("y")
        await screen.until(lambda: not jobs.busy)

    run(settings, play)


def test_a_library_that_cannot_be_opened_is_told_and_the_screen_stays(settings: Settings) -> None:
    settings.library_path.write_bytes(b"this is no database at all, " * 100)

    async def play(screen: Screen) -> None:
        await screen.until(lambda: bool(screen.told))
        await screen.press("f4", "f2", "?")
        await screen.at(Help)

    run(settings, play)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (20, 5), (120, 30)])
def test_R8_no_name_speaks_to_the_terminal(settings: Settings, size: tuple[int, int]) -> None:
    fill(settings, HOSTILE)

    async def play(screen: Screen) -> None:
        await screen.ready()
        for _ in HOSTILE:
            await screen.press("j")
            await screen.pilot.pause(0.1)
            unsafe = [line for line in screen.lines() if not line.replace("\u200b", "\x1b").isprintable()]
            assert not unsafe
        screen.app.query_one(Inspector)
        screen.app.say(HOSTILE[1] + HOSTILE[3])
        await screen.pilot.pause(0.2)
        assert "\x1b" not in screen.text

    run(settings, play, size)


def test_B8_what_is_asked_is_a_page_whatever_the_library_holds(settings: Settings) -> None:
    """Ids of everything, rows of what is seen and a little more."""
    fill(settings, [f"s{number}" for number in range(25_000)])

    async def play(screen: Screen) -> None:
        await screen.until(lambda: screen.assets.complete)
        assert screen.assets.count == 25_000
        assert len(screen.assets._rows) < 1_000
        await screen.press("G")
        await screen.until(lambda: "s24999" in screen.text)
        assert len(screen.assets._rows) < 1_000

    run(settings, play)


def test_a_crash_goes_out_with_its_error_and_without_locals(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(settings, NAMES[:2])

    async def play(screen: Screen) -> None:
        await screen.ready()

        def fail() -> None:
            password = "hunter2"
            raise RuntimeError(len(password))

        monkeypatch.setattr(screen.app, "do_help", fail)
        await screen.press("?")

    with pytest.raises(RuntimeError):
        run(settings, play)
    out = capsys.readouterr()
    assert "hunter2" not in out.out + out.err


def test_ids_after_walks_the_whole_query_in_its_order(settings: Settings) -> None:
    fill(settings, NAMES)
    with Workspace.open(settings) as workspace:
        library = workspace.library
        whole = library.read(search.ids, "still sort:-name")
        walked: list[int] = []
        after = None
        while True:
            part, after = library.read(search.ids_after, "still sort:-name", after, 33)
            walked += part
            if after is None:
                break
        assert walked == whole
