"""States of assets and sequences in words: by shape and colour together, never by colour alone (T8)."""

from __future__ import annotations

from typing import Final

_HEALTH: Final = {
    "complete": ("● complete", "good"),
    "growing": ("◐ growing", "warn"),
    "holes": ("▲ holes", "warn"),
    "stalled": ("▲ stalled", "warn"),
    "broken": ("✖ broken", "bad"),
}
_STATES: Final = {"ready": "good", "retired": "dim", "missing": "bad"}


def health_words(health: str) -> str:
    """A sequence's health with its sign."""
    return _HEALTH.get(health, (health, ""))[0]


def health_style(health: str) -> str:
    """The style that goes with it."""
    return _HEALTH.get(health, (health, ""))[1]


def state_style(state: str) -> str:
    """The style of an asset's state."""
    return _STATES.get(state, "")


def stars(rating: int) -> str:
    """`★★★☆☆`."""
    return "★" * rating + "☆" * (5 - rating)
