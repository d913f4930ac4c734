"""A plan becomes rows: one transaction, everything or nothing (spec: ingest I16, I17, I18, I28).

`write` is the unit of work. It runs in the library's writer, may run twice when the library was busy, and
only reads the plan. The collection is made here, so that a run which fails or is only tried leaves none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeVar, overload

from kassettui.core.decisions import Decision, Reason
from kassettui.core.errors import (
    ConstraintViolated,
    KassettuiError,
    LibraryUnavailable,
    RunFailed,
)
from kassettui.core.identity import parent_and_name
from kassettui.jobs.control import Cancelled
from kassettui.library import assets, collections, folders, runs, stamps, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kassettui.ingest.changes import Change
    from kassettui.ingest.plan import Plan
    from kassettui.jobs.control import Control
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

_SLICE: Final = 10_000

T = TypeVar("T")


class Superseded(KassettuiError):
    """Another run changed the collection between plan and apply; nothing was written. The run plans anew."""

    code = "superseded"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the run's row says besides the counts. Times in µs since the epoch."""

    run_id: str
    started_at: int
    status: str
    arguments: Mapping[str, object]
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What was committed. `time` is the collection's new last_ingest_time in µs."""

    collection_id: str
    collection: str
    time: int
    created: Sequence[str]


class Uuids(Sequence[str]):
    """Many uuids as 16 bytes each."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def extend(self, uuids: Iterable[str]) -> None:
        """Add uuids at the end."""
        self._bytes += bytes.fromhex("".join(uuids).replace("-", ""))

    def __len__(self) -> int:
        return len(self._bytes) // 16

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index] * 16
        digits = self._bytes[position : position + 16].hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def apply(
    library: Library,
    plan: Plan,
    facts: RunFacts,
    control: Control,
    progress: Callable[[int, int], None],
) -> Applied:
    """Execute the plan. `progress` hears (rows written, rows in all) from the writer's thread.

    Raises RunFailed when the transaction was rolled back (I18), Cancelled before the commit (I22),
    Superseded, LibraryBusy, LibraryReadOnly, LibraryCorrupt.
    """
    try:
        return library.write(write, plan, facts, control, progress, full=True)
    except ConstraintViolated as error:
        raise RunFailed(
            f"The import was rolled back: {error.message}",
            remedy="Nothing was written. This is a bug: please report it with the log.",
        ) from error
    except LibraryUnavailable as error:
        raise RunFailed(
            f"The import was rolled back: {error.message}", remedy=error.remedy or "Nothing was written."
        ) from error


def write(
    db: LibraryDatabase,
    plan: Plan,
    facts: RunFacts,
    control: Control,
    progress: Callable[[int, int], None],
) -> Applied:
    """The whole run in the transaction that `db` is in."""
    collection = _collection(db, plan, facts)
    counted = _Counted(control, progress, plan.rows)
    now = stamps.now()
    assets.move_many(db, counted(_found(plan.moves)), now=now)
    assets.update_many(db, _found(_changed(plan.moves)), now=now)
    assets.update_many(db, counted(_found(plan.updates)), now=now)
    assets.refresh_many(db, counted(_found(plan.refreshes)))
    created, numbered = _create(db, plan, collection.uuid, counted, now)
    assets.mark_missing(db, counted(gone.asset_id for gone in plan.gone), now=now)
    _join_versions(db, plan, numbered)
    if plan.into is not None:
        _place(db, plan, created)
    if control.cancelled:
        raise Cancelled
    collections.note_ingest(db, collection.uuid, now, root_device=plan.target.device)
    if collection.config.get("inner_mounts", []) != list(plan.target.inner_mounts):
        config = dict(collection.config) | {"inner_mounts": list(plan.target.inner_mounts)}
        collections.edit(db, collection.uuid, config=config)
    runs.record(
        db,
        uuid=facts.run_id,
        collection_uuid=collection.uuid,
        collection_name=collection.name,
        status=facts.status,
        started_at=facts.started_at,
        counts=plan.stats.as_json(),
        scope=plan.scope.as_json(),
        arguments=facts.arguments,
        reasons={str(reason): count for reason, count in plan.reasons.items()},
        decisions=decisions(plan),
    )
    return Applied(collection.uuid, collection.name, now, created)


def decisions(plan: Plan) -> Iterator[runs.RunDecision]:
    """What the run did with what was not simply unchanged, the rare things first (I28)."""
    for error in plan.errors:
        yield runs.RunDecision(f"fs:{error.path}", Decision.ERROR, Reason.UNREADABLE, detail=error.message)
    for key in plan.duplicates:
        yield runs.RunDecision(key, Decision.DUPLICATE, Reason.DUPLICATE)
    for change in chain(plan.moves, plan.updates, plan.refreshes):
        yield runs.RunDecision(
            change.item.key, change.decision, change.reason, change.asset_id, detail=change.previous
        )
    for gone in plan.gone:
        yield runs.RunDecision(gone.key, "missing", "not found", gone.asset_id)
    for change in plan.creates:
        yield runs.RunDecision(change.item.key, change.decision, change.reason)


def _collection(db: LibraryDatabase, plan: Plan, facts: RunFacts) -> collections.Collection:
    """The collection as the plan assumed it, or a new one. Raises Superseded."""
    target = plan.target
    if target.uuid is None:
        taken = collections.containing(db, target.root)
        if taken is not None and taken.root == target.root:
            raise Superseded("Another import made a collection of this root meanwhile.")
        return collections.create(
            db,
            collections.unique_name(db, target.name),
            target.root,
            source_type=target.source_type,
            layout=target.layout,
            ignore_patterns=facts.ignore,
            root_device=target.device,
            config={"inner_mounts": list(target.inner_mounts)} if target.inner_mounts else None,
        )
    collection = collections.get(db, target.uuid)
    if (collection.last_ingest_time, collection.root) != (target.last_ingest_us, target.root):
        raise Superseded("Another run changed the collection meanwhile.")
    return collection


def _found(changes: Iterable[Change]) -> Iterator[assets.Found]:
    return (assets.Found(change.item, change.asset_id, change.content_hash) for change in changes)


def _changed(moves: Iterable[Change]) -> Iterator[Change]:
    """What moved with another content."""
    return (change for change in moves if change.reason is not Reason.MOVED)


def _create(db: LibraryDatabase, plan: Plan, uuid: str, counted: _Counted, now: int) -> tuple[Uuids, Uuids]:
    """The new rows' uuids, and those of them whose name has a version."""
    created, numbered = Uuids(), Uuids()
    rows = counted(_found(plan.creates))
    while batch := list(islice(rows, _SLICE)):
        uuids = assets.create_many(db, uuid, batch, now=now)
        created.extend(uuids)
        numbered.extend(
            made for made, found in zip(uuids, batch, strict=True) if found.item.version_number is not None
        )
    return created, numbered


