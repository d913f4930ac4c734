"""Outside text: safe on a terminal, lossless in the database, honest in JSON."""

from __future__ import annotations

import base64
import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.text import as_json, from_stored, is_utf8, path_b64, safe, to_stored

names = st.one_of(st.text(), st.binary().map(os.fsdecode), st.text(alphabet="\x1a0123abcu\udc80\udcff\\é"))


@given(names)
def test_T7_safe_text_never_speaks_to_the_terminal(name: str) -> None:
    shown = safe(name)
    assert not re.search("[\x00-\x1f\x7f-\x9f]", shown)
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set(
        "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("beauty.1001.exr", "beauty.1001.exr"),
        ("Übersicht 日本 🎬.mov", "Übersicht 日本 🎬.mov"),
        ("two\nlines", "two\\nlines"),
        ("\x1b]52;c;aGk=\x07", "\\e]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        (os.fsdecode(b"caf\xe9.exr"), "caf\\xe9.exr"),
        ("[red]x[/]", "[red]x[/]"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_R8_names_are_shown_with_visible_escapes(name: str, shown: str) -> None:
    assert safe(name) == shown


@given(names)
def test_R8_stored_text_comes_back_to_the_same_bytes(name: str) -> None:
    stored = to_stored(name)
    stored.encode("utf-8")
    assert from_stored(stored) == name
    assert os.fsencode(from_stored(stored)) == os.fsencode(name) if not _high_surrogates(name) else True


def _high_surrogates(name: str) -> bool:
    return any("\ud800" <= c <= "\udc7f" or "\udd00" <= c <= "\udfff" for c in name)


@given(st.lists(names, unique=True))
def test_I5_stored_keys_are_unique_where_names_are(all_names: list[str]) -> None:
    assert len({to_stored(name) for name in all_names}) == len(all_names)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x1a")))
def test_plain_text_is_stored_as_it_is(name: str) -> None:
    assert to_stored(name) == name


def test_I27_paths_that_are_not_utf8_also_come_in_base64() -> None:
    path = os.fsdecode(b"/show/caf\xe9.exr")
    assert as_json(path) == "/show/caf\ufffd.exr"
    encoded = path_b64(path)
    assert encoded is not None
    assert base64.b64decode(encoded) == b"/show/caf\xe9.exr"
    assert path_b64("/show/café.exr") is None
    assert is_utf8("/show/café.exr")
    assert not is_utf8(path)
