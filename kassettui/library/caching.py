"""Caches in front of the library: an answer holds 300 s at most, and no longer than what it is about (V9).

Events make answers stale, reads never do. Hits and misses are counted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from kassettui.library import assets, versions
from kassettui.library.events import AssetsChanged, CollectionChanged, TagsChanged, VersionsChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library
    from kassettui.library.versions import Version
    from kassettui.observe.metrics import Metrics

K = TypeVar("K")
V = TypeVar("V")

TIME_TO_LIVE: Final = 300.0
"""Seconds that an answer holds when nothing is heard."""
CAPACITY: Final = 20_000


class Cache(Generic[K, V]):
    """Answers by key. `load` answers many questions at once; a key that it leaves out has the answer None."""

    def __init__(
        self,
        name: str,
        load: Callable[[Sequence[K]], Mapping[K, V]],
        metrics: Metrics,
        *,
        ttl: float = TIME_TO_LIVE,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` labels its metrics; `ttl` in seconds."""
        self._name = name
        self._load = load
        self._metrics = metrics
        self._ttl = ttl
        self._capacity = capacity
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._generation = 0

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """What is known of these keys; what is not in the cache is asked for in one go."""
        wanted = list(dict.fromkeys(keys))
        found: dict[K, V | None] = {}
        with self._lock:
            now, generation = self._clock(), self._generation
            for key in wanted:
                kept = self._kept.get(key)
                if kept is not None and kept[0] > now:
                    found[key] = kept[1]
        missing = [key for key in wanted if key not in found]
        self._metrics.cache_hits.add(len(found), self._name)
        if missing:
            self._metrics.cache_misses.add(len(missing), self._name)
            answers = self._load(missing)
            self._keep({key: answers.get(key) for key in missing}, generation)
            found |= {key: answers.get(key) for key in missing}
        return {key: value for key in wanted if (value := found[key]) is not None}

    def forget(self, keys: Iterable[K] | None) -> None:
        """These answers, or all, are stale: also those that are being asked for right now."""
        with self._lock:
            self._generation += 1
            if keys is None:
                self._kept.clear()
                return
            for key in keys:
                self._kept.pop(key, None)

    def __len__(self) -> int:
        return len(self._kept)

    def _keep(self, answers: Mapping[K, V | None], generation: int) -> None:
        with self._lock:
            if generation != self._generation:
                return  # something changed while we asked: the answers may be older than that
            until = self._clock() + self._ttl
            for key, answer in answers.items():
                self._kept[key] = (until, answer)
                self._kept.move_to_end(key)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)


class LibraryCaches:
    """The tags of assets, and the best version of groups, each asked for once until something changes."""

    def __init__(self, library: Library, metrics: Metrics, *, ttl: float = TIME_TO_LIVE) -> None:
        """`ttl` in seconds."""
        self.tags: Cache[int, tuple[str, ...]] = Cache(
            "tags", lambda ids: library.read(_tags, ids), metrics, ttl=ttl
        )
        """By asset id; assets without tags are left out."""
        self.best: Cache[int, Version] = Cache(
            "best", lambda ids: library.read(versions.best_of_groups, ids), metrics, ttl=ttl
        )
        """By group id; groups without a best are left out."""
        events = library.events
        self._subscriptions = (
            events.subscribe(AssetsChanged, self._assets_changed),
            events.subscribe(TagsChanged, lambda _: self.tags.forget(None)),
            events.subscribe(VersionsChanged, lambda event: self.best.forget(event.group_ids)),
            events.subscribe(CollectionChanged, lambda _: self._all_changed()),
        )

    def close(self) -> None:
        """Listen no more."""
        for unsubscribe in self._subscriptions:
            unsubscribe()

    def _assets_changed(self, event: AssetsChanged) -> None:
        self.tags.forget(event.ids)
        self.best.forget(None)  # a best version's approval, size or path is its asset's

    def _all_changed(self) -> None:
        self.tags.forget(None)
        self.best.forget(None)


def _tags(db: LibraryDatabase, asset_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    return dict(assets.attached(db, asset_ids).tags)
