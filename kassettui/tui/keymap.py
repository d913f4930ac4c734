"""Which key does what: a preset, and the user's own keys over it (settings, section `keys`).

A key is written as people write it: `x`, `X`, `?`, `ctrl+d`, `f5`, `space`; two after each other with a space
between: `g g`. Nothing of Textual here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.core.errors import InvalidInput
from kassettui.core.text import safe
from kassettui.tui.actions import ACTIONS, BY_NAME, PRESETS, Action, Where, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMED: Final = frozenset(
    {"enter", "escape", "space", "tab", "backspace", "insert", "delete", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | {f"f{number}" for number in range(1, 13)}
)
_MODIFIED: Final = re.compile(r"((?:ctrl\+|alt\+|shift\+)+)(.+)", re.DOTALL)
_LABELS: Final = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "escape": "esc", "pagedown": "PgDn",
    "pageup": "PgUp", "home": "Home", "end": "End", "space": "Space", "tab": "Tab", "backspace": "⌫",
    "insert": "Ins", "delete": "Del",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys of every action, and back."""

    keys: Mapping[str, tuple[str, ...]]
    """By the action's name."""

    def find(self, pressed: str, held: Sequence[Where]) -> Action | None:
        """The action of a key (or of two, `g g`) where these hold."""
        for action in ACTIONS:
            if action.where in held and pressed in self.keys[action.name]:
                return action
        return None

    def begins(self, pressed: str, held: Sequence[Where]) -> bool:
        """Whether `pressed` may be the first of two keys there."""
        start = f"{pressed} "
        return any(
            key.startswith(start)
            for action in ACTIONS
            if action.where in held
            for key in self.keys[action.name]
        )

    def label(self, action: Action) -> str:
        """The action's first key, as the footer shows it; empty when it has none."""
        keys = self.keys[action.name]
        return label(keys[0]) if keys else ""

    def labels(self, action: Action) -> str:
        """All its keys, as help shows them."""
        return "  ".join(map(label, self.keys[action.name]))


def keymap(preset: str = "default", own: Mapping[str, str | tuple[str, ...]] | None = None) -> Keymap:
    """The keys of `preset` with `own` over them; `own` replaces all keys of an action.

    Raises InvalidInput for an unknown preset or action, for what is no key, for a key that means two things
    at the same place, and for an action whose only keys do not reach every terminal's programs.
    """
    if preset not in PRESETS:
        raise InvalidInput(
            f"There is no keymap {safe(preset)!r}.", remedy=f"There are: {', '.join(PRESETS)}."
        )
    keys = {action.name: action.keys_of(preset) for action in ACTIONS}
    for name, wanted in (own or {}).items():
        if name not in BY_NAME:
            raise _unknown(name)
        listed = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        keys[name] = tuple(_checked(name, key) for key in listed)
        if listed and all(map(_unsure, keys[name])):
            raise InvalidInput(
                f"keys: `{name}` has only keys that many terminals do not send: {', '.join(keys[name])}.",
                remedy="Give it one more: a letter, ctrl with a letter, or F1 to F12.",
            )
    _refuse_duplicates(keys)
    return Keymap(keys)


def label(key: str) -> str:
    """A key for people: `↓`, `PgDn`, `F2`, `gg`."""
    parts = key.split(" ")
    shown = [_LABELS.get(part, part.upper() if re.fullmatch(r"f\d+", part) else part) for part in parts]
    return "".join(shown)


def _unknown(name: str) -> InvalidInput:
    close = difflib.get_close_matches(name, BY_NAME, n=1)
    remedy = f"Did you mean `{close[0]}`?" if close else "See the names with: kassettui keys"
    return InvalidInput(f"keys: there is no action `{safe(name)}`.", remedy=remedy)


def _checked(name: str, key: str) -> str:
    parts = key.split(" ") if len(key) > 1 else [key]
    if not 1 <= len(parts) <= 2 or not all(map(_is_key, parts)):
        raise InvalidInput(
            f"keys: `{name}`: {safe(key)!r} is no key.",
            remedy="Write a character, ctrl+x, f5, a name such as space or pagedown, or two of them: g g.",
        )
    return key


def _is_key(key: str) -> bool:
    if key in NAMED:
        return True
    modified = _MODIFIED.fullmatch(key)
    if modified is not None:
        base = modified[2]
        return base in NAMED or (len(base) == 1 and "!" <= base <= "~" and not base.isupper())
    return len(key) == 1 and key.isprintable() and key != " "


def _unsure(key: str) -> bool:
    """ctrl+i m j h [ are other keys to a terminal; alt, ctrl+shift, shift+F are often not sent."""
    return bool(re.search(r"ctrl\+[imjh\[]( |$)|alt\+|ctrl\+shift\+|shift\+ctrl\+|shift\+f\d", key))


def _refuse_duplicates(keys: Mapping[str, tuple[str, ...]]) -> None:
    for position, action in enumerate(ACTIONS):
        for other in ACTIONS[position + 1 :]:
            if not together(action.where, other.where):
                continue
            for key in keys[action.name]:
                if clash := next((one for one in keys[other.name] if _clash(key, one)), None):
                    raise InvalidInput(
                        f"keys: `{clash}` means both `{action.name}` and `{other.name}`.",
                        remedy="Give one of them another key.",
                    )


def _clash(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other} ") or other.startswith(f"{one} ")
