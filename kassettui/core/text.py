"""Outside text: made safe for a terminal, stored losslessly, passed on in JSON.

Names and metadata are untrusted (spec: tui T7, reliability R8). In memory a path is what `os.fsdecode` gives:
`str` with undecodable bytes as lone surrogates. Whatever goes to a terminal passes `safe`; whatever goes to a
TEXT column passes `to_stored`; JSON gets `as_json` and, where the text is not UTF-8, `path_b64`.
"""

from __future__ import annotations

import base64
import os
import re

# C0, DEL and C1 controls, bidi overrides and isolates, zero-width and invisible format characters, line and
# paragraph separators, the byte-order mark, tag characters, and lone surrogates (bytes that are no UTF-8).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e", "\x00": "\\0"}
_SURROGATE = re.compile("[\ud800-\udfff]")

# Marks an escaped byte in a TEXT column, which cannot hold lone surrogates. A literal mark is doubled.
_MARK = "\x1a"
_TO_STORE = re.compile("[\x1a\ud800-\udfff]")
_FROM_STORE = re.compile("\x1a(\x1a|[0-9a-f]{2}|u[0-9a-f]{4})")


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str) -> str:
    """`text` with everything that could speak to a terminal shown as a visible escape (T7)."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text)


def _store(match: re.Match[str]) -> str:
    code = ord(match.group())
    if match.group() == _MARK:
        return _MARK + _MARK
    return f"{_MARK}{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"{_MARK}u{code:04x}"


def _restore(match: re.Match[str]) -> str:
    body = match.group(1)
    if body == _MARK:
        return _MARK
    return chr(int(body[1:], 16)) if body[0] == "u" else chr(0xDC00 + int(body, 16))


def to_stored(text: str) -> str:
    """`text` as a TEXT column holds it: one to one, and the same text wherever it is plain UTF-8."""
    if text.isascii() and _MARK not in text:
        return text
    return _TO_STORE.sub(_store, text)


def from_stored(text: str) -> str:
    """The inverse of `to_stored`."""
    return _FROM_STORE.sub(_restore, text) if _MARK in text else text


def is_utf8(text: str) -> bool:
    """Whether a file-system name decoded without undecodable bytes."""
    return text.isascii() or _SURROGATE.search(text) is None


def as_json(text: str) -> str:
    """`text` for a JSON string: undecodable bytes become U+FFFD; `path_b64` carries the truth (I27)."""
    return text if is_utf8(text) else _SURROGATE.sub("\ufffd", text)


def path_b64(path: str) -> str | None:
    """The path's bytes in base64 where they are not UTF-8, else None (I27)."""
    return None if is_utf8(path) else base64.b64encode(os.fsencode(path)).decode("ascii")
