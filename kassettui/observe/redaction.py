"""Secrets out of all that is logged or shown: tokens, passwords in URLs, values under telling names (I28).

Also the bound on what one log line may hold: a hostile file's metadata must not fill the disk.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from itertools import islice
from typing import Final

HIDDEN: Final = "***"
_TEXT_KEPT: Final = 4000
"""Characters of one text that a line keeps; a traceback keeps `_TRACE_KEPT`."""
_TRACE_KEPT: Final = 20000
_ITEMS_KEPT: Final = 100
_DEPTH: Final = 4

_TELLING: Final = (
    r"token|passw(?:or)?d|passphrase|secret|authori[sz]ation|api[_-]?key|private[_-]?key|credential|cookie"
)
_NAME: Final = re.compile(_TELLING, re.IGNORECASE)
# user:password@ of a URL, whole: a lone user name is often a token.
_USER: Final = re.compile(r"(?<=://)[^\s/?#]*@")
_HEADER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
# name=value, name: value, "name": "value", ?name=value, of a telling name.
_PAIR: Final = re.compile(
    rf"(?i)(?P<name>[\w-]*(?:{_TELLING}|\bauth\b|\bsig(?:nature)?\b)[\w-]*[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s&,;\"']+)"
)


def redact_text(text: str) -> str:
    """`text` without the secrets that it names as such."""
    if "://" in text:
        text = _USER.sub(f"{HIDDEN}@", text)
    if "=" in text or ":" in text:
        text = _PAIR.sub(rf"\g<name>{HIDDEN}", text)
    return _HEADER.sub(rf"\1 {HIDDEN}", text)


def redact(name: str, value: object, depth: int = _DEPTH) -> object:
    """`value`, known as `name`, as plain JSON values without secrets and of bounded size."""
    if value is None or isinstance(value, bool):
        return value
    if _NAME.search(name):
        return HIDDEN
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _cut(redact_text(value), _TRACE_KEPT if name == "exception" else _TEXT_KEPT)
    if isinstance(value, bytes | os.PathLike):
        return _cut(redact_text(os.fsdecode(value)), _TEXT_KEPT)
    if isinstance(value, Mapping) and depth > 0:
        items = ((str(key), item) for key, item in islice(value.items(), _ITEMS_KEPT))
        return {key: redact(key, item, depth - 1) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset) and depth > 0:
        kept = [redact(name, item, depth - 1) for item in islice(value, _ITEMS_KEPT)]
        return [*kept, f"and {len(value) - _ITEMS_KEPT} more"] if len(value) > _ITEMS_KEPT else kept
    return _cut(redact_text(_text(value)), _TEXT_KEPT)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (whatever a stranger's __str__ does, the line is written)
        return f"<{type(value).__name__} that cannot be shown>"


def _cut(text: str, kept: int) -> str:
    """The beginning of a long text; of a traceback, whose end says what happened, both ends."""
    if len(text) <= kept:
        return text
    half = kept // 2
    return f"{text[:half]}… {len(text) - 2 * half} characters …{text[-half:]}"
