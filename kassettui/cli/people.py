"""stderr: what people read. Notes, warnings, errors, progress, questions; no other module writes there.

Outside text is made safe here, whatever the caller passes. Progress and questions only on a terminal;
elsewhere a question has its safe answer (spec: cli, Streams).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from kassettui.cli.tables import painted
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.cli.progress import Progress

_YES: Final = ("y", "yes")


MOST_WARNINGS: Final = 20


class Warnings:
    """The warnings of one piece of work: the first twenty in words, the others as a number at the end."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._count = 0

    def add(self, message: str) -> None:
        """One more."""
        self._count += 1
        if self._count <= MOST_WARNINGS:
            self._people.warn(message)

    def end(self) -> None:
        """Say how many were left out."""
        if self._count > MOST_WARNINGS:
            rest = f"{self._count - MOST_WARNINGS:,}"
            self._people.warn(f"…and {rest} more; see: kassettui log --level warning")


class People:
    """The one writer of stderr, and the one that asks. `fd` None: stderr is closed, nothing is said."""

    def __init__(
        self,
        fd: int | None,
        *,
        stdin: int | None = None,
        quiet: int = 0,
        verbose: int = 0,
        color: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        self._fd = fd
        self._stdin = stdin
        self._encoding = encoding
        self.quiet = quiet
        self.verbose = verbose
        self.terminal = fd is not None and os.isatty(fd)
        self.color = color and self.terminal
        self._progress: Progress | None = None

    def error(self, message: str, remedy: str = "", *, detail: tuple[str, ...] = ()) -> None:
        """One line: what, why, and what to do. `detail` lines (a query with its caret) stand below it."""
        self._say(
            f"{self._painted('kassettui:', 'bad')} {safe(message)}{' ' if remedy else ''}{safe(remedy)}"
        )
        for line in detail:
            self._say(safe(line))

    def warn(self, message: str) -> None:
        """Something that is not as it should be, while the work goes on."""
        if self.quiet < 2:
            self._say(f"{self._painted('warning:', 'warn')} {safe(message)}")

    def note(self, message: str) -> None:
        """What is worth a line: what was done, what to do next."""
        if not self.quiet:
            self._say(safe(message))

    def detail(self, message: str) -> None:
        """What is worth a line with `-v`."""
        if self.verbose:
            self._say(self._painted(safe(message), "dim"))

    def lines(self, text: str) -> None:
        """Text of our own for a person, line by line: help that nobody asked for."""
        for line in text.splitlines():
            self._say(safe(line))

    @property
    def asks(self) -> bool:
        """Whether there is somebody who can be asked."""
        return self.terminal and self._stdin is not None and os.isatty(self._stdin)

    def confirm(self, question: str, *, yes: bool = False) -> bool:
        """Ask on a terminal; elsewhere, and for an empty answer, it is no. `yes` skips the question."""
        if yes or self._stdin is None or not self.asks:
            return yes
        self._write(f"{safe(question)} [y/N] ".encode(self._encoding, "replace"))
        answer = os.read(self._stdin, 64)
        return answer.decode(errors="replace").strip().lower() in _YES

    def ask(self, question: str) -> str:
        """A line that a person types on the terminal, without the blanks around it; "" where nobody can."""
        if self._stdin is None or not self.asks:
            return ""
        self._write(safe(question).encode(self._encoding, "replace"))
        return os.read(self._stdin, 256).decode(errors="replace").strip()

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress | None]:
        """A live display while the work runs; None where stderr is no terminal or `-q` was given."""
        if not self.terminal or self.quiet or self._fd is None or os.environ.get("TERM") == "dumb":
            yield None
            return
        from kassettui.cli.progress import Progress

        with Progress(self._fd, title, color=self.color) as shown:
            self._progress = shown
            try:
                yield shown
            finally:
                self._progress = None

    def _painted(self, text: str, style: str) -> str:
        return painted(text, style, color=self.color)

    def _say(self, line: str) -> None:
        data = line.encode(self._encoding, "replace") + b"\n"
        if self._progress is not None:
            self._progress.above(data.decode(self._encoding))
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._fd is None:
            return
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self._fd = None  # nobody is listening; the exit code still says how it went
