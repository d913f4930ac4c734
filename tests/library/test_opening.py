"""R6 and L11: what stands in the library's place is looked at before it is trusted, and never overwritten."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from kassettui.core.errors import LibraryCorrupt, LibraryReadOnly, NotFound
from kassettui.library import backup, opening
from kassettui.library.library import APPLICATION_ID, Library
from tests.library.samples import keys, put

if TYPE_CHECKING:
    from collections.abc import Callable


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def _empty(path: str) -> None:
    os.truncate(path, 0)


def _text(path: str) -> None:
    Path(path).write_text("not a database at all\n" * 400)


def _foreign(path: str) -> None:
    os.unlink(path)
    connection = apsw.Connection(path)
    connection.execute("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
    connection.close()


def _half(path: str) -> None:
    os.truncate(path, os.path.getsize(path) // 2)


def _header(path: str) -> None:
    with open(path, "r+b") as file:
        file.write(os.urandom(100))


def _no_schema(path: str) -> None:
    os.unlink(path)
    connection = apsw.Connection(path)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version=1; CREATE TABLE a (b)")
    connection.close()


def _trigger(path: str) -> None:
    connection = apsw.Connection(path)
    connection.execute("CREATE TRIGGER evil AFTER INSERT ON tags BEGIN DELETE FROM assets; END")
    connection.close()


def _version_0(path: str) -> None:
    connection = apsw.Connection(path)
    connection.execute("PRAGMA user_version=0")
    connection.close()


@pytest.mark.parametrize("ruin", [_empty, _text, _foreign, _half, _header, _no_schema, _trigger, _version_0])
@pytest.mark.parametrize("create", [True, False])
def test_R6_what_is_no_sound_library_is_reported_and_left_alone(
    library_path: str, ruin: Callable[[str], None], create: bool
) -> None:
    with Library.open(library_path, create=True) as library:
        library.write(put, "a", "x" * 50_000)
    ruin(library_path)
    before = _bytes(library_path)
    with pytest.raises(LibraryCorrupt) as caught:
        Library.open(library_path, create=create)
    assert caught.value.exit_code == 5
    assert _bytes(library_path) == before


def test_R6_the_last_backup_is_offered(library: Library, library_path: str) -> None:
    copy = library.read(lambda db: backup.make(db, library_path, APPLICATION_ID, label="test"))
    library.close()
    _empty(library_path)
    with pytest.raises(LibraryCorrupt, match=r"The last backup") as caught:
        Library.open(library_path)
    assert copy in str(caught.value)


def test_R6_a_file_that_is_gone_is_not_made_anew_beside_its_log(library: Library, library_path: str) -> None:
    library.write(put, "a")
    log = _bytes(library_path + "-wal")
    assert log
    library.close()
    os.unlink(library_path)
    Path(library_path + "-wal").write_bytes(log)
    with pytest.raises(LibraryCorrupt, match="log"):
        Library.open(library_path, create=True)
    assert not os.path.exists(library_path)


def test_R6_set_aside_moves_the_file_and_what_belongs_to_it(library: Library, library_path: str) -> None:
    library.close()
    _text(library_path)
    Path(library_path + "-wal").write_bytes(b"log")
    before = _bytes(library_path)
    aside = opening.set_aside(library_path)
    assert ".corrupt-" in aside
    assert _bytes(aside) == before
    assert _bytes(aside + "-wal") == b"log"
    assert sorted(os.listdir(os.path.dirname(library_path))) == sorted(
        [os.path.basename(aside), os.path.basename(aside) + "-wal"]
    )
    Library.open(library_path, create=True).close()
    with pytest.raises(NotFound):
        opening.set_aside(library_path + ".none")


def test_two_that_make_a_library_at_once_get_the_same_one(library_path: str) -> None:
    opened: list[Library] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        opened.append(Library.open(library_path, create=True))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    opened[0].write(put, "a")
    assert all(library.read(keys) == ["a"] for library in opened)
    for library in opened:
        library.close()
    assert os.listdir(os.path.dirname(library_path)) == ["library.db"]


def test_read_only_reads_and_refuses_writes(library: Library, library_path: str) -> None:
    library.write(put, "a")
    with Library.open(library_path, read_only=True) as reader:
        assert reader.read(keys) == ["a"]
        with pytest.raises(LibraryReadOnly):
            reader.write(put, "b")
        library.write(put, "c")
        assert reader.read(keys) == ["a", "c"]


def test_read_only_never_makes_a_library(library_path: str) -> None:
    with pytest.raises(NotFound):
        Library.open(library_path, create=True, read_only=True)
    assert not os.path.exists(os.path.dirname(library_path))


def test_reading_leaves_the_file_to_the_byte(library: Library, library_path: str) -> None:
    library.write(put, "a")
    library.close()
    before = _bytes(library_path)
    for read_only in (True, False):
        with Library.open(library_path, read_only=read_only) as again:
            again.read(keys)
        assert _bytes(library_path) == before
