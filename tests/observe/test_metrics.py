"""What is counted (L13): cheap, complete between threads, kept over processes, read by Prometheus."""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from kassettui.observe.meters import Counter, Histogram
from kassettui.observe.metrics import Metrics, Reading

if TYPE_CHECKING:
    from pathlib import Path


def some() -> Metrics:
    metrics = Metrics()
    metrics.writes_done.add(3)
    metrics.import_items.add(5, "create")
    metrics.import_items.add(2, "skip")
    metrics.write_run.observe(0.003)
    metrics.write_run.observe(100)
    metrics.decode_run.observe(0.2, "probe")
    metrics.jobs_running.add(2)
    return metrics


def samples(text: str) -> dict[str, float]:
    return {
        f"{sample.name}{json.dumps(sample.labels) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_L13_everything_of_the_spec_is_counted() -> None:
    names = set(Metrics().snapshot())
    assert {
        "library_writes_queued",
        "library_writes_done",
        "library_writes_failed",
        "library_write_batch_size",
        "library_write_queue_depth",
        "library_write_retries",
        "library_write_wait_seconds",
        "library_write_run_seconds",
        "library_reads",
        "library_migrations",
        "import_items",
        "thumbnails",
        "decode_seconds",
        "job_bytes",
        "cache_hits",
        "cache_misses",
    } <= names


def test_L13_prometheus_reads_what_we_expose() -> None:
    found = samples(some().exposition())
    assert found["kassettui_library_writes_done_total"] == 3
    assert found["kassettui_library_writes_failed_total"] == 0
    assert found['kassettui_import_items_total{"decision": "create"}'] == 5
    assert found["kassettui_jobs_running"] == 2
    assert found["kassettui_library_write_run_seconds_count"] == 2
    assert found["kassettui_library_write_run_seconds_sum"] == pytest.approx(100.003)
    assert found['kassettui_library_write_run_seconds_bucket{"le": "0.0025"}'] == 0
    assert found['kassettui_library_write_run_seconds_bucket{"le": "0.005"}'] == 1
    assert found['kassettui_library_write_run_seconds_bucket{"le": "+Inf"}'] == 2
    assert found['kassettui_decode_seconds_bucket{"le": "0.25", "task": "probe"}'] == 1


def test_L13_levels_that_are_read_off_the_library_stand_beside_the_counts() -> None:
    readings = [
        Reading("library_assets", "Assets by state", {"new": 4, "ready": 9}, label="state"),
        Reading("library_bytes", "Size of the library's file", {"": 4096}),
    ]
    found = samples(some().exposition(readings))
    assert found['kassettui_library_assets{"state": "ready"}'] == 9
    assert found["kassettui_library_bytes"] == 4096
    shown = some().snapshot(readings)
    assert shown["library_assets"] == {"new": 4, "ready": 9}
    assert shown["library_bytes"] == 4096


def test_L13_the_process_wide_registry_is_never_touched() -> None:
    some().exposition()
    assert not any(family.name.startswith("kassettui") for family in REGISTRY.collect())


def test_L13_counts_outlive_the_process() -> None:
    kept = json.loads(json.dumps(some().dump()))
    later = some()
    later.merge(kept)
    assert later.writes_done.value() == 6
    assert later.import_items.values() == {"create": 10, "skip": 4}
    assert later.write_run.distributions()[""].count == 4
    assert later.jobs_running.value == 2  # a level belongs to its process


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b"]), st.floats(0, 100)), max_size=30))
def test_L13_merging_dumps_is_counting_in_one(events: list[tuple[int, str, float]]) -> None:
    one, first, second = Metrics(), Metrics(), Metrics()
    for number, (amount, label, seconds) in enumerate(events):
        for metrics in (one, (first, second)[number % 2]):
            metrics.import_items.add(amount, label)
            metrics.decode_run.observe(seconds, label)
    merged = Metrics()
    merged.merge(json.loads(json.dumps(first.dump())))
    merged.merge(json.loads(json.dumps(second.dump())))
    assert merged.import_items.values() == one.import_items.values()
    for label, (total, counts) in one.decode_run.cells().items():
        merged_total, merged_counts = merged.decode_run.cells()[label]
        assert merged_total == pytest.approx(total)
        assert merged_counts == counts


@pytest.mark.parametrize(
    "dump",
    [
        None,
        [],
        "x",
        {},
        {"version": 99, "counters": {"library_writes_done": {"": 5}}},
        {"version": 1, "counters": []},
        {"version": 1, "counters": {"library_writes_done": {"": -5}}},
        {"version": 1, "counters": {"library_writes_done": {"": "5"}}},
        {"version": 1, "counters": {"library_writes_done": {"": float("nan")}}},
        {"version": 1, "counters": {"gone": {"": 5}}},
        {"version": 1, "histograms": {"library_write_run_seconds": {"": [1, [1, 2]]}}},
        {"version": 1, "histograms": {"library_write_run_seconds": {"": [1, "x"]}}},
        {"version": 1, "histograms": {"library_write_run_seconds": {"": 1}}},
    ],
)
def test_L13_a_dump_that_is_not_sound_adds_nothing(dump: object) -> None:
    metrics = Metrics()
    metrics.merge(dump)
    assert metrics.dump() == Metrics().dump()


def test_L13_no_count_is_lost_between_threads() -> None:
    counter, histogram = Counter("c", "c"), Histogram("h", "h")
    start = threading.Barrier(4)

    def count() -> None:
        start.wait(20)
        for _ in range(5000):
            counter.add()
            histogram.observe(0.1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert counter.value() == 20_000
    assert histogram.distributions()[""].count == 20_000


@given(st.lists(st.floats(0.0001, 30.0), min_size=1, max_size=50))
def test_L13_estimated_quantiles_lie_in_the_bucket_of_the_true_ones(values: list[float]) -> None:
    histogram = Histogram("h", "h")
    for value in values:
        histogram.observe(value)
    spread = histogram.distributions()[""]
    true = sorted(values)[max(0, -(-len(values) // 2) - 1)]
    edges = [0.0, *histogram.buckets]
    low = max((edge for edge in edges if edge < true), default=0.0)
    high = min(edge for edge in edges if edge >= true)
    assert low <= spread.p50 <= high
    assert spread.p50 <= spread.p99 <= 30.0


def test_L13_the_text_file_is_whole_readable_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "kassettui.prom"
    target.write_text("old")
    before = os.umask(0o077)
    try:
        some().write_textfile(str(target))
    finally:
        os.umask(before)
    assert samples(target.read_text())["kassettui_library_writes_done_total"] == 3
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["kassettui.prom"]


def test_L13_a_text_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "taken.prom"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        some().write_textfile(str(target))
    assert os.listdir(tmp_path) == ["taken.prom"]
