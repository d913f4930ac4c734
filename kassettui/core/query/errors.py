"""What is wrong with a query, and where: the only way in which a query fails (spec: library L7)."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from kassettui.core.errors import InvalidInput
from kassettui.core.text import safe


def _cells(text: str) -> int:
    """How many terminal cells `text` takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


class QueryError(InvalidInput):
    """A query that cannot be understood.

    `query` is the whole text, `position` the offset of the first character at fault (0-based, at most
    `len(query)`), `length` how many characters are (at least 1). `detail` shows the place.
    """

    code: ClassVar[str] = "bad_query"

    def __init__(self, message: str, *, query: str, position: int, length: int = 1, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.query = query
        self.position = max(0, min(position, len(query)))
        self.length = max(1, min(length, len(query) - self.position or 1))

    @property
    def facts(self) -> dict[str, int]:
        """Where it is wrong, for a machine."""
        return {"position": self.position, "length": self.length}

    @property
    def detail(self) -> tuple[str, str]:
        """Two lines, safe for a terminal: the query around the fault, and carets under the fault."""
        start = max(0, self.position - 60)
        end = min(len(self.query), self.position + self.length + 60)
        before = ("…" if start else "") + safe(self.query[start : self.position])
        fault = safe(self.query[self.position : min(end, self.position + self.length)])
        after = safe(self.query[self.position + self.length : end]) + ("…" if end < len(self.query) else "")
        return f"{before}{fault}{after}", " " * _cells(before) + "^" * max(1, _cells(fault))
