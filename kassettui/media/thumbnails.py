"""Thumbnails for whoever shows them: from the cache, else from a decoder, and kept (P8–P10).

Nothing here waits on the caller's thread: looking up and asking happen on a thread of this part. A viewer (a
pane, a grid) says what it wants to show now and what lies near it, as often as it likes; what it no longer
wants is cancelled, and an answer that comes too late is dropped.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from kassettui.core.health import FrameState
from kassettui.core.thumbnails import StoredThumbnail, ThumbnailKey
from kassettui.media.facts import Look
from kassettui.media.messages import Failed, FailureCode, Render, Rendered
from kassettui.media.waiting import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassettui.media.decoders import Decoders, Stamp, Ticket
    from kassettui.media.messages import Answer
    from kassettui.observe.metrics import Metrics

SIZES: Final = (128, 256, 512)
"""Longer sides in pixels that are kept (P8)."""

_KEPT_IN_MEMORY: Final = 512
_LOOKED_UP_AT_ONCE: Final = 64
_NOT_KEPT: Final = frozenset({FailureCode.GONE, FailureCode.CANCELLED})

_PLAIN: Final = Look()

Picture = Rendered | Failed


class ThumbnailStore(Protocol):
    """Where thumbnails are kept; answers from any thread and never raises."""

    def find(self, keys: Sequence[ThumbnailKey]) -> Sequence[StoredThumbnail | None]:
        """What is kept for each key."""

    def keep(self, kept: Sequence[tuple[ThumbnailKey, StoredThumbnail]]) -> None:
        """Keep these, some time soon."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thumbnail: of which content, how large, in which look; `frame` of a movie, None: its best (P4)."""

    stamp: Stamp
    target: int = 256
    look: Look = _PLAIN
    frame: int | None = None

    @property
    def key(self) -> ThumbnailKey:
        """What it is kept under."""
        stamp, look = self.stamp, self.look
        frame = -1 if self.frame is None else self.frame
        return ThumbnailKey(stamp.path, stamp.size, stamp.mtime_ns, frame, look.layer, look.key, self.target)

    @property
    def request(self) -> Render:
        """What a decoder is asked."""
        return Render(os.fsencode(self.stamp.path), self.target, self.target, self.look, self.frame)


def target_for(pixels: int) -> int:
    """The kept size that is enough for `pixels`; the largest when none is."""
    return next((size for size in SIZES if size >= pixels), SIZES[-1])


class Claim:
    """One asker's claim on a thumbnail.

    `future` gives `Rendered` or `Failed`; it raises only when cancelled.
    """

    __slots__ = ("_lock", "_priority", "_ticket", "future", "wanted")

    def __init__(self, wanted: Wanted, priority: Priority) -> None:
        self.wanted = wanted
        self.future: Future[Picture] = Future()
        self._priority = priority
        self._ticket: Ticket | None = None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Not wanted any more."""
        self.future.cancel()
        with self._lock:
            ticket = self._ticket
        if ticket is not None:
            ticket.cancel()

    def want(self, priority: Priority) -> None:
        """Wanted more, or less, urgently than before."""
        with self._lock:
            self._priority = priority
            ticket = self._ticket
        if ticket is not None:
            ticket.want(priority)

    @property
    def priority(self) -> Priority:
        """How urgently it is wanted."""
        return self._priority

    def passed_on(self, ticket: Ticket) -> None:
        """It is with the decoders now."""
        with self._lock:
            self._ticket = ticket
            priority = self._priority
        if self.future.cancelled():
            ticket.cancel()
        else:
            ticket.want(priority)

    def answer(self, picture: Picture) -> None:
        """Give the answer, unless it was cancelled."""
        try:
            if not self.future.done():
                self.future.set_result(picture)
        except InvalidStateError:  # cancelled in this very moment
            return


class Thumbnails:
    """The service. Thread-safe; `store` None: nothing is kept beyond a few in memory."""

    def __init__(
        self, decoders: Decoders, store: ThumbnailStore | None = None, *, metrics: Metrics | None = None
    ) -> None:
        self._decoders = decoders
        self._store = store
        self._metrics = metrics
        self._recent: OrderedDict[ThumbnailKey, Picture] = OrderedDict()
        self._claims: deque[Claim] = deque()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def fetch(self, wanted: Wanted, priority: Priority = Priority.NEAR) -> Claim:
        """Claim a thumbnail; returns at once."""
        return self.fetch_all([wanted], priority)[0]

    def fetch_all(self, wanted: Sequence[Wanted], priority: Priority = Priority.NEAR) -> list[Claim]:
        """Claim several; what is urgent is looked up before what is not."""
        claims = [Claim(one, priority) for one in wanted]
        with self._change:
            if self._closed:
                for claim in claims:
                    claim.answer(Failed(FailureCode.CANCELLED, "closed"))
                return claims
            if priority is Priority.VISIBLE:
                self._claims.extendleft(reversed(claims))
            else:
                self._claims.extend(claims)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kassettui-thumbnails", daemon=True)
                self._thread.start()
            self._change.notify()
        return claims

    def viewer(self, on_picture: Callable[[Wanted, Picture], None]) -> Viewer:
        """For a place that shows thumbnails; `on_picture` is called from another thread."""
        return Viewer(self, on_picture)

    def close(self, timeout: float = 2.0) -> None:
        """Answer nothing any more. The decoders and the store are closed by their owner."""
        with self._change:
            self._closed = True
            claims = list(self._claims)
            self._claims.clear()
            self._change.notify_all()
            thread = self._thread
        for claim in claims:
            claim.cancel()
        if thread is not None:
            thread.join(timeout)

    # -- inside ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (claims := self._take()) is not None:
            self._look_up(claims)

    def _take(self) -> list[Claim] | None:
        with self._change:
            while not self._claims and not self._closed:
                self._change.wait()
            if self._closed:
                return None
            count = min(len(self._claims), _LOOKED_UP_AT_ONCE)
            return [self._claims.popleft() for _ in range(count)]

    def _look_up(self, claims: list[Claim]) -> None:
        claims = [claim for claim in claims if not claim.future.cancelled()]
        keys = [claim.wanted.key for claim in claims]
        found = self._find(keys)
        for claim, picture in zip(claims, found, strict=True):
            if picture is None:
                self._ask(claim)
            else:
                self._count("hit")
                claim.answer(picture)

    def _find(self, keys: list[ThumbnailKey]) -> list[Picture | None]:
        with self._change:
            found: list[Picture | None] = [self._recent.get(key) for key in keys]
        unknown = [index for index, picture in enumerate(found) if picture is None]
        if self._store is not None and unknown:
            kept = self._store.find([keys[index] for index in unknown])
            for index, one in zip(unknown, kept, strict=True):
                found[index] = None if one is None else _as_picture(one)
        return found

    def _ask(self, claim: Claim) -> None:
        wanted = claim.wanted
        ticket = self._decoders.submit(wanted.request, stamp=wanted.stamp, priority=claim.priority)
        claim.passed_on(ticket)
        ticket.future.add_done_callback(partial(self._arrived, claim))

    def _arrived(self, claim: Claim, done: Future[Answer]) -> None:
        """On a decoder's thread: keep what came, hand it on."""
        if done.cancelled():
            claim.future.cancel()
            return
        picture = done.result()
        if not isinstance(picture, (Rendered, Failed)):
            picture = Failed(FailureCode.CRASHED, "the decoder answered something else")
        if isinstance(picture, Rendered) or picture.code not in _NOT_KEPT:
            self._keep(claim.wanted.key, picture)
        self._count("made" if isinstance(picture, Rendered) else "failed")
        claim.answer(picture)

    def _keep(self, key: ThumbnailKey, picture: Picture) -> None:
        with self._change:
            if key in self._recent:  # somebody else's claim on the same decode
                return
            self._recent[key] = picture
            if len(self._recent) > _KEPT_IN_MEMORY:
                self._recent.popitem(last=False)
        if self._store is not None:
            self._store.keep([(key, _as_stored(picture))])

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.thumbnails.add(1, outcome)


