"""What the planner keeps of the library's keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.decisions import Known as Compared
from kassettui.ingest.known import KnownAssets
from kassettui.library.assets import Known


def _row(number: int, key: str, **changes: object) -> Known:
    values = {
        "id": number,
        "key": key,
        "signature": f"s{number}",
        "enricher_checksum": None,
        "missing_since": None,
        "is_deleted": False,
        "health": None,
    }
    return Known(**(values | changes))  # type: ignore[arg-type]


@given(st.sets(st.text(st.characters(exclude_categories=()), max_size=8), max_size=40))
def test_every_key_is_found_and_no_other(keys: set[str]) -> None:
    rows = [_row(number, key) for number, key in enumerate(sorted(keys))]
    known = KnownAssets(rows, None)
    assert len(known) == len(keys)
    for row in rows:
        position = known.find(row.key)
        assert position is not None
        assert known.asset_id(position) == row.id
        assert known.compare(position, row.signature or "") == Compared(same_content=True)
        assert known.compare(position, "else") == Compared(same_content=False)
    assert known.find("no such key at all") is None


def test_I7_an_asset_is_seen_once() -> None:
    known = KnownAssets([_row(1, "a"), _row(2, "b"), _row(3, "c", missing_since=9)], None)
    position = known.find("a")
    assert position is not None
    assert known.see(position)
    assert not known.see(position)
    assert sorted(known.unseen()) == [(2, False), (3, True)]


def test_deleted_ones_are_never_called_gone() -> None:
    known = KnownAssets([_row(1, "a", is_deleted=True), _row(2, "b", missing_since=9), _row(3, "c")], None)
    assert sorted(known.unseen()) == [(2, True), (3, False)]
    assert known.living == 1


def test_I10_enrichers_differ_only_where_both_are_known() -> None:
    rows = [_row(1, "never"), _row(2, "same", enricher_checksum="e"), _row(3, "other", enricher_checksum="f")]
    for enrichers, expected in (("e", [True, True, False]), (None, [True, True, True])):
        known = KnownAssets(rows, enrichers)
        same = []
        for row in rows:
            position = known.find(row.key)
            assert position is not None
            same.append(known.compare(position, row.signature or "").same_enrichers)
        assert same == expected


def test_growing_ones_are_remembered() -> None:
    known = KnownAssets([_row(1, "a", health="growing"), _row(2, "b", health="complete")], None)
    positions = [known.find(key) for key in ("a", "b")]
    assert [known.growing(position) for position in positions if position is not None] == [True, False]
