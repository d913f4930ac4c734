"""Layouts and scopes (I2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ExitCode, InvalidInput, NotFound
from kassettui.core.layout import Layout, same_value

if TYPE_CHECKING:
    from collections.abc import Callable

TREE = {
    "": ["abc", "xyz"],
    "abc": ["sq01", "sq02"],
    "abc/sq01": ["sh010", "sh020"],
    "abc/sq02": ["sh010"],
    "xyz": [],
}


def _lister(tree: dict[str, list[str]], asked: list[str] | None = None) -> Callable[[str], list[str]]:
    def names(directory: str) -> list[str]:
        if asked is not None:
            asked.append(directory)
        return tree.get(directory, [])

    return names


def test_I2_a_directory_gives_the_fields_of_its_levels() -> None:
    layout = Layout("{show}/{sequence}/{shot}/{task}")
    assert layout.fields == ("show", "sequence", "shot", "task")
    assert layout.fields_of("abc/sq01/sh010/comp/v001/exr") == {
        "show": "abc",
        "sequence": "sq01",
        "shot": "sh010",
        "task": "comp",
    }
    assert layout.fields_of("abc") == {"show": "abc"}
    assert layout.fields_of("") == {}


def test_I2_text_around_fields_and_plain_levels() -> None:
    layout = Layout("{show}/shots/{sequence}_{shot}")
    assert layout.fields_of("abc/shots/sq1_sh2/x") == {"show": "abc", "sequence": "sq1", "shot": "sh2"}
    assert layout.fields_of("abc/assets/tree") == {"show": "abc"}
    assert Layout("{title}/Season {season}").fields_of("X\n(1)/Season 02") == {
        "title": "X\n(1)",
        "season": "02",
    }


@pytest.mark.parametrize(
    "template", ["{a}/{a}", "{a}{b}", "{A}", "{}", "{a", "a}", "../{a}", "{a-b}", "{a}-{a}"]
)
def test_I2_a_template_that_cannot_mean_anything_is_refused(template: str) -> None:
    with pytest.raises(InvalidInput):
        Layout(template)


def test_I2_a_scope_is_found_without_looking_elsewhere() -> None:
    asked: list[str] = []
    layout = Layout("{show}/{sequence}/{shot}")
    assert layout.narrow({"show": "abc", "sequence": "sq01"}, _lister(TREE, asked)) == ["abc/sq01"]
    assert asked == ["", "abc"]
    assert layout.narrow({}, _lister(TREE)) == [""]


@pytest.mark.parametrize(("wanted", "found"), [("2", "02"), ("02", "2"), ("0", "00"), ("sh010", "sh010")])
def test_I2_numbers_match_without_their_zeros(wanted: str, found: str) -> None:
    assert same_value(wanted, found)


@pytest.mark.parametrize(("wanted", "found"), [("SH010", "sh010"), ("2", "s2"), ("٢", "2"), ("10", "1")])
def test_I2_all_else_matches_to_the_letter(wanted: str, found: str) -> None:
    assert not same_value(wanted, found)


def test_I2_the_exact_name_wins_over_an_equal_number() -> None:
    layout = Layout("{season}")
    assert layout.narrow({"season": "2"}, _lister({"": ["2", "02"]})) == ["2"]
    assert layout.narrow({"season": "2"}, _lister({"": ["002", "02"]})) == ["002", "02"]


def test_I2_a_level_needs_all_levels_above_it() -> None:
    layout = Layout("{title}/{season}/{episode}")
    with pytest.raises(InvalidInput, match="needs the levels above it: title") as caught:
        layout.narrow({"season": "1"}, _lister({}))
    assert caught.value.exit_code is ExitCode.FAILED
    with pytest.raises(InvalidInput, match="no level named shot"):
        layout.narrow({"shot": "1"}, _lister({}))


def test_I2_an_unknown_value_says_which_level_failed_and_what_is_there() -> None:
    layout = Layout("{show}/{sequence}/{shot}")
    with pytest.raises(NotFound, match=r"No shot 'sh999' here\. There are: sh010, sh020\.") as caught:
        layout.narrow({"show": "abc", "sequence": "sq01", "shot": "sh999"}, _lister(TREE))
    assert caught.value.exit_code is ExitCode.NOT_FOUND
    with pytest.raises(NotFound, match="There are none"):
        layout.narrow({"show": "xyz", "sequence": "sq01"}, _lister(TREE))


def test_I2_at_most_ten_values_are_shown_and_safely() -> None:
    many = {"": [f"s{number:02}" for number in range(12)] + ["\x1b[31m"]}
    with pytest.raises(NotFound) as caught:
        Layout("{show}").narrow({"show": "no"}, _lister(many))
    assert "s08 and 3 more" in str(caught.value)
    assert "\\e[31m" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_I2_a_plain_level_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="'shots' does not exist"):
        Layout("{show}/shots/{shot}").narrow({"show": "abc", "shot": "1"}, _lister(TREE))
