"""Where a page ended: the values of the order's keys in its last row, and that row's id (L8)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from kassettui.core.errors import InvalidInput
from kassettui.core.text import is_utf8


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after one row. It stays right while rows come and go, for a query with the same order."""

    values: tuple[str | int | float | None, ...]
    id: int

    @property
    def text(self) -> str:
        """The cursor for a command line or a JSON document: letters, digits, `-` and `_`."""
        packed = json.dumps([*self.values, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The inverse of `text`. Raises InvalidInput for what is no cursor."""
        try:
            packed = json.loads(
                base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            )
        except (ValueError, binascii.Error, RecursionError) as error:
            raise InvalidInput("This is not a cursor of a page.", remedy="Start without one.") from error
        well_formed = isinstance(packed, list) and packed and all(_is_plain(value) for value in packed)
        if not well_formed or not isinstance(packed[-1], int):
            raise InvalidInput("This is not a cursor of a page.", remedy="Start without one.")
        return cls(tuple(packed[:-1]), packed[-1])


def _is_plain(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, float) or (isinstance(value, str) and is_utf8(value))
