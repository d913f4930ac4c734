"""Tags: normalised, hierarchical by `/`, set on many assets in one transaction (spec: library L5)."""

from __future__ import annotations

from typing import Final

from kassettui.core.errors import InvalidInput
from kassettui.core.text import safe

MAX_LENGTH: Final = 200


def normal_name(text: str) -> str:
    """A tag's name as it is shown: trimmed, runs of spaces one space, no empty level. Raises InvalidInput.

    Tabs, newlines and other control characters count as spaces, so that a name is one line.
    """
    plain = "".join(" " if character.isspace() or ord(character) < 32 else character for character in text)
    levels = [" ".join(level.split()) for level in plain.split("/")]
    name = "/".join(level for level in levels if level)
    if not name:
        raise InvalidInput(f"{safe(text)!r} is not a name for a tag.", remedy="Give it letters or digits.")
    if len(name) > MAX_LENGTH:
        raise InvalidInput(f"A tag's name may have {MAX_LENGTH} characters; this one has {len(name)}.")
    return name


def name_key(text: str) -> str:
    """What makes two names the same tag: the normal name without its case. Raises InvalidInput."""
    return normal_name(text).casefold()
