"""Themes: ours are complete, the user's own are checked before they are used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kassettui import paths
from kassettui.core.errors import InvalidInput
from kassettui.tui.theme import DEFAULT, default_variables, read_theme, themes

if TYPE_CHECKING:
    from pathlib import Path


def test_T8_at_least_six_themes_of_our_own_and_all_complete() -> None:
    found, refused = themes()
    assert refused == []
    assert {DEFAULT, "high-contrast", "colour-blind-safe"} <= set(found)
    assert len(found) >= 6
    for look in found.values():
        assert set(look.theme.variables) == set(default_variables())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[colors]\nprimary = '#zzz'", "is no colour"),
        ("[colors]\nprimary = 3", "is no colour"),
        ("[colors]\nprimary = '#123456'\nbackround = '#000000'", "no `colors.backround`"),
        ("[states]\nnew = '#123456'", "`colors.primary` is missing"),
        ("[colors]\nprimary = '#123456'\n[variables]\nfooter = '#000000'", "no `variables`"),
        ("dark = 'yes'\n[colors]\nprimary = '#123456'", "true or false"),
        ("name = \"a\\u001b\"\n[colors]\nprimary = '#123456'", "no plain name"),
        ("colors = 1", "no table"),
        ("[colors", "cannot be read"),
    ],
)
def test_T8_what_is_no_theme_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=re.escape(says)):
        read_theme(file)


def test_T8_own_themes_stand_beside_ours_and_wrong_ones_are_told() -> None:
    own = paths.own_themes_directory()
    own.mkdir(parents=True)
    (own / "mine.toml").write_text("title = 'Mine'\n[colors]\nprimary = '#123456'\n")
    (own / "wrong.toml").write_text("x = 1\n")
    found, refused = themes()
    assert found["mine"].title == "Mine"
    assert len(refused) == 1
