"""One line of the log as a value: written by `log`, kept in the ring, read back by `logreader`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(IntEnum):
    """How much a line weighs."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40

    @classmethod
    def of(cls, name: str) -> Level:
        """The level of that name. Raises KeyError."""
        return cls[name.upper()]


_OWN: Final = ("time", "level", "logger", "event")


@dataclass(frozen=True, slots=True)
class Entry:
    """A log line. All text in it may come from outside: safe(…) before any terminal."""

    time: str
    """ISO 8601, UTC, with Z."""
    level: Level
    logger: str
    event: str
    fields: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        """The line as it stands in the file."""
        return {
            "time": self.time,
            "level": self.level.name.lower(),
            "logger": self.logger,
            "event": self.event,
            **self.fields,
        }

    def line(self) -> bytes:
        """The line as bytes with its newline: ASCII, so that it is one line and speaks to no terminal (R8).

        Undecodable bytes of names stand as lone surrogates (`\\udc80`): `json.loads` gives them back.
        """
        text = json.dumps(self.as_json(), default=str, separators=(",", ":")).replace("\x7f", "\\u007f")
        return text.encode("ascii") + b"\n"


def from_line(line: bytes) -> Entry:
    """The entry of a line; one that is not ours, or damaged, becomes a warning that shows it."""
    # A disk that was full may have left the beginning of another line in front.
    for start in (0, line.rfind(b'{"time":')):
        if start < 0:
            continue
        try:
            data = json.loads(line[start:])
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and all(isinstance(data.get(name), str) for name in _OWN):
            name = data["level"].upper()
            return Entry(
                time=data["time"],
                level=Level[name] if name in Level.__members__ else Level.WARNING,
                logger=data["logger"],
                event=data["event"],
                fields={key: value for key, value in data.items() if key not in _OWN},
            )
    shown = line[:200].decode("utf-8", "replace").rstrip("\n")
    return Entry("", Level.WARNING, "log", "unreadable line", {"line": shown})
