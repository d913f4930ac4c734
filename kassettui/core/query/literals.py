"""How a field's value is read: numbers, sizes, durations, times, versions, yes and no (spec: library L7).

Each reader takes the literal's text and returns what it stands for, or raises `BadLiteral` with what would be
right; the parser knows the place. ASCII digits only (S1). What is too large for the library is refused here.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

MAX_NUMBER: Final = 2**63 - 1
_MICROSECOND: Final = 1_000_000

_NUMBER = re.compile(r"([+-]?)(\d{1,19}(?:\.\d{1,18})?|\.\d{1,18})", re.ASCII)
_SIZE = re.compile(r"(\d{1,19}(?:\.\d{1,18})?|\.\d{1,18})\s?([a-z]*)", re.ASCII)
_DURATION_PART = re.compile(r"(\d{1,19}(?:\.\d{1,9})?|\.\d{1,9})\s?([a-z]*)\s*", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{2})(?::(\d{2}))?)?)?)?([zZ]?)", re.ASCII
)
_AGE = re.compile(r"(-?)(\d{1,9}(?:\.\d{1,6})?)(s|sec|min|m|h|d|w|mo|y)", re.ASCII)

_SIZES: Final = {
    "": 1,
    "b": 1,
    **{unit: 1024**power for power, unit in enumerate("kmgtp", 1)},
    **{f"{unit}ib": 1024**power for power, unit in enumerate("kmgtp", 1)},
    **{f"{unit}b": 1000**power for power, unit in enumerate("kmgtp", 1)},
}
# Milliseconds.
_DURATIONS: Final = {
    "ms": 1, "": 1000, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
}  # fmt: skip
# Seconds; a month is 30 days, a year 365.
_AGES: Final = {
    "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_592_000,
    "y": 31_536_000,
}  # fmt: skip

YES: Final = frozenset({"yes", "true", "1", "y", "on", "*"})
NO: Final = frozenset({"no", "false", "0", "n", "off", "none"})


class BadLiteral(ValueError):
    """A literal that cannot be read; the message says what would be."""


class Period(NamedTuple):
    """A literal of time: the half-open `start <= t < end`, in µs since the epoch; an instant has no length.

    `age` marks a bare duration (`30d`): comparing with it compares ages, so the sense of `<` turns round.
    """

    start: int
    end: int
    age: bool = False


def number(text: str) -> float | int:
    """A plain number; an int where it is one."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise BadLiteral("a number such as 12 or -3.5")
    if "." in text:
        return float(text)
    return _bounded(int(text))


def size(text: str) -> int:
    """Bytes: `2G`, `1.5M`, `300k` count in 1024s, so do `GiB` and its like; `GB` and its like in 1000s."""
    match = _SIZE.fullmatch(text.lower())
    if match is None or match[2] not in _SIZES:
        raise BadLiteral("a size such as 300k, 1.5M, 2G or 2GiB (1024s), 2GB (1000s)")
    return _scaled(match[1], _SIZES[match[2]])


def duration(text: str) -> int:
    """Milliseconds: `10s`, `1h30m`, `500ms`, `2min`, `1:30`, `01:02:03.5`; a bare number is seconds."""
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        minutes = int(clock[1] or 0) * 60 + int(clock[2])
        return _bounded(minutes * 60_000 + round(float(clock[3]) * 1000))
    total = position = 0
    lowered = text.lower()
    while position < len(lowered):
        part = _DURATION_PART.match(lowered, position)
        if part is None or part[2] not in _DURATIONS or (not part[2] and len(part[0]) != len(lowered)):
            raise BadLiteral("a duration such as 10s, 500ms, 1h30m or 01:30")
        total += _scaled(part[1], _DURATIONS[part[2]])
        position = part.end()
    if not position:
        raise BadLiteral("a duration such as 10s, 500ms, 1h30m or 01:30")
    return _bounded(total)


def time(text: str, now: datetime) -> Period:
    """A moment, a day, a month or a year, or an age, seen from `now` (aware; its zone is the reader's).

    `-7d` is the moment seven days ago, `7d` an age. Without a zone a date is in `now`'s.
    """
    lowered = text.lower()
    age = _AGE.fullmatch(lowered)
    if age is not None:
        moment = _microseconds(now) - _scaled(age[2], _AGES[age[3]] * _MICROSECOND)
        return Period(moment, moment, age=not age[1])
    if lowered == "now":
        return Period(_microseconds(now), _microseconds(now))
    if lowered in ("today", "yesterday"):
        day = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        start = day if lowered == "today" else day - timedelta(days=1)
        return _between(start, start + timedelta(days=1), now)
    date = _DATE.fullmatch(text)
    if date is None:
        raise BadLiteral("a time such as -7d, today, 2026-11 or 2026-11-21T10:30")
    return _calendar(date, now)


def version(text: str) -> int:
    """A version's number: `12` or `v012`."""
    digits = text[1:] if text[:1] in "vV" else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadLiteral("a version such as 12 or v012")
    return int(digits)


def rating(text: str) -> float | int:
    """A rating's number: 0 to 5."""
    value = number(text)
    if not 0 <= value <= 5:
        raise BadLiteral("a rating from 0 to 5, or unrated")
    return value


def _bounded(value: int) -> int:
    if abs(value) > MAX_NUMBER:
        raise BadLiteral("a smaller number")
    return value


def _scaled(digits: str, unit: int) -> int:
    return _bounded(int(digits) * unit if digits.isdigit() else math.floor(float(digits) * unit + 0.5))


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * _MICROSECOND + moment.microsecond


def _between(start: datetime, end: datetime, now: datetime, *, utc: bool = False) -> Period:
    """Local or UTC wall-clock times as a period."""
    zone = UTC if utc else now.tzinfo
    return Period(_microseconds(start.replace(tzinfo=zone)), _microseconds(end.replace(tzinfo=zone)))


def _calendar(date: re.Match[str], now: datetime) -> Period:
    """The year, month, day, minute or second that a date literal names."""
    year, month, day, hour, minute, second = (int(part) if part else None for part in date.groups()[:6])
    try:
        start = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001
        if month is None:
            end = start.replace(year=start.year + 1)
        elif day is None:
            end = start.replace(year=start.year + month // 12, month=month % 12 + 1)
        else:
            length = {"days": 1} if hour is None else {"minutes": 1} if second is None else {"seconds": 1}
            end = start + timedelta(**length)
        return _between(start, end, now, utc=bool(date[7]))
    except (ValueError, OverflowError, OSError) as error:
        raise BadLiteral("a date that the calendar has, such as 2026-11-21") from error
