"""From what a source finds and what the library knows to a plan (spec: ingest I7, I10, I14, I15, I23).

One pass over the items, one read of the known keys; the rows of what changed are looked up many at a time.
Nothing here writes, and nothing holds a lock.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.decisions import Decision, Reason, decide, too_many_gone
from kassettui.core.errors import RunFailed, SourceOffline
from kassettui.core.health import SequenceState
from kassettui.core.identity import parent_and_name, relative_path
from kassettui.core.signatures import settles_at
from kassettui.ingest.changes import Change, Changes
from kassettui.ingest.known import hash_of
from kassettui.ingest.plan import Gone, Plan
from kassettui.ingest.progress import Decided, Phase, Progressed
from kassettui.ingest.report import Stats
from kassettui.ingest.source import ItemError
from kassettui.ingest.vanished import Shield, as_expected, matched
from kassettui.library.assets import Detail

if TYPE_CHECKING:
    from kassettui.ingest.known import KnownAssets
    from kassettui.ingest.plan import Target
    from kassettui.ingest.progress import Observer
    from kassettui.ingest.source import Found, Scope, Source
    from kassettui.jobs.control import Control

_BATCH: Final = 1000
_TELL_EVERY: Final = 0.1


LookUp = Callable[[Sequence[int]], Mapping[int, Detail]]
"""The details of these row ids, in one read."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run decides where the request leaves a choice."""

    enrichers: str | None = None
    hash_content: bool = False
    accept_missing: bool = False
    into: str | None = None
    told: int | None = None
    """How many changes are told to the observer; None: every decision, skips too."""


class _Waiting(NamedTuple):
    """An item whose row must be looked up before it is decided to the end."""

    asset_id: int
    found: Found
    reason: Reason
    was_growing: bool


