"""L11 and L12: damage of every kind is found and named; the figures add up."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import apsw
import pytest

from kassettui.core.lifecycle import Standing, State
from kassettui.library import assets, check, collections, folders, stats
from kassettui.library.check import Severity
from kassettui.library.library import Library
from tests.library.samples import ROOT, add, image, sequence

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.check import Finding


_GROUP = (
    "INSERT INTO version_groups (uuid, project, asset_key, head, best, created_at, updated_at) "
    "VALUES ('g', 'p', 'k', 1, 1, 0, 0)"
)
_RUN = (
    "INSERT INTO runs (uuid, collection_name, status, program_version, started_at) "
    "VALUES ('r', 'c', 'running', '0', 1)"
)


def _damage(path: str, *statements: str) -> None:
    """What only a bug, a tool or a bad disk can do: past the constraints."""
    connection = apsw.Connection(path)
    connection.execute("PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON")
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


def _found(path: str, name: str) -> list[Finding]:
    with Library.open(path) as library:
        health = check.examine(library)
    assert name in health.checks
    return [finding for finding in health.findings if finding.check == name]


@pytest.fixture
def filled(library_path: str) -> str:
    """A closed library with a bit of everything."""
    with Library.open(library_path, create=True) as library:
        ids = add(library, image("a.png"), image("b.png"), sequence())
        folder = library.write(folders.ensure_folder, "a/b")
        library.write(folders.add_assets, [(id_, folder) for id_ in ids])
    return library_path


def test_L11_a_sound_library_has_no_damage(filled: str) -> None:
    with Library.open(filled) as library:
        health = check.examine(library)
    assert not health.damaged
    assert {finding.severity for finding in health.findings} <= {Severity.NOTE}
    assert set(health.checks) == {
        "structure", "schema", "foreign-keys", "folders", "states", "versions", "texts", "orphans",
        "fragmentation", "full-text", "files", "place",
    }  # fmt: skip


def test_L11_an_empty_library_has_no_damage(library: Library) -> None:
    assert not check.examine(library, all_files=True).damaged


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("foreign-keys", "UPDATE assets SET collection_uuid = 'nobody'"),
        ("foreign-keys", "UPDATE asset_folders SET folder_id = 99"),
        ("states", "UPDATE assets SET approved_for_broadcast = 1 WHERE id = 1"),
        ("states", "UPDATE assets SET deleted_at = 1 WHERE id = 1"),
        ("states", "UPDATE assets SET state = 'odd' WHERE id = 1"),
        (
            "versions",
            _GROUP,
        ),
        ("full-text", "INSERT INTO assets_fts (assets_fts) VALUES ('delete-all')"),
        ("schema", "DROP TRIGGER assets_fts_insert"),
        ("texts", "UPDATE collections SET config = '{'"),
        ("folders", "DROP TRIGGER folders_no_cycle; UPDATE folders SET parent_id = 3 WHERE id = 2"),
    ],
)
def test_L11_damage_is_found_and_named(filled: str, name: str, statement: str) -> None:
    _damage(filled, *statement.split("; "))
    findings = _found(filled, name)
    assert [finding for finding in findings if finding.severity is Severity.DAMAGE]
    assert all(finding.remedy for finding in findings)


@pytest.mark.parametrize(
    ("name", "statement", "severity"),
    [
        ("schema", "DROP INDEX assets_by_path", Severity.WARNING),
        ("schema", "CREATE TABLE theirs (a)", Severity.WARNING),
        ("orphans", 'INSERT INTO layouts (fields) VALUES (\'{"shot":"gone"}\')', Severity.NOTE),
        (
            "orphans",
            _RUN,
            Severity.NOTE,
        ),
    ],
)
def test_L11_what_is_less_than_damage_is_said_too(
    filled: str, name: str, statement: str, severity: Severity
) -> None:
    _damage(filled, statement)
    assert [finding.severity for finding in _found(filled, name)] == [severity]


def test_L11_a_broken_page_is_damage(filled: str) -> None:
    with open(filled, "r+b") as file:
        file.seek(4096 * 5)
        file.write(os.urandom(4096))
    with Library.open(filled) as library:
        health = check.examine(library)
    assert health.damaged
    assert health.findings[0].check == "structure"


def test_L11_ready_without_what_its_kind_needs(filled: str) -> None:
    with Library.open(filled) as library:
        library.write(assets.set_standings, [(1, Standing(State.READY))])
    (finding,) = _found(filled, "states")
    assert (finding.severity, finding.count) == (Severity.WARNING, 1)
    assert "pixels" in finding.message


@pytest.mark.parametrize("all_files", [True, False])
def test_L11_missing_files(library: Library, tmp_path: Path, all_files: bool) -> None:
    root = tmp_path / "show"
    (root / "sh010").mkdir(parents=True)
    (root / "sh010" / "there.png").touch()
    uuid = library.write(collections.create, "show", str(root)).uuid

    def here(name: str, directory: str = "sh010") -> assets.Found:
        item = sequence(name, directory) if "#" in name else image(name, directory)
        return assets.Found(replace(item, path=f"{root}/{directory}/{name}"))

    founds = [here("there.png"), here("gone.png"), here("in.#.exr"), here("away.#.exr", "sh020")]
    library.write(assets.create_many, uuid, founds)
    health = check.examine(library, all_files=all_files, seed=1)
    (finding,) = [finding for finding in health.findings if finding.check == "files"]
    assert (finding.severity, finding.count) == (Severity.WARNING, 2)
    assert not health.damaged
    root.rename(tmp_path / "unmounted")
    (finding,) = [one for one in check.examine(library, all_files=all_files).findings if one.check == "files"]
    assert finding.severity is Severity.NOTE, "what is not mounted is not missing"


def test_L11_what_is_wrong_with_the_place(library: Library) -> None:
    os.chmod(library.path, 0o644)
    messages = [finding.message for finding in check.examine(library).findings if finding.check == "place"]
    assert any("Others may read" in message for message in messages)
    assert any("no backup" in message for message in messages)


def test_L11_a_library_that_is_only_read_is_checked_without_a_write(filled: str) -> None:
    with Library.open(filled, read_only=True) as library:
        health = check.examine(library)
    assert "full-text" not in health.checks
    assert not health.damaged


def test_L12_the_figures_of_an_empty_library(library: Library) -> None:
    figures = library.read(stats.stats)
    assert figures.total == (0, 0)
    assert set(figures.by_kind) == {"image", "sequence", "movie", "audio", "other"}
    assert set(figures.by_state) == {"new", "enriching", "ready", "retired"}
    assert set(figures.by_rating) == {None, 0, 1, 2, 3, 4, 5}
    assert (figures.folders, figures.last_runs) == (1, ())
    facts = stats.info(library)
    assert (facts.assets, facts.version, facts.journal) == (0, facts.latest_version, "wal")
    assert facts.size > 0


def test_L12_the_figures_add_up(library: Library) -> None:
    ids = add(library, image("a.png", size=5), image("b.png", size=7), sequence(ranges="1-8"))

    def change(db: object) -> None:
        library_db = db
        library_db.execute_sql("UPDATE assets SET rating = 3 WHERE id = ?", (ids[0],))  # type: ignore[attr-defined]
        library_db.execute_sql(  # type: ignore[attr-defined]
            "UPDATE assets SET is_deleted = 1, deleted_at = 1 WHERE id = ?", (ids[1],)
        )

    library.write(change)
    library.write(assets.mark_missing, [ids[2]])
    figures = library.read(stats.stats)
    assert figures.total == (2, 85)
    for parts in (figures.by_kind, figures.by_state, figures.by_collection, figures.by_rating):
        assert sum(amount.assets for amount in parts.values()) == 2
        assert sum(amount.bytes for amount in parts.values()) == 85
    assert figures.by_rating[3] == (1, 5)
    assert (figures.deleted, figures.missing, figures.frames) == (1, 1, 8)
    (uuid,) = figures.by_collection
    assert figures.collections[uuid] == "abc"
    assert ROOT
