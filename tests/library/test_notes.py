"""Titles and descriptions: saved as typed, never lost, for paths as well (spec: library L6)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import InvalidInput, LibraryUnavailable, NotFound
from kassettui.library import changes, journal, notes, search, stamps
from kassettui.library.events import AssetsChanged, Event, NotesChanged
from kassettui.library.notes import Edit, Note, NoteBuffer
from kassettui.library.work import Priority
from tests.library.counting import statements
from tests.library.stock import Stocked, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


@pytest.fixture
def stocked(library: Library) -> Library:
    library.write(fill, [Stocked("a.exr"), Stocked("b.exr", columns={"title": "old", "description": "text"})])
    return library


def test_L6_title_and_description_alone_or_together(stocked: Library) -> None:
    assert stocked.write(notes.write, [1, 2], Edit(title="Été")) == (1, 2)
    assert stocked.write(notes.write, [1], Edit(description="line\nline")) == (1,)
    assert stocked.read(notes.of_assets, [1, 2]) == {1: Note("Été", "line\nline"), 2: Note("Été", "text")}
    assert stocked.read(search.ids, "ete") == [1, 2]
    assert stocked.write(notes.write, [2], Edit(title="")) == (2,)
    assert stocked.read(search.ids, "title:*") == [1]


def test_L6_the_same_text_again_is_no_change(stocked: Library) -> None:
    heard: list[Event] = []
    stocked.events.subscribe(AssetsChanged, heard.append)
    assert stocked.write(notes.write, [2], Edit("old", "text")) == ()
    assert stocked.events.settle()
    assert heard == []


def test_L6_a_title_is_one_line_and_nothing_is_endless(stocked: Library) -> None:
    stocked.write(notes.write, [1], Edit(title="two\nlines"))
    assert stocked.read(notes.of_assets, [1])[1].title == "two lines"
    for edit in (Edit(title="a" * 501), Edit(description="a" * 100_001), Edit(title="a\0b")):
        with pytest.raises(InvalidInput):
            stocked.write(notes.write, [1], edit)
    with pytest.raises(NotFound):
        stocked.write(notes.write, [1, 99], Edit(title="x"))
    assert stocked.read(notes.of_assets, [1])[1].title == "two lines"


def test_L6_names_that_are_no_utf8_come_back_from_notes(stocked: Library) -> None:
    stocked.write(notes.write, [1], Edit("x\udc80y", "\x1a"))
    assert stocked.read(notes.of_assets, [1]) == {1: Note("x\udc80y", "\x1a")}


def test_L6_bulk_takes_as_many_statements_as_one(library: Library) -> None:
    library.write(fill, [Stocked(f"n{n}.exr") for n in range(1_000)])
    made = []

    def counted(db: LibraryDatabase, number: int) -> None:
        with statements(db) as seen:
            notes.write(db, range(1, number + 1), Edit(title=f"t{number}"))
        made.append(len(seen))

    library.write(counted, 10)
    library.write(counted, 1_000)
    assert made[0] == made[1]


def test_F12_a_note_is_undone(stocked: Library) -> None:
    stocked.write(notes.write, [1, 2], Edit("new", "words"))
    [newest, *_] = stocked.read(journal.undo_stack)
    stocked.write(changes.revert_changes, newest.id, stamps.new_uuid(), stamps.now())
    assert stocked.read(notes.of_assets, [1, 2]) == {1: Note(), 2: Note("old", "text")}
    assert stocked.read(search.ids, "words") == []


# -- paths --------------------------------------------------------------------------------------------------


def test_L6_paths_that_are_no_assets_keep_notes(stocked: Library) -> None:
    heard: list[Event] = []
    stocked.events.subscribe(NotesChanged, heard.append)
    assert stocked.write(notes.write_paths, {"/d/x\udc80": Edit("a"), "/d/y": Edit(description="b")}) == (
        "/d/x\udc80",
        "/d/y",
    )
    assert stocked.read(notes.of_paths, ["/d/x\udc80", "/d/y", "/d/z"]) == {
        "/d/x\udc80": Note("a"),
        "/d/y": Note("", "b"),
    }
    assert stocked.write(notes.write_paths, {"/d/y": Edit(description="")}) == ("/d/y",)
    assert stocked.read(notes.annotated_paths) == ["/d/x\udc80"]
    assert stocked.events.settle()
    assert len(heard) == 2
    with pytest.raises(InvalidInput):
        stocked.write(notes.write_paths, {"relative": Edit("a")})


def test_L6_orphans_are_forgotten_when_asked(stocked: Library) -> None:
    stocked.write(notes.write_paths, {"/d/x": Edit("a"), "/d/y": Edit("b")})
    assert stocked.write(notes.forget_paths, ["/d/x", "/d/none"]) == 1
    assert stocked.read(notes.annotated_paths) == ["/d/y"]


# -- as typed -----------------------------------------------------------------------------------------------


class Gate:
    """The operator, with writes counted and made to fail on request."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.writes = 0
        self.failing: BaseException | None = None
        self.settled = threading.Event()

    def schedule_write(
        self, function: Callable[..., Any], /, *arguments: Any, priority: Priority = Priority.NORMAL
    ) -> Future[Any]:
        self.writes += 1
        error, self.failing = self.failing, None
        if error is not None:

            def fail(_db: LibraryDatabase) -> None:
                raise error

            future: Future[Any] = self._library.operator.schedule_write(fail)
        else:
            future = self._library.operator.schedule_write(function, *arguments, priority=priority)
        future.add_done_callback(lambda _: self.settled.set())
        return future