class Planner:
    """Plans one run. Used once."""

    def __init__(
        self,
        target: Target,
        scope: Scope,
        source: Source,
        known: KnownAssets,
        look_up: LookUp,
        rules: Rules,
        *,
        control: Control,
        observer: Observer,
        now_ns: int,
    ) -> None:
        self._target = target
        self._scope = scope
        self._source = source
        self._known = known
        self._look_up = look_up
        self._rules = rules
        self._control = control
        self._observer = observer
        self._now_ns = now_ns
        self._creates = Changes()
        self._updates = Changes()
        self._moves = Changes()
        self._refreshes = Changes()
        self._new_keys = array("Q")
        self._waiting: list[_Waiting] = []
        self._errors: list[ItemError] = []
        self._duplicates: list[str] = []
        self._ends: Counter[Decision] = Counter()
        self._reasons: Counter[Reason] = Counter()
        self._settled_bytes = 0
        self._placed: list[tuple[int, str]] = []
        self._discovered = self._bytes = self._frames = 0
        self._settles_ns = 0
        self._told = 0.0
        self._tell_all = rules.told is None
        self._left_to_tell = rules.told or 0

    def plan(self) -> Plan:
        """Enumerate and decide. Raises Cancelled, SourceOffline (I14) and RunFailed (I23)."""
        for found in self._source.enumerate(self._scope, self._control):
            self._control.checkpoint()
            self._discovered += 1
            if isinstance(found, ItemError):
                self._fail(found)
                continue
            self._bytes += found.size
            self._frames += found.frame_count
            self._take(found)
            self._tell()
        self._decide_waiting()
        self._tell(last=True)
        return self._finish()

    # -- one item -------------------------------------------------------------------------------------------

    def _take(self, found: Found) -> None:
        position = self._known.find(found.key)
        if position is None:
            self._create(found)
            return
        signature = found.signature
        plain = self._known.see_plain(position, signature)
        if not plain and not self._known.see(position):
            self._end(found, Decision.DUPLICATE, Reason.DUPLICATE)
            self._duplicates.append(found.key)
            return
        if self._rules.into is not None:
            self._placed.append((self._known.asset_id(position), parent_and_name(found.key)[0]))
        if plain:
            self._end(found, Decision.SKIP, Reason.UNCHANGED)
            return
        decision, reason = decide(self._known.compare(position, signature))
        growing = self._known.growing(position)
        unsettled = growing and reason is Reason.UNCHANGED
        if decision is Decision.UPDATE or reason is Reason.FOUND_AGAIN or unsettled:
            self._waiting.append(_Waiting(self._known.asset_id(position), found, reason, growing))
            if len(self._waiting) >= _BATCH:
                self._decide_waiting()
        else:
            self._end(found, decision, reason)

    def _create(self, found: Found) -> None:
        """A new item; whether it has moved here is seen at the end."""
        self._note_time(found)
        self._new_keys.append(hash_of(found.key))
        self._creates.append(Change(Decision.CREATE, Reason.NEW, found.item(self._now_ns)))
        self._count(Decision.CREATE, Reason.NEW, found.size)

    def _fail(self, error: ItemError) -> None:
        self._ends[Decision.ERROR] += 1
        self._reasons[Reason.UNREADABLE] += 1
        self._errors.append(error)

    def _end(self, found: Found, decision: Decision, reason: Reason) -> None:
        self._count(decision, reason, found.size)
        if self._tell_all or (self._left_to_tell and decision is not Decision.SKIP):
            self._tell_decision(decision, reason, found.key)

    def _count(self, decision: Decision, reason: Reason, size: int) -> None:
        self._ends[decision] += 1
        self._reasons[reason] += 1
        self._settled_bytes += size

    def _turn(self, decision: Decision, reason: Reason, key: str, previous: str | None = None) -> None:
        """What was counted as new ends otherwise."""
        self._ends[Decision.CREATE] -= 1
        self._reasons[Reason.NEW] -= 1
        self._count(decision, reason, 0)
        self._tell_decision(decision, reason, key, previous)

    def _tell_decision(
        self, decision: Decision, reason: Reason, key: str, previous: str | None = None
    ) -> bool:
        """Tell the observer, if it is to hear more; whether it was."""
        if not self._tell_all:
            if not self._left_to_tell:
                return False
            self._left_to_tell -= 1
        before = None if previous is None else relative_path(previous)
        self._observer(Decided(decision, reason, relative_path(key), before))
        return True

    def _note_time(self, found: Found) -> None:
        """Remember until when the newest signature is in doubt (I8); times in the future never settle."""
        if found.mtime_ns <= self._now_ns:
            self._settles_ns = max(self._settles_ns, settles_at(found.mtime_ns))

    # -- items whose rows are looked up ---------------------------------------------------------------------

    def _decide_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        details = self._look_up([item.asset_id for item in waiting])
        for item in waiting:
            detail = details.get(item.asset_id)
            if detail is None or detail.key != item.found.key:
                self._create(item.found)
            else:
                self._decide_known(item, detail)

    def _decide_known(self, waiting: _Waiting, detail: Detail) -> None:
        found, reason = waiting.found, waiting.reason
        content_hash = None
        if reason is Reason.CONTENT and self._rules.hash_content and detail.content_hash is not None:
            try:
                content_hash = self._source.content_hash(found, self._control)
            except OSError as error:
                self._bytes -= found.size
                self._frames -= found.frame_count
                self._fail(ItemError(relative_path(found.key), "unreadable", str(error)))
                return
            if content_hash == detail.content_hash:
                reason = Reason.TOUCHED
        item = found.item(self._now_ns, detail.expected_ranges, was_growing=waiting.was_growing)
        if reason is Reason.UNCHANGED and item.health != SequenceState.GROWING:
            reason = Reason.SETTLED
        decision = Decision.UPDATE if reason in (Reason.CONTENT, Reason.ENRICHERS) else Decision.SKIP
        change = Change(decision, reason, item, detail.id, detail.uuid, content_hash=content_hash)
        if decision is Decision.UPDATE:
            self._updates.append(change)
            self._note_time(found)
        elif reason is not Reason.UNCHANGED:
            self._refreshes.append(change)
            self._note_time(found)
        self._end(found, decision, reason)

    # -- the end --------------------------------------------------------------------------------------------

    def _finish(self) -> Plan:
        self._drop_duplicates()
        gone, lost = self._vanished()
        gone = self._match_moves(gone, lost)
        self._guard(gone)
        if self._tell_all or self._left_to_tell:
            for change in self._creates:
                if not self._tell_decision(change.decision, change.reason, change.item.key):
                    break
        stats = Stats(
            discovered=self._discovered,
            ingested=self._ends[Decision.CREATE],
            updated=self._ends[Decision.UPDATE],
            moved=self._ends[Decision.MOVE],
            skipped=self._ends[Decision.SKIP],
            duplicates_prevented=self._ends[Decision.DUPLICATE],
            missing=len(gone),
            errors=self._ends[Decision.ERROR],
            bytes=self._bytes,
            frames=self._frames,
        )
        self._balance(stats)
        return Plan(
            target=self._target,
            scope=self._scope,
            stats=stats,
            creates=self._creates,
            updates=self._updates,
            moves=self._moves,
            refreshes=self._refreshes,
            gone=[Gone(detail.id, detail.key) for detail in gone],
            errors=self._errors,
            duplicates=self._duplicates,
            reasons={reason: count for reason, count in self._reasons.items() if count},
            enrichers=self._rules.enrichers,
            into=self._rules.into,
            settles_ns=self._settles_ns,
            placed=self._placed,
        )

    def _balance(self, stats: Stats) -> None:
        """Every discovered item ended once, and its bytes with it (I23)."""
        changes = (len(self._creates), len(self._updates), len(self._moves))
        if (
            stats.settled != stats.discovered
            or self._settled_bytes != stats.bytes
            or changes != (stats.ingested, stats.updated, stats.moved)
        ):
            raise RunFailed(
                f"The plan does not add up: {stats.discovered} items and {stats.bytes} bytes were found, "
                f"{stats.settled} items and {self._settled_bytes} bytes decided.",
                remedy="Nothing was written. This is a bug: please report it with the log.",
            )

    def _drop_duplicates(self) -> None:
        """Keep the first of new items with one identity (I7)."""
        if len(set(self._new_keys)) == len(self._new_keys):
            return
        seen: set[str] = set()
        kept = Changes()
        for change in self._creates:
            if change.item.key in seen:
                self._turn(Decision.DUPLICATE, Reason.DUPLICATE, change.item.key)
                self._duplicates.append(change.item.key)
            else:
                seen.add(change.item.key)
                kept.append(change)
        self._creates = kept

    def _vanished(self) -> tuple[list[Detail], list[Detail]]:
        """What is gone from the scope now, and what was missing before."""
        fresh: list[int] = []
        before: list[int] = []
        for asset_id, missing in self._known.unseen():
            (before if missing else fresh).append(asset_id)
        shield = Shield(self._errors)
        gone = [
            detail
            for detail in self._details(fresh)
            if self._scope.covers(detail.key) and not shield.covers(detail.key)
        ]
        left_out = self._source.left_out([detail.key for detail in gone], self._control)
        gone = [detail for detail in gone if detail.key not in left_out]
        lost = self._details(before) if self._creates else ()
        return gone, list(lost)

    def _details(self, ids: Sequence[int]) -> Iterable[Detail]:
        for start in range(0, len(ids), _BATCH):
            self._control.checkpoint()
            chunk = ids[start : start + _BATCH]
            details = self._look_up(chunk)
            yield from (details[asset_id] for asset_id in chunk if asset_id in details)

    def _match_moves(self, gone: list[Detail], lost: list[Detail]) -> list[Detail]:
        """Turn creates that are known under another key into moves (I15); returns what stays gone."""
        vanished = gone + lost
        if not vanished or not self._creates:
            return gone
        moves = matched(vanished, self._creates)
        if not moves:
            return gone
        kept = Changes()
        for number, change in enumerate(self._creates):
            if number in moves:
                self._move(change, *moves[number])
            else:
                kept.append(change)
        self._creates = kept
        moved = {detail.id for detail, _ in moves.values()}
        return [detail for detail in gone if detail.id not in moved]

    def _move(self, change: Change, detail: Detail, reason: Reason) -> None:
        change = replace(
            change,
            item=as_expected(change.item, detail.expected_ranges),
            decision=Decision.MOVE,
            reason=reason,
            asset_id=detail.id,
            uuid=detail.uuid,
            previous=detail.key,
        )
        self._moves.append(change)
        self._turn(Decision.MOVE, reason, change.item.key, detail.key)

    def _guard(self, gone: Sequence[Detail]) -> None:
        """Stop before much is marked missing that may only be out of reach (I14)."""
        if self._rules.accept_missing or not gone:
            return
        if not self._discovered and self._scope.whole:
            raise SourceOffline(
                f"Nothing is left below {self._target.root!r}, but the library has {len(gone)} assets there.",
                remedy="If they are really gone, run again with --accept-missing.",
            )
        living = self._known.living
        if too_many_gone(len(gone), living):
            raise SourceOffline(
                f"{len(gone)} of {living} assets were not found: more than 20 %. Nothing was changed.",
                remedy="If they are really gone, run again with --accept-missing.",
            )

    def _tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now < self._told + _TELL_EVERY:
            return
        self._told = now
        self._control.progress(phase=Phase.DISCOVER, items=self._discovered, bytes=self._bytes)
        self._observer(Progressed(Phase.DISCOVER, self._discovered, frames=self._frames, bytes=self._bytes))
