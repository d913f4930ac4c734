"""`config`: where the settings are, what they are, whether they are right, and what they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from kassettui.cli.invocation import Invocation, pass_invocation
from kassettui.cli.options import group
from kassettui.cli.output import json_bytes
from kassettui.cli.tables import Column, Fact

if TYPE_CHECKING:
    from kassettui.config import Setting

_COLUMNS: Final = (
    Column("key", "setting"),
    Column("value", "value", shrinks=True),
    Column("default", "default", shrinks=True, rank=2),
    Column("description", "what it means", shrinks=True, prose=True, rank=1),
)


@group(
    "config",
    examples=(
        ("kassettui config show", "Every setting with its value."),
        ("kassettui config show --toml > ~/.config/kassettui/config.toml", "A commented file to start from."),
        ("kassettui config check", "Whether the file is right; else the line and what to do."),
    ),
)
def config() -> None:
    """The settings: where, which, and whether they are right.

    Settings stand in a TOML file; without one everything has its default. --config FILE or the variable
    KASSETTUI_CONFIG names another file, --library or KASSETTUI_LIBRARY another library.
    """


@config.command("path", examples=(("kassettui config path", "Every place, one a line."),))
@pass_invocation
def path(invocation: Invocation) -> None:
    """Where settings, library, cache, log and themes are."""
    from kassettui import paths
    from kassettui.config import settings_file

    places = {
        "config": settings_file(invocation.flags.config)[0],
        "library": invocation.settings.library_path,
        "cache": paths.cache_directory(),
        "log": paths.log_file(),
        "themes": paths.themes_directory(),
        "own_themes": paths.own_themes_directory(),
    }
    if invocation.flags.json:
        invocation.output.document("places", {name: str(place) for name, place in places.items()})
    else:
        invocation.output.facts(Fact(name.replace("_", " "), str(place)) for name, place in places.items())


@config.command("show", examples=(("kassettui config show --toml", "As a commented TOML file."),))
@click.option("--toml", is_flag=True, help="As a settings file with comments.")
@pass_invocation
def show(invocation: Invocation, toml: bool) -> None:
    """Every setting with its value, its default and what it means."""
    from kassettui.config import as_toml, rows

    if toml:
        invocation.output.text(as_toml(invocation.settings))
    elif invocation.flags.json:
        invocation.output.json_list("settings", map(_as_row, rows(invocation.settings)))
    else:
        invocation.output.table(_COLUMNS, map(_in_words, rows(invocation.settings)))


def _as_row(setting: Setting) -> dict[str, object]:
    return {
        "key": setting.key,
        "value": setting.value,
        "default": setting.default,
        "changed": setting.value != setting.default,
        "description": setting.description,
    }


def _in_words(setting: Setting) -> dict[str, object]:
    return {
        **_as_row(setting),
        "value": json_bytes(setting.value).decode(),
        "default": json_bytes(setting.default).decode(),
    }


@config.command("check", examples=(("kassettui config check --config new.toml", "Before it is used."),))
@pass_invocation
def check(invocation: Invocation) -> None:
    """Whether the settings are right; exit 1 with the line and the remedy when they are not."""
    from kassettui.config import settings_file

    file, named = settings_file(invocation.flags.config)
    exists = file.exists()
    assert invocation.settings is not None  # reading them is the check
    if invocation.flags.json:
        invocation.output.document("config_check", {"status": "ok", "path": str(file), "exists": exists})
    else:
        there = exists or named
        invocation.people.note(f"{file} is right." if there else f"No {file}: all settings are defaults.")


@config.command("schema", examples=(("kassettui config schema > schema.json", "For an editor."),))
@pass_invocation
def schema(invocation: Invocation) -> None:
    """What the settings may be, as a JSON Schema."""
    from kassettui.config import schema as settings_schema

    invocation.output.json(settings_schema())