@pytest.fixture
def gate(stocked: Library) -> Gate:
    return Gate(stocked)


@pytest.fixture
def failures() -> list[tuple[tuple[int | str, ...], BaseException]]:
    return []


@pytest.fixture
def buffer(gate: Gate, failures: list[Any]) -> Iterator[NoteBuffer]:
    made = NoteBuffer(gate, lambda keys, error: failures.append((keys, error)), debounce=0.05, longest=0.2)
    yield made
    made.close()


def test_L6_what_is_typed_is_written_together_a_moment_later(
    stocked: Library, gate: Gate, buffer: NoteBuffer
) -> None:
    for end in range(1, 6):
        buffer.put(1, Edit(title="typed"[:end]))
    buffer.put("/d/x", Edit(description="path"))
    assert buffer.pending(1) == Edit(title="typed")
    assert gate.settled.wait(5)
    assert buffer.flush()
    assert gate.writes == 1
    assert stocked.read(notes.of_assets, [1])[1].title == "typed"
    assert stocked.read(notes.of_paths, ["/d/x"]) == {"/d/x": Note("", "path")}
    assert buffer.pending(1) is None


def test_L6_closing_writes_what_is_left(stocked: Library, gate: Gate) -> None:
    buffer = NoteBuffer(gate, lambda *_: None, debounce=3600, longest=3600)
    buffer.put(1, Edit(title="last words"))
    buffer.put(1, Edit(description="and more"))
    assert buffer.close()
    assert stocked.read(notes.of_assets, [1])[1] == Note("last words", "and more")
    with pytest.raises(InvalidInput):
        buffer.put(1, Edit(title="too late"))


def test_L6_who_never_stops_typing_is_saved_too(gate: Gate, failures: list[Any]) -> None:
    """The debounce alone would never end."""
    buffer = NoteBuffer(gate, lambda *_: None, debounce=3600, longest=0.05)
    buffer.put(1, Edit(title="a"))
    assert gate.settled.wait(5)
    assert buffer.close()
    assert failures == []


def test_L6_a_write_that_fails_loses_nothing_and_is_told(
    stocked: Library, gate: Gate, buffer: NoteBuffer, failures: list[Any]
) -> None:
    gate.failing = LibraryUnavailable("The disk is full.")
    buffer.put(1, Edit(title="precious", description="text"))
    assert gate.settled.wait(5)
    buffer.put(1, Edit(title="newer"))
    assert buffer.pending(1) == Edit("newer", "text")
    assert buffer.flush()
    assert [keys for keys, _ in failures] == [(1,)]
    assert stocked.read(notes.of_assets, [1])[1] == Note("newer", "text")


def test_L6_an_asset_that_went_away_takes_no_other_text_with_it(stocked: Library, buffer: NoteBuffer) -> None:
    buffer.put(77, Edit(title="gone"))
    buffer.put(1, Edit(title="here"))
    assert buffer.flush()
    assert stocked.read(notes.of_assets, [1, 77]) == {1: Note("here")}


def test_L6_loading_writes_nothing(stocked: Library, gate: Gate, buffer: NoteBuffer) -> None:
    """Showing what is stored goes through no edit; putting the same text writes no row."""
    shown = stocked.read(notes.of_assets, [2])[2]
    assert buffer.pending(2) is None
    before = stocked.read(lambda db: db.scalar("SELECT updated_at FROM assets WHERE id = 2"))
    buffer.put(2, Edit(shown.title, shown.description))
    assert buffer.flush()
    assert stocked.read(lambda db: db.scalar("SELECT updated_at FROM assets WHERE id = 2")) == before


def test_L6_a_closed_library_tells_and_keeps_the_text(stocked: Library, failures: list[Any]) -> None:
    buffer = NoteBuffer(
        stocked.operator, lambda keys, error: failures.append((keys, error)), debounce=3600, longest=3600
    )
    buffer.put(1, Edit(title="x"))
    stocked.close()
    assert not buffer.close()
    assert [keys for keys, _ in failures] == [(1,)]
    assert buffer.pending(1) == Edit(title="x")
