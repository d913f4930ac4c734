"""P8–P10: the cache that may vanish, fill or break; who is served first; a count that always ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from kassettui.core.thumbnails import StoredThumbnail, ThumbnailKey
from kassettui.library import thumbnail_file
from kassettui.library import thumbnails as units
from kassettui.library.thumbnail_file import ThumbnailFile
from kassettui.media.decoders import Decoders, Stamp
from kassettui.media.facts import Look
from kassettui.media.loading import Load, Loaded
from kassettui.media.messages import Failed, FailureCode, Rendered, WorkerSettings
from kassettui.media.thumbnails import Thumbnails, Wanted, target_for
from kassettui.media.waiting import Priority
from kassettui.observe.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kassettui.media.thumbnails import Claim, Picture

LIMIT = 10_000_000


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ThumbnailFile]:
    file = ThumbnailFile(str(tmp_path / "cache" / "thumbnails.db"), limit_bytes=LIMIT)
    yield file
    file.close()


@pytest.fixture
def pool() -> Iterator[Decoders]:
    with Decoders(WorkerSettings(seconds=20, threads=1), count=1) as decoders:
        yield decoders


def wanted(path: Path, target: int = 128, **more: object) -> Wanted:
    return Wanted(Stamp.of(str(path)), target, **more)  # type: ignore[arg-type]


def answer(claim: Claim) -> Picture:
    return claim.future.result(timeout=60)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(0.005)


def key(name: str = "a.exr", **more: object) -> ThumbnailKey:
    values: dict[str, object] = {
        "path": f"/show/{name}", "size": 10, "mtime_ns": 5, "frame": -1, "layer": "", "look": "",
        "target": 256,
    }  # fmt: skip
    return ThumbnailKey(**(values | more))  # type: ignore[arg-type]


def picture(size: int = 1000, kind: str = "jpeg") -> StoredThumbnail:
    return StoredThumbnail(kind, 128, 72, os.urandom(size))


# -- the file -----------------------------------------------------------------------------------------------


def test_P8_keeps_pictures_under_everything_that_makes_them(cache: ThumbnailFile) -> None:
    kept = {
        key(): picture(), key(frame=7): picture(), key(layer="diffuse"): picture(), key(look="x"): picture(),
        key(target=128): picture(kind="png"), key("b\udcff\n.exr"): picture(),
    }  # fmt: skip
    cache.keep(list(kept.items()))
    cache.flush()
    assert cache.find(list(kept)) == list(kept.values())
    assert cache.find([key(size=11), key(mtime_ns=6), key("other.exr")]) == [None, None, None]


def test_P8_a_changed_file_replaces_its_picture(cache: ThumbnailFile) -> None:
    cache.keep([(key(), picture(kind="png"))])
    cache.keep([(key(mtime_ns=6), newer := picture())])
    cache.flush()
    assert cache.find([key(), key(mtime_ns=6)]) == [None, newer]
    assert cache.info().pictures == 1


def test_P8_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = ThumbnailFile(str(tmp_path / "thumbnails.db"), limit_bytes=50_000)
    for number in range(40):
        cache.keep([(key(f"{number}.exr"), picture(1000))])
    cache.flush()
    with sqlite3.connect(cache.path) as db:  # as if all were used two hours ago, and the first ten just now
        db.execute("UPDATE thumbnails SET used_at = used_at - 7200000000 + id")
    db.close()
    assert None not in cache.find([key(f"{number}.exr") for number in range(10)])
    cache.close()
    cache = ThumbnailFile(cache.path, limit_bytes=50_000)
    for number in range(40, 60):
        cache.keep([(key(f"{number}.exr"), picture(1000))])
        cache.flush()
    info = cache.info()
    assert info.picture_bytes <= 50_000
    found = cache.find([key(f"{number}.exr") for number in range(60)])
    assert None not in found[:10], "used a moment ago"
    assert found[10:15] == [None] * 5, "not used for longest"
    cache.close()


def test_P8_a_corrupt_picture_is_dropped(cache: ThumbnailFile) -> None:
    cache.keep([(key(), picture()), (key("b.exr"), other := picture())])
    cache.flush()
    with sqlite3.connect(cache.path) as db:
        db.execute("UPDATE thumbnails SET picture = zeroblob(1000) WHERE path LIKE '%a.exr'")
    db.close()
    assert cache.find([key(), key("b.exr")]) == [None, other]
    cache.flush()
    assert cache.info().pictures == 1


@pytest.mark.parametrize("damage", ["zeros", "text", "truncated", "empty", "page", "foreign"])
def test_P8_a_corrupt_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "thumbnails.db"
    cache = ThumbnailFile(str(path), limit_bytes=LIMIT)
    cache.keep([(key(f"{number}.exr"), picture(20_000)) for number in range(20)])
    cache.close()
    whole = path.read_bytes()
    broken = {
        "zeros": bytes(len(whole)), "text": b"no database" * 1000,
        "truncated": whole[: len(whole) // 2], "empty": b"",
        "page": whole[:4096] + os.urandom(4096 * 3) + whole[4096 * 4 :], "foreign": b"",
    }  # fmt: skip
    path.write_bytes(broken[damage])
    if damage == "foreign":
        path.unlink()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE mine (x)")
        db.close()
    cache = ThumbnailFile(str(path), limit_bytes=LIMIT)
    cache.find([key(f"{number}.exr") for number in range(20)])
    fresh = picture()

    def works() -> bool:
        cache.keep([(key("new.exr"), fresh)])
        cache.flush()
        return cache.find([key("new.exr")]) == [fresh]

    until(works)
    assert cache.problem == ""
    cache.close()


def test_P8_the_file_may_be_deleted_while_it_is_used(cache: ThumbnailFile) -> None:
    cache.keep([(key(), picture())])
    cache.flush()
    for name in os.listdir(os.path.dirname(cache.path)):
        os.unlink(os.path.join(os.path.dirname(cache.path), name))
    fresh = picture()

    def works() -> bool:
        cache.keep([(key("new.exr"), fresh)])
        cache.flush()
        return cache.find([key("new.exr")]) == [fresh] and os.path.exists(cache.path)

    until(works)


def test_P8_a_place_that_cannot_be_written_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    cache = ThumbnailFile(str(tmp_path / "file" / "thumbnails.db"), limit_bytes=LIMIT)
    cache.keep([(key(), picture())])
    assert cache.find([key()]) == [None]
    assert cache.problem
    assert (cache.clean(), cache.clear(), cache.vacuum(), cache.info().pictures) == (0, 0, 0, 0)
    cache.close()


def test_P8_clean_removes_what_belongs_to_nothing_any_more(cache: ThumbnailFile, tmp_path: Path) -> None:
    here, changed = tmp_path / "here.exr", tmp_path / "changed.exr"
    for path in (here, changed):
        path.write_bytes(b"x")
    keys = [wanted(here).key, wanted(changed).key, key("gone.exr"), wanted(here, 256).key]
    cache.keep([(one, picture()) for one in keys[:3]])
    cache.keep([(keys[3], StoredThumbnail("", 0, 0, b"", FailureCode.DAMAGED, "broken"))])
    cache.flush()
    changed.write_bytes(b"xyz")
    assert cache.info().failures == 1
    assert cache.clean() == 3
    assert (cache.info().pictures, cache.info().failures) == (1, 0)
    assert cache.clear() == 1
    assert os.path.getsize(cache.path) < 50_000


def test_P8_the_file_is_ours_alone(cache: ThumbnailFile) -> None:
    cache.keep([(key(), picture())])
    cache.flush()
    assert os.stat(cache.path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(cache.path)).st_mode & 0o777 == 0o700


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


@pytest.mark.faults
def test_R2_a_full_disk_costs_the_cache_only(
    made: Path, pool: Decoders, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnail_file, "RETRY_SECONDS", 0.2)
    cache = ThumbnailFile(str(small_disk / "thumbnails.db"), limit_bytes=LIMIT)
    service = Thumbnails(pool, cache)
    kept = picture(2000)
    cache.keep([(key(), kept)])
    cache.flush()
    filler = small_disk / "filler"
    fill(filler)
    for size in (16, 32, 48, 64):
        assert isinstance(answer(service.fetch(wanted(made / "exr" / "zip.exr", size))), Rendered)
    cache.keep([(key("large.exr"), picture(500_000))])
    cache.flush()
    assert cache.problem
    assert cache.find([key()]) == [kept], "what is there can still be read"
    filler.unlink()
    after = picture(2000)

    def works() -> bool:
        cache.keep([(key("after.exr"), after)])
        cache.flush()
        return cache.find([key("after.exr")]) == [after]

    until(works)
    assert cache.problem == ""
    service.close()
    cache.close()


def test_P8_step_one_can_be_taken_back() -> None:
    assert units.SCHEMA.latest == 1
    assert units.SCHEMA.tables == {"thumbnails"}


# -- the service --------------------------------------------------------------------------------------------


def test_P8_what_was_drawn_once_is_not_drawn_again(made: Path, pool: Decoders, cache: ThumbnailFile) -> None:
    metrics = Metrics()
    service = Thumbnails(pool, cache, metrics=metrics)
    first = answer(service.fetch(wanted(made / "exr" / "zip.exr")))
    service.close()
    cache.flush()
    again = Thumbnails(pool, cache, metrics=metrics)
    assert answer(again.fetch(wanted(made / "exr" / "zip.exr"))) == first
    again.close()
    assert pool.counters.decoded == 1
    assert (metrics.thumbnails.value("made"), metrics.thumbnails.value("hit")) == (1, 1)


def test_P8_a_failure_is_kept_until_the_file_changes(
    pool: Decoders, cache: ThumbnailFile, tmp_path: Path
) -> None:
    path = tmp_path / "broken.exr"
    path.write_bytes(b"\x76\x2f\x31\x01" + bytes(100))
    for _ in range(2):
        service = Thumbnails(pool, cache)
        failed = answer(service.fetch(wanted(path)))
        assert isinstance(failed, Failed)
        assert failed.code is FailureCode.DAMAGED
        service.close()
        cache.flush()
    assert (pool.counters.failed, pool.counters.asked) == (1, 1)
    path.write_bytes(b"\x76\x2f\x31\x01" + bytes(200))
    service = Thumbnails(pool, cache)
    answer(service.fetch(wanted(path)))
    service.close()
    assert pool.counters.asked == 2


def test_P8_several_sizes_and_looks_are_kept_apart(made: Path, pool: Decoders, cache: ThumbnailFile) -> None:
    service = Thumbnails(pool, cache)
    path = made / "exr" / "layers.exr"
    claims = [
        service.fetch(one) for one in (
            wanted(path, 128), wanted(path, 256), wanted(path, 128, look=Look(layer="N")),
            wanted(path, 128, look=Look(exposure=1.0)), wanted(path, 128, look=Look(alpha_only=True)),
        )
    ]  # fmt: skip
    pictures = [answer(claim) for claim in claims]
    assert len({one.data for one in pictures if isinstance(one, Rendered)}) == 5
    service.close()
    cache.flush()
    assert cache.info().pictures == 5


def test_P8_without_a_store_it_works_too(made: Path, pool: Decoders) -> None:
    service = Thumbnails(pool)
    assert isinstance(answer(service.fetch(wanted(made / "exr" / "zip.exr"))), Rendered)
    assert isinstance(answer(service.fetch(wanted(made / "exr" / "zip.exr"))), Rendered)
    assert pool.counters.decoded == 1
    service.close()
    assert isinstance(answer(service.fetch(wanted(made / "exr" / "zip.exr"))), Failed)


def test_P8_sizes_are_rounded_up() -> None:
    assert [target_for(pixels) for pixels in (1, 128, 129, 300, 5000)] == [128, 128, 256, 512, 512]


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> list[Path]:
    """A folder of 1,000 frames that no cache knows."""
    frames = []
    for number in range(1000):
        path = tmp_path / f"render.{number:04}.png"
        os.link(made / "stills" / "plain.png", path)
        frames.append(path)
    return frames


def test_P9_scrolling_through_a_thousand_frames_decodes_what_is_looked_at(
    folder: list[Path], pool: Decoders, cache: ThumbnailFile
) -> None:
    """What is visible comes first, what left the screen is cancelled: seen in the counters."""
    wishes = [wanted(path) for path in folder]
    service = Thumbnails(pool, cache)
    assert isinstance(answer(service.fetch(wanted(folder[0], 512))), Rendered)
    pid = pool.pids[0]
    arrived: list[Wanted] = []
    viewer = service.viewer(lambda one, _: arrived.append(one))
    os.kill(pid, signal.SIGSTOP)  # the decoder stands still while the user scrolls
    for top in range(0, 900, 20):
        viewer.want(wishes[top : top + 20], wishes[top + 20 : top + 60])
    until(lambda: pool.backlog + 1 >= 60)
    assert pool.backlog <= 60, "only what is wanted now waits"
    os.kill(pid, signal.SIGCONT)
    until(lambda: len(arrived) >= 60)
    visible, near = set(wishes[880:900]), set(wishes[900:940])
    late = [one for one in arrived if one not in visible | near]
    assert late == [], "what left the screen is not shown"
    wanted_now = [one for one in arrived if one in visible]
    assert set(arrived[:20]) == set(wanted_now), "all that is visible came before all that is near"
    assert pool.counters.decoded <= 1 + 60 + 1
    assert viewer.generation == 45
    viewer.close()
    service.close()


def test_P9_what_stays_on_the_screen_is_not_asked_again(folder: list[Path], pool: Decoders) -> None:
    service = Thumbnails(pool)
    seen: Counter[Wanted] = Counter()
    viewer = service.viewer(lambda one, _: seen.update([one]))
    wishes = [wanted(path) for path in folder[:20]]
    for shift in range(10):
        viewer.want(wishes[shift : shift + 10])
    until(lambda: set(wishes[9:19]) <= set(seen))
    assert max(seen.values()) == 1
    assert pool.counters.decoded <= 19
    viewer.close()
    service.close()


def test_P10_a_load_counts_from_nothing_to_all_and_finishes_once(folder: list[Path], pool: Decoders) -> None:
    service = Thumbnails(pool)
    heard: list[Loaded] = []
    load = Load(service, [wanted(path, 128) for path in folder[:300]], heard.append, generation=3)
    assert load.wait(60)
    assert [one.done for one in heard] == [*range(301), 300]
    assert [one.finished for one in heard] == [False] * 301 + [True]
    assert {(one.total, one.generation) for one in heard} == {(300, 3)}
    service.close()


def test_P10_a_cancelled_load_finishes_too(folder: list[Path], pool: Decoders) -> None:
    service = Thumbnails(pool)
    heard: list[Loaded] = []
    ten = threading.Event()

    def listen(one: Loaded) -> None:
        heard.append(one)
        if one.done == 10:
            ten.set()

    load = Load(service, [wanted(path) for path in folder], listen)
    assert ten.wait(60)
    load.cancel()
    assert load.wait(10)
    assert (heard[-1].finished, heard[-1].cancelled) == (True, True)
    assert sum(one.finished for one in heard) == 1
    assert heard[-1].done < 1000
    count = len(heard)
    until(lambda: pool.backlog == 0)
    assert len(heard) == count, "nothing is heard after the end"
    load.cancel()
    service.close()


def test_P10_a_load_of_nothing_and_of_broken_files_finishes(pool: Decoders, tmp_path: Path) -> None:
    service = Thumbnails(pool)
    heard: list[Loaded] = []
    assert Load(service, [], heard.append).wait(10)
    assert [(one.done, one.total, one.finished) for one in heard] == [(0, 0, False), (0, 0, True)]
    heard.clear()
    files = []
    for number in range(10):
        path = tmp_path / f"{number}.exr"
        path.write_bytes(b"broken")
        files.append(wanted(path))
    assert Load(service, files, heard.append).wait(60)
    assert (heard[-1].done, heard[-1].failed, heard[-1].finished) == (10, 10, True)
    service.close()


def test_P10_a_decoder_that_is_killed_costs_one_picture(folder: list[Path], pool: Decoders) -> None:
    service = Thumbnails(pool)
    heard: list[Loaded] = []
    killed = threading.Event()

    def listen(one: Loaded) -> None:
        heard.append(one)
        if one.done == 20 and not killed.is_set():
            killed.set()
            os.kill(pool.pids[0], signal.SIGKILL)

    load = Load(service, [wanted(path) for path in folder[:60]], listen)
    assert load.wait(60)
    assert heard[-1].done == 60
    assert heard[-1].failed <= 1
    service.close()


def test_P9_the_screen_overtakes_a_load(folder: list[Path], pool: Decoders) -> None:
    service = Thumbnails(pool)
    assert isinstance(answer(service.fetch(wanted(folder[0], 512))), Rendered)
    pid = pool.pids[0]
    os.kill(pid, signal.SIGSTOP)
    order: list[int] = []
    load = Load(service, [wanted(path) for path in folder[:50]], lambda one: order.append(one.done))
    until(lambda: pool.backlog >= 49)
    claim = service.fetch(wanted(folder[900]), Priority.VISIBLE)
    until(lambda: pool.backlog >= 50)
    when: list[int] = []
    claim.future.add_done_callback(lambda _: when.append(order[-1]))
    os.kill(pid, signal.SIGCONT)
    assert load.wait(60)
    assert when[0] <= 2, "at most what was being decoded came before it"
    service.close()
