"""stderr: one line each, safe, quiet when told; progress and questions only on a terminal."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

import pytest

from kassettui.cli.people import People, Warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def spoken() -> Iterator[tuple[Callable[..., People], Callable[[], bytes]]]:
    """Makes people whose stderr is a pipe; and what they said."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def heard() -> bytes:
        try:
            return os.read(reader, 1 << 16)
        except BlockingIOError:
            return b""

    yield (lambda **settings: People(writer, **settings)), heard
    os.close(reader)
    os.close(writer)


def drained(leader: int, follower: int) -> bytes:
    """All that was written to the terminal so far: up to a mark, for the kernel takes its time."""
    os.write(follower, b"<end>")
    data = b""
    while not data.endswith(b"<end>"):
        data += os.read(leader, 1 << 16)
    return data.removesuffix(b"<end>")


def test_every_line_is_one_line_and_safe(spoken: tuple[Callable[..., People], Callable[[], bytes]]) -> None:
    people, heard = spoken
    evil = "two\nlines \x1b]0;x\x07 \u202e"
    for say in (people().error, people().warn, people().note, people(verbose=1).detail):
        say(evil)
        said = heard()
        assert said.count(b"\n") == 1
        assert b"\x1b" not in said
        assert "\u202e".encode() not in said


@pytest.mark.parametrize(
    ("settings", "heard_kinds"),
    [({}, "EWN"), ({"quiet": 1}, "EW"), ({"quiet": 2}, "E"), ({"verbose": 1}, "EWND")],
)
def test_quiet_and_verbose(
    spoken: tuple[Callable[..., People], Callable[[], bytes]], settings: dict[str, int], heard_kinds: str
) -> None:
    make, heard = spoken
    people = make(**settings)
    people.error("E")
    people.warn("W")
    people.note("N")
    people.detail("D")
    said = heard().decode()
    assert "".join(kind for kind in "EWND" if kind in said) == heard_kinds


def test_many_warnings_are_some_and_a_number(
    spoken: tuple[Callable[..., People], Callable[[], bytes]],
) -> None:
    make, heard = spoken
    warnings = Warnings(make())
    for number in range(1020):
        warnings.add(f"w{number}")
    warnings.end()
    said = heard().decode().splitlines()
    assert len(said) == 21
    assert "1,000 more" in said[-1]


def test_without_a_terminal_a_question_is_answered_no_and_stdin_is_not_read(
    spoken: tuple[Callable[..., People], Callable[[], bytes]],
) -> None:
    make, heard = spoken
    reader, writer = os.pipe()
    os.write(writer, b"y\n")
    people = make(stdin=reader)
    assert not people.confirm("Really?")
    assert people.confirm("Really?", yes=True)
    assert heard() == b""
    assert os.read(reader, 9) == b"y\n"
    os.close(reader)
    os.close(writer)


@pytest.mark.pty
@pytest.mark.parametrize(
    ("typed", "agreed"), [(b"y\n", True), (b"YES\n", True), (b"\n", False), (b"nope\n", False)]
)
def test_on_a_terminal_a_question_is_asked(typed: bytes, agreed: bool) -> None:
    leader, follower = pty.openpty()
    os.write(leader, typed)
    assert People(follower, stdin=follower).confirm("Remove \x1b[2J?") is agreed
    shown = drained(leader, follower)
    assert b"Remove \\e[2J? [y/N] " in shown
    os.close(leader)
    os.close(follower)


def test_progress_is_for_terminals_only(spoken: tuple[Callable[..., People], Callable[[], bytes]]) -> None:
    make, heard = spoken
    with make().progress("import") as shown:
        assert shown is None
    assert heard() == b""


@pytest.mark.pty
def test_progress_on_a_terminal_is_safe_and_leaves_no_trace() -> None:
    import pyte

    leader, follower = pty.openpty()
    people = People(follower, stdin=follower)
    with people.progress("import") as shown:
        assert shown is not None
        shown.update("scan", 5, current="evil\x1b]0;owned\x07[red]")
        people.warn("in between")
        shown.update("scan", 6, 10, done_bytes=1_000_000, current="\u202e")
    raw = drained(leader, follower)
    assert b"\x1b]0;" not in raw
    assert "\u202e".encode() not in raw
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(raw)
    assert [line.rstrip() for line in screen.display if line.strip()] == ["warning: in between"]
    assert not screen.cursor.hidden
    os.close(leader)
    os.close(follower)


def test_a_closed_stderr_is_nothing() -> None:
    People(None).error("x")
    reader, writer = os.pipe()
    os.close(reader)
    people = People(writer)
    people.error("x")
    people.error("x")
    os.close(writer)
