"""Rows as lines: fitted to a width, tab-separated, never longer than the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.cli.tables import Column, Fact, cut, fitted, labelled, pad, separated, width_of

COLUMNS = (
    Column("name", "name", shrinks=True),
    Column("frames", "frames", right=True),
    Column("state", "state", style=lambda value: "good" if value == "ready" else ""),
    Column("size", "size", right=True, rank=1),
    Column("path", "path", shrinks=True, rank=2),
)
NAMES = (
    "sh020_comp_v012.#.exr",
    "日本語の名前.mov",
    "e\u0301clair.png",
    "\U0001f3ac.mov",
    "a\x1b[31mb\n.exr",
    "[red]",
)

rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES) | st.text(max_size=60),
            "frames": st.integers(0, 10**7),
            "state": st.sampled_from(["ready", "new", None]),
            "size": st.integers(0, 10**15),
            "path": st.text(max_size=120),
        }
    ),
    max_size=8,
)


@given(rows, st.integers(1, 200))
def test_a_line_is_never_wider_than_the_terminal(table: list[dict[str, object]], width: int) -> None:
    for line in fitted(COLUMNS, table, width, color=False):
        assert width_of(line) <= width


@given(rows, st.integers(20, 200))
def test_T7_nothing_that_a_terminal_obeys_is_in_a_table(table: list[dict[str, object]], width: int) -> None:
    for line in [*fitted(COLUMNS, table, width, color=False), *separated(COLUMNS, table)]:
        assert not any(
            (ord(c) < 32 and c != "\t") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200b" for c in line
        )


@given(rows)
def test_piped_every_row_is_one_line_with_every_column(table: list[dict[str, object]]) -> None:
    lines = list(separated(COLUMNS, table))
    assert lines[0] == "name\tframes\tstate\tsize\tpath"
    assert [line.count("\t") for line in lines] == [4] * (len(table) + 1)
    assert all("\n" not in line for line in lines)


def test_long_names_lose_their_middle_and_numbers_stay_whole() -> None:
    row = {"name": "sh020_comp_main_beauty_left_v012.[1001-1100].exr", "frames": 100, "state": "ready"}
    head, line = fitted(COLUMNS[:3], [row], 40, color=False)
    assert head.split() == ["name", "frames", "state"]
    assert line.startswith("sh020_comp_m…")
    assert "1100].exr " in line
    assert line.split()[-2:] == ["100", "ready"]


def test_columns_of_the_highest_rank_leave_first() -> None:
    row = {"name": "a" * 12, "frames": 100, "state": "ready", "size": 123456, "path": "/shows/abc/a"}
    assert next(fitted(COLUMNS, [row], 40, color=False)).split() == [
        "name",
        "frames",
        "state",
        "size",
    ]
    assert next(fitted(COLUMNS, [row], 30, color=False)).split() == [
        "name",
        "frames",
        "state",
    ]


def test_later_rows_are_cut_to_the_widths_that_the_first_ones_settled() -> None:
    table = [{"name": "ab", "frames": 1, "state": None}] * 300 + [
        {"name": "x" * 500, "frames": 1, "state": None}
    ]
    assert width_of(list(fitted(COLUMNS[:3], table, 40, color=False))[-1]) <= 40


@pytest.mark.parametrize("text", NAMES)
def test_east_asian_and_combining_names_take_their_cells(text: str) -> None:
    assert width_of(pad(cut(text, 7), 7)) == 7 or width_of(text) < 0


def test_colours_are_painted_around_whole_cells_only() -> None:
    row = {"name": "x", "frames": 1, "state": "ready"}
    painted = list(fitted(COLUMNS[:3], [row], 40, color=True))[1]
    assert "\x1b[32mready\x1b[0m" in painted


@given(st.text(max_size=200), st.integers(20, 100))
def test_facts_wrap_and_lose_nothing(value: str, width: int) -> None:
    lines = list(labelled([Fact("path", value)], width, color=False))
    assert all(width_of(line) <= width for line in lines)
    from kassettui.core.text import safe

    shown = "".join(line[6:] for line in lines)
    assert shown.replace(" ", "") == safe(value).replace(" ", "")
