"""The net: what reaches a line unsafe, around `safe`, becomes a sign before the terminal gets it (T7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


class Net(LineFilter):
    """Every line of every widget goes through it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments, none of which speaks to a terminal. Control segments are Textual's own."""
        if all(control or (text.isascii() and text.isprintable()) for text, _, control in segments):
            return segments
        return [
            segment if segment.control else Segment(_UNSAFE.sub("�", segment.text), segment.style)
            for segment in segments
        ]
