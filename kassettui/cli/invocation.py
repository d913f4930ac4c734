"""One run of the command line: its flags, its streams, and the workspace that a command asks for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kassettui.cli.interruption import Interruption
from kassettui.cli.output import Output
from kassettui.cli.people import People
from kassettui.core.errors import KassettuiError

if TYPE_CHECKING:
    from typing import TextIO

    from kassettui.config import Settings
    from kassettui.workspace import Workspace


@dataclass(slots=True)
class Flags:
    """The options of every command, as given before and after its name."""

    library: str | None = None
    config: str | None = None
    json: bool = False
    quiet: int = 0
    verbose: int = 0
    no_color: bool = False


class Invocation:
    """What every command body gets. Streams, settings and workspace are made when first asked for."""

    def __init__(self, interruption: Interruption | None = None) -> None:
        self.flags = Flags()
        self.interruption = interruption or Interruption()
        self._workspace: Workspace | None = None
        self.streams = False
        """Whether the command answers with JSON lines."""

    @cached_property
    def output(self) -> Output:
        """stdout."""
        return Output(
            _descriptor(sys.stdout),
            color=self._colors(),
            encoding=_encoding(sys.stdout),
            shield=self.interruption.shielded,
        )

    @cached_property
    def people(self) -> People:
        """stderr, and the terminal that can be asked."""
        return People(
            _descriptor(sys.stderr),
            stdin=_descriptor(sys.stdin),
            quiet=self.flags.quiet,
            verbose=self.flags.verbose,
            color=self._colors(),
            encoding=_encoding(sys.stderr),
        )

    def unexpected(self, error: Exception) -> KassettuiError:
        """Log what nobody expected, with its traceback; the answer is what a person gets to read."""
        return KassettuiError(f"Unexpected error: {type(error).__name__}: {error}.")

    def close(self) -> None:
        """Close what was opened."""

    def _colors(self) -> bool:
        return not (self.flags.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb")


def _descriptor(stream: TextIO | None) -> int | None:
    """The stream's file descriptor; None when the process was started without it."""
    return None if stream is None else stream.fileno()


def _encoding(stream: TextIO | None) -> str:
    return (stream.encoding if stream is not None else None) or "utf-8"
