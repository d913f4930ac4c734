"""Content hashes (I8, I24; R9)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import xxhash

from kassettui.core.kinds import Kind
from kassettui.ingest.checksum import ChecksumEnricher, NotRegular, file_hash, sequence_hash
from kassettui.ingest.enricher import Subject
from kassettui.jobs.control import Cancelled, Control
from tests.ingest.trees import frames, write

if TYPE_CHECKING:
    from pathlib import Path


def _subject(path: Path, kind: Kind) -> Subject:
    return Subject(1, "u", kind, str(path), path.name, path.suffix[1:], 0, 0, "s")


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_I8_the_hash_is_xxh3_128_of_the_bytes(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = write(tmp_path / "x.bin", content)
    assert file_hash(str(path), Control()) == xxhash.xxh3_128_hexdigest(content)


def test_I8_xxhsum_says_the_same(tmp_path: Path) -> None:
    if shutil.which("xxhsum") is None:
        pytest.skip("xxhsum is not installed")
    path = write(tmp_path / "x.bin", b"content")
    told = subprocess.run(["xxhsum", "-H2", path], capture_output=True, text=True, check=True).stdout
    assert told.split()[0] == file_hash(str(path), Control())


def test_R9_only_regular_files_are_opened_and_never_through_links(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegular):
        file_hash(str(tmp_path / "pipe"), Control())
    (tmp_path / "link").symlink_to(write(tmp_path / "x"))
    with pytest.raises(OSError, match="symbolic links"):
        file_hash(str(tmp_path / "link"), Control())
    with pytest.raises(NotRegular):
        file_hash("/dev/zero", Control())


def test_hashing_stops_when_told(tmp_path: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        file_hash(str(write(tmp_path / "x")), control)


def test_I8_a_sequences_hash_is_that_of_its_frames_and_their_numbers(tmp_path: Path) -> None:
    paths = frames(tmp_path, range(1, 4))
    pairs = [(number, str(path)) for number, path in enumerate(paths, 1)]
    whole = sequence_hash(pairs, Control())
    assert whole == sequence_hash(pairs, Control())
    assert whole != sequence_hash(pairs[:2], Control())
    assert whole != sequence_hash([(frame + 1, path) for frame, path in pairs], Control())
    write(paths[1], b"else")
    assert whole != sequence_hash(pairs, Control())


def test_I24_the_enricher_gives_each_subject_a_hash_or_an_error(tmp_path: Path) -> None:
    frames(tmp_path, range(1, 4))
    path = write(tmp_path / "still.png")
    batch = [
        _subject(tmp_path / "beauty.#.exr", Kind.SEQUENCE),
        _subject(path, Kind.IMAGE),
        _subject(tmp_path / "gone.png", Kind.IMAGE),
        _subject(tmp_path / "gone.#.exr", Kind.SEQUENCE),
    ]
    outcomes = ChecksumEnricher().run(batch, Control())
    pairs = [(frame, str(tmp_path / f"beauty.{frame:04}.exr")) for frame in range(1, 4)]
    assert [outcome.facts.get("content_hash") for outcome in outcomes] == [
        sequence_hash(pairs, Control()),
        file_hash(str(path), Control()),
        None,
        None,
    ]
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, False]