def _join_versions(db: LibraryDatabase, plan: Plan, numbered: Uuids) -> None:
    """Let what is new or moved join the version groups of its name, and what is back its own (library V6)."""
    found = (change.asset_id for change in chain(plan.updates, plan.refreshes))
    back = (asset_id for asset_id in found if asset_id is not None)
    while some := list(islice(back, _SLICE)):
        versions.revive(db, some)
    moved = [change.asset_id for change in plan.moves if change.asset_id is not None]
    if moved:
        versions.follow_moves(db, moved)
        versions.join_from_disk(db, moved)
    for start in range(0, len(numbered), _SLICE):
        ids = assets.ids_of(db, numbered[start : start + _SLICE])
        versions.join_from_disk(db, list(ids.values()))


def _place(db: LibraryDatabase, plan: Plan, created: Uuids) -> None:
    """Recreate the tree below the virtual folder, and put what was found into it (`--into`)."""
    if plan.into is None:
        return
    top = folders.parts_of(plan.into)
    made: dict[str, int] = {}

    def folder(directory: str) -> int:
        if directory not in made:
            made[directory] = folders.ensure_folder(db, (*top, *folders.parts_of(directory)))
        return made[directory]

    moved = [(change.asset_id or 0, change.item.directory) for change in plan.moves]
    folders.add_assets(db, [(asset_id, folder(directory)) for asset_id, directory in (*moved, *plan.placed)])
    fresh = iter(plan.creates)
    for start in range(0, len(created), _SLICE):
        uuids = created[start : start + _SLICE]
        ids = assets.ids_of(db, uuids)
        folders.add_assets(
            db,
            [
                (ids[uuid], folder(parent_and_name(change.item.key)[0]))
                for uuid, change in zip(uuids, fresh, strict=False)
            ],
        )


class _Counted:
    """Counts rows on their way into the library, and stops them when the run is cancelled (I22)."""

    def __init__(self, control: Control, progress: Callable[[int, int], None], total: int) -> None:
        self._control = control
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, rows: Iterable[T]) -> Iterator[T]:
        for row in rows:
            self._done += 1
            if self._done % 1000 == 0:
                if self._control.cancelled:
                    raise Cancelled
                self._progress(self._done, self._total)
            yield row
