"""What changed in the library, told after the commit (spec: library L2, V9).

A write calls `announce(db, event)`; the operator publishes it once its transaction is committed, from a
thread of its own, and drops it with the savepoint or transaction that was rolled back. Subscribers get frozen
values; an error of theirs is logged and disturbs nobody.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kassettui.library.engine import LibraryDatabase

_log = log.get("library.events")

MANY = 5_000
"""Above this number of ids an event says "many" (None) instead of naming them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something in the library changed. Subscribe to this class for everything."""


@dataclass(frozen=True, slots=True)
class AssetsChanged(Event):
    """Assets were made, changed or removed: their row ids, or None for many."""

    ids: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class CollectionChanged(Event):
    """A collection was made, edited or removed."""

    uuid: str


@dataclass(frozen=True, slots=True)
class FolderChanged(Event):
    """Folders were made, moved, renamed or removed, or what lies in them changed; None for many."""

    ids: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class TagsChanged(Event):
    """Tags themselves changed (new, renamed, merged, deleted); None for many."""

    ids: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class VersionsChanged(Event):
    """Version groups got versions, another best or other metadata: row ids of the groups, None for many."""

    group_ids: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class SearchesChanged(Event):
    """Saved searches changed."""


@dataclass(frozen=True, slots=True)
class NotesChanged(Event):
    """Notes on paths that are no assets changed."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """An ingest ended."""

    run_uuid: str
    collection_uuid: str
    status: str


@dataclass(frozen=True, slots=True)
class JobsChanged(Event):
    """File jobs in the journal changed: their uuids."""

    uuids: tuple[str, ...]


E = TypeVar("E", bound=Event)


def announce(db: LibraryDatabase, event: Event) -> None:
    """Have `event` published when the present write is committed. Only inside a write."""
    db.announce(event)


def some(ids: Iterable[int]) -> tuple[int, ...] | None:
    """`ids` for an event: a tuple, or None when they are many."""
    listed = tuple(ids)
    return listed if len(listed) <= MANY else None


class Events:
    """Subscribers, and the thread that calls them. The thread starts with the first event published."""

    def __init__(self) -> None:
        self._subscribers: defaultdict[type[Event], list[Callable[[Event], None]]] = defaultdict(list)
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._closed = False

    def subscribe(self, event_type: type[E], function: Callable[[E], None]) -> Callable[[], None]:
        """Have `function` called with every event of `event_type` or a subclass. Returns what ends it."""
        listed = cast("Callable[[Event], None]", function)
        with self._changed:
            self._subscribers[event_type].append(listed)

        def unsubscribe() -> None:
            with self._changed:
                if listed in self._subscribers[event_type]:
                    self._subscribers[event_type].remove(listed)

        return unsubscribe

    def publish(self, events: Iterable[Event]) -> None:
        """Queue `events` for the subscribers; returns at once. After close they are dropped."""
        with self._changed:
            if self._closed:
                return
            self._queue.extend(events)
            if not self._queue:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._deliver, name="library-events", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settle(self, timeout: float = 5.0) -> bool:
        """Wait until all that was published is delivered, at most `timeout` seconds. Whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Deliver what is queued, in at most `timeout` seconds, and end the thread."""
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                event = self._queue.popleft()
                self._busy = True
                functions = [f for cls in type(event).__mro__ for f in self._subscribers.get(cls, ())]
            for function in functions:
                try:
                    function(event)
                except Exception:  # noqa: BLE001 - whatever a subscriber raises, the others go on
                    _log.exception("a subscriber failed", about=type(event).__name__)
