"""stdout in every shape: whole documents on every way out, raw names, nothing that a terminal obeys."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.cli.output import Output, ReaderLeft, csv_cell, json_bytes
from kassettui.cli.tables import Column
from kassettui.core.errors import KassettuiError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOT_UTF8 = os.fsdecode(b"caf\xe9\x1b[31m.exr")
names = st.binary(min_size=1, max_size=40).map(os.fsdecode) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=40
)


@pytest.fixture
def piped(tmp_path: Path) -> Iterator[tuple[Output, Callable[[], bytes]]]:
    """An output into a file, and what it holds so far."""
    path = tmp_path / "stdout"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    yield Output(fd), path.read_bytes
    os.close(fd)


@given(names)
def test_I27_a_name_that_is_not_utf8_comes_as_base64_too(name: str) -> None:
    row = json.loads(json_bytes({"path": name, "kind": "image"}))
    raw = base64.b64decode(row["path_b64"]) if "path_b64" in row else row["path"].encode()
    assert raw == os.fsencode(name)


@given(names)
def test_T7_json_holds_no_byte_that_a_terminal_obeys(name: str) -> None:
    text = json_bytes({"path": name}).decode()
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200b\ufeff" for c in text)


def test_nested_objects_get_their_own_base64() -> None:
    assert json.loads(json_bytes({"errors": [{"path": NOT_UTF8}]}))["errors"][0]["path_b64"]


def test_a_list_is_one_document(piped: tuple[Output, Callable[[], bytes]]) -> None:
    output, content = piped
    output.json_list("assets", [{"name": "a"}, {"name": "b"}], lambda: "cursor")
    assert json.loads(content()) == {
        "schema_version": 1,
        "type": "assets",
        "items": [{"name": "a"}, {"name": "b"}],
        "next": "cursor",
    }


def test_a_list_that_fails_half_way_is_still_one_document(piped: tuple[Output, Callable[[], bytes]]) -> None:
    output, content = piped

    def rows() -> Iterator[dict[str, Any]]:
        yield {"name": "a"}
        raise NotFound("It is gone.")

    with pytest.raises(NotFound):
        output.json_list("assets", rows())
    output.flush()
    document = json.loads(content())
    assert document["items"] == [{"name": "a"}]
    assert (document["status"], document["code"]) == ("error", "not_found")
    assert output.answered


def test_a_list_that_fails_at_its_first_row_writes_nothing(piped: tuple[Output, Callable[[], bytes]]) -> None:
    output, content = piped

    def rows() -> Iterator[dict[str, Any]]:
        if not content():
            raise NotFound("It is gone.")
        yield {}

    with pytest.raises(NotFound):
        output.json_list("assets", rows())
    output.flush()
    assert content() == b""
    assert not output.answered


def test_a_reader_that_left_is_told_apart_from_a_full_disk() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = Output(writer)
    with pytest.raises(ReaderLeft):
        output.text("x\n" * 100_000)
    output.text("dropped")
    os.close(writer)
    with open("/dev/full", "wb") as full, pytest.raises(KassettuiError, match="No space left"):
        Output(full.fileno()).text("x")


def test_events_go_on_without_a_reader() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = Output(writer)
    for number in range(3):
        output.event({"type": "progress", "done": number})
    os.close(writer)


def test_a_closed_stdout_drops_everything() -> None:
    output = Output(None)
    output.text("x")
    output.document("x", {})
    output.paths(["x"])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-rf", "'-rf"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ('=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"'),
        (-12, "-12"),
        (None, ""),
        ("plain", "plain"),
        ("a,b", '"a,b"'),
        ("two\nlines", '"two\nlines"'),
        (" edge ", '" edge "'),
    ],
)
def test_csv_cells_that_a_spreadsheet_would_run_are_quoted(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


@given(st.lists(names, max_size=5))
def test_R8_csv_gives_every_name_back(paths: list[str]) -> None:
    reader, writer = os.pipe()
    Output(writer).csv([Column("path", "path"), Column("n", "n")], [{"path": path, "n": 1} for path in paths])
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        text = file.read().decode()
    back = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        back.append(os.fsdecode(base64.b64decode(row["path_b64"])) if row["path_b64"] else row["path"])
    assert back == paths


def test_paths_are_raw_bytes_and_null_separated(piped: tuple[Output, Callable[[], bytes]]) -> None:
    output, content = piped
    output.paths([NOT_UTF8, "two\nlines"], null=True)
    assert content() == b"caf\xe9\x1b[31m.exr\0two\nlines\0"
