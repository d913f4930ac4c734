"""L9: the schema goes up and down, whole or not at all, with a verified backup before it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from kassettui.core.errors import InvalidInput, LibraryTooNew, MigrationFailed, Refused
from kassettui.library import backup, migrate
from kassettui.library.library import SCHEMA, Library
from kassettui.library.migrate import Schema, Step
from kassettui.library.models import MODELS
from kassettui.library.opening import open_operator

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase

FIXTURES = Path(__file__).parent / "fixtures"
MARK = 0x54455354


def _add_table(db: LibraryDatabase) -> None:
    db.execute_sql("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")


def _drop_table(db: LibraryDatabase) -> None:
    db.execute_sql("DROP TABLE things")


def _add_column(db: LibraryDatabase) -> None:
    db.execute_sql("ALTER TABLE things ADD COLUMN size INTEGER")


def _drop_column(db: LibraryDatabase) -> None:
    db.execute_sql("ALTER TABLE things DROP COLUMN size")


def _fail(db: LibraryDatabase) -> None:
    db.execute_sql("DELETE FROM things")
    db.execute_sql("CREATE TABLE half (a)")
    raise RuntimeError("in the middle")


def _break_keys(db: LibraryDatabase) -> None:
    db.execute_sql("CREATE TABLE parts (thing INTEGER REFERENCES things (id))")
    db.execute_sql("INSERT INTO parts VALUES (99)")


_FIRST = Step(1, "first", _add_table, _drop_table)
_SECOND = Step(2, "second", _add_column, _drop_column)


def _schema(*steps: Step) -> Schema:
    return Schema("library", MARK, steps, frozenset({"things"}))


def _made(path: str, *names: str) -> None:
    operator = open_operator(path, _schema(_FIRST), create=True)
    for name in names:
        operator.schedule_write(
            lambda db, name=name: db.execute_sql("INSERT INTO things (name) VALUES (?)", (name,)) and None
        ).result()
    operator.close()


def _names(db: LibraryDatabase) -> list[str]:
    return [name for (name,) in db.all("SELECT name FROM things ORDER BY id")]


def test_L9_an_old_library_is_brought_up_with_a_verified_backup(library_path: str) -> None:
    _made(library_path, "a", "b")
    operator = open_operator(library_path, _schema(_FIRST, _SECOND))
    assert operator.execute_sync_read(_names) == ["a", "b"]
    assert operator.execute_sync_read(lambda db: db.scalar("PRAGMA user_version")) == 2
    operator.schedule_write(lambda db: db.execute_sql("UPDATE things SET size = 1") and None).result()
    assert operator.metrics.migrations.value("up") == 1
    operator.close()
    (copy,) = backup.listed(library_path)
    assert copy.label == "v1"
    old = open_operator(copy.path, _schema(_FIRST), read_only=True)
    assert old.execute_sync_read(_names) == ["a", "b"]
    old.close()


def test_L9_up_down_up_keeps_all_rows(library_path: str) -> None:
    _made(library_path, "a", "b")
    schema = _schema(_FIRST, _SECOND)
    operator = open_operator(library_path, schema)
    for target in (1, 2, 1, 2):
        done = migrate.migrate(operator, schema, target)
        assert done.after == target
        assert operator.execute_sync_read(_names) == ["a", "b"]
    assert migrate.migrate(operator, schema).backup is None, "nothing to do, nothing done"
    operator.close()


@pytest.mark.parametrize("step", [_fail, _break_keys])
def test_L9_a_failing_step_leaves_the_file_to_the_byte(library_path: str, step: Any) -> None:
    _made(library_path, "a")
    before = Path(library_path).read_bytes()
    with pytest.raises(MigrationFailed, match="version 1"):
        open_operator(library_path, _schema(_FIRST, Step(2, "bad", step, _drop_column)))
    assert Path(library_path).read_bytes() == before
    operator = open_operator(library_path, _schema(_FIRST))
    assert operator.execute_sync_read(_names) == ["a"]
    operator.close()


def test_L9_a_newer_library_is_refused_and_never_touched(library_path: str) -> None:
    Library.open(library_path, create=True).close()
    connection = apsw.Connection(library_path)
    connection.execute("PRAGMA journal_mode=DELETE").fetchall()
    connection.execute("PRAGMA user_version=99")
    connection.close()
    before = Path(library_path).read_bytes()
    for read_only in (False, True):
        with pytest.raises(LibraryTooNew, match="version 99"):
            Library.open(library_path, read_only=read_only)
    assert Path(library_path).read_bytes() == before


def test_L9_an_old_library_that_is_only_to_be_read_is_left_old(library_path: str) -> None:
    _made(library_path)
    before = Path(library_path).read_bytes()
    with pytest.raises(Refused, match="migrate"):
        open_operator(library_path, _schema(_FIRST, _SECOND), read_only=True)
    assert Path(library_path).read_bytes() == before


def test_L9_versions_that_do_not_exist_are_refused(library: Library) -> None:
    for target in (0, -1, SCHEMA.latest + 1):
        with pytest.raises(InvalidInput):
            library.migrate(target)


def test_L10_backups_rotate(library_path: str) -> None:
    _made(library_path)
    schema = _schema(_FIRST, _SECOND)
    operator = open_operator(library_path, schema)
    for target in (1, 2, 1, 2, 1):
        migrate.migrate(operator, schema, target, keep=3)
    operator.close()
    assert len(backup.listed(library_path)) == 3
    stray = [name for name in os.listdir(os.path.dirname(library_path)) if name.startswith(".")]
    assert stray == []


def test_the_steps_of_the_library_are_numbered_without_holes() -> None:
    assert [step.number for step in SCHEMA.steps] == list(range(1, SCHEMA.latest + 1))
    assert SCHEMA.steps[0].name == "initial"


def test_L9_the_first_step_goes_down_to_nothing(tmp_path: Path) -> None:
    schema = Schema("library", MARK, SCHEMA.steps, frozenset(), SCHEMA.triggers)
    operator = open_operator(str(tmp_path / "l.db"), schema, create=True)

    def down_and_up(db: LibraryDatabase) -> tuple[list[Any], list[Any]]:
        outline = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        before = db.all(outline)
        db.execute_sql("PRAGMA foreign_keys=OFF")
        for step in reversed(schema.steps):
            step.down(db)
        assert db.all(outline) == []
        for step in schema.steps:
            step.up(db)
        return before, db.all(outline)

    before, after = operator.schedule_exclusive(down_and_up).result()
    assert before == after
    operator.close()


def test_models_and_schema_agree(library: Library) -> None:
    def columns(db: LibraryDatabase, table: str) -> dict[str, bool]:
        return {
            name: bool(not_null or key)
            for _, name, _, not_null, _, key in db.all(f"SELECT * FROM pragma_table_info('{table}')")
        }

    for model in MODELS:
        meta = model._meta
        assert {field.column_name: not field.null for field in meta.sorted_fields} == library.read(
            columns, meta.table_name
        ), meta.table_name


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("library-*.sql")), ids=lambda path: path.stem)
def test_L9_every_released_schema_opens_with_all_its_rows(library_path: str, fixture: Path) -> None:
    os.makedirs(os.path.dirname(library_path))
    connection = apsw.Connection(library_path)
    connection.execute(fixture.read_text(encoding="utf-8"))
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    ours = [model._meta.table_name for model in MODELS if model._meta.table_name in tables]
    before = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchall() for table in ours}
    connection.close()
    assert all(rows != [(0,)] for rows in before.values()), "each table of a fixture has rows"
    with Library.open(library_path) as library:
        after = {
            table: library.read(lambda db, t=table: db.all(f"SELECT count(*) FROM {t}")) for table in ours
        }
        assert library.read(lambda db: db.all("PRAGMA integrity_check")) == [("ok",)]
    assert after == before


def test_L9_the_fixture_of_a_schema_is_the_schema(library_path: str, tmp_path: Path) -> None:
    """As long as a version is the newest, what it makes and its fixture are the same to the letter."""
    Library.open(library_path, create=True).close()
    (newest,) = FIXTURES.glob(f"library-{SCHEMA.latest:04}.sql")
    fixture = str(tmp_path / "fixture.db")
    connection = apsw.Connection(fixture)
    connection.execute(newest.read_text(encoding="utf-8"))
    connection.close()
    outlines = []
    for path in (library_path, fixture):
        connection = apsw.Connection(path)
        outlines.append(
            connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
        )
        connection.close()
    assert outlines[0] == outlines[1]
