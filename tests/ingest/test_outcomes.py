"""Errors, cancel, sums, transaction (I7, I16-I18, I21-I23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import ExitCode, RunFailed
from kassettui.ingest.filesystem import FilesystemSource
from kassettui.ingest.known import KnownAssets
from kassettui.ingest.plan import Target
from kassettui.ingest.planner import Planner, Rules
from kassettui.ingest.progress import Decided, Event, Finished, Phase, Progressed, Started, nobody
from kassettui.ingest.report import Status
from kassettui.ingest.source import Scope
from kassettui.jobs.control import Control
from kassettui.library import events
from tests.ingest.trees import adds_up, bring_in, everything, frames, row, rows, table, touch, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.ingest.source import Found
    from kassettui.library.library import Library


@pytest.fixture
def tree(root: Path) -> Path:
    """Ten sequences and a still."""
    for shot in range(10):
        frames(root / f"sh{shot}", range(1, 6))
    write(root / "still.png")
    return root


def test_I17_the_time_of_the_last_ingest_is_set_once_on_every_success(library: Library, tree: Path) -> None:
    times = []
    for _ in range(3):
        report = bring_in(library, tree)
        (collection,) = table(library, "SELECT last_ingest_time FROM collections")
        assert collection["last_ingest_time"] * 1000 == report.last_ingest_ns
        times.append(collection["last_ingest_time"])
    assert times == sorted(set(times))
    runs = table(library, "SELECT * FROM runs ORDER BY id")
    assert [run["status"] for run in runs] == ["success"] * 3
    assert [(run["ingested"], run["skipped"]) for run in runs] == [(11, 0), (0, 11), (0, 11)]


def test_I17_a_failed_run_and_a_dry_run_set_no_time(library: Library, tree: Path) -> None:
    bring_in(library, tree)
    before = table(library, "SELECT * FROM collections")
    bring_in(library, tree, dry_run=True)
    bring_in(library, tree, scope={"show": "x"})
    tree.rename(tree.parent / "gone")
    bring_in(library, tree)
    assert table(library, "SELECT * FROM collections") == before


def test_I16_nothing_is_locked_while_a_run_discovers_and_plans(library: Library, tree: Path) -> None:
    written: list[Event] = []

    def meanwhile(event: Event) -> None:
        if isinstance(event, Decided) and not written:
            library.write(lambda db: db.execute_sql("CREATE TABLE aside (x)") and None)
            written.append(event)

    bring_in(library, tree)
    bring_in(library, tree, observer=meanwhile)
    assert written


def test_I16_a_run_that_another_overtook_plans_again(library: Library, tree: Path) -> None:
    bring_in(library, tree)
    touch(tree / "still.png")
    overtaken: list[Any] = []

    def overtake(event: Event) -> None:
        if isinstance(event, Progressed) and event.phase is Phase.DISCOVER and not overtaken:
            overtaken.append(bring_in(library, tree))

    report = bring_in(library, tree, observer=overtake)
    assert overtaken[0].stats.updated == 1
    assert (report.status, report.stats.updated, report.stats.skipped) == (Status.SUCCESS, 0, 11)


def test_I16_a_run_that_is_overtaken_again_and_again_gives_up(library: Library, tree: Path) -> None:
    bring_in(library, tree)
    overtaking = False

    def overtake(event: Event) -> None:
        nonlocal overtaking
        if isinstance(event, Started) and not overtaking:
            overtaking = True
            bring_in(library, tree)
            overtaking = False

    report = bring_in(library, tree, observer=overtake)
    assert (report.status, report.exit_code) == (Status.ERROR, ExitCode.STALE_PLAN)


def test_I16_two_first_imports_of_one_root_make_one_collection(library: Library, tree: Path) -> None:
    overtaken: list[Any] = []

    def overtake(event: Event) -> None:
        if isinstance(event, Started) and not overtaken:
            overtaken.append(None)
            overtaken.append(bring_in(library, tree))

    report = bring_in(library, tree, observer=overtake)
    assert (report.stats.ingested, report.stats.skipped) == (0, 11)
    assert len(table(library, "SELECT * FROM collections")) == 1


def test_I16_events_are_told_after_the_commit_alone(library: Library, tree: Path) -> None:
    heard: list[events.Event] = []
    library.events.subscribe(events.RunFinished, heard.append)
    report = bring_in(library, tree)
    library.close()
    assert [event.run_uuid for event in heard if isinstance(event, events.RunFinished)] == [report.run_id]


# -- errors of items ----------------------------------------------------------------------------------------


def test_I21_a_dangling_link_is_an_error_and_the_run_goes_on(library: Library, tree: Path) -> None:
    (tree / "dangling.png").symlink_to("nowhere")
    report = bring_in(library, tree)
    assert (report.status, report.exit_code) == (Status.PARTIAL, ExitCode.PARTIAL)
    assert (report.stats.ingested, report.stats.errors, report.stats.discovered) == (11, 1, 12)
    assert adds_up(report)
    assert [error.path for error in report.errors] == ["dangling.png"]
    assert table(library, "SELECT status FROM runs") == [{"status": "partial"}]


def test_I21_what_lies_beside_something_unreadable_is_not_called_missing(
    library: Library, tree: Path
) -> None:
    bring_in(library, tree)
    for frame in (tree / "sh3").iterdir():
        frame.unlink()
    (tree / "sh3" / "beauty.0002.exr").symlink_to("nowhere")
    report = bring_in(library, tree)
    assert (report.stats.errors, report.stats.missing) == (1, 0)
    assert row(library, "path LIKE '%sh3%'")["missing_since"] is None
    (tree / "sh3" / "beauty.0002.exr").unlink()
    assert bring_in(library, tree).stats.missing == 1


# -- one identity twice -------------------------------------------------------------------------------------


def test_I7_a_second_item_with_the_same_identity_is_counted(library: Library, root: Path) -> None:
    """A file may really be called like a sequence's identity."""
    frames(root, range(1, 4))
    write(root / "beauty.#.exr")
    first = bring_in(library, root)
    again = bring_in(library, root)
    for report in (first, again):
        assert (report.status, report.stats.duplicates_prevented) == (Status.SUCCESS, 1)
        assert adds_up(report)
    assert (first.stats.ingested, again.stats.skipped) == (1, 1)
    assert row(library)["kind"] == "sequence"


