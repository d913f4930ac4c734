"""The composition root: lazy, complete, closed in order and in bounded time."""

from __future__ import annotations

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from kassettui import paths
from kassettui.config import MediaSettings, MetricsSettings, Settings
from kassettui.core.errors import KassettuiError, LibraryUnavailable, NotFound
from kassettui.jobs.state import JobState
from kassettui.library import settings as kept
from kassettui.library.library import Library
from kassettui.media.messages import Failed
from kassettui.observe import log
from kassettui.observe.logreader import read_log
from kassettui.workspace import COUNTS, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.jobs.control import Control

WAIT = 20.0


@pytest.fixture(autouse=True)
def _no_log_left() -> Iterator[None]:
    yield
    log.configure(None)
    log.clear_recent()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings().with_library(tmp_path / "show.kassettui")


def test_opening_a_workspace_touches_nothing(settings: Settings) -> None:
    with Workspace.open(settings, create=True) as workspace:
        assert workspace.library_path == settings.library_path
    assert not settings.library_path.exists()
    assert not paths.state_directory().exists()


def test_the_library_is_made_only_when_asked_to(settings: Settings) -> None:
    with Workspace.open(settings) as workspace, pytest.raises(NotFound):
        _ = workspace.library
    assert not settings.library_path.exists()
    with Workspace.open(settings, create=True) as workspace:
        assert workspace.library.path == str(settings.library_path)
    with Workspace.open(settings) as workspace:
        assert workspace.library.read(kept.value_of, "x") is None


def test_security_the_default_library_is_ours_alone() -> None:
    before = os.umask(0)
    try:
        with Workspace.open(Settings(), create=True) as workspace:
            place = Path(workspace.library.path)
    finally:
        os.umask(before)
    assert place == paths.default_library_path()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_library_named_by_hand_goes_before_the_settings(settings: Settings, tmp_path: Path) -> None:
    with Workspace.open(settings, library=tmp_path / "other", create=True) as workspace:
        assert workspace.library.path == str(tmp_path / "other")
    assert not settings.library_path.exists()


def test_a_directory_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    where = tmp_path / "file" / "library"
    with (
        Workspace.open(Settings(), library=where, create=True) as workspace,
        pytest.raises(LibraryUnavailable),
    ):
        _ = workspace.library


def test_threads_that_ask_at_once_get_one_library(settings: Settings) -> None:
    start = threading.Barrier(6)
    with Workspace.open(settings, create=True) as workspace, ThreadPoolExecutor(6) as pool:

        def ask() -> int:
            start.wait(WAIT)
            return id(workspace.library)

        assert len({one.result(WAIT) for one in [pool.submit(ask) for _ in range(6)]}) == 1


def test_jobs_have_the_places_of_the_settings(settings: Settings) -> None:
    with Workspace.open(settings) as workspace:
        assert workspace.jobs is workspace.jobs
        assert workspace.jobs.submit("test", "one", lambda _: 1, queue="decode").result(WAIT) == 1
        assert workspace.reservations is workspace.reservations


def test_each_part_is_made_once_and_only_when_asked_for(settings: Settings) -> None:
    with Workspace.open(settings, create=True) as workspace:
        for name in ("files", "decoders", "thumbnail_file", "thumbnails", "events", "metrics"):
            assert getattr(workspace, name) is getattr(workspace, name)
        assert not paths.cache_directory().exists()
        assert workspace.decoders.pids == ()


