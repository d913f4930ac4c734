"""One run of the command line: its flags, its streams, and the workspace that a command asks for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import click

from kassettui.cli.output import Output
from kassettui.cli.people import People
from kassettui.core.errors import KassettuiError

if TYPE_CHECKING:
    from typing import TextIO

    from kassettui.cli.interruption import Interruption
    from kassettui.config import Settings
    from kassettui.library.library import Library
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


class Screen(Protocol):
    """The other front end, as far as the command line knows it; the program's entry brings it."""

    def open(self, workspace: Workspace) -> int:
        """Show it until a person leaves; the exit code."""

    def keys(self, settings: Settings) -> list[dict[str, Any]]:
        """Every action with its keys. Raises InvalidInput for keys that cannot be."""


class Invocation:
    """What every command body gets. Streams, settings and workspace are made when first asked for."""

    def __init__(self, interruption: Interruption, screen: Screen) -> None:
        self.screen = screen
        self.flags = Flags()
        self.interruption = interruption
        self.streams = False
        """Whether the command answers with JSON lines."""
        self.failure_type = "error"
        """The `type` of the document that says why the command failed."""
        self._workspace: Workspace | None = None

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

    @cached_property
    def settings(self) -> Settings:
        """The settings, with `--library` and `-vv` taken in. Raises InvalidInput or NotFound."""
        from kassettui.config import Settings

        settings = Settings.load(self.flags.config)
        if self.flags.library:
            settings = settings.with_library(self.flags.library)
        if self.flags.verbose < 2:
            return settings
        import msgspec

        return msgspec.structs.replace(settings, log=msgspec.structs.replace(settings.log, level="debug"))

    def workspace(
        self, *, create: bool = False, read_only: bool = False, library: str | None = None
    ) -> Workspace:
        """The workspace that this command works in; it is closed when the command ends.

        `read_only` for commands that change nothing, `create` for those that make a library that is missing,
        `library` for another one than the settings say.
        """
        from kassettui.workspace import Workspace

        if self._workspace is not None:
            assert self._workspace.read_only == read_only, "a command has one workspace"
            return self._workspace
        self._workspace = Workspace.open(self.settings, library=library, create=create, read_only=read_only)
        return self._workspace

    @property
    def on_terminal(self) -> bool:
        """Whether a person sits in front of it: keys come from a terminal and the picture goes to one."""
        ends = (_descriptor(sys.stdin), _descriptor(sys.stdout))
        return os.environ.get("TERM") != "dumb" and all(end is not None and os.isatty(end) for end in ends)

    def reading(self) -> Library:
        """The library, for a command that changes nothing. Raises NotFound where there is none."""
        return self.workspace(read_only=True).library

    def unexpected(self, error: Exception) -> KassettuiError:
        """Log what nobody expected, with its traceback; the answer is what a person gets to read."""
        from kassettui import paths
        from kassettui.config import Settings
        from kassettui.observe import log
        from kassettui.workspace import configure_log

        if self._workspace is None:
            configure_log(self.__dict__.get("settings") or Settings())
        log.get("cli").error("unexpected error", exc_info=error)
        log.flush()
        return KassettuiError(
            f"Unexpected error: {type(error).__name__}: {error}.",
            remedy=log.problem() or f"The log has the details: {paths.log_file()}",
        )

    def close(self) -> None:
        """Close what was opened; bounded."""
        if self._workspace is not None:
            self._workspace.close()

    def _colors(self) -> bool:
        return not (self.flags.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb")


pass_invocation = click.make_pass_decorator(Invocation)
"""Decorates a command body: its first argument is the invocation."""


def _descriptor(stream: TextIO | None) -> int | None:
    """The stream's file descriptor; None when the process was started without it."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def _encoding(stream: TextIO | None) -> str:
    return (stream.encoding if stream is not None else None) or "utf-8"
