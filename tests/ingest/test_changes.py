"""Planned changes survive being packed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.decisions import Decision, Reason
from kassettui.core.frames import FrameRanges
from kassettui.core.items import Item
from kassettui.core.kinds import Kind
from kassettui.ingest import changes
from kassettui.ingest.changes import Change, Changes

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
ITEMS = st.builds(
    Item,
    key=TEXT,
    kind=st.sampled_from(Kind),
    path=TEXT,
    directory=TEXT,
    name=TEXT,
    extension=TEXT,
    size=st.integers(0, 2**62),
    mtime_ns=st.integers(-(2**62), 2**62),
    signature=st.text("abc:0123", max_size=9),
    layout=st.dictionaries(st.text("abc", min_size=1), TEXT, max_size=2),
    version_number=st.none() | st.integers(0, 9999),
    frame_ranges=st.none() | st.builds(FrameRanges.of, st.sets(st.integers(-50, 2000), max_size=20)),
    frame_padding=st.none() | st.integers(1, 8),
    sequence_pattern=st.none() | TEXT,
    hole_count=st.integers(0, 99),
    health=st.none() | st.sampled_from(("growing", "complete")),
    health_counts=st.dictionaries(st.sampled_from(("ok", "zero")), st.integers(0, 9)),
)
CHANGES = st.builds(
    Change,
    decision=st.sampled_from(Decision),
    reason=st.sampled_from(Reason),
    item=ITEMS,
    asset_id=st.none() | st.integers(1, 2**62),
    uuid=st.none() | st.uuids().map(str),
    previous=st.none() | TEXT,
    content_hash=st.none() | st.just("ab"),
)


@given(st.lists(CHANGES, max_size=8))
def test_what_is_packed_comes_back_equal(given_changes: list[Change]) -> None:
    assert list(changes._unpack(changes._pack(given_changes))) == given_changes


def test_many_changes_keep_their_order_and_number() -> None:
    def change(number: int) -> Change:
        item = Item(f"fs:{number}", Kind.IMAGE, f"/{number}", "", str(number), "png", number, 1, "s")
        return Change(Decision.CREATE, Reason.NEW, item)

    many = Changes(map(change, range(10_000)))
    assert len(many) == 10_000
    assert [one.item.size for one in many] == list(range(10_000))
    assert [one.item.size for one in many] == list(range(10_000))
    assert next(iter(many)) == change(0)
