"""L1-L3: who writes, who reads, what a future promises."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import (
    ConstraintViolated,
    LibraryBusy,
    LibraryClosed,
    LibraryReadOnly,
    LibraryUnavailable,
)
from kassettui.library import engine
from kassettui.library.engine import LibraryDatabase, Mode
from kassettui.library.events import AssetsChanged, Event, TagsChanged, announce
from kassettui.library.library import SCHEMA, Library
from kassettui.library.operator import Limits, Operator, Priority
from kassettui.observe import log
from tests.library.samples import keys, put, value

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = Limits(busy_timeout=0.05, attempts=2)


class Gate:
    """A unit of work that holds the writer until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self, db: LibraryDatabase) -> None:
        self.entered.set()
        assert self.leave.wait(10)


def test_L1_one_thread_writes_over_one_connection(library: Library) -> None:
    def where(db: LibraryDatabase) -> tuple[str, int]:
        return threading.current_thread().name, id(db.raw)

    seen = {library.operator.schedule_write(where).result() for _ in range(5)}
    assert len(seen) == 1
    assert seen.pop()[0] == "library-writer"


def test_L1_readers_cannot_write(library: Library) -> None:
    with pytest.raises(LibraryReadOnly):
        library.read(put, "a")


def test_L1_reader_connections_are_counted_and_closed_with_their_thread(library: Library) -> None:
    library.read(keys)
    assert library.operator.reader_count == 1
    inside: list[int] = []

    def read() -> None:
        library.read(keys)
        inside.append(library.operator.reader_count)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    gc.collect()
    assert inside == [2]
    assert library.operator.reader_count == 1


def test_L1_a_read_is_one_snapshot(library: Library) -> None:
    def twice(db: LibraryDatabase) -> tuple[list[str], list[str]]:
        before = keys(db)
        library.operator.schedule_write(put, "meanwhile").result()
        return before, keys(db)

    assert library.read(twice) == ([], [])
    assert library.read(keys) == ["meanwhile"]


def test_L1_a_read_that_would_hand_out_a_cursor_is_refused(library: Library) -> None:
    with pytest.raises(TypeError, match="rows"):
        library.read(lambda db: iter(db.execute_sql("SELECT 1")))


def test_L1_a_read_inside_a_read_is_refused_instead_of_standing_still(library: Library) -> None:
    with pytest.raises(RuntimeError, match="inside a read"):
        library.read(lambda db: library.read(keys))
    assert library.read(keys) == []


def test_L1_schedule_read_answers_from_its_own_threads(library: Library) -> None:
    library.write(put, "a")
    name, found = library.operator.schedule_read(
        lambda db: (threading.current_thread().name, keys(db))
    ).result(10)
    assert (name, found) == ("library-reader", ["a"])


def test_L1_flush_waits_for_what_was_scheduled(library: Library) -> None:
    futures = [library.operator.schedule_write(put, f"k{n}") for n in range(50)]
    assert library.operator.flush(10)
    assert all(future.done() for future in futures)


def test_L2_a_future_succeeds_only_after_commit(library: Library, library_path: str) -> None:
    with Library.open(library_path) as other:
        for number in range(20):
            library.operator.schedule_write(put, f"k{number}").result(10)
            assert f"k{number}" in other.read(keys)


def test_L2_queued_writes_share_a_transaction_and_fail_alone(library: Library) -> None:
    gate = Gate()
    library.operator.schedule_write(gate)
    assert gate.entered.wait(10)

    def fail(db: LibraryDatabase) -> None:
        put(db, "of the failing one")
        raise ZeroDivisionError

    good = [library.operator.schedule_write(put, f"k{n}") for n in range(3)]
    bad = library.operator.schedule_write(fail)
    more = library.operator.schedule_write(put, "k3")
    gate.leave.set()
    assert [future.result(10) for future in (*good, more)] == ["k0", "k1", "k2", "k3"]
    with pytest.raises(ZeroDivisionError):
        bad.result(10)
    assert library.read(keys) == ["k0", "k1", "k2", "k3"]
    sizes = library.operator.metrics.snapshot()["library_write_batch_size"]
    assert isinstance(sizes, dict)
    assert sizes["count"] < 6, "the writes were grouped"


def test_L2_errors_keep_their_traceback(library: Library) -> None:
    def deep(db: LibraryDatabase) -> None:
        raise KeyError("here")

    error = library.operator.schedule_write(deep).exception(10)
    assert error is not None
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert "deep" in names


def test_L2_an_atomic_batch_is_all_or_nothing(library: Library) -> None:
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (put, ("a",)),
        (lambda db: db.execute_sql("INSERT INTO nowhere VALUES (1)"), ()),
        (put, ("b",)),
    ]
    futures = library.operator.schedule_write_batch(calls, atomic=True)
    assert all(future.exception(10) is not None for future in futures)
    assert library.read(keys) == []
    assert library.operator.schedule_write_batch([], atomic=True) == []


