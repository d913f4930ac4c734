"""Layouts and scopes in an import (I2, I3)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import ExitCode
from tests.ingest.trees import bring_in, frames, rows, table, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.ingest.report import Report
    from kassettui.library.library import Library

LAYOUT = "{show}/{sequence}/{shot}/{task}"


@pytest.fixture
def show(root: Path) -> Path:
    """Two shows with two sequences of two shots."""
    for show in ("abc", "xyz"):
        for sequence in ("010", "020"):
            for shot in ("sh1", "sh2"):
                frames(root / show / sequence / shot / "comp", range(1, 4))
    return root


def _paths(library: Library) -> list[str]:
    return [asset["canonical_key"] for asset in rows(library)]


def test_I2_the_layouts_fields_are_stored_on_each_asset(library: Library, show: Path) -> None:
    write(show / "abc" / "notes.png")
    bring_in(library, show, layout=LAYOUT)
    stored = {
        row["canonical_key"]: json.loads(row["fields"])
        for row in table(
            library, "SELECT canonical_key, fields FROM assets JOIN layouts l ON l.id = layout_id"
        )
    }
    assert stored["fs:abc/010/sh1/comp/beauty.#.exr"] == {
        "show": "abc",
        "sequence": "010",
        "shot": "sh1",
        "task": "comp",
    }
    assert stored["fs:abc/notes.png"] == {"show": "abc"}


def test_I2_a_scope_narrows_and_numbers_go_without_their_zeros(library: Library, show: Path) -> None:
    report = bring_in(library, show, layout=LAYOUT, scope={"show": "abc", "sequence": "10"})
    assert report.stats.discovered == 2
    assert _paths(library) == ["fs:abc/010/sh1/comp/beauty.#.exr", "fs:abc/010/sh2/comp/beauty.#.exr"]
    assert report.as_json()["scope"] == {
        "fields": {"show": "abc", "sequence": "10"},
        "directories": ["abc/010"],
        "only": None,
    }


@pytest.mark.parametrize(
    ("scope", "code", "words"),
    [
        ({"sequence": "010"}, ExitCode.FAILED, "needs the levels above it: show"),
        ({"director": "x"}, ExitCode.FAILED, "no level named director"),
        ({"show": "abc", "sequence": "099"}, ExitCode.NOT_FOUND, "No sequence '099' here"),
        ({"show": "ABC"}, ExitCode.NOT_FOUND, "No show 'ABC' here"),
    ],
)
def test_I2_a_scope_that_cannot_be_says_why(
    library: Library, show: Path, scope: dict[str, str], code: ExitCode, words: str
) -> None:
    report = bring_in(library, show, layout=LAYOUT, scope=scope)
    assert report.exit_code is code
    assert words in (report.message or "")
    assert rows(library) == []


def test_I2_an_unknown_value_tells_what_is_there(library: Library, show: Path) -> None:
    report = bring_in(library, show, layout=LAYOUT, scope={"show": "nope"})
    assert report.remedy == "There are: abc, xyz."


def test_I2_path_and_scope_together_mean_what_both_mean(library: Library, show: Path) -> None:
    bring_in(library, show, layout=LAYOUT)
    inside = bring_in(library, show / "abc" / "010" / "sh2", scope={"show": "abc", "sequence": "010"})
    assert inside.stats.discovered == 1
    outside = bring_in(library, show / "xyz", scope={"show": "abc"})
    assert outside.exit_code is ExitCode.NOT_FOUND


@pytest.mark.parametrize("options", [{"scope": {"show": "abc", "sequence": "010"}}, {}])
def test_I3_no_directory_outside_the_scope_is_opened(
    library: Library, show: Path, options: dict[str, Any]
) -> None:
    """Directories that cannot be listed by anybody but root are moved away: whoever opens one would fail."""
    bring_in(library, show, layout=LAYOUT)
    for outside in ("abc/020", "xyz/010"):
        directory = show / outside
        os.rename(directory, show.parent / outside.replace("/", "-"))
        os.symlink("/proc/self/does-not-exist", directory)  # a scan that came here would tell
    write(show / "abc" / "010" / "sh3" / "new.png")
    path = show if options else show / "abc" / "010"
    report = bring_in(library, path, **options)
    assert report.stats.ingested == 1
    assert report.stats.missing == 0
    assert list(report.errors) == []


def test_I3_what_is_gone_outside_the_scope_is_left_alone(library: Library, show: Path) -> None:
    bring_in(library, show, layout=LAYOUT)
    for directory in ("010", "020"):
        for frame in (show / "abc" / directory / "sh1" / "comp").iterdir():
            frame.unlink()
    report: Report = bring_in(library, show, scope={"show": "abc", "sequence": "010"})
    assert report.stats.missing == 1
    missing = [asset["canonical_key"] for asset in rows(library, where="missing_since IS NOT NULL")]
    assert missing == ["fs:abc/010/sh1/comp/beauty.#.exr"]
