"""I17, I28: runs and their bounded decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import Ambiguous, NotFound
from kassettui.library import collections, runs, stamps
from kassettui.library.events import Event, RunFinished
from kassettui.library.runs import RunDecision
from tests.library.samples import add, image

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library


def _record(library: Library, uuid: str | None = None, **more: Any) -> str:
    add(library)
    collection = library.read(collections.everything)[0]
    chosen = uuid or stamps.new_uuid()
    library.write(
        lambda db: runs.record(
            db,
            uuid=chosen,
            collection_uuid=collection.uuid,
            collection_name=collection.name,
            status=more.pop("status", "success"),
            started_at=more.pop("started_at", 1),
            counts=more.pop("counts", {"discovered": 2, "ingested": 1}),
            **more,
        )
    )
    return chosen


def test_I28_a_run_is_explained_later(library: Library) -> None:
    (asset_id,) = add(library, image())
    assert library.events.settle()
    seen: list[Event] = []
    library.events.subscribe(RunFinished, seen.append)
    uuid = _record(
        library,
        status="partial",
        scope={"shot": "sh010"},
        reasons={"new": 1},
        code="partial",
        message="1 item",
        decisions=[
            RunDecision("fs:sh010/a.png", "create", "new"),
            RunDecision("fs:sh010/\udcff", "error", "could not be read", None, "No \x1b entry"),
        ],
    )
    run = library.read(runs.find, uuid[:8])
    assert (run.uuid, run.status, run.scope, run.reasons) == (uuid, "partial", {"shot": "sh010"}, {"new": 1})
    assert run.counts["ingested"] == 1
    assert run.finished_at is not None
    assert library.read(runs.decisions_of, uuid) == [
        RunDecision("fs:sh010/a.png", "create", "new", asset_id, None),
        RunDecision("fs:sh010/\udcff", "error", "could not be read", None, "No \x1b entry"),
    ]
    (about,) = library.read(runs.decisions_about, asset_id)
    assert (about.run_uuid, about.decision, about.reason) == (uuid, "create", "new")
    assert library.events.settle()
    assert [(event.run_uuid, event.status) for event in seen if isinstance(event, RunFinished)] == [
        (uuid, "partial")
    ]


def test_the_newest_runs_come_first(library: Library) -> None:
    uuids = [_record(library, started_at=time) for time in (1, 3, 2)]
    assert [run.uuid for run in library.read(runs.latest)] == [uuids[1], uuids[2], uuids[0]]
    collection = library.read(collections.everything)[0].uuid
    assert len(library.read(lambda db: runs.latest(db, collection_uuid=collection, limit=2))) == 2
    assert library.read(lambda db: runs.latest(db, collection_uuid="nobody")) == []


def test_runs_are_found_by_an_unambiguous_start(library: Library) -> None:
    _record(library, "aaaa1111-0000-4000-8000-000000000000")
    _record(library, "aaaa2222-0000-4000-8000-000000000000")
    assert library.read(runs.find, "AAAA1").uuid.startswith("aaaa1111")
    with pytest.raises(Ambiguous):
        library.read(runs.find, "aaaa")
    for missing in ("bbbb", "aaa", ""):
        with pytest.raises(NotFound):
            library.read(runs.find, missing)


def test_I28_decisions_and_runs_are_bounded(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "DECISIONS_PER_RUN", 5)
    monkeypatch.setattr(runs, "DECISIONS_KEPT", 12)
    monkeypatch.setattr(runs, "RUNS_KEPT", 4)
    for _ in range(6):
        _record(library, decisions=(RunDecision(f"fs:{n}", "skip", "unchanged") for n in range(50)))

    def counts(db: LibraryDatabase) -> tuple[int, int]:
        return db.scalar("SELECT count(*) FROM runs"), db.scalar("SELECT count(*) FROM run_decisions")

    assert library.read(counts) == (4, 12)


def test_a_collections_removal_keeps_its_runs(library: Library) -> None:
    uuid = _record(library)
    collection = library.read(collections.everything)[0]
    library.write(collections.remove, collection.uuid)
    run = library.read(runs.find, uuid)
    assert (run.collection_uuid, run.collection_name) == (None, collection.name)
