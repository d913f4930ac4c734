"""The registry and the keymaps made from it: every action has a key, no key has two meanings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.__main__ import Screen
from kassettui.config import Settings
from kassettui.core.errors import InvalidInput
from kassettui.tui.actions import ACTIONS, PRESETS, Where
from kassettui.tui.keymap import keymap
from kassettui.tui.keytable import page

ROOT = Path(__file__).resolve().parents[2]


def test_every_action_has_a_name_a_title_and_help() -> None:
    names = [action.name for action in ACTIONS]
    assert len(set(names)) == len(names)
    for action in ACTIONS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", action.name)
        assert action.title
        assert action.help.endswith(".")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_gives_every_action_a_key_that_means_one_thing(preset: str) -> None:
    chosen = keymap(preset)
    for action in ACTIONS:
        held = (Where.EVERYWHERE, Where.LISTS, action.where)
        for key in chosen.keys[action.name]:
            assert chosen.find(key, held) is action
        assert chosen.keys[action.name]


def test_own_keys_replace_those_of_the_preset() -> None:
    chosen = keymap("default", {"tag": ("#", "g t"), "sort": "O"})
    assert chosen.keys["tag"] == ("#", "g t")
    assert chosen.find("t", (Where.EVERYWHERE, Where.LISTS, Where.LIBRARY)) is None
    assert chosen.begins("g", (Where.LIBRARY,))


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"tga": "x"}, "no action `tga`"),
        ({"tag": "ctrl+"}, "is no key"),
        ({"tag": "tabulator"}, "is no key"),
        ({"tag": "\x1b[A"}, "is no key"),
        ({"tag": "g g g"}, "is no key"),
        ({"tag": ""}, "is no key"),
        ({"tag": "q"}, "means both"),
        ({"tag": "g"}, "means both"),
        ({"tag": "ctrl+i"}, "many terminals do not send"),
        ({"tag": ("alt+t", "shift+f3")}, "many terminals do not send"),
    ],
)
def test_wrong_keys_are_refused_in_words(own: dict[str, str | tuple[str, ...]], says: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(says)) as refused:
        keymap("default", own)
    assert refused.value.remedy


def test_an_unsure_key_may_stand_beside_a_sure_one() -> None:
    assert keymap("default", {"tag": ("alt+t", "t")}).keys["tag"] == ("alt+t", "t")


@given(st.text(max_size=12))
def test_any_text_is_a_key_or_is_refused(text: str) -> None:
    try:
        chosen = keymap("default", {"tag": text})
    except InvalidInput:
        pass
    else:
        assert all(part.isprintable() for part in chosen.keys["tag"])


def test_the_page_of_keys_is_what_the_program_says() -> None:
    assert page() == (ROOT / "docs" / "keys.md").read_text(encoding="utf-8"), "renew it with ./scripts/docs"


def test_the_command_knows_every_action() -> None:
    rows = Screen().keys(Settings())
    assert [row["name"] for row in rows] == [action.name for action in ACTIONS]
    assert json.dumps(rows)