def test_L2_an_isolated_batch_fails_per_item(library: Library) -> None:
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (put, ("a",)),
        (put, (None,)),
        (put, ("b",)),
    ]
    futures = library.operator.schedule_write_batch(calls, atomic=False)
    errors = [{"index": n, "error": e} for n, f in enumerate(futures) if (e := f.exception(10)) is not None]
    assert [entry["index"] for entry in errors] == [1]
    assert isinstance(errors[0]["error"], ConstraintViolated)
    assert library.read(keys) == ["a", "b"]


def test_L2_a_failing_commit_fails_every_future_in_it(library: Library) -> None:
    library.operator.schedule_exclusive(
        lambda db: (
            db.execute_sql(
                "CREATE TABLE late (id INTEGER PRIMARY KEY, "
                "up INTEGER REFERENCES late DEFERRABLE INITIALLY DEFERRED)"
            )
            and None
        )
    ).result(10)
    gate = Gate()
    held = library.operator.schedule_write(gate)
    assert gate.entered.wait(10)
    good = library.operator.schedule_write(put, "innocent")
    bad = library.operator.schedule_write(
        lambda db: db.execute_sql("INSERT INTO late VALUES (1, 99)") and None
    )
    gate.leave.set()
    for future in (held, good, bad):
        with pytest.raises(ConstraintViolated):
            future.result(10)
    assert library.read(keys) == []
    assert library.write(put, "afterwards") == "afterwards"


def test_L2_events_come_after_the_commit_and_fall_with_their_savepoint(library: Library) -> None:
    seen: list[Event] = []
    threads: set[str] = set()

    def note(event: Event) -> None:
        seen.append(event)
        threads.add(threading.current_thread().name)

    library.events.subscribe(Event, note)

    def good(db: LibraryDatabase) -> None:
        announce(db, AssetsChanged((1,)))

    def bad(db: LibraryDatabase) -> None:
        announce(db, TagsChanged((2,)))
        raise ValueError

    futures = library.operator.schedule_write_batch([(good, ()), (bad, ())], atomic=False)
    assert futures[1].exception(10) is not None
    assert library.events.settle()
    assert seen == [AssetsChanged((1,))]
    assert threads == {"library-events"}


def test_L2_a_subscribers_error_is_logged_and_no_more(library: Library) -> None:
    log.clear_recent()
    seen: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("mine")

    library.events.subscribe(AssetsChanged, broken)
    unsubscribe = library.events.subscribe(AssetsChanged, seen.append)
    library.write(lambda db: announce(db, AssetsChanged(None)))
    assert library.events.settle()
    assert seen == [AssetsChanged(None)]
    (line,) = [entry for entry in log.recent() if entry.logger == "library.events"]
    assert "RuntimeError: mine" in str(line.fields)
    unsubscribe()
    library.write(lambda db: announce(db, AssetsChanged(None)))
    assert library.events.settle()
    assert len(seen) == 1


def test_L2_events_outside_a_write_are_refused(library: Library) -> None:
    with pytest.raises(RuntimeError):
        library.read(lambda db: announce(db, AssetsChanged(None)))


def test_L3_waiting_for_a_write_inside_a_write_raises_instead_of_deadlocking(library: Library) -> None:
    def deadlock(db: LibraryDatabase) -> None:
        library.operator.schedule_write(put, "inner").result()

    with pytest.raises(RuntimeError, match="waits"):
        library.write(deadlock)
    for waiting in (library.operator.flush, library.close, lambda: library.read(keys)):
        with pytest.raises(RuntimeError):
            library.write(lambda db, wait=waiting: wait() and None)


def test_L3_priorities_then_age_decide_the_order(library: Library) -> None:
    gate = Gate()
    library.operator.schedule_write(gate)
    assert gate.entered.wait(10)
    order: list[str] = []
    scheduled = [
        ("low", Priority.LOW),
        ("first", Priority.NORMAL),
        ("second", Priority.NORMAL),
        ("high", Priority.HIGH),
    ]
    for name, priority in scheduled:
        library.operator.schedule_write(lambda db, name=name: order.append(name), priority=priority)
    gate.leave.set()
    library.operator.flush()
    assert order == ["high", "first", "second", "low"]


def test_L3_a_busy_library_is_tried_again_and_a_retry_adds_nothing(library_path: str) -> None:
    limits = Limits(busy_timeout=0.02, attempts=50)
    with Library.open(library_path, create=True, limits=limits) as library:
        library.write(put, "opened")
        other = engine.open_database(library_path, Mode.WRITE)
        other.execute_sql("BEGIN IMMEDIATE")
        future = library.operator.schedule_write(put, "mine")
        assert not future.done()
        while not library.operator.metrics.write_retries.value():
            time.sleep(0.005)
        other.execute_sql("COMMIT")
        engine.close(other)
        assert future.result(10) == "mine"
        assert library.read(keys) == ["mine", "opened"]


