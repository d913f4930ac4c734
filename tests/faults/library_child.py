"""What the fault tests of the library run in a process of their own, to be killed or starved there.

    python -P -m tests.faults.library_child WORK PATH [ARGUMENT]

Each line on stdout is a JSON document; a line is written only after what it says was acknowledged.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
import time
from typing import Any

from kassettui.core.errors import KassettuiError
from kassettui.library import assets, backup, check, collections, engine, migrate, place
from kassettui.library.engine import LibraryDatabase, Mode
from kassettui.library.library import APPLICATION_ID, SCHEMA, Library
from kassettui.library.migrate import Schema, Step
from kassettui.library.opening import open_operator
from tests.library.samples import add_collection, image, keys, put

BULK = 60
"""Assets in one transaction that must be there all or not at all."""


def say(**words: Any) -> None:
    """One acknowledged fact."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def bulk(db: LibraryDatabase, directory: str) -> int:
    """An apply in small: many assets and the collection's time, all or nothing."""
    found = collections.containing(db, "/shows/abc")
    uuid = found.uuid if found is not None else add_collection(db)
    made = assets.create_many(db, uuid, (assets.Found(image(f"{n}.png", directory)) for n in range(BULK)))
    collections.note_ingest(db, uuid, len(made))
    return len(made)


def schema_2() -> Schema:
    """The library's schema with one more step."""

    def up(db: LibraryDatabase) -> None:
        db.execute_sql("ALTER TABLE assets ADD COLUMN mood TEXT")
        db.execute_sql("UPDATE assets SET mood = 'calm'")

    def down(db: LibraryDatabase) -> None:
        db.execute_sql("ALTER TABLE assets DROP COLUMN mood")

    number = SCHEMA.latest + 1
    return Schema(
        "library",
        APPLICATION_ID,
        (*SCHEMA.steps, Step(number, "mood", up, down)),
        SCHEMA.tables,
        SCHEMA.triggers,
    )


def create(path: str) -> None:
    """Make a library."""
    Library.open(path, create=True).close()
    say(done="create")


def write(path: str, full: bool = True) -> None:
    """Small writes and bulk writes, then quit."""
    library = Library.open(path)
    for number in range(3):
        say(put=library.write(put, f"k{number}", full=full))
        say(bulk=library.write(bulk, f"sh{number:03}", full=full), directory=f"sh{number:03}")
    library.close()
    say(done="write")


def try_writes(path: str) -> None:
    """As `write`, but going on after failures, which are told."""
    library = Library.open(path)
    for number in range(6):
        for name, work, argument in (("put", put, f"k{number}"), ("bulk", bulk, f"sh{number:03}")):
            try:
                library.write(work, argument, full=True)
            except KassettuiError as error:
                say(failed=name, argument=argument, code=error.code)
            else:
                say(acknowledged=name, argument=argument)
    say(keys=library.read(keys))
    library.close()
    say(done="try")


def fail_last(path: str) -> None:
    """A write that fails is the last thing that happens: no close, no other write after it."""
    library = Library.open(path)
    for number in range(4):
        try:
            library.write(put, f"k{number}", full=True)
        except KassettuiError as error:
            say(failed="put", argument=f"k{number}", code=error.code)
            break
        say(acknowledged="put", argument=f"k{number}")
    os._exit(0)


def up_and_down(path: str) -> None:
    """A migration up and down again."""
    schema = schema_2()
    operator = open_operator(path, schema)
    say(version=SCHEMA.latest + 1)
    migrate.migrate(operator, schema, SCHEMA.latest)
    say(version=SCHEMA.latest)
    operator.close()


def back_up(path: str) -> None:
    """A backup."""
    with Library.open(path) as library:
        say(backup=library.read(lambda db: backup.make(db, library.path, APPLICATION_ID, label="test")))


def hold(path: str, seconds: str) -> None:
    """The write lock, for a while or until stdin ends."""
    db = engine.open_database(path, Mode.WRITE)
    db.execute_sql("BEGIN IMMEDIATE")
    say(held=True)
    if float(seconds) > 0:
        time.sleep(float(seconds))
    else:
        sys.stdin.read()
    db.execute_sql("ROLLBACK")
    engine.close(db)


