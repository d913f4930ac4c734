"""A collection's layout: what the directories of its tree mean (spec: ingest I2).

A template such as `{show}/{sequence}/{shot}/{task}` names a level per field; text may stand around a field
(`{title}/Season {season}`) and levels may be plain text (`{show}/shots/{shot}`). Below the last all is free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SHOWN_VALUES: Final = 10
_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_DIGITS = re.compile(r"[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class _Level:
    """One directory level: the pattern of its name and the fields in it."""

    text: str
    pattern: re.Pattern[str]
    fields: tuple[str, ...]


class Layout:
    """A parsed template. Made once per run and asked once per directory."""

    __slots__ = ("_levels", "fields", "template")

    def __init__(self, template: str) -> None:
        """Raises InvalidInput for a template that names no field, one twice, or cannot be parsed."""
        self.template = template
        names = _FIELD.findall(template)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"The layout {template!r} names {', '.join(twice)} twice.")
        self._levels = tuple(_parse_level(part, template) for part in template.strip("/").split("/") if part)
        self.fields: tuple[str, ...] = tuple(name for level in self._levels for name in level.fields)

    def fields_of(self, directory: str) -> dict[str, str]:
        """The fields that `directory` (relative to the root) gives, as deep as it fits the template."""
        found: dict[str, str] = {}
        for level, part in zip(self._levels, directory.split("/") if directory else (), strict=False):
            match = level.pattern.fullmatch(part)
            if match is None:
                break
            found.update(match.groupdict())
        return found

    def narrow(
        self, wanted: Mapping[str, str], list_directories: Callable[[str], Iterable[str]]
    ) -> list[str]:
        """The directories that `wanted` (field → value) means, relative to the root, sorted (I2, I3).

        `list_directories` is asked for the names below a directory only where the way leads. Raises
        InvalidInput for a field that the layout does not have or whose upper levels are not given, NotFound
        for a value that is not there.
        """
        depth = self._depth(wanted)
        here = [""]
        for level in self._levels[:depth]:
            here = _descend(level, here, wanted, list_directories)
        return sorted(here)

    def _depth(self, wanted: Mapping[str, str]) -> int:
        """How many levels `wanted` fixes; it must fix all fields of each."""
        unknown = sorted(set(wanted) - set(self.fields))
        if unknown:
            has = ", ".join(self.fields) or "no levels"
            raise InvalidInput(
                f"This collection's layout has no level named {safe(', '.join(unknown))}; it has {has}.",
                remedy="Set one with: kassettui collections edit NAME --layout TEMPLATE"
                if not self.fields
                else "",
            )
        depth = max(
            (number for number, level in enumerate(self._levels, 1) if wanted.keys() & set(level.fields)),
            default=0,
        )
        needed = [name for level in self._levels[:depth] for name in level.fields]
        absent = [name for name in needed if name not in wanted]
        if absent:
            given = ", ".join(name for name in self.fields if name in wanted)
            raise InvalidInput(
                f"A scope by {given} needs the levels above it: {', '.join(absent)}.",
                remedy=" ".join(f"--scope {name}=…" for name in absent),
            )
        return depth


def _parse_level(part: str, template: str) -> _Level:
    """The pattern of one level. Raises InvalidInput when braces or names are wrong."""
    fields: list[str] = []
    pattern: list[str] = []
    end = 0
    for match in _FIELD.finditer(part):
        name = match.group(1)
        if not _NAME.match(name):
            raise InvalidInput(f"{name!r} in the layout {template!r} is not a field name (a-z, 0-9, _).")
        if fields and match.start() == end:
            raise InvalidInput(f"The layout {template!r} needs text between {{{fields[-1]}}} and {{{name}}}.")
        pattern += [re.escape(part[end : match.start()]), f"(?P<{name}>.+?)"]
        fields.append(name)
        end = match.end()
    rest = part[end:]
    plain = _FIELD.sub("", part)
    if "{" in plain or "}" in plain or part in (".", ".."):
        raise InvalidInput(f"The layout {template!r} is not a template like {{show}}/{{sequence}}/{{shot}}.")
    return _Level(part, re.compile("".join(pattern) + re.escape(rest), re.DOTALL), tuple(fields))


def same_value(wanted: str, found: str) -> bool:
    """Equal to the letter, or the same number written with other leading zeros (I2)."""
    if wanted == found:
        return True
    return bool(_DIGITS.match(wanted) and _DIGITS.match(found)) and wanted.lstrip("0") == found.lstrip("0")


def _descend(
    level: _Level,
    here: Sequence[str],
    wanted: Mapping[str, str],
    list_directories: Callable[[str], Iterable[str]],
) -> list[str]:
    """The directories one level below `here` that match. An exact name wins over an equal number."""
    exact: list[str] = []
    alike: list[str] = []
    values: dict[str, set[str]] = {name: set() for name in level.fields}
    for directory in here:
        for name in list_directories(directory):
            match = level.pattern.fullmatch(name)
            if match is None:
                continue
            path = f"{directory}/{name}" if directory else name
            found = match.groupdict()
            for field, value in found.items():
                values[field].add(value)
            if all(wanted[field] == value for field, value in found.items()):
                exact.append(path)
            elif all(same_value(wanted[field], value) for field, value in found.items()):
                alike.append(path)
    if exact or alike:
        return exact or alike
    raise _not_found(level, wanted, values)


def _not_found(level: _Level, wanted: Mapping[str, str], values: Mapping[str, set[str]]) -> NotFound:
    """Which level failed and what exists there (I2)."""
    if not level.fields:
        return NotFound(f"The layout's directory {safe(level.text)!r} does not exist here.")
    failing = [
        name for name in level.fields if not any(same_value(wanted[name], value) for value in values[name])
    ]
    field = (failing or list(level.fields))[0]
    existing = sorted(values[field])
    shown = ", ".join(safe(value) for value in existing[:SHOWN_VALUES])
    more = f" and {len(existing) - SHOWN_VALUES} more" if len(existing) > SHOWN_VALUES else ""
    there = f"There are: {shown}{more}." if existing else "There are none."
    return NotFound(f"No {field} {safe(wanted[field])!r} here.", remedy=there)
