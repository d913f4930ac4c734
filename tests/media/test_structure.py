"""H1: whole or not, by structure alone, in this process."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.core.health import FrameState
from kassettui.media.structure import check_structure

CUTS = 10


def cuts(data: bytes) -> list[int]:
    """Ten lengths: from almost nothing to one byte less than all."""
    return [max(1, len(data) * number // CUTS) for number in range(CUTS - 1)] + [len(data) - 1]


def state_of(path: Path, data: bytes) -> FrameState | None:
    path.write_bytes(data)
    return check_structure(str(path)).state


@pytest.mark.corpus
def test_H1_every_whole_exr_of_the_corpus_is_ok(corpus: Path) -> None:
    files = sorted((corpus / "exr").rglob("*.exr"))
    assert len(files) > 40
    assert {
        path.name: check_structure(str(path)).reason for path in files if not check_structure(str(path)).good
    } == {}


@pytest.mark.corpus
def test_H1_every_exr_of_the_corpus_cut_at_ten_places_is_truncated(corpus: Path, tmp_path: Path) -> None:
    wrong = []
    for path in sorted((corpus / "exr").rglob("*.exr")):
        data = path.read_bytes()
        wrong += [
            (path.name, length) for length in cuts(data)
            if state_of(tmp_path / "cut.exr", data[:length]) is not FrameState.TRUNCATED
        ]  # fmt: skip
    assert wrong == []


@pytest.mark.corpus
def test_H1_no_whole_still_of_the_corpus_is_called_damaged(corpus: Path) -> None:
    for path in sorted((corpus / "stills").iterdir()):
        assert check_structure(str(path)).state in {FrameState.OK, None}, path.name


def test_H1_our_own_exrs_are_ok_whole_and_truncated_when_cut(made: Path, tmp_path: Path) -> None:
    wrong = []
    for path in sorted((made / "exr").iterdir()):
        data = path.read_bytes()
        if not check_structure(str(path)).good:
            wrong.append((path.name, len(data)))
        wrong += [
            (path.name, length) for length in cuts(data)
            if state_of(tmp_path / "cut.exr", data[:length]) is not FrameState.TRUNCATED
        ]  # fmt: skip
    assert wrong == []


CHECKED_STILLS = (
    "8.dpx", "10.dpx", "12.dpx", "16.dpx", "little.dpx", "log.cin", "uint8_lzw.tif", "uint16_none.tif",
    "float_zip.tif", "tiled.tif", "big.tif", "plain.png", "palette.png", "alpha.png", "plain.jpg",
    "embedded.jpg", "grey.jpg", "cmyk.jpg",
)  # fmt: skip


@pytest.mark.parametrize("name", CHECKED_STILLS)
def test_H1_stills_are_ok_whole_and_truncated_when_cut(made: Path, tmp_path: Path, name: str) -> None:
    data = (made / "stills" / name).read_bytes()
    assert check_structure(str(made / "stills" / name)).good
    for length in cuts(data):
        assert state_of(tmp_path / name, data[:length]) is FrameState.TRUNCATED, length


def test_H1_what_follows_the_end_of_a_jpeg_does_not_matter(made: Path) -> None:
    assert check_structure(str(made / "stills" / "trailer.jpg")).good


def test_H1_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_jpeg(made: Path, tmp_path: Path) -> None:
    data = (made / "stills" / "embedded.jpg").read_bytes()
    assert data.count(b"\xff\xd9") == 2
    assert state_of(tmp_path / "cut.jpg", data[: len(data) - 2]) is FrameState.TRUNCATED


def test_H1_a_table_that_was_never_finished_is_truncated(made: Path, tmp_path: Path) -> None:
    data = bytearray((made / "exr" / "zips.exr").read_bytes())
    table = bytes(data).index(b"\0", bytes(data).index(b"screenWindowWidth") + 17 + 1 + 6 + 4 + 4) + 1
    data[table : table + 8] = b"\0" * 8
    verdict = check_structure(str(_written(tmp_path / "open.exr", bytes(data))))
    assert verdict.state is FrameState.TRUNCATED
    assert verdict.reason.startswith("1 of 180 chunks")


def test_H1_a_file_of_the_right_size_whose_end_never_came_is_truncated(made: Path, tmp_path: Path) -> None:
    data = (made / "exr" / "zip.exr").read_bytes()
    holes = data[: len(data) // 2].ljust(len(data), b"\0")
    assert state_of(tmp_path / "hole.exr", holes) in {FrameState.TRUNCATED, FrameState.UNREADABLE}


def synthetic_exr(*, compression: int = 0, mode: int | None = None, flags: int = 0, size: int = 64) -> bytes:
    """An EXR header with a table and chunks that hold nothing: what the structure is about."""
    window = struct.pack("<iiii", 0, 0, size - 1, size // 2 - 1)
    attributes = [
        (b"channels", b"chlist", b"R\0" + struct.pack("<iBxxxii", 1, 0, 1, 1) + b"\0"),
        (b"compression", b"compression", bytes([compression])),
        (b"dataWindow", b"box2i", window),
        (b"displayWindow", b"box2i", window),
    ]
    if mode is not None:
        attributes.append((b"tiles", b"tiledesc", struct.pack("<IIB", 16, 16, mode)))
        flags |= 0x200
    header = struct.pack("<ii", 20000630, 2 | flags)
    for name, kind, value in attributes:
        header += name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value
    header += b"\0"
    count = {None: size // 2, 0: 8, 1: 8 + 2 + 5, 2: (4 + 2 + 5) * (2 + 1 + 4)}[
        None if mode is None else mode & 15
    ]
    start = len(header) + 8 * count
    lead = struct.pack("<iiii", 0, 0, 0, 0) if mode is not None else struct.pack("<i", 0)
    chunk = lead + struct.pack("<i", 4) + b"data"
    table = b"".join(struct.pack("<Q", start + index * len(chunk)) for index in range(count))
    return header + table + chunk * count


@pytest.mark.parametrize(
    ("mode", "name"), [(None, "lines"), (0, "tiles"), (1, "mip"), (2, "rip"), (0x12, "rip, up")]
)
def test_H1_counts_the_chunks_of_every_level_mode(tmp_path: Path, mode: int | None, name: str) -> None:
    data = synthetic_exr(mode=mode)
    assert state_of(tmp_path / "made.exr", data) is FrameState.OK, name
    assert state_of(tmp_path / "made.exr", data[:-1]) is FrameState.TRUNCATED, name


def test_H1_an_unknown_compression_is_left_to_decoding(tmp_path: Path) -> None:
    verdict = check_structure(str(_written(tmp_path / "new.exr", synthetic_exr(compression=77))))
    assert verdict.state is None
    assert verdict.level == 1


def test_H1_other_formats_are_left_to_decoding(made: Path) -> None:
    verdict = check_structure(str(made / "stills" / "plain.tga"))
    assert (verdict.state, verdict.level) == (None, 0)


@pytest.mark.parametrize(
    ("name", "data", "state"),
    [
        ("empty.exr", b"", FrameState.ZERO),
        ("zeros.exr", b"\0" * 4096, FrameState.BAD_MAGIC),
        ("text.exr", b"this is no picture at all", FrameState.BAD_MAGIC),
        ("begun.exr", b"\x76\x2f", FrameState.TRUNCATED),
        ("begun.png", b"\x89PNG", FrameState.TRUNCATED),
        ("begun.dpx", b"SDPX", FrameState.TRUNCATED),
    ],
)
def test_H1_small_and_strange_files(tmp_path: Path, name: str, data: bytes, state: FrameState) -> None:
    assert state_of(tmp_path / name, data) is state


def test_H1_content_counts_before_the_extension(made: Path, tmp_path: Path) -> None:
    data = (made / "stills" / "plain.png").read_bytes()
    assert state_of(tmp_path / "really_a_png.exr", data) is FrameState.OK
    assert state_of(tmp_path / "really_a_png.exr", data[:-5]) is FrameState.TRUNCATED


def test_R9_only_plain_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.exr")
    (tmp_path / "directory.exr").mkdir()
    (tmp_path / "dangling.exr").symlink_to(tmp_path / "nothing")
    for name in ("pipe.exr", "directory.exr"):
        assert check_structure(str(tmp_path / name)).state is FrameState.UNREADABLE
    assert check_structure(str(tmp_path / "dangling.exr")).state is FrameState.MISSING
    assert check_structure("/dev/null").state is FrameState.UNREADABLE
    assert check_structure("a\0b").state is FrameState.UNREADABLE


def test_H1_a_tiff_whose_directories_run_in_a_circle_ends(tmp_path: Path) -> None:
    entry = (
        struct.pack("<HHII", 256, 4, 1, 8)
        + struct.pack("<HHII", 273, 4, 1, 8)
        + struct.pack("<HHII", 279, 4, 1, 4)
    )
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 3) + entry + struct.pack("<I", 8)
    verdict = check_structure(str(_written(tmp_path / "circle.tif", data)))
    assert verdict.state is FrameState.UNREADABLE
    assert "circle" in verdict.reason


def test_H1_what_must_agree_across_a_sequence_is_told(made: Path) -> None:
    makes = {
        name: check_structure(str(made / "exr" / name)).make for name in ("zip.exr", "piz.exr", "window.exr")
    }
    assert len(set(makes.values())) == 3
    assert makes["zip.exr"].startswith("320x180")
    assert makes["window.exr"].startswith("400x160")


@given(st.binary(max_size=300), st.sampled_from(["exr", "png", "jpg", "tif", "dpx", "cin"]))
@settings(max_examples=150)
def test_H1_never_raises_whatever_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str
) -> None:
    marks = {
        "exr": b"\x76\x2f\x31\x01\2\0\0\0",
        "png": b"\x89PNG\r\n\x1a\n",
        "jpg": b"\xff\xd8\xff",
        "tif": b"II*\0",
        "dpx": b"SDPX",
        "cin": b"\x80\x2a\x5f\xd7",
    }
    path = tmp_path_factory.getbasetemp() / f"any.{kind}"
    check_structure(str(_written(path, marks[kind] + data)))


def test_H1_never_raises_on_mutations_of_good_files(made: Path, tmp_path: Path) -> None:
    random_ = random.Random(20)
    names = [made / "stills" / name for name in CHECKED_STILLS] + [
        made / "exr" / "parts.exr",
        made / "exr" / "mip.exr",
    ]
    for path in names:
        whole = path.read_bytes()
        for _ in range(20):
            data = bytearray(whole)
            for _ in range(random_.randint(1, 8)):
                data[random_.randrange(min(len(data), 4096))] = random_.randrange(256)
            check_structure(str(_written(tmp_path / path.name, bytes(data))))


def test_H1_imports_no_decoder() -> None:
    code = (
        "import sys, kassettui.media.structure, kassettui.media.decoders, kassettui.media.thumbnails, "
        "kassettui.media.sequences; print(sorted({'numpy', 'PIL', 'OpenImageIO', 'av'} & set(sys.modules)))"
    )
    home = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
