"""Content signatures and the enrichers' checksum (I8, I9)."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.signatures import (
    SECOND_NS,
    EnricherVersion,
    enricher_checksum,
    file_signature,
    sequence_signature,
    settles_at,
)

ENRICHERS = st.lists(
    st.builds(EnricherVersion, st.text(max_size=4), st.text(max_size=3), st.integers(0, 99)), max_size=5
)


def _of(
    frames: list[int], sizes: list[int], mtimes: list[int], ranges: str = "1-3", extra: tuple[str, ...] = ()
) -> str:
    return sequence_signature(ranges, array("q", frames), array("q", sizes), array("q", mtimes), extra)


def test_I8_a_file_is_its_size_and_time() -> None:
    assert file_signature(10, 5) == file_signature(10, 5)
    assert len({file_signature(10, 5), file_signature(11, 5), file_signature(10, 6)}) == 3


def test_I8_a_sequence_changes_with_any_frame_size_time_or_stray_member() -> None:
    base = _of([1, 2, 3], [10, 10, 10], [5, 6, 7])
    others = {
        _of([1, 2, 4], [10, 10, 10], [5, 6, 7]),
        _of([1, 2, 3], [10, 11, 9], [5, 6, 7]),
        _of([1, 2, 3], [10, 10, 10], [6, 5, 7]),
        _of([1, 2, 3], [10, 10, 10], [5, 6, 7], "1-3x1"),
        _of([1, 2, 3], [10, 10, 10], [5, 6, 7], extra=("x.01.exr",)),
    }
    assert base not in others
    assert len(others) == 5
    assert base == _of([1, 2, 3], [10, 10, 10], [5, 6, 7])


def test_I8_a_signature_says_count_bytes_and_newest_time() -> None:
    assert _of([1, 2], [10, 20], [9, 8]).startswith("q1:2:30:9:")
    assert _of([], [], []).startswith("q1:0:0:0:")


def test_I8_strange_names_have_signatures_too() -> None:
    assert _of([1], [1], [1], extra=("\udcff",)) != _of([1], [1], [1], extra=("\udcfe",))


def test_I8_a_time_is_in_doubt_until_the_clock_has_ticked_on() -> None:
    fine = 5 * SECOND_NS + 1
    assert 0 < settles_at(fine) - fine <= SECOND_NS // 10
    coarse = 5 * SECOND_NS
    assert settles_at(coarse) - coarse == 2 * SECOND_NS


@given(ENRICHERS, st.randoms())
def test_I9_the_order_of_enrichers_does_not_matter(enrichers: list[EnricherVersion], random: object) -> None:
    shuffled = sorted(enrichers, key=lambda enricher: enricher.priority, reverse=True) + enrichers[:1]
    assert enricher_checksum(shuffled) == enricher_checksum(enrichers)


@given(ENRICHERS, ENRICHERS)
def test_I9_another_set_has_another_checksum(
    one: list[EnricherVersion], other: list[EnricherVersion]
) -> None:
    assert (enricher_checksum(one) == enricher_checksum(other)) == (set(one) == set(other))


def test_I9_the_checksum_is_stable_over_releases() -> None:
    known = [EnricherVersion("probe", "1", 10), EnricherVersion("health", "1", 20)]
    assert enricher_checksum(known) == "e1:a40478c5a216f3bcdeeac9ef427fd7b6"
