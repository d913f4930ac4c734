"""R10: files made to break decoders, and good ones broken at random, end in a mark; the program lives."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kassettui.core.health import FrameState
from kassettui.media.decoders import Decoders
from kassettui.media.messages import Checked, Failed, Probed, Render, Rendered, WorkerSettings
from kassettui.media.structure import check_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.media.messages import Answer

SECONDS = 10.0
SEED = 20260101
# Broken in ways that do not touch the picture (resolution tags, metadata): decoders rightly show these.
HARMLESS = {
    "badbitssize.bmp", "baddens2.bmp", "badplanes.bmp", "broken_exif_dpi.jpg", "truncated_exif_dpi.jpg",
    "invalid-exif-without-x-resolution.jpg", "syntax_num_frames_invalid.png", "decompression_bomb.ico",
}  # fmt: skip


@pytest.fixture
def pool() -> Iterator[Decoders]:
    with Decoders(WorkerSettings(seconds=SECONDS, threads=1), count=2) as decoders:
        yield decoders


def memory() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def zombies() -> int:
    """Children of ours that ended and were not collected."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="ascii", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            continue
        count += fields[0] == "Z" and int(fields[1]) == os.getpid()
    return count


def ask_everything(pool: Decoders, paths: list[Path]) -> dict[str, list[Answer]]:
    """Facts, a thumbnail and a full check of each; every one answered within the limit."""
    tickets = {
        path.name: [
            pool.probe(str(path)), pool.submit(Render(os.fsencode(path), 128, 128)), pool.check(str(path)),
        ]
        for path in paths
    }  # fmt: skip
    return {name: [ticket.future.result(timeout=600) for ticket in three] for name, three in tickets.items()}


def is_marked(answers: list[Answer], structure: FrameState | None) -> bool:
    """Whether anything says that the file is not whole."""
    _, thumbnail, check = answers
    return (
        any(isinstance(answer, Failed) for answer in answers)
        or (isinstance(thumbnail, Rendered) and thumbnail.state is not FrameState.OK)
        or (isinstance(check, Checked) and check.verdict.state is not FrameState.OK)
        or structure not in {None, FrameState.OK}
    )


def assert_good_file_at_normal_speed(pool: Decoders, path: Path) -> None:
    began = time.monotonic()
    assert isinstance(pool.submit(Render(os.fsencode(path), 100, 100)).future.result(60), Rendered)
    assert time.monotonic() - began < SECONDS / 2


@pytest.mark.corpus
def test_R10_every_damaged_file_of_the_corpus_ends_in_a_mark(
    pool: Decoders, corpus: Path, made: Path
) -> None:
    paths = sorted(path for path in (corpus / "damaged").rglob("*") if path.is_file())
    assert len(paths) > 130
    assert isinstance(pool.probe(str(made / "exr" / "zip.exr")).future.result(60), Probed)
    before = memory()
    answers = ask_everything(pool, paths)
    unmarked = {
        path.name for path in paths if not is_marked(answers[path.name], check_structure(str(path)).state)
    } - HARMLESS
    assert unmarked == set()
    assert_good_file_at_normal_speed(pool, made / "exr" / "piz.exr")
    assert memory() - before < 30_000_000
    assert zombies() == 0


SOURCES = (
    "exr/none.exr", "exr/rle.exr", "exr/zips.exr", "exr/zip.exr", "exr/piz.exr", "exr/pxr24.exr",
    "exr/b44.exr", "exr/dwaa.exr", "exr/dwab.exr", "exr/tiled.exr", "exr/mip.exr", "exr/parts.exr",
    "exr/layers.exr",
    "exr/chroma.exr", "stills/10.dpx", "stills/16.dpx", "stills/log.cin", "stills/uint8_lzw.tif",
    "stills/uint16_zip.tif", "stills/tiled.tif", "stills/big.tif", "stills/light.hdr", "stills/plain.tga",
    "stills/plain.sgi", "stills/plain.jp2", "stills/plain.jxl", "stills/plain.png", "stills/plain.gif",
    "stills/plain.webp", "stills/plain.avif", "stills/plain.jpg", "stills/plain.bmp", "movies/h264.mp4",
    "movies/prores.mov", "movies/mjpeg.avi", "movies/tone.wav",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Cut short, bytes flipped in the header or anywhere, a block zeroed or repeated."""
    way = chance.randrange(5)
    if way == 0:
        return data[: chance.randrange(1, len(data))]
    broken = bytearray(data)
    if way in {1, 2}:
        reach = min(len(data), 2000) if way == 1 else len(data)
        for _ in range(chance.randint(1, 30)):
            broken[chance.randrange(reach)] = chance.randrange(256)
    else:
        start = chance.randrange(len(data))
        length = min(chance.randrange(1, 5000), len(data) - start)
        broken[start : start + length] = bytes(length) if way == 3 else data[:length]
    return bytes(broken)


def mutate_and_ask(pool: Decoders, made: Path, tmp_path: Path, count: int) -> None:
    chance = random.Random(SEED)
    assert isinstance(pool.probe(str(made / "exr" / "zip.exr")).future.result(60), Probed)
    before = memory()
    for start in range(0, count, 50):
        paths = []
        for number in range(start, min(start + 50, count)):
            source = SOURCES[number % len(SOURCES)]
            path = tmp_path / f"{number:03}_{os.path.basename(source)}"
            path.write_bytes(mutated((made / source).read_bytes(), chance))
            paths.append(path)
        answers = ask_everything(pool, paths)
        assert len(answers) == len(paths)
        for path in paths:
            cut = check_structure(str(path)).state
            thumbnail = answers[path.name][1]
            if cut not in {None, FrameState.OK}:
                assert not (isinstance(thumbnail, Rendered) and thumbnail.state is FrameState.OK), (
                    path.name,
                    SEED,
                )
            path.unlink()
    assert_good_file_at_normal_speed(pool, made / "exr" / "piz.exr")
    assert memory() - before < 60_000_000
    assert zombies() == 0


def test_R10_five_hundred_good_files_broken_at_random(pool: Decoders, made: Path, tmp_path: Path) -> None:
    mutate_and_ask(pool, made, tmp_path, 15 * len(SOURCES))


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_R10_thousands_of_good_files_broken_at_random(pool: Decoders, made: Path, tmp_path: Path) -> None:
    mutate_and_ask(pool, made, tmp_path, 150 * len(SOURCES))
