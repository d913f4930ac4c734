"""R2, R4: no room, no permission, a directory shared by hosts."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kassettui.library import check, engine
from kassettui.library.library import Library
from tests.faults import children
from tests.library.samples import add, image, keys, put

if TYPE_CHECKING:
    from pathlib import Path


def _mounting() -> list[str]:
    """What lets a child mount a file system of its own."""
    for words in (["unshare", "-m"], ["unshare", "-Urm"]):
        done = subprocess.run(
            [*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False, timeout=20
        )
        if done.returncode == 0:
            return words
    pytest.skip("file systems may not be mounted here")


def test_R2_a_full_disk_fails_the_write_and_nothing_else(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    inner = f'mount -t tmpfs -o size=3m,mode=0700 none {small} && exec "$@"'
    lines, code = children.run(
        "fill", str(small / "library.db"), before=[*_mounting(), "sh", "-c", inner, "sh"]
    )
    assert code == 0, lines
    assert [line["code"] for line in lines if "failed" in line] == ["library_unavailable"] * 3
    assert {"read": ["before"]} in lines, "reading goes on"
    assert {"damaged": False, "keys": ["after", "before"]} in lines
    assert lines[-1] == {"left": ["library.db"]}, "no half backup, no log"
    assert not [line for line in lines if "unexpected" in line]


def test_R2_a_file_that_may_not_grow_fails_the_write_and_nothing_else(tmp_path: Path) -> None:
    path = str(tmp_path / "library.db")
    Library.open(path, create=True).close()
    lines, code = children.run("starve", path, str(400_000))
    assert code == 0, lines
    assert {"code": "library_unavailable", "exit": 1} in lines
    assert {"damaged": False, "keys": ["after", "before"]} in lines


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root reads everything, and setpriv is not here to become somebody else")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def _reachable(tmp_path: Path) -> None:
    """Let others come as far as the test's directory."""
    current = tmp_path
    while current != current.parent and not current.stat().st_mode & 0o001:
        current.chmod(current.stat().st_mode | 0o011)
        current = current.parent


def test_R4_a_library_that_may_not_be_written_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "place" / "library.db")
    with Library.open(path, create=True) as library:
        library.write(put, "a")
    os.chmod(path, 0o444)
    os.chmod(os.path.dirname(path), 0o555)
    _reachable(tmp_path)
    lines, code = children.run("nobody", path, before=_as_nobody() or ["env"])
    assert code == 0, lines
    assert [line for line in lines if "keys" in line] == [{"keys": ["a"]}] * 2
    assert {line["code"] for line in lines if "code" in line} <= {"library_read_only", "library_unavailable"}
    assert not [line for line in lines if "unexpected" in line]
    os.chmod(os.path.dirname(path), 0o755)
    with Library.open(path, read_only=True) as library:
        assert not check.examine(library).damaged


def test_L3_hosts_that_share_a_directory_get_a_rollback_journal_and_a_warning(tmp_path: Path) -> None:
    path = str(tmp_path / "library.db")
    lines, code = children.run("shared", path)
    assert code == -9
    assert lines[0]["warnings"], "it is said"
    assert lines[1] == {"put": "before", "mode": "delete"}
    assert os.path.exists(path + "-journal"), "it was killed while the file was being changed"
    with Library.open(path) as library:
        assert library.read(keys) == ["before"], "the first reader has the change rolled back"
        assert library.read(lambda db: db.scalar("SELECT count(*) FROM assets")) == 0
        add(library, image())
        assert not check.examine(library).damaged
        assert library.write(engine.journal_mode) == "wal"
