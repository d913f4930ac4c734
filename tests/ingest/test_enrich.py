"""Enrichment: order, resumption, isolation, the way to ready (I13, I24, I25)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kassettui.core.errors import ExitCode, LibraryBusy
from kassettui.ingest.checksum import ChecksumEnricher
from kassettui.ingest.enrich import PAGE, Part, run_enrich, standing_checksum
from kassettui.ingest.enricher import Outcome, Subject
from kassettui.ingest.header_free import header_free
from kassettui.ingest.progress import Event, Phase, Progressed, Warned
from kassettui.ingest.report import Status
from kassettui.jobs.control import Control
from kassettui.library import assets, enrichments
from tests.ingest.trees import bring_in, everything, frames, row, rows, table, touch, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kassettui.library.library import Library


class Learner:
    """An enricher like those that decode: it learns fields, may fail on some, remembers what it was given."""

    def __init__(
        self,
        enricher_id: str = "probe",
        priority: int = 10,
        facts: dict[str, object] | None = None,
        version: str = "1",
        error_for: Callable[[Subject], BaseException | str | None] = lambda _subject: None,
    ) -> None:
        self.enricher_id = enricher_id
        self.priority = priority
        self.version = version
        self._facts: dict[str, object] = (
            {"width": 64, "height": 32, "duration_ms": 40} if facts is None else facts
        )
        self.fields = frozenset(self._facts)
        self._error_for = error_for
        self.given: list[str] = []

    def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
        outcomes = []
        for subject in batch:
            control.checkpoint()
            self.given.append(subject.name)
            error = self._error_for(subject)
            if isinstance(error, BaseException):
                raise error
            outcomes.append(Outcome(error=error) if error else Outcome(self._facts))
        return outcomes


@pytest.fixture
def tree(root: Path) -> Path:
    """One of each kind."""
    frames(root / "sh1", range(1, 4))
    for name in ("still.png", "movie.mov", "sound.wav"):
        write(root / name)
    return root


def test_I24_enrichers_run_in_order_of_priority(library: Library, tree: Path) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[Subject], None]:
        return lambda _subject: order.append(name)

    enrichers = [
        Learner("thumbnail", 30, {}, error_for=note("thumbnail")),
        Learner("health", 20, {"health": "complete"}, error_for=note("health")),
        Learner("probe", 10, error_for=note("probe")),
    ]
    bring_in(library, tree, enrichers=enrichers)
    assert order == ["probe"] * 4 + ["health"] * 4 + ["thumbnail"] * 4


def test_I13_what_is_known_enough_becomes_ready(library: Library, tree: Path) -> None:
    report = bring_in(library, tree, enrichers=[Learner()])
    assert {asset["state"] for asset in rows(library)} == {"ready"}
    assert {asset["width"] for asset in rows(library)} == {64}
    assert report.enriched is not None
    assert (report.enriched.assets, report.enriched.ready) == (4, 4)


def test_I13_header_free_facts_make_no_picture_ready_and_are_not_tried_again(
    library: Library, tree: Path
) -> None:
    report = bring_in(library, tree, enrichers=header_free())
    assert {(asset["state"], asset["last_error"]) for asset in rows(library)} == {
        ("new", "Not ready: its pixels are not known."),
        ("new", "Not ready: its duration is not known."),
    }
    assert report.enriched is not None
    assert report.enriched.waiting == 4
    again = run_enrich(library, header_free(), Part(), control=Control())
    assert again.assets == 0
    assert run_enrich(library, header_free(), Part(), control=Control(), again=True).assets == 4


def test_I13_a_failed_enrichment_leaves_new_with_the_error_kept(library: Library, tree: Path) -> None:
    broken = Learner(error_for=lambda subject: "no such codec" if subject.name == "movie.mov" else None)
    warned: list[Event] = []
    report = bring_in(library, tree, enrichers=[broken], observer=warned.append)
    movie = row(library, "name = 'movie.mov'")
    assert (movie["state"], movie["last_error"], movie["width"]) == ("new", "probe: no such codec", None)
    assert {asset["state"] for asset in rows(library, where="name <> 'movie.mov'")} == {"ready"}
    assert (report.status, report.exit_code) == (Status.SUCCESS, ExitCode.DONE)
    assert [event.path for event in warned if isinstance(event, Warned)] == [str(tree / "movie.mov")]
    assert bring_in(library, tree, enrichers=[broken]).enriched is not None
    assert broken.given.count("movie.mov") == 1
    touch(tree / "movie.mov")
    bring_in(library, tree, enrichers=[broken])
    assert broken.given.count("movie.mov") == 2


@pytest.mark.parametrize("error", [RuntimeError("bug"), OSError(5, "I/O"), LibraryBusy("never mine")])
def test_I24_an_enricher_that_raises_hits_no_other_asset(
    library: Library, tree: Path, error: Exception
) -> None:
    raising = Learner(error_for=lambda subject: error if subject.name == "still.png" else None)
    bring_in(library, tree, enrichers=[raising])
    states = {asset["name"]: asset["state"] for asset in rows(library)}
    assert states.pop("still.png") == "new"
    assert set(states.values()) == {"ready"}
    assert type(error).__name__ in row(library, "name = 'still.png'")["last_error"]


def test_I24_an_enricher_that_fails_stops_no_other_enricher(library: Library, tree: Path) -> None:
    health = Learner("health", 20, {"health": "complete"})
    bring_in(library, tree, enrichers=[Learner(error_for=lambda _: "broken"), health])
    assert {asset["health"] for asset in rows(library)} == {"complete"}
    assert {asset["state"] for asset in rows(library)} == {"new"}


def test_I24_an_enricher_touches_its_own_fields_alone(library: Library, tree: Path) -> None:
    greedy = Learner(facts={"width": 1, "height": 1, "duration_ms": 1})
    greedy.fields = frozenset({"width"})
    bring_in(library, tree, enrichers=[greedy])
    assert {asset["width"] for asset in rows(library)} == {None}
    assert "fields that are not its own" in row(library, "name = 'still.png'")["last_error"]


def test_I24_too_few_outcomes_are_the_enrichers_error(library: Library, tree: Path) -> None:
    class Short(Learner):
        """Forgets the last."""

        def run(self, batch: Sequence[Subject], control: Control) -> Sequence[Outcome]:
            return super().run(batch, control)[:-1]

    bring_in(library, tree, enrichers=[Short()])
    assert {asset["state"] for asset in rows(library)} == {"new"}


def test_I24_a_stopped_enrichment_goes_on_where_it_stopped(library: Library, root: Path) -> None:
    for number in range(PAGE + 20):
        (root / f"p{number:03}x.png").write_bytes(b"x")
    control = Control()
    stopping = Learner(error_for=lambda _: control.cancel() if len(stopping.given) == PAGE + 5 else None)
    report = bring_in(library, root, enrichers=[stopping], control=control)
    assert (report.status, report.exit_code) == (Status.CANCELLED, ExitCode.INTERRUPTED)
    assert "committed" in (report.message or "")
    assert report.stats.ingested == PAGE + 20
    assert len(rows(library, where="state = 'ready'")) == PAGE
    left = {asset["name"] for asset in rows(library, where="state <> 'ready'")}
    rest = Learner()
    done = run_enrich(library, [rest], Part(), control=Control())
    assert set(rest.given) == left
    assert done.ready == 20
    assert {asset["state"] for asset in rows(library)} == {"ready"}


def test_I24_what_has_run_is_not_run_again(library: Library, tree: Path) -> None:
    probe = Learner()
    second = Learner("health", 20, {"health": "complete"})
    control = Control()
    stopping = Learner("health", 20, {"health": "x"}, error_for=lambda _: control.cancel())
    report = bring_in(library, tree, enrichers=[probe, stopping], control=control)
    assert report.status is Status.CANCELLED
    assert {asset["state"] for asset in rows(library)} == {"enriching"}
    run_enrich(library, [probe, second], Part(), control=Control())
    assert len(probe.given) == 4
    assert {asset["state"] for asset in rows(library)} == {"ready"}


def test_I24_only_the_enricher_with_another_version_runs_again(library: Library, tree: Path) -> None:
    probe, health = Learner(), Learner("health", 20, {"health": "complete"})
    bring_in(library, tree, enrichers=[probe, health])
    newer = Learner("health", 20, {"health": "holes"}, version="2")
    report = bring_in(library, tree, enrichers=[probe, newer])
    assert report.stats.updated == 4
    assert (len(probe.given), len(newer.given)) == (4, 4)
    assert {(asset["state"], asset["health"]) for asset in rows(library)} == {("ready", "holes")}


def test_I24_results_over_content_that_changed_meanwhile_are_dropped(library: Library, tree: Path) -> None:
    bring_in(library, tree, enrich=False)

    def change(subject: Subject) -> None:
        if subject.name == "still.png":
            touch(tree / "still.png")
            bring_in(library, tree, enrich=False)

    done = run_enrich(library, [Learner(error_for=change)], Part(), control=Control())
    assert done.ready == 3
    still = row(library, "name = 'still.png'")
    assert (still["state"], still["width"], still["enricher_checksum"]) == ("new", None, None)
    assert run_enrich(library, [Learner()], Part(), control=Control()).ready == 1


def test_I24_missing_and_deleted_assets_are_left_alone(library: Library, tree: Path) -> None:
    bring_in(library, tree, enrich=False)
    library.write(assets.mark_missing, [row(library, "name = 'still.png'")["id"]])
    sound = row(library, "name = 'sound.wav'")["id"]
    library.write(
        lambda db: (
            db.execute_sql("UPDATE assets SET is_deleted = 1, deleted_at = 1 WHERE id = ?", (sound,)) and None
        )
    )
    learner = Learner()
    run_enrich(library, [learner], Part(), control=Control())
    assert sorted(learner.given) == ["beauty.#.exr", "movie.mov"]


def test_I24_a_scoped_import_enriches_its_scope_alone(library: Library, tree: Path) -> None:
    bring_in(library, tree, enrich=False)
    learner = Learner()
    bring_in(library, tree / "sh1", enrichers=[learner])
    assert learner.given == ["beauty.#.exr"]
    bring_in(library, tree / "movie.mov", enrichers=[learner])
    assert learner.given == ["beauty.#.exr", "movie.mov"]


def test_I24_hashing_is_asked_for_and_reaches_what_is_ready(library: Library, tree: Path) -> None:
    learner = Learner()
    bring_in(library, tree, enrichers=[learner])
    assert {asset["content_hash"] for asset in rows(library)} == {None}
    report = bring_in(library, tree, enrichers=[learner], hash_content=True)
    assert (report.stats.skipped, report.stats.updated) == (4, 0)
    assert report.enriched is not None
    assert report.enriched.hashed == 4
    assert all(asset["content_hash"] for asset in rows(library))
    assert {asset["state"] for asset in rows(library)} == {"ready"}
    again = bring_in(library, tree, enrichers=[learner], hash_content=True)
    assert again.enriched is not None
    assert again.enriched.runs == {}
    only = bring_in(library, tree, enrich=False, hash_content=True)
    assert only.enriched is not None


def test_I24_a_file_that_cannot_be_hashed_is_an_error_of_its_own(library: Library, tree: Path) -> None:
    (tree / "link.png").symlink_to(tree / "still.png")
    report = bring_in(library, tree, hash_content=True)
    assert report.enriched is not None
    assert report.enriched.hashed == 4
    noted = library.read(enrichments.errors_of, [row(library, "name = 'link.png'")["id"]])
    assert "cannot be read" in str(next(iter(noted.values()))["checksum"])


def test_I9_hashing_or_not_is_the_same_set_of_enrichers() -> None:
    standing = header_free()
    assert standing_checksum([*standing, ChecksumEnricher()]) == standing_checksum(standing)
    assert standing_checksum([ChecksumEnricher()]) is None


def test_I25_a_second_import_decodes_nothing(library: Library, tree: Path) -> None:
    learner = Learner()
    bring_in(library, tree, enrichers=[learner])
    before = everything(library, but=("runs", "collections"))
    learner.given.clear()
    report = bring_in(library, tree, enrichers=[learner])
    assert learner.given == []
    assert report.stats.skipped == 4
    assert everything(library, but=("runs", "collections")) == before


def test_I21_an_enrichment_that_fails_as_a_whole_leaves_the_import(library: Library, tree: Path) -> None:
    def close(_subject: Subject) -> None:
        library.close()

    report = bring_in(library, tree, enrichers=[Learner(error_for=close)])
    assert (report.status, report.exit_code, report.stats.ingested) == (Status.PARTIAL, ExitCode.PARTIAL, 4)
    assert report.code == "library_closed"
    assert "kassettui enrich" in (report.remedy or "")


def test_I26_enrichment_tells_how_far_it_is(library: Library, tree: Path) -> None:
    told: list[Event] = []
    bring_in(library, tree, enrichers=[Learner()], observer=told.append)
    steps = [event for event in told if isinstance(event, Progressed) and event.phase is Phase.ENRICH]
    assert [(step.done, step.total) for step in steps] == [(0, 4), (4, 4)]


def test_the_library_notes_each_enricher_that_ran(library: Library, tree: Path) -> None:
    bring_in(library, tree, enrichers=header_free())
    noted: list[dict[str, Any]] = table(
        library, "SELECT DISTINCT enricher, version, error FROM asset_enrichments"
    )
    assert {(note["enricher"], note["version"], note["error"]) for note in noted} == {
        ("probe", "stat-1", None),
        ("health", "stat-1", None),
    }
