"""The structured log: who logs asks `get(name)`; where lines go is said once by `configure`.

Every line goes to a ring of 1,000 in memory (the screen's Log pane) and, once `configure` named a place, to a
rotating file of JSON lines. The file is opened by the first line that weighs enough, so the convention is:

- `debug`: what was looked at, and each item of a run. Browsing logs nothing above it.
- `info`: what was changed, or begun and ended, by an operation that writes.
- `warning` and `error`: what a person should know; in the file at once.

structlog makes the lines. It costs 90 ms to import (it loads rich where that is installed), so it is loaded
by the first line that is not dropped, never by importing this module.
"""

from __future__ import annotations

import atexit
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from kassettui.observe.entries import Entry, Level
from kassettui.observe.logfile import LogFile
from kassettui.observe.redaction import redact

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, MutableMapping

    from structlog.typing import FilteringBoundLogger

RING_SIZE: Final = 1000
NAMED_ITEMS: Final = 200
"""Items that a run names at info; the rest are summed up by reason (I28)."""


class Logger:
    """Writes lines under one name; made by `get`. `fields` are kept with each line."""

    __slots__ = ("_fields", "_name")

    def __init__(self, name: str, fields: dict[str, object] | None = None) -> None:
        self._name = name
        self._fields = fields or {}

    def bind(self, /, **fields: object) -> Logger:
        """The same logger with further fields on each of its lines."""
        return Logger(self._name, {**self._fields, **fields})

    def enabled(self, level: Level) -> bool:
        """Whether such a line would go anywhere; for loops that would log each item."""
        return level >= _log.least

    def debug(self, event: str, /, **fields: object) -> None:
        """What was looked at."""
        if _log.least <= Level.DEBUG:
            self._write(Level.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """What was changed."""
        if _log.least <= Level.INFO:
            self._write(Level.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """What a person should know."""
        if _log.least <= Level.WARNING:
            self._write(Level.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """What failed. `exc_info=error` adds its traceback."""
        self._write(Level.ERROR, event, fields)

    def exception(self, event: str, /, **fields: object) -> None:
        """What failed, with the traceback of the exception at hand."""
        self._write(Level.ERROR, event, {"exc_info": True, **fields})

    def _write(self, level: Level, event: str, fields: dict[str, object]) -> None:
        _log.write(level, self._name, event, {**self._fields, **fields})


class _Log:
    """The one log of the process."""

    def __init__(self) -> None:
        self.least = Level.INFO
        self.file: LogFile | None = None
        self.ring: deque[Entry] = deque(maxlen=RING_SIZE)
        self.listeners: tuple[Callable[[Entry], None], ...] = ()
        self.lock = threading.Lock()
        self._chain: FilteringBoundLogger | None = None
        self._inside = threading.local()

    def write(self, level: Level, name: str, event: str, fields: dict[str, object]) -> None:
        if getattr(self._inside, "writing", False):
            return  # a listener that logs about a line
        self._inside.writing = True
        try:
            chain = self._chain or self._make_chain()
            # Names of our own fields are not for sale: `level=` of a caller stays, under another name.
            kept = {f"{key}_" if key in _RESERVED else key: value for key, value in fields.items()}
            getattr(chain, level.name.lower())(event, logger=name, **kept)
        finally:
            self._inside.writing = False

    def _make_chain(self) -> FilteringBoundLogger:
        import structlog

        self._chain = structlog.wrap_logger(
            None,
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
                self._deliver,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(Level.DEBUG),
            context_class=dict,
        )
        return self._chain

    def _deliver(self, _: object, __: str, line: MutableMapping[str, Any]) -> Any:
        import structlog

        entry = Entry(
            time=line.pop("time"),
            level=Level.of(line.pop("level")),
            logger=line.pop("logger"),
            event=str(redact("event", line.pop("event"))),
            fields={key: redact(key, value) for key, value in line.items()},
        )
        self.ring.append(entry)
        file = self.file
        if file is not None:
            file.write(entry.line(), urgent=entry.level >= Level.WARNING)
        for listener in self.listeners:
            with suppress(Exception):  # the log is where it would be told, and we are in it
                listener(entry)
        raise structlog.DropEvent


_RESERVED: Final = frozenset({"time", "level", "logger", "event"})
_log = _Log()


def get(name: str) -> Logger:
    """The logger of that name (a module's, without `kassettui.`)."""
    return Logger(name)


def configure(
    place: Callable[[], str | os.PathLike[str]] | None,
    *,
    level: str = "info",
    max_bytes: int = 5_000_000,
    keep: int = 3,
) -> None:
    """Say where lines go from now on, and the least weight that is kept: debug, info, warning or error.

    `place` makes the log's directory and answers the file's path; it is called from the log's own thread when
    the first line is written, never before. None: the ring only. What libraries log comes here too.
    """
    from kassettui.observe import bridge

    close()
    bridge.install()
    with _log.lock:
        _log.least = Level.of(level)
        if place is not None:
            _log.file = LogFile(place, max_bytes=max_bytes, keep=keep, lost_line=_lost_line)


def flush(timeout: float = 1.0) -> bool:
    """Whether everything logged so far is in the file; waits `timeout` seconds at the most."""
    file = _log.file
    return file is None or file.flush(timeout)


@atexit.register
def close() -> None:
    """Write what is left and close the file; lines after this go to the ring only."""
    with _log.lock:
        file, _log.file = _log.file, None
    if file is not None:
        file.close()


def problem() -> str:
    """Why lines cannot be written to the file now; empty when they can (or no line was worth it yet)."""
    file = _log.file
    return file.problem if file is not None else ""


def recent() -> tuple[Entry, ...]:
    """The last lines of this process, oldest first: 1,000 at the most."""
    return tuple(_log.ring.copy())


def clear_recent() -> None:
    """Forget them; the file stays."""
    _log.ring.clear()


def subscribe(listener: Callable[[Entry], None]) -> Callable[[], None]:
    """Call `listener` with each line from now on, on the thread that logs; the answer ends it.

    What `listener` logs itself is dropped, what it raises is swallowed: it must be quick and quiet.
    """
    with _log.lock:
        _log.listeners = (*_log.listeners, listener)

    def unsubscribe() -> None:
        with _log.lock:
            _log.listeners = tuple(one for one in _log.listeners if one is not listener)

    return unsubscribe


def _lost_line(count: int) -> bytes:
    from datetime import UTC, datetime

    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return Entry(now, Level.WARNING, "log", "lines are missing here", {"count": count}).line()
