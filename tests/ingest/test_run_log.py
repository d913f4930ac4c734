"""What the log has of a run (I28), and that a dry run leaves none (I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.observe import log
from tests.ingest.trees import bring_in, touch, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kassettui.library.library import Library


@pytest.fixture(autouse=True)
def _own_ring() -> Iterator[None]:
    log.configure(None, level="debug")
    log.clear_recent()
    yield
    log.configure(None)
    log.clear_recent()


def _events(*levels: str) -> list[str]:
    return [
        entry.event
        for entry in log.recent()
        if entry.logger == "import" and (not levels or entry.level.name.lower() in levels)
    ]


def test_I28_gates_plan_begin_and_commit_are_logged(library: Library, root: Path) -> None:
    write(root / "a.png")
    bring_in(library, root)
    gates = [entry.fields["gate"] for entry in log.recent() if entry.event == "gate passed"]
    assert gates == ["collection", "prerequisites", "source", "scope"]
    told = [event for event in _events("info") if event != "decided"]
    assert told == ["import begins", "planned", "begin", "commit", "import ends"]
    (planned,) = [entry for entry in log.recent() if entry.event == "planned"]
    assert planned.fields["reasons"] == {"new": 1}


def test_I28_a_gate_that_closes_says_why(library: Library, root: Path) -> None:
    write(root / "a.png")
    bring_in(library, root, scope={"shot": "x"})
    (failed,) = [entry for entry in log.recent() if entry.event == "gate failed"]
    assert (failed.fields["gate"], failed.fields["code"]) == ("scope", "invalid")
    assert "import failed" in _events("error")


def test_I28_every_decision_is_there_at_debug(library: Library, root: Path) -> None:
    for number in range(300):
        write(root / f"p{number:03}x.png")
    bring_in(library, root)
    decided = [entry for entry in log.recent() if entry.event == "decided"]
    assert len(decided) == 300
    assert {(entry.fields["decision"], entry.fields["reason"]) for entry in decided} == {("create", "new")}


def test_I28_at_info_two_hundred_items_are_named_at_the_most(library: Library, root: Path) -> None:
    for number in range(300):
        write(root / f"p{number:03}x.png")
    log.configure(None, level="info")
    bring_in(library, root)
    assert _events().count("decided") == 200
    log.clear_recent()
    touch(root / "p000x.png")
    bring_in(library, root)
    assert _events().count("decided") == 1


def test_I19_a_dry_run_logs_at_debug_alone(library: Library, root: Path) -> None:
    write(root / "a.png")
    bring_in(library, root, dry_run=True)
    assert _events("info", "warning", "error") == []
    assert "planned" in _events("debug")
