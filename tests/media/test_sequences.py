"""P4, H1, H2 for sequences: which frame stands for them, which are broken, which are unlike the others."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui.core.frames import FrameRanges
from kassettui.core.health import FrameState
from kassettui.jobs.control import Cancelled, Control
from kassettui.media.sequences import FrameFile, check_frames, minority, representative

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.media.decoders import Decoders


def frames(text: str) -> FrameRanges:
    return FrameRanges.parse(text)


def test_P4_the_middle_frame_that_is_ok_stands_for_a_sequence() -> None:
    assert representative(frames("1-9"), {}) == 5
    assert representative(frames("1-9"), {5: FrameState.ZERO}) == 6
    assert representative(frames("1-9"), dict.fromkeys((5, 6, 4), FrameState.TRUNCATED)) == 7
    assert representative(frames("1-9"), dict.fromkeys(range(1, 9), FrameState.ZERO)) == 9
    assert representative(frames("1-9"), dict.fromkeys(range(1, 10), FrameState.ZERO)) == 5
    assert representative(frames("1001-1100x10,2000"), {}) == 1051
    assert representative(frames("7"), {}) == 7
    assert representative(frames(""), {}) is None


@given(st.sets(st.integers(-50, 200), min_size=1, max_size=60), st.data())
def test_P4_any_ok_frame_is_taken_before_a_broken_one(numbers: set[int], data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.sampled_from(sorted(numbers))))
    chosen = representative(FrameRanges.of(numbers), dict.fromkeys(bad, FrameState.UNREADABLE))
    assert chosen in numbers
    assert (chosen not in bad) or bad == numbers


def test_H2_the_minority_is_inconsistent() -> None:
    assert minority({1: "a", 2: "a", 3: "b", 4: "a"}) == [3]
    assert minority({1: "a", 2: "a"}) == []
    assert minority({}) == []
    assert minority({1: "a", 2: "b"}) == [2]


@pytest.fixture
def sequence(made: Path, tmp_path: Path) -> list[FrameFile]:
    """Sixty frames: 1010 truncated, 1020 empty, 1030 another resolution, 1040 with a flipped chunk."""
    whole = (made / "exr" / "zip.exr").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2 :][:64] = bytes(64)
    flipped[len(whole) // 2 : len(whole) // 2 + 64] = bytes(range(64))
    special = {
        1010: whole[: len(whole) // 3], 1020: b"", 1030: (made / "exr" / "window.exr").read_bytes(),
        1040: bytes(flipped),
    }  # fmt: skip
    files = []
    for frame in range(1001, 1061):
        path = tmp_path / f"beauty.{frame}.exr"
        if frame in special:
            path.write_bytes(special[frame])
        else:
            os.link(made / "exr" / "zip.exr", path)
        files.append(FrameFile(frame, str(path)))
    return files


def test_H1_finds_truncated_empty_and_unlike_frames(sequence: list[FrameFile]) -> None:
    findings = check_frames(sequence, level=1)
    assert findings.bad == {
        1010: FrameState.TRUNCATED,
        1020: FrameState.ZERO,
        1030: FrameState.INCONSISTENT,
    }
    assert findings.level == 1
    assert findings.reason(1010)
    assert findings.reason(1030).startswith("400x160")
    assert findings.reason(1001) == ""


def test_H2_finds_broken_chunks_too(sequence: list[FrameFile], decoders: Decoders) -> None:
    findings = check_frames(sequence, level=2, decoders=decoders)
    assert set(findings.bad) == {1010, 1020, 1030, 1040}
    assert findings.bad[1010] is FrameState.TRUNCATED
    assert findings.bad[1020] is FrameState.ZERO
    assert findings.level == 2


def test_H1_formats_without_a_structure_stay_at_level_0(
    made: Path, tmp_path: Path, decoders: Decoders
) -> None:
    files = []
    for frame in range(1, 4):
        os.link(made / "stills" / "plain.tga", tmp_path / f"a.{frame:04}.tga")
        files.append(FrameFile(frame, str(tmp_path / f"a.{frame:04}.tga")))
    asked = decoders.counters.asked
    findings = check_frames(files, level=1, decoders=decoders)
    assert (findings.level, findings.bad, decoders.counters.asked) == (0, {}, asked)
    assert check_frames(files, level=2, decoders=decoders).level == 2


def test_H1_what_structure_leaves_open_is_decoded(made: Path, tmp_path: Path, decoders: Decoders) -> None:
    """An EXR of a file version that nobody knows here: on doubt, a decoder says."""
    data = bytearray((made / "exr" / "zip.exr").read_bytes())
    data[4] = 9
    (tmp_path / "new.0001.exr").write_bytes(data)
    findings = check_frames([FrameFile(1, str(tmp_path / "new.0001.exr"))], level=1, decoders=decoders)
    assert findings.bad == {1: FrameState.UNREADABLE}


def test_H1_progress_and_cancel(sequence: list[FrameFile], decoders: Decoders) -> None:
    for level in (1, 2):
        heard: list[FrameFile] = []
        check_frames(sequence, level=level, decoders=decoders, control=Control(), looked_at=heard.append)
        assert heard == sequence
    control = Control()
    control.cancel()
    for level in (1, 2):
        with pytest.raises(Cancelled):
            check_frames(sequence, level=level, decoders=decoders, control=control)


def test_H2_a_cancel_in_the_middle_drops_what_was_not_begun(
    sequence: list[FrameFile], decoders: Decoders
) -> None:
    enough = threading.Event()
    control = Control()
    heard: list[FrameFile] = []

    def listen(file: FrameFile) -> None:
        heard.append(file)
        if len(heard) == 3:
            enough.set()

    def stop() -> None:
        enough.wait(30)
        control.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        check_frames(sequence * 20, level=2, decoders=decoders, control=control, looked_at=listen)
    stopper.join()
    assert decoders.backlog == 0