class Viewer:
    """What one place shows and soon may show (P9). Each `want` replaces the last: a new generation."""

    def __init__(self, thumbnails: Thumbnails, on_picture: Callable[[Wanted, Picture], None]) -> None:
        self._thumbnails = thumbnails
        self._on_picture = on_picture
        self._lock = threading.Lock()
        self._claims: dict[Wanted, Claim] = {}
        self.generation = 0
        self.dropped = 0
        """Answers that came when nobody wanted them any more."""

    def want(self, visible: Sequence[Wanted], near: Sequence[Wanted] = ()) -> int:
        """Show these, prepare those; everything else that was asked for is cancelled. The new generation.

        What is asked for already goes on, at its new priority; what was answered is answered again only
        after it was not wanted in between.
        """
        now = dict.fromkeys(visible, Priority.VISIBLE)
        for wanted in near:
            now.setdefault(wanted, Priority.NEAR)
        with self._lock:
            self.generation += 1
            gone = [self._claims.pop(wanted) for wanted in list(self._claims) if wanted not in now]
            kept = {wanted: self._claims[wanted] for wanted in now if wanted in self._claims}
            generation = self.generation
        for claim in gone:
            claim.cancel()
        for wanted, claim in kept.items():
            claim.want(now[wanted])
        for priority in (Priority.VISIBLE, Priority.NEAR):
            self._claim([one for one in now if now[one] is priority and one not in kept], priority)
        return generation

    def close(self) -> None:
        """Want nothing any more."""
        self.want(())

    def _claim(self, wanted: list[Wanted], priority: Priority) -> None:
        if not wanted:
            return
        claims = self._thumbnails.fetch_all(wanted, priority)
        with self._lock:
            self._claims.update(zip(wanted, claims, strict=True))
        for claim in claims:
            claim.future.add_done_callback(partial(self._arrived, claim))

    def _arrived(self, claim: Claim, done: Future[Picture]) -> None:
        with self._lock:
            current = self._claims.get(claim.wanted) is claim
            if not current and not done.cancelled():
                self.dropped += 1
        if current and not done.cancelled():
            self._on_picture(claim.wanted, done.result())


def _as_picture(stored: StoredThumbnail) -> Picture:
    if not stored.kind:
        return Failed(FailureCode(stored.state), stored.reason)
    return Rendered(
        data=stored.picture,
        kind=stored.kind,
        width=stored.width,
        height=stored.height,
        alpha=stored.kind == "png",
        state=FrameState(stored.state),
        reason=stored.reason,
    )


def _as_stored(picture: Picture) -> StoredThumbnail:
    if isinstance(picture, Failed):
        return StoredThumbnail("", 0, 0, b"", picture.code, picture.reason)
    return StoredThumbnail(
        picture.kind, picture.width, picture.height, picture.data, picture.state, picture.reason
    )
