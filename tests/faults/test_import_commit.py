"""R2, R3, R4: imports whose disk fails them (I7, I18)."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from kassettui.core.decisions import Decision, Reason
from kassettui.core.errors import ExitCode, RunFailed
from kassettui.ingest.apply import RunFacts, apply
from kassettui.ingest.changes import Change, Changes
from kassettui.ingest.filesystem import FilesystemSource
from kassettui.ingest.importing import run_import
from kassettui.ingest.plan import Plan, Target
from kassettui.ingest.progress import Event, Phase, Progressed
from kassettui.ingest.report import Stats, Status
from kassettui.ingest.request import ImportRequest
from kassettui.ingest.source import ItemError, Scope
from kassettui.jobs.control import Control
from kassettui.library import check
from kassettui.library.library import Library
from tests.faults import imports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLED = [1, 2, 3, 4, 6, 9]
FAULTS = [("error=EIO", "fdatasync,fsync"), ("error=EIO", "pwrite64"), ("error=ENOSPC", "pwrite64")]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A new library."""
    with Library.open(str(tmp_path / "home" / "library.kassettui"), create=True) as opened:
        yield opened


def _fail_at(tmp_path: Path, fault: str, calls: str, when: int) -> bool:
    root = tmp_path / f"root-{fault[-3:]}-{calls[:2]}-{when}"
    items = imports.make_root(root)
    path = str(tmp_path / f"{fault[-3:]}-{calls[:2]}-{when}.kassettui")
    Library.open(path, create=True).close()
    answer, fired = imports.injected(fault, calls, when, path, root)
    found = imports.left_behind(path)
    if answer is None or answer["status"] == "error":
        assert found == (0, 0, 0), answer
    else:
        assert answer["status"] in ("success", "partial")
        assert found == (items, 1, 1)
    if answer is not None and answer["status"] == "error":
        assert answer["exit_code"] == ExitCode.FAILED
    imports.finish(path, root, items)
    return fired


@pytest.mark.parametrize("when", SAMPLED)
@pytest.mark.parametrize(("fault", "calls"), FAULTS)
def test_I18_a_write_or_commit_that_fails_is_a_failed_run(
    tmp_path: Path, fault: str, calls: str, when: int
) -> None:
    _fail_at(tmp_path, fault, calls, when)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("fault", "calls"), FAULTS)
def test_I18_each_call_that_may_fail(tmp_path: Path, fault: str, calls: str) -> None:
    points = 0
    while points < 150 and _fail_at(tmp_path, fault, calls, points + 1):
        points += 1
    assert points >= 5, "the sweep met nothing"
    print(f"{fault} of {calls}: {points} points")


def test_R2_no_room_for_the_transaction_rolls_it_back(tmp_path: Path) -> None:
    small, root = tmp_path / "small", tmp_path / "root"
    small.mkdir()
    items = imports.make_root(root, 1500)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        with Library.open(str(small / "library.kassettui"), create=True) as library:
            report = run_import(library, ImportRequest(path=str(root)))
            assert (report.status, report.exit_code, report.code) == (
                Status.ERROR,
                ExitCode.FAILED,
                "rolled_back",
            )
            assert "rolled back" in (report.message or "")
            assert library.read(lambda db: db.scalar("SELECT count(*) FROM assets")) == 0
            assert not check.examine(library).damaged
            subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
            assert run_import(library, ImportRequest(path=str(root))).stats.ingested == items
    finally:
        subprocess.run(["umount", "-l", small], check=True)


# -- the net under identities -------------------------------------------------------------------------------


def _plan_with_one_key_twice(root: Path) -> Plan:
    control = Control()
    found = [
        one
        for one in FilesystemSource(str(root)).enumerate(Scope(), control)
        if not isinstance(one, ItemError)
    ]
    changes = Changes(
        Change(Decision.CREATE, Reason.NEW, one.item(imports.OLD_NS)) for one in (*found, found[0])
    )
    return Plan(Target(None, "shows", str(root)), Scope(), Stats(discovered=len(changes)), creates=changes)


def test_I7_a_unique_violation_rolls_the_run_back_and_says_so(library: Library, tmp_path: Path) -> None:
    root = tmp_path / "root"
    imports.make_root(root)
    plan = _plan_with_one_key_twice(root)
    facts = RunFacts("00000000-0000-4000-8000-000000000000", 1, "success", {})
    with pytest.raises(RunFailed, match="rolled back") as caught:
        apply(library, plan, facts, Control(), lambda _done, _total: None)
    assert "bug" in caught.value.remedy
    assert caught.value.__cause__ is not None
    assert imports.left_behind(library.path) == (0, 0, 0)


def test_I7_a_row_that_appears_behind_the_plan_fails_the_run(library: Library, tmp_path: Path) -> None:
    root = tmp_path / "root"
    items = imports.make_root(root)
    assert run_import(library, ImportRequest(path=str(root))).stats.ingested == items
    (root / "new.png").write_bytes(b"new")

    def interfere(event: Event) -> None:
        if isinstance(event, Progressed) and event.phase is Phase.DISCOVER:
            library.write(_sneak_in)

    report = run_import(library, ImportRequest(path=str(root)), observer=interfere)
    assert (report.status, report.exit_code, report.code) == (Status.ERROR, ExitCode.FAILED, "rolled_back")
    assert "rolled back" in (report.message or "")
    assert imports.left_behind(library.path) == (items + 1, 1, 1)


def _sneak_in(db: object) -> None:
    db.execute_sql(  # type: ignore[attr-defined]
        "INSERT OR IGNORE INTO assets (uuid, collection_uuid, canonical_key, kind, name, path, "
        "discovered_at, created_at, updated_at) "
        "SELECT 'u', uuid, 'fs:new.png', 'image', 'n', 'p', 1, 1, 1 FROM collections"
    )


# -- a tree that changes under the scan ---------------------------------------------------------------------


def test_R4_files_that_come_and_go_during_the_scan(library: Library, tmp_path: Path) -> None:
    root = tmp_path / "root"
    imports.make_root(root, 60)
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            directory = root / f"sh{number % 60:03}"
            path = directory / f"beauty.{10 + number % 7:04}.exr"
            temporary = directory / ".beauty.tmp"
            temporary.write_bytes(b"x" * (number % 50))
            temporary.rename(path)
            if number % 3 == 0:
                path.unlink()
            if number % 50 == 0:
                os.rename(directory, root / "aside")
                os.rename(root / "aside", directory)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(10):
            report = run_import(library, ImportRequest(path=str(root), accept_missing=True))
            assert report.status in (Status.SUCCESS, Status.PARTIAL), report.message
            assert report.stats.discovered == report.stats.settled
    finally:
        stop.set()
        thread.join()
    calm = run_import(library, ImportRequest(path=str(root), accept_missing=True))
    assert calm.status is Status.SUCCESS
    assert run_import(library, ImportRequest(path=str(root))).plan is not None
    with Library.open(str(tmp_path / "fresh.kassettui"), create=True) as fresh:
        run_import(fresh, ImportRequest(path=str(root)))
        sql = "SELECT canonical_key, content_signature FROM assets WHERE missing_since IS NULL ORDER BY 1"
        assert library.read(lambda db: db.all(sql)) == fresh.read(lambda db: db.all(sql))