def test_decoders_work_within_the_settings_and_end_with_the_workspace(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a.exr").write_text("not a picture")
    settings = msgspec.structs.replace(settings, media=MediaSettings(workers=1, memory_gib=2.0))
    with Workspace.open(settings) as workspace:
        decoders = workspace.decoders
        assert (decoders.settings.memory, decoders.settings.pixels) == (2 * 1024**3, 512_000_000)
        assert isinstance(decoders.probe(str(tmp_path / "a.exr")).future.result(WAIT), Failed)
        (pid,) = decoders.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_F16_closing_ends_jobs_then_the_library_and_says_what_did_not_end(settings: Settings) -> None:
    began, never = threading.Event(), threading.Event()
    workspace = Workspace.open(settings, create=True)

    def writing(control: Control) -> None:
        workspace.library.write(kept.keep, "reached", 1)
        began.set()
        control.wait(3600)

    def stuck(_: Control) -> None:
        never.wait(WAIT)

    job = workspace.jobs.submit("test", "writing", writing)
    assert began.wait(WAIT)
    workspace.jobs.submit("test", "stuck", stuck)
    before = time.monotonic()
    (left,) = workspace.close(timeout=0.2)
    assert time.monotonic() - before < WAIT / 2
    assert left.title == "stuck"
    assert job.state is JobState.CANCELLED
    assert workspace.close() == ()
    never.set()
    with Workspace.open(settings) as again:
        assert again.library.read(kept.value_of, "reached") == 1


def test_a_closed_workspace_opens_nothing_any_more(settings: Settings) -> None:
    workspace = Workspace.open(settings, create=True)
    workspace.close()
    for name in ("library", "jobs", "events"):
        with pytest.raises(KassettuiError, match="closing"):
            getattr(workspace, name)
    assert not settings.library_path.exists()


def test_L13_what_one_run_counted_the_next_one_tells(settings: Settings) -> None:
    for _ in range(2):
        with Workspace.open(settings, create=True) as workspace:
            workspace.library.write(kept.keep, "x", 1)
            workspace.metrics.import_items.add(5, "create")
    with Workspace.open(settings) as workspace:
        counts = workspace.counts()
        assert counts.import_items.value("create") == 10
        assert counts.writes_done.total >= 2
        assert workspace.metrics.import_items.total == 0


def test_L13_levels_are_read_off_the_library(settings: Settings) -> None:
    with Workspace.open(settings, create=True) as workspace:
        told = workspace.counts().snapshot(workspace.readings())
    assert told["library_assets_by_state"] == {"new": 0, "enriching": 0, "ready": 0, "retired": 0}
    assert told["library_file_bytes"] == settings.library_path.stat().st_size


def test_L13_runs_that_end_at_once_both_count(settings: Settings) -> None:
    with Workspace.open(settings, create=True) as first, Workspace.open(settings) as second:
        for workspace in (first, second):
            workspace.library.write(kept.keep, "x", 1)
            workspace.metrics.import_items.add(5, "create")
        with ThreadPoolExecutor(2) as pool:
            for one in [pool.submit(workspace.close) for workspace in (first, second)]:
                assert one.result(WAIT) == ()
    with Workspace.open(settings) as workspace:
        assert workspace.counts().import_items.value("create") == 10


def test_L13_browsing_writes_nothing_to_the_library(settings: Settings) -> None:
    with Library.open(str(settings.library_path), create=True):
        pass
    before = settings.library_path.read_bytes()
    with Workspace.open(settings) as workspace:
        workspace.metrics.cache_hits.add(3, "tags")
        workspace.library.read(kept.value_of, COUNTS)
    assert settings.library_path.read_bytes() == before
    assert not paths.state_directory().exists()


def test_L13_the_text_file_of_the_settings_is_written_when_a_run_ends(
    settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "kassettui.prom"
    settings = msgspec.structs.replace(settings, metrics=MetricsSettings(textfile=str(target)))
    with Workspace.open(settings, create=True) as workspace:
        workspace.library.write(kept.keep, "x", 1)
    assert "kassettui_library_writes_done_total 1.0" in target.read_text()
    assert 'kassettui_library_assets{kind="sequence"} 0.0' in target.read_text()


def test_the_log_goes_to_the_state_directory_and_is_ours_alone(settings: Settings) -> None:
    with Workspace.open(settings):
        log.get("test").info("changed something")
    (entry,) = read_log(paths.log_file())
    assert entry.event == "changed something"
    assert stat.S_IMODE(paths.log_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.state_directory().stat().st_mode) == 0o700
