"""What the log has of an import (I28): gates, begin, commit, decisions; bounded, and nothing of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import ExitCode
from kassettui.observe import log
from kassettui.observe.logreader import read_log
from tests.ingest.trees import bring_in, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kassettui.library.library import Library
    from kassettui.observe.entries import Entry

COUNT = 250


@pytest.fixture(autouse=True)
def _no_log_left() -> Iterator[None]:
    yield
    log.configure(None)


@pytest.fixture
def tree(root: Path) -> Path:
    for number in range(COUNT):
        write(root / f"plate_{'abcdefghij'[number % 10]}_{number}x.png")
    return root


def logged(path: Path) -> list[Entry]:
    assert log.flush()
    return list(read_log(path))


def test_I28_at_info_200_items_are_named_and_the_reasons_are_summed_up(
    library: Library, tree: Path, tmp_path: Path
) -> None:
    log.configure(lambda: tmp_path / "k.log")
    report = bring_in(library, tree, enrich=False)
    entries = logged(tmp_path / "k.log")
    named = [entry for entry in entries if entry.event == "decided"]
    assert len(named) == 200
    assert {entry.fields["run"] for entry in entries} == {report.run_id}
    (planned,) = (entry for entry in entries if entry.event == "planned")
    assert sum(planned.fields["reasons"].values()) == COUNT  # type: ignore[attr-defined]
    assert [entry.event for entry in entries if entry.event != "decided"] == [
        "import begins",
        "planned",
        "begin",
        "commit",
        "import ends",
    ]


def test_I28_a_run_that_skips_all_names_nothing(library: Library, tree: Path, tmp_path: Path) -> None:
    bring_in(library, tree, enrich=False)
    log.configure(lambda: tmp_path / "k.log")
    bring_in(library, tree, enrich=False)
    assert [entry for entry in logged(tmp_path / "k.log") if entry.event == "decided"] == []


def test_I28_at_debug_every_item_is_named_with_its_decision_and_reason(
    library: Library, tree: Path, tmp_path: Path
) -> None:
    log.configure(lambda: tmp_path / "k.log", level="debug")
    bring_in(library, tree, enrich=False)
    named = [entry.fields for entry in logged(tmp_path / "k.log") if entry.event == "decided"]
    assert len({str(fields["path"]) for fields in named}) == COUNT
    assert all(fields["decision"] and fields["reason"] for fields in named)


def test_I28_a_gate_that_fails_is_in_the_log(library: Library, root: Path, tmp_path: Path) -> None:
    log.configure(lambda: tmp_path / "k.log")
    report = bring_in(library, root / "nowhere")
    assert report.exit_code is not ExitCode.DONE
    assert any(entry.event == "gate failed" for entry in logged(tmp_path / "k.log"))


def test_I19_a_dry_run_leaves_no_log(library: Library, tree: Path, tmp_path: Path) -> None:
    log.configure(lambda: tmp_path / "k.log")
    bring_in(library, tree, dry_run=True)
    assert log.flush()
    assert not (tmp_path / "k.log").exists()
