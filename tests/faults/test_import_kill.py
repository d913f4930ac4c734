"""R1, R5: imports that are killed, interrupted, or meet each other."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from kassettui.library.library import Library
from tests.faults import imports

if TYPE_CHECKING:
    from pathlib import Path

CHANGING = "pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
SAMPLED = [1, 3, 8, 13, 21, 34, 55, 70]


def _kill_at(tmp_path: Path, when: int) -> bool:
    root = tmp_path / f"root-{when}"
    items = imports.make_root(root)
    path = str(tmp_path / f"{when}.kassettui")
    Library.open(path, create=True).close()
    _, fired = imports.injected("signal=SIGKILL", CHANGING, when, path, root)
    assert imports.left_behind(path) in ((0, 0, 0), (items, 1, 1)), "all or nothing"
    imports.finish(path, root, items)
    return fired


@pytest.mark.parametrize("when", SAMPLED)
def test_R1_an_import_that_is_killed_is_all_or_nothing_and_goes_on(tmp_path: Path, when: int) -> None:
    _kill_at(tmp_path, when)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_R1_an_import_killed_at_every_call_that_changes_something(tmp_path: Path) -> None:
    points = 0
    while _kill_at(tmp_path, points + 1):
        points += 1
    assert points >= 20, "the sweep met nothing"
    print(f"import and enrich: {points} points")


def test_R1_killed_with_half_of_the_rows_written(tmp_path: Path) -> None:
    root = tmp_path / "root"
    items = imports.make_root(root, 1000)
    path = str(tmp_path / "library.kassettui")
    Library.open(path, create=True).close()
    with imports.start(path, root, pause_at=1000) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "applying\n"
        child.kill()
    assert imports.left_behind(path) == (0, 0, 0)
    imports.finish(path, root, items)


@pytest.mark.parametrize("wanted", [signal.SIGINT])
def test_I22_interrupted_in_the_middle_of_the_transaction(tmp_path: Path, wanted: signal.Signals) -> None:
    root = tmp_path / "root"
    items = imports.make_root(root, 1000)
    path = str(tmp_path / "library.kassettui")
    Library.open(path, create=True).close()
    with imports.start(path, root, pause_at=1000) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "applying\n"
        child.send_signal(wanted)
        answer = json.loads(child.stdout.read())
    assert (answer["status"], answer["exit_code"]) == ("cancelled", 130)
    assert child.returncode == 0
    assert imports.left_behind(path) == (0, 0, 0)
    imports.finish(path, root, items)


def test_R5_two_imports_of_one_root_at_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    items = imports.make_root(root, 100)
    path = str(tmp_path / "library.kassettui")
    Library.open(path, create=True).close()
    children = [imports.start(path, root) for _ in range(3)]
    answers = []
    for child in children:
        out, _ = child.communicate(timeout=100)
        answers.append(json.loads(out))
    assert {answer["status"] for answer in answers} <= {"success", "error"}
    assert sum(answer["ingested"] for answer in answers) == items
    assets, runs, collections = imports.left_behind(path)
    assert (assets, collections) == (items, 1)
    assert runs == sum(answer["status"] == "success" for answer in answers)
    imports.finish(path, root, items)
