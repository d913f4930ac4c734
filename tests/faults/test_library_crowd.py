"""R5, L3: two processes on one library."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import LibraryBusy
from kassettui.library import check
from kassettui.library.library import Library
from kassettui.library.operator import Limits
from tests.faults import children, library_child
from tests.library.samples import keys, put

if TYPE_CHECKING:
    from pathlib import Path


def _crowd(path: str, seconds: float) -> list[dict[str, Any]]:
    Library.open(path, create=True).close()
    processes = [children.start("crowd", path, str(seconds)) for _ in range(2)]
    told = [json.loads(process.communicate(timeout=seconds + 60)[0]) for process in processes]
    with Library.open(path) as library:
        assert not check.examine(library).damaged
        written = library.read(lambda db: db.scalar("SELECT count(*) FROM settings"))
        bulks = library.read(lambda db: db.scalar("SELECT count(*) FROM assets"))
    assert [one["errors"] for one in told] == [[], []]
    assert written == sum(one["written"] for one in told), "nothing was lost"
    assert bulks == sum(one["bulks"] for one in told) * library_child.BULK
    assert all(one["written"] > 0 and one["reads"] > 0 for one in told), "nobody starved"
    return told


def test_L3_eight_writers_and_eight_readers_over_two_processes(tmp_path: Path) -> None:
    _crowd(str(tmp_path / "library.db"), 3)


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_L3_eight_writers_and_eight_readers_for_half_a_minute(tmp_path: Path) -> None:
    told = _crowd(str(tmp_path / "library.db"), 30)
    print(told)
    assert max(one["longest_read"] for one in told) < 0.1, "no reader waits for a writer's batch"


def test_R5_a_lock_held_by_another_process_is_told_and_then_it_goes_on(tmp_path: Path) -> None:
    """The 60 s of the rule stand in proportion to the patience: ten times as long."""
    path = str(tmp_path / "library.db")
    limits = Limits(busy_timeout=0.1, attempts=2)
    with Library.open(path, create=True, limits=limits) as library:
        library.write(put, "before")
        other = children.start("hold", path, "0", stdin=subprocess.PIPE)
        assert other.stdout is not None
        assert json.loads(other.stdout.readline()) == {"held": True}
        began = time.monotonic()
        with pytest.raises(LibraryBusy) as caught:
            library.write(put, "meanwhile")
        assert 0.2 <= time.monotonic() - began < 20
        assert "Another process" in caught.value.message
        assert caught.value.remedy
        assert library.read(keys) == ["before"]
        other.communicate("", timeout=20)
        assert library.write(put, "after") == "after"
        assert library.read(keys) == ["after", "before"]


def test_R5_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "library.db")
    with Library.open(path, create=True) as library:
        library.write(put, "before")
        other = children.start("hold", path, "0.3")
        assert other.stdout is not None
        other.stdout.readline()
        assert library.write(put, "after") == "after"
        other.communicate(timeout=20)


def test_R5_two_that_migrate_at_once_end_with_one_sound_library(tmp_path: Path) -> None:
    path = str(tmp_path / "library.db")
    with Library.open(path, create=True) as library:
        library.write(put, "made")
    processes = [children.start("up_and_down", path) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert any('"version"' in output for output in outputs)
    with Library.open(path, read_only=True) if _version(path) == 1 else _at_two(path) as opened:
        assert opened.read(keys) == ["made"]


def _version(path: str) -> int:
    import apsw

    connection = apsw.Connection(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone() or (0,)
    connection.close()
    return int(version)


def _at_two(path: str) -> Library:
    from kassettui.library.opening import open_operator

    return Library(open_operator(path, library_child.schema_2()))
