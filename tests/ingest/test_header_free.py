"""The enrichers that open nothing (I24, H0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.core.kinds import Kind
from kassettui.ingest.enricher import Subject
from kassettui.ingest.header_free import PresenceProbe, StatHealth, header_free
from kassettui.ingest.members import Directories
from kassettui.jobs.control import Control
from tests.ingest.trees import frames, write

if TYPE_CHECKING:
    from pathlib import Path


def _subject(path: Path, kind: Kind, expected: str | None = None) -> Subject:
    return Subject(1, "u", kind, str(path), path.name, path.suffix[1:], 0, 0, "s", expected_ranges=expected)


def test_the_set_is_probe_and_health_by_priority() -> None:
    assert [(each.enricher_id, each.priority) for each in header_free()] == [("probe", 10), ("health", 20)]


def test_the_probe_sees_what_is_gone_and_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "directory.png").mkdir()
    outcomes = PresenceProbe().run(
        [
            _subject(write(tmp_path / "a.png"), Kind.IMAGE),
            _subject(tmp_path / "gone.png", Kind.IMAGE),
            _subject(tmp_path / "directory.png", Kind.IMAGE),
            _subject(tmp_path / "beauty.#.exr", Kind.SEQUENCE),
            _subject(tmp_path / "gone" / "beauty.#.exr", Kind.SEQUENCE),
        ],
        Control(),
    )
    assert [outcome.error is None for outcome in outcomes] == [True, False, False, True, False]
    assert all(not outcome.facts for outcome in outcomes)


def test_H0_zero_frames_and_holes_are_seen(tmp_path: Path) -> None:
    paths = frames(tmp_path, [1, 2, 4, 5])
    write(paths[1], b"")
    (outcome,) = StatHealth().run([_subject(tmp_path / "beauty.#.exr", Kind.SEQUENCE)], Control())
    assert outcome.error is None
    facts = {name: value for name, value in outcome.facts.items() if name != "health_at"}
    assert facts == {
        "health": "broken",
        "health_level": 0,
        "health_counts": {"ok": 3, "zero": 1, "missing": 1},
        "health_frames": {"2": "zero"},
        "damaged_count": 1,
        "hole_count": 1,
    }


def test_H0_what_should_be_there_counts_as_missing(tmp_path: Path) -> None:
    frames(tmp_path, [1, 2, 3])
    subject = _subject(tmp_path / "beauty.#.exr", Kind.SEQUENCE, expected="1-5")
    (outcome,) = StatHealth().run([subject], Control())
    assert (outcome.facts["hole_count"], outcome.facts["health"]) == (2, "stalled")


def test_H0_an_empty_still_is_broken(tmp_path: Path) -> None:
    batch = [
        _subject(write(tmp_path / "a.png", b""), Kind.IMAGE),
        _subject(write(tmp_path / "b.png"), Kind.IMAGE),
    ]
    outcomes = StatHealth().run([*batch, _subject(tmp_path / "gone.png", Kind.IMAGE)], Control())
    assert [outcome.facts.get("health") for outcome in outcomes] == ["broken", None, None]
    assert [outcome.error is None for outcome in outcomes] == [True, True, False]


def test_a_sequence_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    batch = [_subject(tmp_path / name / "beauty.#.exr", Kind.SEQUENCE) for name in ("empty", "gone")]
    assert [outcome.error is None for outcome in StatHealth().run(batch, Control())] == [False, False]


def test_members_are_the_frames_on_disk_whatever_their_padding(tmp_path: Path) -> None:
    names = ["beauty.-0002.exr", "beauty.0000.exr", "beauty.10000.exr"]
    for name in names:
        write(tmp_path / name)
    found = Directories(Control()).frames_of(str(tmp_path / "beauty.#.exr"))
    assert list(found) == [
        (frame, str(tmp_path / name)) for frame, name in zip((-2, 0, 10000), names, strict=True)
    ]
