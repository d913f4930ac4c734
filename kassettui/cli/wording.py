"""Figures in words: sizes, numbers, times, durations, as people read them on a terminal."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ("kB", "MB", "GB", "TB", "PB", "EB")
MICROSECONDS: Final = 1_000_000
NANOSECONDS: Final = 1_000_000_000


def number(value: int) -> str:
    """Digits in groups of three: `48,210`."""
    return f"{value:,}"


def size(value: int) -> str:
    """Bytes in decimal units, three digits: `1.9 GB`."""
    if value < 1000:
        return f"{value} B"
    amount = float(value)
    for unit in _UNITS:
        amount /= 1000
        if amount < 9.95:
            return f"{amount:.1f} {unit}"
        if amount < 999.5 or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}"
    raise AssertionError("the last unit always answers")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `4:12`, `1:04:12`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(microseconds: int) -> str:
    """A time of the library in local time, to the second: `2026-11-21 14:03:07`."""
    return (
        datetime.fromtimestamp(microseconds // MICROSECONDS, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    )


def iso(microseconds: int) -> str:
    """A time of the library as ISO 8601 UTC with Z, for machines (I27)."""
    seconds, rest = divmod(microseconds, MICROSECONDS)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_iso(text: str) -> int:
    """The inverse of `iso`."""
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * MICROSECONDS + at.microsecond


def iso_ns(nanoseconds: int) -> str:
    """A file time as ISO 8601 UTC with Z, to the microsecond."""
    return iso(nanoseconds // 1000)


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 frame`, `12,000 frames`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