# -- cancel -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Started, Progressed, Decided])
def test_I22_a_cancel_before_the_commit_leaves_nothing(
    library: Library, tree: Path, kind: type[Event]
) -> None:
    bring_in(library, tree)
    touch(tree / "still.png")
    frames(tree / "more", range(1, 4))
    before = everything(library)
    control = Control()
    told: list[Event] = []

    def cancel(event: Event) -> None:
        told.append(event)
        if isinstance(event, kind):
            control.cancel()

    report = bring_in(library, tree, control=control, observer=cancel)
    assert (report.status, report.exit_code, report.code) == (
        Status.CANCELLED,
        ExitCode.INTERRUPTED,
        "cancelled",
    )
    assert everything(library) == before
    assert isinstance(told[-1], Finished)
    assert told[-1].report is report


def test_I22_a_cancel_in_the_middle_of_the_transaction_rolls_it_back(library: Library, root: Path) -> None:
    for number in range(2500):
        (root / f"p{number}x.png").write_bytes(b"")
    control = Control()

    def cancel(event: Event) -> None:
        if isinstance(event, Progressed) and event.phase is Phase.APPLY:
            control.cancel()

    report = bring_in(library, root, control=control, observer=cancel)
    assert report.status is Status.CANCELLED
    assert rows(library) == []
    assert table(library, "SELECT * FROM collections") == []
    assert bring_in(library, root).stats.ingested == 2500


# -- sums ---------------------------------------------------------------------------------------------------


def test_I23_a_run_whose_sums_do_not_add_up_fails(library: Library, tree: Path) -> None:
    class Forgetful(Planner):
        """Loses an item on the way."""

        def _take(self, found: Found) -> None:
            if "sh3" not in found.key:
                super()._take(found)

    source = FilesystemSource(str(tree))
    planner = Forgetful(
        Target(None, "x", str(tree)),
        Scope(),
        source,
        KnownAssets((), None),
        lambda _ids: {},
        Rules(),
        control=Control(),
        observer=nobody,
        now_ns=0,
    )
    with pytest.raises(RunFailed, match="does not add up: 11 items"):
        planner.plan()


def test_I23_bytes_and_frames_are_those_of_the_tree(library: Library, tree: Path) -> None:
    report = bring_in(library, tree)
    assert report.stats.bytes == sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
    assert report.stats.frames == 50
    (run,) = table(library, "SELECT * FROM runs")
    assert {name: run[name] for name in report.stats.as_json()} == report.stats.as_json()
