"""Secrets never reach a line (I28, Security), and no line grows without bound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.observe.redaction import HIDDEN, redact, redact_text

SECRET = "s3cr3t-Zq9"


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@plex.example:32400/library",
        f"https://{SECRET}@git.example/repository",
        f"ftp://a:{SECRET}@h then smb://b:{SECRET}@i",
        f"http://h/library?X-Plex-Token={SECRET}&type=1",
        f"GET /x?api_key={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization=Basic {SECRET}",
        f"sent bearer {SECRET}",
        f"password={SECRET}",
        f"PASSWORD: '{SECRET} with blanks'",
        f'{{"token": "{SECRET}"}}',
        f"{{'client_secret': '{SECRET}'}}",
        f"my_access_token = {SECRET}",
        f"Cookie: {SECRET}",
    ],
)
def test_I28_secrets_in_text_are_hidden(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert HIDDEN in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "/shows/abc/sh010/comp_v003.1001.exr",
        "https://plex.example:32400/library/sections",
        "canonical_key=fs:sh010/beauty.#.exr",
        "ratio 16:9, key=value",
        "mail someone@example.org",
        "",
    ],
)
def test_I28_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name",
    ["token", "X-Plex-Token", "password", "db_passwd", "client_secret", "Authorization", "api_key", "cookie"],
)
def test_I28_values_under_telling_names_are_hidden_whatever_they_are(name: str) -> None:
    for value in (SECRET, SECRET.encode(), 1234, 1.5, [SECRET], {"a": SECRET}, Path(SECRET)):
        assert redact(name, value) == HIDDEN


def test_I28_secrets_are_found_inside_structures() -> None:
    told = redact(
        "config", {"url": f"http://u:{SECRET}@h", "deep": [{"password": SECRET}, (f"token={SECRET}",)]}
    )
    assert SECRET not in json.dumps(told)
    assert redact("config", {"root": "/shows", "count": 3}) == {"root": "/shows", "count": 3}


def test_a_line_is_bounded_whatever_is_logged() -> None:
    assert len(str(redact("metadata", "x" * 10_000_000))) < 5000
    assert len(json.dumps(redact("items", list(range(1_000_000))))) < 5000
    deep: object = "end"
    for _ in range(1000):
        deep = {"deeper": [deep]}
    assert len(json.dumps(redact("deep", deep))) < 10_000


def test_a_long_text_keeps_both_ends() -> None:
    told = str(redact("exception", "Traceback" + "." * 100_000 + "ValueError: the reason"))
    assert told.startswith("Traceback")
    assert told.endswith("ValueError: the reason")


def test_values_that_are_no_json_become_text() -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError

    assert redact("path", Path("/shows/a")) == "/shows/a"
    assert redact("raw", b"na\xffme") == "na\udcffme"
    assert redact("speed", float("inf")) == "inf"
    assert redact("rude", Rude()) == "<Rude that cannot be shown>"
    assert redact("nothing", None) is None
    assert redact("token_found", True) is True


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_anything_becomes_strict_json(value: object) -> None:
    json.dumps(redact("value", value), allow_nan=False)
