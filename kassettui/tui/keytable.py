"""The registry as rows, for `kassettui keys`, and as the page docs/keys.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kassettui.tui.actions import ACTIONS, PRESETS, Group
from kassettui.tui.keymap import keymap, label

if TYPE_CHECKING:
    from kassettui.config import Settings

_HEAD = """\
# Keys

Made by `./scripts/docs` from the program's own registry; `kassettui keys` says the same with your settings.

`screen.keymap` in the settings chooses a preset. Section `[keys]` gives an action other keys by its name:
`rate_3 = "3"`, or a list: `filter = ["/", "ctrl+f"]`. A key that would mean two things is refused.
"""


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Every action with the keys that these settings give it. Raises InvalidInput for wrong ones."""
    chosen = keymap(settings.screen.keymap, settings.keys)
    return [
        {
            "name": action.name,
            "title": action.title,
            "group": str(action.group),
            "where": str(action.where),
            "keys": list(chosen.keys[action.name]),
            "label": chosen.labels(action),
            "help": action.help,
        }
        for action in ACTIONS
    ]


def page() -> str:
    """docs/keys.md."""
    lines = [_HEAD]
    for group in Group:
        lines += [f"## {group}", "", f"| action | {' | '.join(PRESETS)} | where | what it does |"]
        lines += ["|---" * (len(PRESETS) + 3) + "|"]
        for action in ACTIONS:
            if action.group is group:
                keys = [" ".join(f"`{label(key)}`" for key in action.keys_of(preset)) for preset in PRESETS]
                lines.append(f"| `{action.name}` | {' | '.join(keys)} | {action.where} | {action.help} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"