def test_L3_a_unit_of_work_that_met_busy_inside_runs_again_from_nothing(library: Library) -> None:
    runs: list[int] = []

    def work(db: LibraryDatabase) -> None:
        runs.append(len(keys(db)))
        put(db, f"k{len(runs)}")
        announce(db, AssetsChanged((len(runs),)))
        if len(runs) == 1:
            db.raw.execute("SELECT busy()")

    seen: list[Event] = []
    library.events.subscribe(Event, seen.append)

    def with_busy(db: LibraryDatabase) -> None:
        import apsw

        def busy(*_: object) -> None:
            raise apsw.BusyError("another process")

        db.raw.create_scalar_function("busy", busy, 0)
        work(db)

    library.write(with_busy)
    assert runs == [0, 0], "the second run saw nothing of the first"
    assert library.read(keys) == ["k2"]
    assert library.events.settle()
    assert seen == [AssetsChanged((2,))]


def test_L3_patience_ends_in_LibraryBusy_and_then_goes_on(library_path: str) -> None:
    with Library.open(library_path, create=True, limits=QUICK) as library:
        library.write(put, "opened")
        other = engine.open_database(library_path, Mode.WRITE)
        other.execute_sql("BEGIN IMMEDIATE")
        with pytest.raises(LibraryBusy) as caught:
            library.write(put, "mine")
        assert caught.value.exit_code == 7
        assert "OperationalError" not in str(caught.value)
        assert library.read(keys) == ["opened"], "readers never wait for a writer"
        other.execute_sql("ROLLBACK")
        engine.close(other)
        assert library.write(put, "mine") == "mine"


def test_L3_after_close_everything_is_refused_at_once(library: Library) -> None:
    operator = library.operator
    library.write(put, "a")
    alive = [operator.is_alive]
    assert library.close()
    assert [*alive, operator.is_alive] == [True, False]
    assert library.close(), "closing twice is fine"
    for call in (
        lambda: operator.schedule_write(put, "b"),
        lambda: operator.schedule_write_batch([(put, ("b",))], atomic=True),
        lambda: operator.schedule_exclusive(keys),
        lambda: operator.schedule_read(keys),
        lambda: operator.execute_sync_read(keys),
    ):
        with pytest.raises(LibraryClosed):
            call()
    assert operator.reader_count == 0


def test_L3_close_writes_what_is_queued(library: Library, library_path: str) -> None:
    for number in range(200):
        library.operator.schedule_write(put, f"k{number:03}")
    assert library.close()
    assert os.listdir(os.path.dirname(library_path)) == ["library.db"], "the log is moved and gone"
    with Library.open(library_path) as again:
        assert len(again.read(keys)) == 200


def test_L3_close_is_bounded_and_refuses_what_could_not_be_written(library_path: str) -> None:
    library = Library.open(library_path, create=True, limits=Limits(busy_timeout=60))
    library.write(put, "opened")
    other = engine.open_database(library_path, Mode.WRITE)
    other.execute_sql("BEGIN IMMEDIATE")
    futures = [library.operator.schedule_write(put, f"k{n}") for n in range(3)]
    began = time.monotonic()
    library.close(timeout=0.2)
    assert time.monotonic() - began < 30, "far less than the patience with a busy library"
    for future in futures:
        with pytest.raises(LibraryClosed):
            future.result(10)
    engine.close(other)


def test_a_write_that_waits_can_be_cancelled(library: Library) -> None:
    gate = Gate()
    library.operator.schedule_write(gate)
    assert gate.entered.wait(10)
    future = library.operator.schedule_write(put, "never")
    assert future.cancel()
    gate.leave.set()
    library.operator.flush()
    with pytest.raises(CancelledError):
        future.result(1)
    assert library.read(keys) == []


def test_L3_full_synchronous_is_per_transaction(library: Library) -> None:
    def synchronous(db: LibraryDatabase) -> int:
        level: int = db.scalar("PRAGMA synchronous")
        return level

    operator = library.operator
    levels = [
        operator.schedule_write(synchronous).result(),
        operator.schedule_write(synchronous, full=True).result(),
        operator.schedule_write(synchronous).result(),
    ]
    assert levels == [1, 2, 1]


