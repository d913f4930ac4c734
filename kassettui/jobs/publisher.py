"""Snapshots to whoever listens: at most ten a second a job, coalesced, the last one always (F15, T5)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from kassettui.jobs.state import Snapshot

INTERVAL: Final = 0.1
"""Seconds between two snapshots of a job."""

_log = log.get("jobs")


class Subject(Protocol):
    """What can be pictured."""

    @property
    def id(self) -> str:
        """Its name."""

    def snapshot(self) -> Snapshot:
        """Its picture, now."""


class Publisher:
    """One daemon thread that takes the pictures and hands them on; a slow listener delays no job."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._listeners: tuple[Callable[[Snapshot], None], ...] = ()
        self._marked: dict[str, Subject] = {}
        self._next: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `listener` with each snapshot from now on, on the publisher's thread; the answer ends it."""
        with self._condition:
            self._listeners = (*self._listeners, listener)
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="kassettui-snapshots", daemon=True)
                self._thread.start()

        def unsubscribe() -> None:
            with self._condition:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def mark(self, subject: Subject) -> None:
        """There is something new about `subject`."""
        with self._condition:
            if self._listeners:
                self._marked[subject.id] = subject
                self._condition.notify_all()

    def close(self, timeout: float) -> None:
        """Hand on what is marked, then end; waits `timeout` seconds at the most for a slow listener."""
        with self._condition:
            self._closing = True
            thread = self._thread
            self._condition.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            due = self._due()
            if due is None:
                return
            for subject in due:
                self._publish(subject)

    def _due(self) -> list[Subject] | None:
        """Whose turn it is, waiting for it; None at the end."""
        with self._condition:
            while True:
                now = time.monotonic()
                due = [one for one in self._marked.values() if self._next.get(one.id, now) <= now]
                if due:
                    for one in due:
                        del self._marked[one.id]
                    return due
                if self._closing and not self._marked:
                    return None
                soonest = min((self._next[name] for name in self._marked), default=None)
                self._condition.wait(None if soonest is None else soonest - now)

    def _publish(self, subject: Subject) -> None:
        snapshot = subject.snapshot()
        with self._condition:
            listeners = self._listeners
            if snapshot.ended:
                self._next.pop(subject.id, None)
            else:
                self._next[subject.id] = time.monotonic() + INTERVAL
        for listener in listeners:
            try:
                listener(snapshot)
            except Exception:  # noqa: BLE001 (one listener's error is logged; the others hear on)
                _log.exception("a listener to jobs failed", job=subject.id)
