"""Our grouping beside fileseq, clique and pyseq: the same where the field agrees, and each difference.

The tools are oracles for tests alone. Where we differ, the reason stands with the case; the tools' own
answers are asserted too, so that a changed tool shows.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import clique
import pyseq
import pytest
from fileseq.filesequence import FileSequence
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.sequences import group

if TYPE_CHECKING:
    from collections.abc import Iterable

Sequences = set[frozenset[str]]


def ours(names: list[str]) -> Sequences:
    """The sequences of two frames and more, as the sets of their names."""
    found = (frozenset(map(each.name_of, each.frames)) for each in group(sorted(names)).groups)
    return {each for each in found if len(each) > 1}


def by_fileseq(names: list[str]) -> Sequences:
    return {frozenset(each) for each in map(list, FileSequence.findSequencesInList(names)) if len(each) > 1}


def by_clique(names: list[str]) -> Sequences:
    collections, _ = clique.assemble(names)
    return {frozenset(each) for each in collections}


def by_pyseq(names: list[str]) -> Sequences:
    with contextlib.redirect_stderr(io.StringIO()):
        found = pyseq.get_sequences(sorted(names))
    return {frozenset(str(item) for item in each) for each in found if len(each) > 1}


plain = st.dictionaries(
    st.sampled_from(["beauty.", "shot_", "sh010_comp.", "left.diffuse.", "plate_x."]),
    st.tuples(st.sampled_from(["exr", "dpx", "png"]), st.lists(st.integers(1, 999), min_size=2, unique=True)),
    min_size=1,
)


@given(plain)
def test_the_field_agrees_on_plain_sequences(sequences: dict[str, tuple[str, list[int]]]) -> None:
    names = [
        f"{head}{frame:04d}.{extension}"
        for head, (extension, frames) in sequences.items()
        for frame in frames
    ]
    expected = ours(names)
    assert len(expected) == len(sequences)
    assert by_fileseq(names) == by_clique(names) == by_pyseq(names) == expected


def sets(*groups: Iterable[str]) -> Sequences:
    return {frozenset(each) for each in groups}


VERSIONS = ["comp_v001.exr", "comp_v002.exr"]
MOVIES = ["ref.0001.mov", "ref.0002.mov"]
DATES = ["plate_2024-01-14.exr", "plate_2024-01-15.exr"]
NEGATIVE = ["a.-001.exr", "a.0000.exr", "a.0001.exr"]
DASHED = ["x-0001.dpx", "x-0002.dpx"]
PADDED_TWICE = ["h.1.exr", "h.01.exr", "h.02.exr"]
ONE_EACH = ["v001.1001.exr", "v002.1001.exr"]
COPIES = ["a.0001 (1).exr", "a.0001 (2).exr"]
IDS = ["take.100000001.exr", "take.100000002.exr"]
NARROW = ["a1.exr", "a2.exr"]


@pytest.mark.parametrize(
    ("names", "us", "fileseq", "clique", "pyseq", "reason"),
    [
        (VERSIONS, sets(), sets(VERSIONS), sets(VERSIONS), sets(VERSIONS), "S3: two versions of one thing"),
        (ONE_EACH, sets(), sets(), sets(ONE_EACH), sets(ONE_EACH), "S3: a frame of each of two versions"),
        (MOVIES, sets(), sets(MOVIES), sets(MOVIES), sets(MOVIES), "S5: movies never group"),
        (DATES, sets(), sets(DATES), sets(DATES), sets(DATES), "S13: a date is no frame"),
        (NEGATIVE, sets(NEGATIVE), sets(NEGATIVE), sets(NEGATIVE[1:]), sets(NEGATIVE[1:]), "S9: across zero"),
        (DASHED, sets(DASHED), sets(DASHED), sets(DASHED), sets(DASHED), "S4: no sign after a letter"),
        (PADDED_TWICE, sets(PADDED_TWICE[1:]), sets(PADDED_TWICE[1:]), sets(PADDED_TWICE[1:]),
         sets(PADDED_TWICE), "S8: a member padded otherwise is reported apart"),
        (COPIES, sets(), sets(), sets(COPIES), sets(COPIES), "S14: copies of a desktop are strays"),
        (IDS, sets(), sets(IDS), sets(IDS), sets(IDS), "S13: more than 8 digits are an id"),
        (NARROW, sets(), sets(NARROW), sets(NARROW), sets(NARROW), "S12: one digit without a separator"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_where_we_differ_it_is_meant(
    names: list[str],
    us: Sequences,
    fileseq: Sequences,
    clique: Sequences,
    pyseq: Sequences,
    reason: str,
) -> None:
    assert ours(names) == us
    assert by_clique(names) == clique
    assert by_pyseq(names) == pyseq
    assert by_fileseq(names) == fileseq
    assert reason
