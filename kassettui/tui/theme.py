"""Colour themes: TOML files, ours and the user's own, made into Textual themes with our own colours (T8).

A file has `name`, `title`, `dark`, `[colors]` (Textual's fields) and our `[states]`, `[stars]`, `[strip]`:
what they leave out comes from the default theme. What cannot be a theme is refused before it is used.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from kassettui import paths
from kassettui.core.errors import InvalidInput
from kassettui.core.health import FrameState, SequenceState
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT: Final = "kassett-night"
_COLORS: Final = frozenset(
    {"primary", "secondary", "warning", "error", "success", "accent", "foreground", "background"}
    | {"surface", "panel", "boost"}
)
_OURS: Final[Mapping[str, frozenset[str]]] = {
    "states": frozenset({"new", "enriching", "ready", "retired", "missing", "approved", *SequenceState})
    - {SequenceState.COMPLETE},
    "stars": frozenset({"filled", "empty"}),
    "strip": frozenset(FrameState),
}
_TOP: Final = frozenset({"name", "title", "dark", "colors", *_OURS})
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LARGEST: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Look:
    """A theme: what Textual gets, and its title for people."""

    theme: Theme
    title: str


def themes() -> tuple[dict[str, Look], list[InvalidInput]]:
    """Every theme by name, the user's own over ours, and why some files are none."""
    found: dict[str, Look] = {}
    refused: list[InvalidInput] = []
    for directory in (paths.themes_directory(), paths.own_themes_directory()):
        for path in sorted(directory.glob("*.toml")):
            try:
                look = read_theme(path)
            except InvalidInput as error:
                refused.append(error)
            else:
                found[look.theme.name] = look
    return found, refused


def read_theme(path: Path) -> Look:
    """The theme of a file. Raises InvalidInput that names the file, the key and what to do."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidInput(f"{safe(str(path))} is too large for a theme.")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{safe(str(path))} cannot be read as a theme: {safe(str(error))}.",
            remedy="Mend it, or move it away.",
        ) from error
    return _Reader(path, data).look()


class _Reader:
    """Checks the tables of one file."""

    def __init__(self, path: Path, data: dict[str, Any]) -> None:
        self._path = path
        self._data = data

    def look(self) -> Look:
        self._known(self._data, _TOP, "")
        colors = self._table("colors", _COLORS)
        if "primary" not in colors:
            raise self._error("`colors.primary` is missing.")
        variables = {
            variable(section, name): value
            for section, names in _OURS.items()
            for name, value in self._table(section, names).items()
        }
        name, dark = self._data.get("name", self._path.stem), self._data.get("dark", True)
        if not isinstance(name, str) or not name or not name.isascii() or not name.isprintable():
            raise self._error("`name` is no plain name.")
        if not isinstance(dark, bool):
            raise self._error("`dark` is true or false.")
        fields: dict[str, Any] = {**colors}
        theme = Theme(name=name, dark=dark, variables=variables, **fields)
        theme.to_color_system().generate()
        return Look(theme, str(self._data.get("title", name)))

    def _table(self, section: str, names: frozenset[str]) -> dict[str, str]:
        table = self._data.get(section, {})
        if not isinstance(table, dict):
            raise self._error(f"`{section}` is no table.")
        self._known(table, names, f"{section}.")
        for name, value in table.items():
            if not isinstance(value, str) or not _COLOR.fullmatch(value):
                raise self._error(f"`{section}.{name}` is no colour; write #rrggbb.")
        return table

    def _known(self, table: Mapping[str, Any], names: frozenset[str], before: str) -> None:
        for name in table:
            if name not in names:
                raise self._error(f"there is no `{before}{safe(name)}` in a theme.")

    def _error(self, problem: str) -> InvalidInput:
        return InvalidInput(
            f"{safe(str(self._path))}: {problem}", remedy="Compare it with one of: kassettui themes"
        )


def variable(section: str, name: str) -> str:
    """The name of one of our colours among Textual's variables."""
    return f"{section}-{name}".replace("_", "-")


@lru_cache(1)
def default_variables() -> dict[str, str]:
    """Our colours in the default theme: what a theme that lacks some falls back to."""
    return dict(read_theme(paths.themes_directory() / f"{DEFAULT}.toml").theme.variables)


class Paint:
    """The styles that lists draw with, made once for a theme."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        background = Color.parse(variables["surface"])
        foreground = Color.parse(variables["foreground"])
        accent = Color.parse(variables["accent"])
        self.ground = background
        self.text = self._on(foreground)
        self.dim = self._on(background.blend(foreground, 0.55))
        self.faint = self._on(background.blend(foreground, 0.25))
        self.accent = self._on(accent)
        self.strong = self.text + Style(bold=True)
        self.good = self._on(Color.parse(variables["success"]))
        self.warn = self._on(Color.parse(variables["warning"]))
        self.bad = self._on(Color.parse(variables["error"]))
        self.cursor = Style(bgcolor=background.blend(accent, 0.22).rich_color)
        self.cursor_away = Style(bgcolor=background.blend(foreground, 0.10).rich_color)
        self.selected = Style(bgcolor=background.blend(accent, 0.10).rich_color)
        self.plain = Style(bgcolor=background.rich_color)
        self._made: dict[tuple[str, str], Style] = {}

    def of(self, section: str, name: str) -> Style:
        """The style of a state, a star, a strip's cell."""
        key = (section, name)
        if key not in self._made:
            value = self._variables.get(variable(section, name))
            self._made[key] = self._on(Color.parse(value)) if value else self.text
        return self._made[key]

    @staticmethod
    def _on(color: Color) -> Style:
        return Style(color=color.rich_color)
