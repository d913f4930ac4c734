"""Watched collections: what changes on disk is told, settled, as the directories it happened in (spec: files
F14).

The watcher only tells; whoever composes it makes scoped imports of what it says. Network mounts are polled:
the kernel hears nothing of what other hosts do there.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kassettui.files import volumes
from kassettui.files.staging import is_temporary
from kassettui.observe import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from watchfiles import Change

SETTLED: Final = 500
"""Milliseconds without another change after which what happened is told."""
_LONGEST: Final = 5_000  # a render never pauses for half a second: told at the latest after this
_POLL: Final = 2_000
_TOLD_MOST: Final = 200  # more directories than that are one: their common parent

_log = log.get("files.watching")


@dataclass(frozen=True, slots=True)
class Changed:
    """Directories of a watched root in which something changed, relative to it ("" is the root),
    none below another.
    """

    key: str
    root: str
    directories: tuple[str, ...]


class Watcher:
    """Watches roots on a thread of its own until it is closed. `told` is called on that thread."""

    def __init__(
        self, roots: Mapping[str, str], told: Callable[[Changed], None], *, polling: bool | None = None
    ) -> None:
        """`roots`: path by key (a collection's uuid). `polling` None: where the file system needs it."""
        self._roots = {key: os.path.realpath(root) for key, root in roots.items()}
        self._told = told
        self._stop = threading.Event()
        self._ready = threading.Event()
        polled = {key for key, root in self._roots.items() if _needs_polling(root, polling)}
        heard = {key: root for key, root in self._roots.items() if key not in polled}
        seen = {key: root for key, root in self._roots.items() if key in polled}
        self._threads = [
            threading.Thread(target=self._watch, args=(group, poll), name="kassettui-watch", daemon=True)
            for group, poll in ((heard, False), (seen, True))
            if group
        ]
        for thread in self._threads:
            thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """Stop watching."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)

    def _watch(self, roots: dict[str, str], poll: bool) -> None:
        from watchfiles import watch

        present = {key: root for key, root in roots.items() if os.path.isdir(root)}
        for root in set(roots.values()) - set(present.values()):
            _log.warning("a watched directory is not there", path=root)
        if not present:
            return
        try:
            for changes in watch(
                *present.values(),
                watch_filter=_counts,
                debounce=_LONGEST,
                step=SETTLED,
                stop_event=self._stop,
                rust_timeout=SETTLED,
                yield_on_timeout=False,
                raise_interrupt=False,
                force_polling=poll,
                poll_delay_ms=_POLL if poll else 300,
                ignore_permission_denied=True,
            ):
                self._tell(present, (path for _, path in changes))
        except OSError as error:
            # Too many directories for the kernel's limit, say: look at them from time to time instead.
            if poll:
                _log.warning("watching ended", error=str(error))
                return
            _log.warning("the system cannot tell what changes: polling instead", error=str(error))
            self._watch(roots, poll=True)

    def _tell(self, roots: Mapping[str, str], paths: Iterable[str]) -> None:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for path in paths:
            for key, root in roots.items():
                if path == root or path.startswith(root + "/"):
                    found[key].add(os.path.relpath(os.path.dirname(path), root) if path != root else ".")
        for key, directories in found.items():
            named = tuple("" if place in {".", ".."} else place for place in outermost(directories))
            self._told(Changed(key, roots[key], named))


def outermost(directories: Iterable[str]) -> Sequence[str]:
    """Those that lie in none of the others; too many become the one that holds them all."""
    ordered = sorted(set(directories), key=lambda place: place.split("/"))
    if "." in ordered or ".." in ordered:
        return ["."]
    found: list[str] = []
    for place in ordered:
        if not found or not place.startswith(found[-1] + "/"):
            found.append(place)
    if len(found) > _TOLD_MOST:
        return [os.path.commonpath(found) or "."]
    return found


def _counts(_change: Change, path: str) -> bool:
    """Hidden files and those being written are told when they get their names."""
    name = os.path.basename(path)
    return not (name.startswith(".") or is_temporary(name))


def _needs_polling(root: str, wanted: bool | None) -> bool:
    return volumes.volume_of(root).network if wanted is None else wanted
