"""The options that hold for every command, accepted before and after its name, and the command classes.

`Command` and `Group` add those options, write help through our own output, and show examples in it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from kassettui.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

Example = tuple[str, str]


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """The callback that notes a shared option in the invocation's flags; the last one given wins."""

    def keep(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        invocation = context.find_object(Invocation)
        if value and invocation is not None:
            setattr(invocation.flags, key, value)

    return keep


def _shared(*names: str, text: str, metavar: str | None = None, count: bool = False) -> click.Option:
    return click.Option(
        [*names],
        metavar=metavar,
        is_flag=metavar is None and not count,
        count=count,
        help=text,
        expose_value=False,
        is_eager=True,
        callback=_keep(names[-1].lstrip("-").replace("-", "_")),
        type=click.Path() if metavar else None,
    )


def _show_help(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        invocation = context.find_object(Invocation)
        if invocation is not None:
            invocation.output.text(context.get_help())
        context.exit()


SHARED: tuple[click.Option, ...] = (
    _shared("--library", text="The library's file.", metavar="PATH"),
    _shared("--config", text="The settings file.", metavar="FILE"),
    _shared("--json", text="Print JSON on stdout, and nothing else."),
    _shared("-q", "--quiet", text="Say less on stderr; twice: errors only.", count=True),
    _shared("-v", "--verbose", text="Say more on stderr; twice: debug log too.", count=True),
    _shared("--no-color", text="No colours (as the variable NO_COLOR)."),
    click.Option(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_help,
        help="Show this help.",
    ),
)


class Command(click.Command):
    """One command; `examples` are (command line, what it does) and stand at the end of its help."""

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:  # noqa: ARG002 (click's signature)
        return [*self.params, *SHARED]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:  # noqa: ARG002 (click's signature)
        return SHARED[-1]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [record for option in self.params if (record := option.get_help_record(ctx)) is not None]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        with formatter.section("Options of every command"):
            formatter.write_dl([record for option in SHARED if (record := option.get_help_record(ctx))])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if not self.examples:
            return
        with formatter.section("Examples"):
            for line, meaning in self.examples:  # unwrapped, so that a line can be copied
                indent = " " * formatter.current_indent
                formatter.write(f"{indent}{line}\n{indent}    {meaning}\n")


class Group(Command, click.Group):
    """A command that has commands below it."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)  # in the order they were written, not of the alphabet

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.commands[name].get_short_help_str(limit=200))
                    for name in self.list_commands(ctx)
                ]
            )


class Entry(NamedTuple):
    """Where a command stands (`module:attribute`) and what it does, for help that imports nothing."""

    place: str
    summary: str


class LazyGroup(Group):
    """A group whose commands are imported when they are used; `sections` orders them in its help."""

    def __init__(
        self, *args: Any, sections: Mapping[str, Mapping[str, Entry]] | None = None, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.sections = sections or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return [name for entries in self.sections.values() for name in entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        for entries in self.sections.values():
            if (entry := entries.get(cmd_name)) is not None:
                module, _, attribute = entry.place.partition(":")
                command = getattr(import_module(module), attribute)
                assert isinstance(command, click.Command)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max((len(name) for entries in self.sections.values() for name in entries), default=0)
        for title, entries in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in entries.items()])


def command(name: str, *, examples: Sequence[Example], **settings: Any) -> Callable[[Any], Command]:
    """Declare a command; its docstring is its help, its first line the summary."""
    return click.command(name, cls=Command, examples=examples, context_settings=CONTEXT, **settings)


def group(name: str, *, examples: Sequence[Example] = (), **settings: Any) -> Callable[[Any], Group]:
    """Declare a group of commands."""
    return click.group(
        name, cls=Group, examples=examples, context_settings=CONTEXT, no_args_is_help=False, **settings
    )
