"""Stored copies: one for each content, and the way back that never harms the live file (spec: library V7)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xxhash

from kassettui.core.errors import InvalidInput, NotFound, Refused
from kassettui.library import versions
from kassettui.library.versions import Data, DataKind, Scope, Version, storing
from kassettui.library.versions.storing import Copy, CopyDamaged

if TYPE_CHECKING:
    from kassettui.library.library import Library

ONE = Scope("abc", "shot", ("sh010",))


def add(library: Library, path: Path) -> Version:
    """A version of a file, with a stored copy."""
    copy = storing.store_file(str(path), storing.store_of(library.path))
    data = (Data(DataKind.PATH, str(path)),)
    [made] = library.write(storing.create_stored, ONE, "comp", "image", data, (copy,))
    return made


def stored(library: Library) -> dict[str, bytes]:
    store = storing.store_of(library.path)
    return {
        name: Path(directory, name).read_bytes() for directory, _, names in os.walk(store) for name in names
    }


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "comp.exr"
    path.write_bytes(b"first")
    path.chmod(0o640)
    return path


def test_V7_one_copy_for_each_content_named_by_its_hash(library: Library, live: Path, tmp_path: Path) -> None:
    other = tmp_path / "same.exr"
    other.write_bytes(b"first")
    first, second = add(library, live), add(library, other)
    live.write_bytes(b"second")
    third = add(library, live)
    assert first.stored_hash == second.stored_hash == xxhash.xxh3_128(b"first").hexdigest()
    assert (third.number, third.size) == (3, 6)
    assert stored(library) == {
        str(first.stored_hash): b"first",
        str(third.stored_hash): b"second",
    }


def test_V7_copies_are_private(library: Library, live: Path) -> None:
    os.umask(0)
    copy = storing.store_file(str(live), storing.store_of(library.path))
    path = storing.copy_path(storing.store_of(library.path), copy.hash)
    for place, mode in (
        (path, 0o600),
        (os.path.dirname(path), 0o700),
        (storing.store_of(library.path), 0o700),
    ):
        assert stat.S_IMODE(os.stat(place).st_mode) == mode
    os.chmod(storing.store_of(library.path), 0o755)
    with pytest.raises(InvalidInput, match="open to others"):
        storing.store_file(str(live), storing.store_of(library.path))


def test_V7_revert_backs_up_the_live_file_as_a_version(library: Library, live: Path) -> None:
    first = add(library, live)
    live.write_bytes(b"spoilt")
    done = storing.revert(library, first.id)
    assert (done.path, done.changed) == (str(live), True)
    assert live.read_bytes() == b"first"
    assert stat.S_IMODE(live.stat().st_mode) == 0o640
    assert done.backup is not None
    assert (done.backup.number, done.backup.best) == (2, False)
    assert done.backup.metadata == {"backup_before_revert_to": 1}
    storing.revert(library, done.backup.id)
    assert live.read_bytes() == b"spoilt"
    assert [each.number for each in library.read(versions.all_versions, ONE, "comp")[0]] == [3, 2, 1]


def test_V7_reverting_to_what_is_there_changes_nothing(library: Library, live: Path) -> None:
    first = add(library, live)
    before = live.stat()
    assert not storing.revert(library, first.id).changed
    assert live.stat() == before
    assert library.read(versions.next_version_number, ONE, "comp") == [2]


def test_V7_a_live_file_that_is_gone_comes_back(library: Library, live: Path) -> None:
    first = add(library, live)
    live.unlink()
    done = storing.revert(library, first.id)
    assert (done.backup, live.read_bytes()) == (None, b"first")
    with pytest.raises(NotFound):
        storing.revert(library, first.id, str(live.parent / "none" / "x.exr"))


@pytest.mark.parametrize("damage", [b"fir", b"fixst", b"", None])
def test_V7_a_damaged_or_missing_copy_leaves_the_live_file(
    library: Library, live: Path, damage: bytes | None
) -> None:
    first = add(library, live)
    path = storing.copy_path(storing.store_of(library.path), str(first.stored_hash))
    copy = Copy(str(first.stored_hash), 5)
    assert storing.verify_copy(storing.store_of(library.path), copy)
    if damage is None:
        os.unlink(path)
    else:
        with open(path, "wb") as file:
            file.write(damage)
    assert not storing.verify_copy(storing.store_of(library.path), copy)
    live.write_bytes(b"precious")
    with pytest.raises(CopyDamaged):
        storing.revert(library, first.id)
    assert live.read_bytes() == b"precious"
    assert sorted(path.name for path in live.parent.iterdir() if path.is_file()) == ["comp.exr"]


def test_V7_a_copy_that_stops_half_way_leaves_the_live_file(library: Library, live: Path) -> None:
    first = add(library, live)
    live.write_bytes(b"precious")
    looks = 0

    def stop() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first is the backup's
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storing.revert(library, first.id, None, stop)
    assert live.read_bytes() == b"precious"
    assert sorted(path.name for path in live.parent.iterdir() if path.is_file()) == ["comp.exr"]
    assert storing.unused_copies(storing.store_of(library.path), library.read(storing.used_copies)) == []


def test_V7_a_file_that_changes_while_it_is_stored_is_refused(library: Library, live: Path) -> None:
    def grow() -> None:
        with open(live, "ab") as file:
            file.write(b"more")

    with pytest.raises(Refused, match="changed"):
        storing.store_file(str(live), storing.store_of(library.path), grow)
    assert stored(library) == {}


def test_V7_only_regular_files_are_stored(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("comp.exr")
    for name, error in (("fifo", Refused), ("link", Refused), ("none", NotFound), ("", Refused)):
        with pytest.raises(error):
            storing.store_file(str(tmp_path / name), storing.store_of(library.path))


def test_V7_a_version_without_a_copy_cannot_be_reverted_to(library: Library, live: Path) -> None:
    [plain] = library.write(versions.create_versions, ONE, "comp", "image", [Data(DataKind.PATH, str(live))])
    with pytest.raises(Refused, match="no stored copy"):
        storing.revert(library, plain.id)


def test_V7_copies_that_nobody_needs_are_named(library: Library, live: Path) -> None:
    add(library, live)
    live.write_bytes(b"second")
    second = add(library, live)
    store = storing.store_of(library.path)
    assert storing.unused_copies(store, library.read(storing.used_copies)) == []
    library.write(versions.delete_versions, [second.id])
    assert storing.unused_copies(store, library.read(storing.used_copies)) == [
        storing.copy_path(store, str(second.stored_hash))
    ]
