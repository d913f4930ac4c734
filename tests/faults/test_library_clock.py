"""R7: the clock goes back, or says that it is 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.library import assets, backup, check, collections, folders, migrate, runs, stamps
from kassettui.library.library import SCHEMA, Library
from kassettui.library.opening import open_operator
from tests.faults import library_child
from tests.library.samples import add, image, sequence

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000_000


@pytest.mark.parametrize("then", [0, 1, -5 * HOUR, 4_102_444_800_000_000])
def test_R7_a_library_lives_with_any_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: int
) -> None:
    """The machine's clock cannot be set from a test: what reads it is set instead."""
    path = str(tmp_path / "library.db")
    with Library.open(path, create=True) as library:
        (first,) = add(library, image("a.png"))
        before = library.read(assets.get, first)
        monkeypatch.setattr(stamps, "now", lambda: then)
        (second,) = add(library, sequence())
        library.write(assets.mark_missing, [first])
        library.write(assets.update_many, [assets.Found(image("a.png", size=99), first)])
        library.write(folders.add_assets, [(second, library.write(folders.ensure_folder, "x"))])
        collection = library.read(collections.everything)[0]
        library.write(
            lambda db: runs.record(
                db,
                uuid=stamps.new_uuid(),
                collection_uuid=collection.uuid,
                collection_name=collection.name,
                status="success",
                started_at=then + HOUR,
                counts={},
            )
        )
        after = library.read(assets.get, first)
        assert (after.updated_at, after.created_at) == (then, before.created_at)
        assert not check.examine(library).damaged
        assert [stamps.to_iso(run.started_at)[-1] for run in library.read(runs.latest)] == ["Z"]


def test_R7_the_backup_just_made_stays_when_the_clock_went_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "library.db")
    Library.open(path, create=True).close()
    schema = library_child.schema_2()
    operator = open_operator(path, schema)
    made = []
    for number, target in enumerate((SCHEMA.latest, SCHEMA.latest + 1) * 3):
        monkeypatch.setattr(stamps, "now", lambda number=number: 10 * HOUR - number * HOUR)
        made.append(migrate.migrate(operator, schema, target, keep=2).backup)
        assert made[-1] in [copy.path for copy in backup.listed(path)]
    operator.close()
    assert len(backup.listed(path)) == 2