def test_L3_wal_foreign_keys_and_a_careful_connection(library: Library) -> None:
    def settings(db: LibraryDatabase) -> list[object]:
        return [
            db.scalar(f"PRAGMA {name}")
            for name in ("journal_mode", "foreign_keys", "trusted_schema", "mmap_size", "cell_size_check")
        ]

    assert library.write(settings) == ["wal", 1, 0, 0, 1]
    assert library.read(lambda db: db.scalar("PRAGMA query_only")) == 1
    assert engine.sqlite_version() >= engine.SOUND_SQLITE


def test_models_and_nested_atomic_work_inside_a_unit(library: Library) -> None:
    def work(db: LibraryDatabase) -> None:
        put(db, "outer")
        with db.atomic():
            put(db, "kept")
        with contextlib.suppress(ZeroDivisionError), db.atomic():
            put(db, "dropped")
            raise ZeroDivisionError

    library.write(work)
    assert library.read(keys) == ["kept", "outer"]


def test_a_replaced_file_is_never_written(library: Library, library_path: str) -> None:
    library.write(put, "a")
    library.operator.schedule_exclusive(lambda db: engine.checkpoint(db, truncate=True)).result()
    os.rename(library_path, library_path + ".moved")
    with pytest.raises(LibraryUnavailable, match="replaced"):
        library.write(put, "b")
    with pytest.raises(LibraryUnavailable, match="replaced"):
        library.read(keys)
    with Library.open(library_path, create=True) as fresh:
        fresh.write(put, "of the other")
        with pytest.raises(LibraryUnavailable):
            library.write(put, "c")
        library.close()
        assert fresh.write(put, "still") == "still"
        assert fresh.read(keys) == ["of the other", "still"]
    with Library.open(library_path + ".moved") as moved:
        assert moved.read(keys) == ["a"]


def test_another_programs_schema_is_not_written_to(library: Library, library_path: str) -> None:
    library.write(put, "a")
    other = engine.open_database(library_path, Mode.WRITE)
    other.execute_sql("PRAGMA user_version=99")
    engine.close(other)
    with pytest.raises(Exception, match="changed the library's schema"):
        library.write(put, "b")


def test_the_log_is_emptied_when_nobody_writes(library_path: str) -> None:
    with Library.open(library_path, create=True, limits=Limits(idle_seconds=0.05)) as library:
        library.write(put, "a", "x" * 100_000)
        deadline = time.monotonic() + 10
        while os.path.getsize(library_path + "-wal") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert os.path.getsize(library_path + "-wal") == 0


def test_the_log_stays_small_under_continuous_reading(library_path: str) -> None:
    limits = Limits(checkpoint_pages=50)
    with Library.open(library_path, create=True, limits=limits) as library:
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                library.read(value, "big")

        readers = [threading.Thread(target=read) for _ in range(3)]
        for thread in readers:
            thread.start()
        for number in range(300):
            library.write(put, "big", f"{number}" + "x" * 20_000)
        stop.set()
        for thread in readers:
            thread.join()
        assert os.path.getsize(library_path + "-wal") < 8 * 50 * 4096 * 4


def test_L13_writes_reads_retries_and_waits_are_counted(library: Library) -> None:
    library.write(put, "a")
    library.read(keys)
    with pytest.raises(ConstraintViolated):
        library.write(put, None)
    figures = library.operator.metrics.snapshot()
    assert figures["library_writes_queued"] == 2
    assert figures["library_writes_done"] == 1
    assert figures["library_writes_failed"] == 1
    assert figures["library_write_queue_depth"] == 0
    assert figures["library_write_retries"] == 0
    reads = figures["library_reads"]
    assert isinstance(reads, int | float)
    assert reads >= 1


def test_the_operator_serves_any_file_of_ours(tmp_path: Any) -> None:
    from kassettui.library.migrate import Schema, Step
    from kassettui.library.opening import open_operator

    def up(db: LibraryDatabase) -> None:
        db.execute_sql("CREATE TABLE thumbs (key TEXT PRIMARY KEY, data BLOB) STRICT")

    def down(db: LibraryDatabase) -> None:
        db.execute_sql("DROP TABLE thumbs")

    schema = Schema("cache", 0x4B535443, (Step(1, "initial", up, down),), frozenset({"thumbs"}))
    operator = open_operator(str(tmp_path / "cache.db"), schema, create=True)
    operator.schedule_write(
        lambda db: db.execute_sql("INSERT INTO thumbs VALUES ('a', x'00')") and None
    ).result()
    assert operator.execute_sync_read(lambda db: db.all("SELECT key FROM thumbs")) == [("a",)]
    assert operator.close()


def test_an_operator_needs_an_existing_file(tmp_path: Any) -> None:
    with pytest.raises(Exception, match="no library"):
        Operator(str(tmp_path / "none.db"), SCHEMA.application_id)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_library_does_not_survive_fork(library: Library) -> None:
    library.read(keys)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            library.read(keys)
        except RuntimeError:
            code = 0 if library.close() else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
