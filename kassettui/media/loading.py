"""Loading many thumbnails, with a count that always ends (P10)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from kassettui.media.messages import Failed
from kassettui.media.waiting import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from kassettui.media.thumbnails import Claim, Picture, Thumbnails, Wanted

_UNDER_WAY: Final = 128


@dataclass(frozen=True, slots=True)
class Loaded:
    """How far a load is: from 0 of total to total of total, and once, at the very end, `finished`."""

    generation: int
    done: int
    total: int
    failed: int = 0
    finished: bool = False
    cancelled: bool = False


class Load:
    """One load. `listener` is called from the threads of the decoders, one call at a time, in order.

    It hears 0 of total first and `finished` last, exactly once each, however the load ends: also when it is
    cancelled, when every file fails and when the listener itself raises.
    """

    def __init__(
        self,
        thumbnails: Thumbnails,
        wanted: Sequence[Wanted],
        listener: Callable[[Loaded], None],
        *,
        generation: int = 0,
        priority: Priority = Priority.BACKGROUND,
    ) -> None:
        self._thumbnails = thumbnails
        self._listener = listener
        self._generation = generation
        self._priority = priority
        self._left = list(reversed(wanted))
        self._total = len(wanted)
        self._lock = threading.RLock()
        self._claims: set[Claim] = set()
        self._done = 0
        self._failed = 0
        self._cancelled = False
        self._asking = False
        self._ended = threading.Event()
        self._tell()
        self._go_on()

    def cancel(self) -> None:
        """Stop; what is not there yet is not waited for."""
        with self._lock:
            if self._ended.is_set():
                return
            self._cancelled = True
            self._left.clear()
            claims = list(self._claims)
            self._claims.clear()
        for claim in claims:
            claim.cancel()
        self._end_if_done()

    def wait(self, timeout: float | None = None) -> bool:
        """Until `finished` was told; False after `timeout` seconds."""
        return self._ended.wait(timeout)

    # -- inside ---------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Ask for as many as may be under way. One thread at a time: an answer may come while it asks."""
        while claims := self._ask():
            for claim in claims:
                claim.future.add_done_callback(partial(self._arrived, claim))
            with self._lock:
                self._asking = False
        self._end_if_done()

    def _ask(self) -> list[Claim]:
        with self._lock:
            room = _UNDER_WAY - len(self._claims)
            if self._asking or room <= 0 or not self._left:
                return []
            self._asking = True
            wanted = [self._left.pop() for _ in range(min(room, len(self._left)))]
            claims = self._thumbnails.fetch_all(wanted, self._priority)
            self._claims.update(claims)
            return claims

    def _arrived(self, claim: Claim, done: Future[Picture]) -> None:
        with self._lock:
            if claim not in self._claims:
                return
            self._claims.discard(claim)
            self._done += 1
            if done.cancelled() or isinstance(done.result(), Failed):
                self._failed += 1
            try:
                self._tell()
            finally:
                self._go_on()

    def _end_if_done(self) -> None:
        with self._lock:
            if self._ended.is_set() or self._claims or self._left:
                return
            self._ended.set()
            self._tell(finished=True)

    def _tell(self, *, finished: bool = False) -> None:
        self._listener(
            Loaded(self._generation, self._done, self._total, self._failed, finished, self._cancelled)
        )
