"""What is selected in a list of any length: a million rows cost as little as none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


@dataclass(slots=True)
class Selection:
    """The keys that are selected; with `inverted` those that are not."""

    keys: set[Hashable] = field(default_factory=set)
    inverted: bool = False

    def __contains__(self, key: Hashable) -> bool:
        return (key in self.keys) is not self.inverted

    def toggle(self, key: Hashable) -> None:
        """Select it, or not."""
        self.keys.symmetric_difference_update((key,))

    def invert(self) -> None:
        """Select what is not selected."""
        self.inverted = not self.inverted

    def all(self) -> None:
        """Select every row."""
        self.keys.clear()
        self.inverted = True

    def clear(self) -> None:
        """Select nothing."""
        self.keys.clear()
        self.inverted = False

    def add(self, keys: Iterable[Hashable]) -> None:
        """Select these too."""
        if self.inverted:
            self.keys.difference_update(keys)
        else:
            self.keys.update(keys)

    def copy(self) -> Selection:
        """Another one like it."""
        return Selection(set(self.keys), self.inverted)

    def count(self, rows: int) -> int:
        """How many of `rows` are selected."""
        return rows - len(self.keys) if self.inverted else len(self.keys)
