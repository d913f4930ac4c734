"""What a second import makes of a tree that changed (I5-I8, I10, I11, I25)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kassettui.core.lifecycle import Standing, State
from kassettui.ingest.header_free import header_free
from kassettui.library import assets
from tests.ingest.trees import OLD_NS, adds_up, bring_in, everything, frames, row, rows, touch, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def test_I5_a_growing_render_stays_the_same_asset(library: Library, root: Path) -> None:
    frames(root, range(1001, 1004))
    bring_in(library, root)
    before = row(library)
    frames(root, range(999, 1001), "beauty.{}.exr")
    frames(root, range(10000, 10002), "beauty.{}.exr")
    report = bring_in(library, root)
    after = row(library)
    assert (report.stats.updated, report.stats.ingested) == (1, 0)
    assert (after["uuid"], after["canonical_key"]) == (before["uuid"], "fs:beauty.#.exr")
    assert after["frame_count"] == 7


def test_I5_a_removed_frame_is_a_hole_and_no_new_asset(library: Library, root: Path) -> None:
    paths = frames(root, range(1001, 1009))
    bring_in(library, root)
    before = row(library)
    paths[3].unlink()
    report = bring_in(library, root)
    after = row(library)
    assert (report.stats.updated, report.stats.ingested, report.stats.missing) == (1, 0, 0)
    assert after["uuid"] == before["uuid"]
    assert (after["frame_ranges"], after["hole_count"]) == ("1001-1003,1005-1008", 1)
    assert (before["health"], after["health"]) == ("complete", "holes")


def test_I6_rows_carry_the_version_of_the_key_rules(library: Library, root: Path) -> None:
    write(root / "a.png")
    bring_in(library, root)
    assert row(library)["key_version"] == 1


def test_I8_one_touched_frame_is_one_update(library: Library, root: Path) -> None:
    for shot in ("sh1", "sh2", "sh3"):
        frames(root / shot, range(1, 9))
    bring_in(library, root)
    touch(root / "sh2" / "beauty.0004.exr")
    report = bring_in(library, root)
    assert (report.stats.updated, report.stats.skipped, report.stats.ingested) == (1, 2, 0)
    assert list(report.updated_assets) == [row(library, "canonical_key LIKE '%sh2%'")["uuid"]]


def test_I8_another_size_with_the_same_time_is_a_change(library: Library, root: Path) -> None:
    path = write(root / "a.png", b"1")
    bring_in(library, root)
    write(path, b"22")
    assert bring_in(library, root).stats.updated == 1


def test_I8_a_touched_file_of_equal_hash_is_unchanged(library: Library, root: Path) -> None:
    paths = [write(root / "a.png", b"same"), write(root / "b.png", b"other")]
    frames(root / "sh1", range(1, 4))
    bring_in(library, root, hash_content=True)
    hashed = {asset["name"]: asset["content_hash"] for asset in rows(library)}
    assert all(hashed.values())
    for path in paths:
        touch(path)
    touch(root / "sh1" / "beauty.0002.exr")
    write(paths[1], b"new", OLD_NS + 9)
    report = bring_in(library, root, hash_content=True)
    assert (report.stats.updated, report.stats.skipped) == (1, 2)
    assert report.plan is not None
    assert report.plan.reasons == {"content changed": 1, "touched, same content": 2}
    again = bring_in(library, root)
    assert (again.stats.updated, again.stats.skipped) == (0, 3)
    assert row(library, "name = 'b.png'")["content_hash"] != hashed["b.png"]


def test_I8_without_a_hash_on_record_a_touched_file_is_updated(library: Library, root: Path) -> None:
    path = write(root / "a.png")
    bring_in(library, root)
    touch(path)
    assert bring_in(library, root, hash_content=True).stats.updated == 1


def test_I8_a_signature_is_stored_only_when_its_time_has_passed(library: Library, root: Path) -> None:
    path = root / "a.png"
    path.write_bytes(b"new")
    bring_in(library, root)
    assert time.time_ns() > path.stat().st_mtime_ns + 10_000_000


def test_I8_times_in_the_future_hold_nobody_up(library: Library, root: Path) -> None:
    ahead = time.time_ns() + 10**15
    write(root / "a.png", mtime_ns=ahead)
    write(root / "b.png", mtime_ns=0)
    began = time.monotonic()
    assert bring_in(library, root).stats.ingested == 2
    assert time.monotonic() - began < 60
    assert bring_in(library, root).stats.skipped == 2


def test_I10_changed_enrichers_update(library: Library, root: Path) -> None:
    write(root / "a.png")
    probe, health = header_free()
    bring_in(library, root, enrichers=[probe])
    assert bring_in(library, root, enrichers=[probe]).stats.skipped == 1
    report = bring_in(library, root, enrichers=[probe, health])
    assert report.stats.updated == 1
    assert report.plan is not None
    assert report.plan.reasons == {"enrichers changed": 1}
    assert bring_in(library, root, enrichers=[health, probe]).stats.skipped == 1
    assert bring_in(library, root, enrich=False).stats.skipped == 1


def test_I10_an_asset_that_was_never_enriched_is_skipped_and_enriched(library: Library, root: Path) -> None:
    write(root / "a.png")
    bring_in(library, root, enrichers=header_free(), enrich=False)
    report = bring_in(library, root, enrichers=header_free())
    assert (report.stats.skipped, report.stats.updated) == (1, 0)
    assert report.enriched is not None
    assert report.enriched.assets == 1


def test_I11_an_update_keeps_what_people_said_and_drops_approval(library: Library, root: Path) -> None:
    path = write(root / "a.png")
    bring_in(library, root)
    before = row(library)
    library.write(lambda db: assets.set_standings(db, [(before["id"], Standing(State.READY, approved=True))]))
    library.write(
        lambda db: (
            db.execute_sql("UPDATE assets SET rating = 4, title = 't', description = 'd', width = 8") and None
        )
    )
    touch(path)
    bring_in(library, root)
    after = row(library)
    assert (after["state"], after["approved_for_broadcast"]) == ("new", 0)
    assert (after["rating"], after["title"], after["description"]) == (4, "t", "d")
    assert after["uuid"] == before["uuid"]
    assert after["updated_at"] > before["updated_at"]
    assert after["content_signature"] != before["content_signature"]


def test_I11_what_a_person_deleted_in_the_library_stays_deleted(library: Library, root: Path) -> None:
    path = write(root / "a.png")
    bring_in(library, root)
    library.write(lambda db: db.execute_sql("UPDATE assets SET is_deleted = 1, deleted_at = 5") and None)
    touch(path)
    report = bring_in(library, root)
    assert (report.stats.skipped, report.stats.updated) == (1, 0)
    assert row(library)["is_deleted"] == 1


def test_I12_no_asset_is_created_ready(library: Library, root: Path) -> None:
    for name in ("a.png", "b.mov", "c.wav"):
        write(root / name)
    frames(root / "sh1", range(1, 4))
    bring_in(library, root)
    assert {(asset["state"], asset["approved_for_broadcast"]) for asset in rows(library)} == {("new", 0)}


def test_I25_an_unchanged_tree_writes_the_run_and_its_time_alone(library: Library, root: Path) -> None:
    for shot in range(5):
        frames(root / f"sh{shot}", range(1, 9))
    write(root / "a.png")
    write(root / "b.mov", b"")
    first = bring_in(library, root, enrichers=header_free())
    before = everything(library, but=("runs", "collections"))
    second = bring_in(library, root, enrichers=header_free())
    assert everything(library, but=("runs", "collections")) == before
    assert second.stats.skipped == second.stats.discovered == first.stats.discovered
    assert second.enriched is not None
    assert second.enriched.runs == {}
    assert (second.last_ingest_ns or 0) > (first.last_ingest_ns or 0)
    assert adds_up(second)


def test_I25_a_sequence_that_grew_settles_without_an_update(library: Library, root: Path) -> None:
    frames(root, range(1, 4))
    evidence = write(root / "beauty.0004.exr.tmp")
    bring_in(library, root)
    before = row(library)
    assert before["health"] == "growing"
    library.write(_approve_all)
    assert bring_in(library, root).stats.skipped == 1
    assert row(library)["health"] == "growing"
    evidence.unlink()
    report = bring_in(library, root)
    after = row(library)
    assert (report.stats.skipped, report.stats.updated) == (1, 0)
    assert (after["health"], after["state"], after["approved_for_broadcast"]) == ("complete", "ready", 1)
    settled = everything(library, but=("runs", "collections"))
    bring_in(library, root)
    assert everything(library, but=("runs", "collections")) == settled


def _approve_all(db: Any) -> None:
    db.execute_sql("UPDATE assets SET state = 'ready', approved_for_broadcast = 1")
