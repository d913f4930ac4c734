"""What imports and enrichments count (L13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.ingest.trees import bring_in, frames, touch, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def test_L13_imports_are_counted_by_decision_and_end(library: Library, root: Path) -> None:
    first, *_ = frames(root / "sh010", range(1, 6))
    write(root / "still.png")
    bring_in(library, root, enrich=False)
    touch(first)
    bring_in(library, root, enrich=False)
    counted = library.operator.metrics
    assert counted.import_runs.values() == {"success": 2}
    assert counted.import_items.value("ingested") == 2
    assert (counted.import_items.value("updated"), counted.import_items.value("skipped")) == (1, 1)


def test_L13_what_was_not_committed_is_not_counted(library: Library, root: Path) -> None:
    frames(root, range(1, 6))
    bring_in(library, root, dry_run=True)
    bring_in(library, root / "nowhere")
    counted = library.operator.metrics
    assert counted.import_runs.values() == {"error": 1}
    assert counted.import_items.total == 0
