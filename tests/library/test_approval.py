"""Approve, unapprove, retire: the lifecycle's word on thousands at once (spec: ingest I12, I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ConstraintViolated, NotFound, Refused
from kassettui.library import approval, search
from kassettui.library.approval import Decided
from tests.library.counting import statements
from tests.library.stock import NOW, Stocked, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

READY = {"state": "ready"}


def stock(library: Library, *columns: Mapping[str, object]) -> None:
    library.write(fill, [Stocked(f"n{n}.exr", columns=one) for n, one in enumerate(columns)])


def standings(library: Library) -> list[tuple[str, int]]:
    rows = library.read(lambda db: db.all("SELECT state, approved_for_broadcast FROM assets ORDER BY id"))
    return [(row[0], row[1]) for row in rows]


def test_I13_only_ready_assets_are_approved(library: Library) -> None:
    stock(library, READY, {"state": "new"}, READY)
    with pytest.raises(Refused, match="new"):
        library.write(approval.approve, [1, 2, 3])
    assert standings(library) == [("ready", 0), ("new", 0), ("ready", 0)]
    done = library.write(approval.approve, [1, 2, 3], True)
    assert (done.changed, [id_ for id_, _ in done.refused]) == ((1, 3), [2])
    assert standings(library) == [("ready", 1), ("new", 0), ("ready", 1)]


def test_I13_a_deleted_asset_is_never_approved(library: Library) -> None:
    stock(library, {**READY, "is_deleted": 1, "deleted_at": NOW})
    with pytest.raises(Refused, match="deleted"):
        library.write(approval.approve, [1])


def test_I13_unapprove_and_retire(library: Library) -> None:
    stock(library, READY, READY)
    library.write(approval.approve, [1, 2])
    assert library.write(approval.unapprove, [1]) == Decided((1,), ())
    assert library.write(approval.unapprove, [1]) == Decided((), (1,))
    assert library.write(approval.retire, [1, 2]) == Decided((1, 2), ())
    assert standings(library) == [("retired", 0), ("retired", 0)]
    with pytest.raises(Refused):
        library.write(approval.approve, [2])


def test_I12_the_database_itself_refuses_approved_without_ready(library: Library) -> None:
    stock(library, {"state": "new"})
    with pytest.raises(ConstraintViolated):
        library.write(lambda db: db.execute_sql("UPDATE assets SET approved_for_broadcast = 1") and None)


def test_I13_ten_thousand_in_one_transaction(library: Library) -> None:
    stock(library, *[READY] * 10_000)
    made = []

    def counted(db: LibraryDatabase, verb: object, number: int) -> None:
        with statements(db) as seen:
            verb(db, range(1, number + 1))  # type: ignore[operator]
        made.append(len(seen))

    library.write(counted, approval.approve, 10)
    library.write(counted, approval.unapprove, 10)
    commits = library.operator.metrics.write_batch.distributions()[""].count
    library.write(counted, approval.approve, 10_000)
    assert library.operator.metrics.write_batch.distributions()[""].count == commits + 1
    assert library.read(search.count, "approved:yes").number == 10_000
    assert made[0] == made[2]


@pytest.mark.parametrize("at", [0, 5_000, 9_999])
def test_I13_a_failure_on_the_nth_changes_nothing(library: Library, at: int) -> None:
    stock(library, *[{"state": "enriching"} if n == at else READY for n in range(10_000)])
    with pytest.raises(Refused):
        library.write(approval.approve, range(1, 10_001))
    with pytest.raises(NotFound):
        library.write(approval.retire, [*range(1, 10_001), 55_555])
    assert library.read(search.count, "approved:yes OR state:retired").number == 0
