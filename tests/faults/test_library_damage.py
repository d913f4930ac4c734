"""R6: a broken library is noticed, said so, and never made worse."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from kassettui.core.errors import DamageFound, KassettuiError
from kassettui.library import assets, check, folders
from kassettui.library.library import Library
from tests.library.samples import add, image, keys, put, sequence

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A closed library of some hundred pages."""
    path = str(tmp_path_factory.mktemp("whole") / "library.db")
    with Library.open(path, create=True) as library:
        ids = add(
            library,
            *(image(f"{n:04}_plate.png") for n in range(400)),
            *(sequence(f"{n}.#.exr") for n in range(99)),
        )
        library.write(folders.add_assets, [(id_, library.write(folders.ensure_folder, "a")) for id_ in ids])
        library.write(assets.write_facts, [(ids[0], {"metadata": {"note": "x" * 20_000}})])
    return path


def _noticed(path: str) -> bool:
    """Whether opening or checking a library tells that it is damaged. Only our own errors may come out."""
    try:
        with Library.open(path) as library:
            return check.examine(library, seed=1).damaged
    except DamageFound:
        return True


def _pages(path: str) -> int:
    return os.path.getsize(path) // PAGE


def _overwrite(path: str, offset: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def _every(path: str, step: int) -> range:
    return range(0, _pages(path), step)


@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_R6_a_broken_page_is_noticed(whole: str, tmp_path: Path, kind: str) -> None:
    chosen = random.Random(1)
    for page in [0, 1, *_every(whole, 23)]:
        path = str(tmp_path / f"{page}.db")
        shutil.copy(whole, path)
        _overwrite(path, page * PAGE, b"\0" * PAGE if kind == "zeros" else chosen.randbytes(PAGE))
        assert _noticed(path), page


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_R6_each_broken_page_is_noticed(whole: str, tmp_path: Path, kind: str) -> None:
    chosen = random.Random(2)
    path = str(tmp_path / "library.db")
    missed = []
    for page in _every(whole, 1):
        shutil.copy(whole, path)
        _overwrite(path, page * PAGE, b"\0" * PAGE if kind == "zeros" else chosen.randbytes(PAGE))
        if not _noticed(path):
            missed.append(page)
        os.unlink(path)
    assert missed == []


@pytest.mark.parametrize("seed", range(3))
def test_R6_a_flipped_bit_never_gets_out_as_anything_but_our_own_error(
    whole: str, tmp_path: Path, seed: int
) -> None:
    """A bit inside a text can be seen by nobody; one in the structure is noticed; none crashes."""
    chosen = random.Random(seed)
    data = Path(whole).read_bytes()
    noticed = 0
    for number in range(15):
        path = str(tmp_path / f"{number}.db")
        broken = bytearray(data)
        broken[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        with open(path, "wb") as file:
            file.write(broken)
        noticed += _noticed(path)
        try:
            with Library.open(path) as library:
                library.read(lambda db: db.all("SELECT * FROM assets ORDER BY name"))
                library.write(put, "a")
        except KassettuiError:
            continue
    assert noticed


@pytest.mark.parametrize("part", [0.0001, 0.01, 0.3, 0.5, 0.9, 0.99])
def test_R6_a_truncated_file_is_noticed_on_opening(whole: str, tmp_path: Path, part: float) -> None:
    path = str(tmp_path / "library.db")
    shutil.copy(whole, path)
    os.truncate(path, int(os.path.getsize(path) * part))
    size = os.path.getsize(path)
    with pytest.raises(DamageFound):
        Library.open(path, create=True)
    assert os.path.getsize(path) == size


def _crashed(whole: str, tmp_path: Path) -> str:
    """A library whose last 20 writes stand in the log alone, as after a crash."""
    live = str(tmp_path / "live.db")
    path = str(tmp_path / "library.db")
    shutil.copy(whole, live)
    with Library.open(live) as library:
        for number in range(20):
            library.write(put, f"k{number:02}")
        shutil.copy(live, path)
        shutil.copy(live + "-wal", path + "-wal")
    return path


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.97, 1.0])
def test_R6_a_truncated_log_loses_its_end_and_nothing_else(whole: str, tmp_path: Path, part: float) -> None:
    path = _crashed(whole, tmp_path)
    os.truncate(path + "-wal", int(os.path.getsize(path + "-wal") * part))
    with Library.open(path) as library:
        found = library.read(keys)
        assert found == [f"k{number:02}" for number in range(len(found))], "a beginning of what was written"
        assert not check.examine(library).damaged
        library.write(put, "on")
    assert (len(found) == 20) is (part == 1.0)


def test_R6_a_flipped_log_loses_its_end_and_nothing_else(whole: str, tmp_path: Path) -> None:
    path = _crashed(whole, tmp_path)
    _overwrite(path + "-wal", os.path.getsize(path + "-wal") // 2, b"\xff\x00\xff\x00")
    with Library.open(path) as library:
        found = library.read(keys)
        assert found == [f"k{number:02}" for number in range(len(found))]
        assert not check.examine(library).damaged


def test_R6_a_library_that_breaks_while_it_is_open_is_written_no_more(whole: str, tmp_path: Path) -> None:
    path = str(tmp_path / "library.db")
    shutil.copy(whole, path)
    with Library.open(path) as library:
        for page in range(1, _pages(path)):
            _overwrite(path, page * PAGE, b"\xff" * PAGE)
        for _ in range(2):
            with pytest.raises(DamageFound):
                add(library, image("new.png", "sh999"))
        with pytest.raises(DamageFound):
            library.read(lambda db: db.all("SELECT * FROM assets"))
