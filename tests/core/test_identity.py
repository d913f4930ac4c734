"""Canonical keys (I5, I6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.core.identity import (
    KEY_VERSION,
    external_key,
    normal_path,
    parent_and_name,
    path_key,
    relative_path,
    scope_prefix,
)

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("", ""),
        (".", ""),
        ("./a//b/", "a/b"),
        ("a/./b/../c", "a/c"),
        ("a/..", ""),
        ("A/ä/a\u0308", "A/ä/a\u0308"),
        ("caf\udce9/\n", "caf\udce9/\n"),
    ],
)
def test_I5_dots_and_doubled_slashes_are_resolved_and_names_kept(path: str, normal: str) -> None:
    assert normal_path(path) == normal


@pytest.mark.parametrize("path", ["/a", "..", "a/../..", "a\0b"])
def test_I5_a_path_outside_the_root_has_no_key(path: str) -> None:
    with pytest.raises(InvalidInput):
        normal_path(path)


def test_I5_a_key_is_the_path_below_the_root() -> None:
    assert path_key("sq01/sh010", "beauty.#.exr") == "fs:sq01/sh010/beauty.#.exr"
    assert path_key("", "still.png") == "fs:still.png"


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_I5_keys_are_one_to_one_with_paths(parts: list[str]) -> None:
    directory, name = "/".join(parts[:-1]), parts[-1]
    key = path_key(directory, name)
    assert parent_and_name(key) == (directory, name)
    assert relative_path(key) == "/".join(parts)
    assert key.startswith(scope_prefix(directory))


def test_I5_a_scope_is_whole_directories() -> None:
    assert not path_key("sh0100", "a.exr").startswith(scope_prefix("sh010"))


def test_I5_an_external_id_is_a_key_of_its_source() -> None:
    assert external_key("plex", "4711") == "plex:4711"
    for source, external_id in [("", "1"), ("plex", ""), ("fs", "1"), ("a:b", "1")]:
        with pytest.raises(InvalidInput):
            external_key(source, external_id)
    with pytest.raises(InvalidInput):
        relative_path("plex:4711")


def test_I6_the_rules_have_a_version() -> None:
    assert KEY_VERSION == 1
