"""Speed over the last five seconds, from a few samples (F15)."""

from __future__ import annotations

from collections import deque

WINDOW = 5.0
"""Seconds that count."""
SPACING = 0.1
"""Seconds between two samples that are kept: 50 of them fill the window."""
_TOO_SHORT = 0.2
"""Seconds before which a speed would be noise."""


class Speed:
    """Items and bytes a second; `note` where work is done, `rates` where it is shown. Its owner locks."""

    __slots__ = ("_samples", "due")

    def __init__(self, now: float) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()
        self.due = now
        """When the next sample is worth keeping."""
        self.restart(now, 0, 0)

    def restart(self, now: float, items: int, done_bytes: int) -> None:
        """Forget what was: a new phase, or time that stood still in a pause."""
        self._samples.clear()
        self._samples.append((now, items, done_bytes))
        self.due = now + SPACING

    def note(self, now: float, items: int, done_bytes: int) -> None:
        """What is done by now."""
        if now < self.due:
            return
        self.due = now + SPACING
        samples = self._samples
        samples.append((now, items, done_bytes))
        # The newest sample from before the window stays as its base: one long item still has a speed.
        while len(samples) > 1 and samples[1][0] <= now - WINDOW:
            samples.popleft()

    def rates(self, now: float, items: int, done_bytes: int) -> tuple[float, float] | None:
        """Items and bytes a second, or None before there is anything to tell."""
        base = None
        for sample in self._samples:
            if base is not None and sample[0] > now - WINDOW:
                break
            base = sample
        if base is None or now - base[0] < _TOO_SHORT:
            return None
        elapsed = now - base[0]
        return max(0.0, (items - base[1]) / elapsed), max(0.0, (done_bytes - base[2]) / elapsed)
