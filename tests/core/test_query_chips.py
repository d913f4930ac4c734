"""A query's terms as chips: out, in, replaced (for a filter bar)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.query import Query, chips, parse, replaced, without
from kassettui.core.query.syntax import And, Node

TERMS = (
    "comp", "-wip",
    '"a  b"', "tag:hero", "rating:>=4", "(kind:movie OR kind:image)", "(x (y z))",
    "NOT old", "-(a OR tag:b)", "sort:-mtime", "state:n", "@broken",
)  # fmt: skip
texts = st.lists(st.sampled_from(TERMS), max_size=5, unique=True).map(" ".join)


def shown(text: str) -> list[tuple[str, str | None, bool]]:
    return [(chip.text, chip.field, chip.negated) for chip in chips(parse(text))]


def test_every_term_that_has_to_hold_is_a_chip() -> None:
    assert shown('comp tag:hero -(rating:<2 OR wip) "a b" sort:-mtime') == [
        ("comp", None, False),
        ("tag:hero", "tag", False),
        ("-(rating:<2 OR wip)", None, True),
        ('"a b"', None, False),
    ]
    assert shown("kind:movie OR kind:image") == [("kind:movie OR kind:image", "kind", False)]
    assert shown("((kind:movie))") == [("((kind:movie))", "kind", False)]
    assert shown("-tag:a") == [("-tag:a", "tag", True)]
    assert shown("sort:name") == shown("") == []


@pytest.mark.parametrize(
    ("text", "field", "term", "result"),
    [
        ("comp", "rating", "rating:>=4", "comp rating:>=4"),
        ("rating:3 comp", "rating", "rating:>=4", "comp rating:>=4"),
        ("rating:3 comp rating:<5", "rating", "", "comp"),
        ("(rating:3 rating:<5)", "rating", "rating:1", "rating:1"),
        ("-rating:3 comp", "rating", "rating:>=4", "-rating:3 comp rating:>=4"),
        ("kind:movie OR kind:image", "kind", "kind:audio", "kind:audio"),
        ("a OR b", "kind", "kind:audio", "(a OR b) kind:audio"),
        ("a sort:name OR b", "kind", "kind:audio", "(a OR b) kind:audio sort:name"),
        ("sort:name", "kind", "kind:audio", "kind:audio sort:name"),
        ('"a  b" tag:x', "tag", "tag:y", '"a  b" tag:y'),
        ("", "tag", "", ""),
    ],
)
def test_a_chip_is_replaced_by_its_field(text: str, field: str, term: str, result: str) -> None:
    assert replaced(parse(text), field, term) == result


def operands(query: Query) -> list[Node | None]:
    """What all has to hold."""
    top = query.expression
    return list(top.operands) if isinstance(top, And) else [] if top is None else [top]


@given(texts, st.data())
def test_taking_a_chip_out_takes_out_that_and_nothing_else(text: str, data: st.DataObject) -> None:
    query = parse(text)
    found = chips(query)
    if not found:
        return
    gone = data.draw(st.integers(0, len(found) - 1))
    rest = parse(without(query, found[gone]))
    assert operands(rest) == [one for n, one in enumerate(operands(query)) if n != gone]
    assert rest.sort == query.sort


@given(texts)
def test_a_replaced_query_is_a_query_with_that_term(text: str) -> None:
    query = parse(replaced(parse(text), "rating", "rating:5"))
    assert "rating:5" in [chip.text for chip in chips(query)]
    assert [chip.text for chip in chips(query) if chip.field == "rating" and not chip.negated] == ["rating:5"]
    assert query.sort == parse(text).sort


def test_chips_are_operands_of_the_tree() -> None:
    query = parse("a b c")
    assert isinstance(query.expression, And)
    assert len(chips(query)) == len(query.expression.operands)
