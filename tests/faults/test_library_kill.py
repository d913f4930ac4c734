"""R1, R3: killed, or refused by the disk, at each system call that changes the library."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.library import backup, check, migrate, opening
from kassettui.library.library import APPLICATION_ID, SCHEMA, Library
from tests.faults import children, library_child
from tests.library.samples import keys, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kassettui.library.engine import LibraryDatabase

SAMPLED = [1, 2, 3, 5, 8, 13]
"""Points of the sweeps that the quick suite looks at."""


def _counts(db: LibraryDatabase) -> dict[str, int]:
    rows = db.all("SELECT canonical_key FROM assets")
    counts: dict[str, int] = {}
    for (key,) in rows:
        directory = key[3:].split("/")[0]
        counts[directory] = counts.get(directory, 0) + 1
    return counts


def _sound(path: str) -> tuple[list[str], dict[str, int]]:
    """What a library holds that must open at once and be whole."""
    with Library.open(path) as library:
        health = check.examine(library)
        assert not health.damaged, health.findings
        return library.read(keys), library.read(_counts)


def _made(path: str) -> None:
    with Library.open(path, create=True) as library:
        library.write(put, "made")


def _after_create(path: str, lines: list[dict[str, Any]]) -> None:
    if lines:
        assert os.path.exists(path)
    if os.path.exists(path):
        _sound(path)
    with Library.open(path, create=True) as library:
        library.write(put, "again")


def _after_write(path: str, lines: list[dict[str, Any]]) -> None:
    found, counts = _sound(path)
    for line in lines:
        if "put" in line:
            assert line["put"] in found
        if "directory" in line:
            assert line["directory"] in counts
    assert set(counts.values()) <= {library_child.BULK}, "all or nothing"
    with Library.open(path) as library:
        library.write(put, "again")


def _after_migration(path: str, lines: list[dict[str, Any]]) -> None:
    schema = library_child.schema_2()
    operator = opening.open_operator(path, schema)
    assert operator.execute_sync_read(keys) == ["made"]
    migrate.migrate(operator, schema, SCHEMA.latest)
    operator.close()
    _sound(path)
    for copy in backup.listed(path):
        backup.verify(copy.path, APPLICATION_ID)


def _after_backup(path: str, lines: list[dict[str, Any]]) -> None:
    _sound(path)
    copies = backup.listed(path)
    for copy in copies:
        backup.verify(copy.path, APPLICATION_ID)
    if lines:
        assert lines[0]["backup"] in [copy.path for copy in copies]


WORKS: dict[str, tuple[bool, Callable[[str, list[dict[str, Any]]], None]]] = {
    "create": (False, _after_create),
    "write": (True, _after_write),
    "up_and_down": (True, _after_migration),
    "back_up": (True, _after_backup),
}


def _kill_at(tmp_path: Path, work: str, when: int) -> bool:
    path = str(tmp_path / f"{work}-{when}" / "library.db")
    needs, after = WORKS[work]
    if needs:
        _made(path)
    lines, fired = children.injected("signal=SIGKILL", children.CHANGING, when, work, path)
    after(path, lines)
    return fired


@pytest.mark.parametrize("when", SAMPLED)
@pytest.mark.parametrize("work", WORKS)
def test_R1_killed_in_the_middle(tmp_path: Path, work: str, when: int) -> None:
    _kill_at(tmp_path, work, when)


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("work", WORKS)
def test_R1_killed_at_every_call_that_changes_something(tmp_path: Path, work: str) -> None:
    points = 0
    while _kill_at(tmp_path, work, points + 1):
        points += 1
    assert points >= 5, "the sweep met nothing"
    print(f"{work}: {points} points")


def _fail_at(tmp_path: Path, fault: str, calls: str, when: int) -> bool:
    """One system call fails; who was told "failed" finds nothing, who was told "done" finds all."""
    path = str(tmp_path / f"{when}-{fault[-6:]}" / "library.db")
    _made(path)
    lines, fired = children.injected(fault, calls, when, "try_writes", path)
    found, counts = _sound(path)
    for line in lines:
        name, argument = line.get("acknowledged") or line.get("failed"), line.get("argument")
        if name is None:
            continue
        there = argument in found if name == "put" else counts.get(str(argument)) == library_child.BULK
        assert there is ("acknowledged" in line), line
    assert set(counts.values()) <= {library_child.BULK}
    if lines:
        assert lines[-1] == {"done": "try"}, "it went on to the end"
    return fired


@pytest.mark.parametrize("when", SAMPLED)
@pytest.mark.parametrize(
    ("fault", "calls"),
    [("error=EIO", "fdatasync,fsync"), ("error=EIO", "pwrite64"), ("error=ENOSPC", "pwrite64")],
)
def test_R3_a_call_that_fails_is_a_failure_and_what_failed_is_not_there(
    tmp_path: Path, fault: str, calls: str, when: int
) -> None:
    _fail_at(tmp_path, fault, calls, when)


@pytest.mark.parametrize("when", range(3, 7))
def test_R3_a_commit_that_failed_last_is_not_found_by_the_next_who_opens(tmp_path: Path, when: int) -> None:
    path = str(tmp_path / "library.db")
    _made(path)
    lines, fired = children.injected("error=EIO", "fdatasync,fsync", when, "fail_last", path)
    assert fired
    told = {line["argument"]: "acknowledged" in line for line in lines}
    found, _ = _sound(path)
    assert {key: key in found for key in told} == told
    assert not all(told.values())


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("fault", "calls"),
    [("error=EIO", "fdatasync,fsync"), ("error=EIO", "pwrite64"), ("error=ENOSPC", "pwrite64")],
)
def test_R3_each_call_that_may_fail(tmp_path: Path, fault: str, calls: str) -> None:
    points = 0
    while points < 150 and _fail_at(tmp_path, fault, calls, points + 1):
        points += 1
    assert points >= 5
    print(f"{fault} of {calls}: {points} points")