def crowd(path: str, seconds: str) -> None:
    """Four threads that write and four that read, for `seconds`."""
    library = Library.open(path)
    until = time.monotonic() + float(seconds)
    written: list[int] = []
    waits: list[float] = []
    errors: list[str] = []

    def writer(number: int) -> None:
        done = 0
        try:
            while time.monotonic() < until:
                if done % 50 == 49:
                    library.write(bulk, f"{os.getpid()}-{number}-{done}")
                library.write(put, f"{os.getpid()}-{number}-{done}")
                done += 1
        except BaseException as error:
            errors.append(repr(error))
        written.append(done)

    def reader() -> None:
        last = 0
        longest = 0.0
        try:
            while time.monotonic() < until:
                began = time.thread_time(), time.monotonic()
                count = library.read(lambda db: db.scalar("SELECT count(*) FROM settings"))
                if count < last:
                    errors.append(f"{last} rows became {count}")
                last = count
                longest = max(longest, time.monotonic() - began[1])
                time.sleep(0.001)
        except BaseException as error:
            errors.append(repr(error))
        waits.append(longest)

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(4)]
    threads += [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = library.operator.metrics.snapshot()
    library.close()
    say(
        written=sum(written),
        bulks=sum(done // 50 for done in written),
        longest_read=max(waits),
        errors=errors,
        reads=snapshot["library_reads"],
        retries=snapshot["library_write_retries"],
    )


def starve(path: str, limit: str) -> None:
    """Writes until a file may not grow beyond `limit` bytes; then goes on with what fits."""
    library = Library.open(path)
    say(put=library.write(put, "before"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    try:
        library.write(lambda db: [bulk(db, f"full{n:03}") for n in range(50)])
        say(unexpected="it fitted")
    except KassettuiError as error:
        say(code=error.code, exit=int(error.exit_code))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(put=library.write(put, "after"))
    say(damaged=check.examine(library).damaged, keys=library.read(keys))
    library.close()


def fill(path: str) -> None:
    """On a small file system: fill it, fail, make room, go on. Backups and migrations leave nothing half."""
    library = Library.open(path, create=True)
    directory = os.path.dirname(path)
    say(put=library.write(put, "before"))
    ballast = os.path.join(directory, "ballast")
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(descriptor, b"\0" * 4096):
            continue
    os.close(descriptor)
    for name, work in (
        ("write", lambda: library.write(lambda db: [bulk(db, f"full{n:03}") for n in range(50)])),
        ("full write", lambda: library.write(lambda db: [bulk(db, "more")], full=True)),
        ("backup", lambda: library.read(lambda db: backup.make(db, path, APPLICATION_ID, label="test"))),
    ):
        try:
            work()
            say(unexpected=name)
        except KassettuiError as error:
            say(failed=name, code=error.code)
    say(read=library.read(keys))
    os.unlink(ballast)
    say(put=library.write(put, "after"))
    say(damaged=check.examine(library).damaged, keys=library.read(keys))
    library.close()
    say(left=sorted(os.listdir(directory)))


def shared(path: str) -> None:
    """The library as on a file system that hosts share: a rollback journal; dies in the middle of a write."""
    place._NETWORK = frozenset(  # type: ignore[misc] # this child stands in for a shared mount
        {place.examine(path).filesystem}
    )
    library = Library.open(path, create=True)
    say(warnings=list(library.warnings))
    say(put=library.write(put, "before"), mode=library.write(engine.journal_mode))

    def die(db: LibraryDatabase) -> None:
        db.execute_sql("PRAGMA cache_size=10")
        bulk(db, "lost")
        db.raw.cache_flush()
        os.kill(os.getpid(), 9)

    library.write(die)


def nobody(path: str) -> None:
    """Reading a library that may not be written, in a directory that may not be either."""
    for read_only in (True, False):
        with Library.open(path, read_only=read_only) as library:
            say(keys=library.read(keys))
            try:
                library.write(put, "never")
                say(unexpected="written")
            except KassettuiError as error:
                say(code=error.code)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
