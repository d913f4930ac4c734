"""What is offered at the cursor of a query (spec: library L7, tui)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.query import QueryError, complete, parse, quoted
from kassettui.core.query.syntax import Match, TextIs
from kassettui.core.text import safe


def offered(text: str, cursor: int | None = None) -> list[str]:
    return [one.text for one in complete(text, len(text) if cursor is None else cursor).candidates]


def test_the_start_of_a_word_offers_fields() -> None:
    assert offered("comp rat") == ["rating:"]
    assert "tag:" in offered("(ta")
    assert offered("-appr") == ["approved:"]
    assert offered("") == []


def test_a_field_with_a_closed_list_offers_its_values() -> None:
    assert offered("state:re") == ["ready", "retired"]
    assert set(offered("approved:")) >= {"yes", "no"}


def test_the_span_is_what_a_candidate_replaces() -> None:
    completion = complete("comp state:re more", 13)
    start, end = completion.span
    assert ("comp state:re more"[:start], "comp state:re more"[end:]) == ("comp state:", " more")
    assert completion.field is not None
    assert completion.field.name == "state"


def test_open_values_are_left_to_the_library() -> None:
    completion = complete('tag:"client/a', 13)
    assert completion.open_value
    assert completion.prefix == "client/a"


def test_sort_offers_fields_with_their_sign() -> None:
    assert offered("sort:-mti") == ["-mtime"]
    assert offered("sort:-mtime,na") == ["name"]
    assert complete("sort:-mtime,na", 14).span == (12, 14)


def test_sizes_and_times_show_how_they_are_written() -> None:
    assert ">2G" in offered("size:")
    assert ">-7d" in offered("mtime:")


@given(st.text(max_size=30), st.integers(-5, 40))
def test_completion_never_raises_and_its_span_lies_in_the_text(text: str, cursor: int) -> None:
    start, end = complete(text, cursor).span
    assert 0 <= start <= end <= len(text)


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_a_quoted_value_means_itself(value: str) -> None:
    node = parse(f"name={quoted(value)}").expression
    assert isinstance(node, TextIs)
    assert (node.match, node.value) == (Match.EXACT, value)


@pytest.mark.parametrize("text", ["sh020", "a/b", "v001.exr", "日本"])
def test_plain_values_stay_without_quotes(text: str) -> None:
    assert quoted(text) == text


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_error_with_a_place(text: str) -> None:
    error = fault_of(text)
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert error.length >= 1
        line, carets = error.detail
        assert carets.strip("^ ") == ""
        assert safe(line) == line


def fault_of(text: str) -> QueryError | None:
    try:
        parse(text)
    except QueryError as error:
        return error
    return None
