"""I24 with the real enrichers: what an import learns of pixels, frames and thumbnails."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from kassettui.ingest.enrich import Part, run_enrich
from kassettui.ingest.enrichers import enrichers
from kassettui.ingest.progress import Progressed
from kassettui.jobs.control import Cancelled, Control
from kassettui.library.library import Library
from kassettui.library.thumbnail_file import ThumbnailFile
from kassettui.media.decoders import Decoders
from kassettui.media.messages import WorkerSettings
from kassettui.media.thumbnails import Thumbnails
from tests.ingest.trees import bring_in, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kassettui.ingest.enricher import Enricher

OLD_NS = 1_700_000_000_000_000_000


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(str(tmp_path / "home" / "library.kassettui"), create=True) as opened:
        yield opened


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ThumbnailFile]:
    file = ThumbnailFile(str(tmp_path / "cache" / "thumbnails.db"), limit_bytes=10_000_000)
    yield file
    file.close()


@pytest.fixture
def pool() -> Iterator[Decoders]:
    with Decoders(WorkerSettings(seconds=20, threads=1), count=2) as decoders:
        yield decoders


@pytest.fixture
def standing(pool: Decoders, cache: ThumbnailFile) -> Iterator[tuple[Enricher, ...]]:
    service = Thumbnails(pool, cache)
    yield enrichers(pool, service)
    service.close()


@pytest.fixture
def show(made: Path, tmp_path: Path) -> Path:
    """A sequence with a hole and a truncated frame, an unlike one, stills, a movie, sound, strangers."""
    root = tmp_path / "show"
    (root / "comp").mkdir(parents=True)
    whole = (made / "exr" / "zip.exr").read_bytes()
    for frame in range(1001, 1013):
        content = {1004: whole[:5000], 1009: (made / "exr" / "window.exr").read_bytes()}.get(frame, whole)
        if frame != 1006:
            (root / "comp" / f"beauty.{frame}.exr").write_bytes(content)
    for name, source in {
        "grade.dpx": "stills/10.dpx", "still.png": "stills/alpha.png", "turned.jpg": "stills/turned6.jpg",
        "cut.mov": "movies/prores.mov", "tone.wav": "movies/tone.wav", "layers.exr": "exr/layers.exr",
    }.items():  # fmt: skip
        (root / name).write_bytes((made / source).read_bytes())
    (root / "raw.dng").write_bytes(b"II*\0" + bytes(200))
    (root / "broken.png").write_bytes((made / "stills" / "plain.png").read_bytes()[:300])
    for directory, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(directory, name), ns=(OLD_NS, OLD_NS))
    return root


def by_name(library: Library) -> dict[str, dict[str, Any]]:
    return {asset["name"]: asset for asset in rows(library)}


def test_I24_an_import_knows_pixels_health_and_thumbnails(
    library: Library, show: Path, standing: Sequence[Enricher], cache: ThumbnailFile
) -> None:
    report = bring_in(library, show, enrichers=standing)
    assert report.enriched is not None
    assets = by_name(library)
    beauty = assets["beauty.#.exr"]
    assert (beauty["state"], beauty["width"], beauty["height"], beauty["channels"]) == ("ready", 320, 180, 3)
    assert (beauty["pixel_type"], beauty["compression"], beauty["container"]) == ("half", "zip", "exr")
    assert (beauty["health"], beauty["health_level"]) == ("broken", 1)
    assert beauty["health_frames"] == '{"1004":"truncated","1009":"inconsistent"}'
    assert (beauty["damaged_count"], beauty["hole_count"]) == (1, 1)
    assert assets["grade.dpx"]["state"] == "ready"
    assert assets["grade.dpx"]["health"] == "complete"
    movie = assets["cut.mov"]
    assert (movie["state"], movie["duration_ms"], movie["fps"], movie["video_codec"]) == (
        "ready",
        2000,
        24.0,
        "prores",
    )
    assert movie["timecode"] == "01:02:03:04"
    assert (assets["tone.wav"]["state"], assets["tone.wav"]["audio_codec"]) == ("ready", "pcm_s16le")
    assert (assets["turned.jpg"]["width"], assets["turned.jpg"]["height"]) == (320, 180)
    assert '"diffuse"' in assets["layers.exr"]["metadata"]
    cache.flush()
    assert cache.info().pictures == 6  # the sequence, four stills, the movie


def test_I13_what_is_broken_or_unread_is_never_ready(
    library: Library, show: Path, standing: Sequence[Enricher]
) -> None:
    bring_in(library, show, enrichers=standing)
    assets = by_name(library)
    broken = assets["broken.png"]
    assert (broken["state"], broken["health"], broken["damaged_count"]) == ("new", "broken", 1)
    assert broken["last_error"].startswith("thumbnail: ")
    assert assets["raw.dng"]["state"] == "new"


def test_I25_a_second_import_decodes_nothing(
    library: Library, show: Path, standing: Sequence[Enricher], pool: Decoders
) -> None:
    bring_in(library, show, enrichers=standing)
    asked = pool.counters.asked
    report = bring_in(library, show, enrichers=standing)
    assert report.stats.skipped == report.stats.discovered
    assert pool.counters.asked == asked


def test_I11_a_mended_frame_makes_the_sequence_whole(
    library: Library, show: Path, made: Path, standing: Sequence[Enricher]
) -> None:
    bring_in(library, show, enrichers=standing)
    for frame in (1004, 1006, 1009):
        path = show / "comp" / f"beauty.{frame}.exr"
        path.write_bytes((made / "exr" / "zip.exr").read_bytes())
        os.utime(path, ns=(OLD_NS, OLD_NS + frame))
    bring_in(library, show, enrichers=standing)
    beauty = row(library, "name = 'beauty.#.exr'")
    assert (beauty["state"], beauty["health"], beauty["hole_count"]) == ("ready", "complete", 0)


def test_P4_a_broken_middle_frame_does_not_stand_for_the_sequence(
    library: Library, show: Path, standing: Sequence[Enricher], cache: ThumbnailFile
) -> None:
    path = show / "comp" / "beauty.1007.exr"
    path.write_bytes(path.read_bytes()[:4000])
    bring_in(library, show, enrichers=standing)
    assert row(library, "name = 'beauty.#.exr'")["state"] == "ready"
    cache.flush()
    assert cache.info().failures == 2  # broken.png and raw.dng, not the sequence


def test_I24_what_a_cancel_left_is_taken_up_again(
    library: Library, show: Path, standing: Sequence[Enricher], pool: Decoders
) -> None:
    bring_in(library, show, enrichers=())
    pool.probe(str(show / "still.png")).future.result(60)
    stuck = pool.pids
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)  # the cancel comes while decoders work, and finds them stuck
    control = Control()

    def stop() -> None:
        while pool.counters.asked < 5:
            threading.Event().wait(0.005)
        control.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        run_enrich(library, standing, Part(), control=control)
    stopper.join()
    assert {asset["state"] for asset in rows(library)} <= {"new", "enriching"}
    for pid in stuck:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    enriched = run_enrich(library, standing, Part(), control=Control())
    assert enriched.ready == 7


def test_P2_a_decoder_that_dies_costs_one_asset_at_most(
    library: Library, show: Path, standing: Sequence[Enricher], pool: Decoders
) -> None:
    killed = threading.Event()

    def kill(event: object) -> None:
        if isinstance(event, Progressed) and pool.pids and not killed.is_set():
            killed.set()
            os.kill(pool.pids[0], signal.SIGKILL)

    pool.probe(str(show / "still.png")).future.result(60)
    bring_in(library, show, enrichers=standing, observer=kill)
    assert killed.is_set()
    assert sum(asset["state"] == "ready" for asset in rows(library)) >= 6


def test_I24_a_file_that_is_gone_is_one_asset_s_error(
    library: Library, show: Path, standing: Sequence[Enricher]
) -> None:
    bring_in(library, show, enrichers=())
    (show / "still.png").unlink()
    for path in (show / "comp").iterdir():
        path.unlink()
    enriched = run_enrich(library, standing, Part(), control=Control())
    assets = by_name(library)
    assert "not there any more" in assets["beauty.#.exr"]["last_error"]
    assert assets["still.png"]["state"] == "new"
    assert enriched.ready == 5
