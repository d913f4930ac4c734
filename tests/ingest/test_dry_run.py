"""Trying without writing, and plans that are kept and executed (I19, I20)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.core.errors import ExitCode
from kassettui.ingest.report import Status
from kassettui.library.library import Library
from tests.ingest.trees import OLD_NS, adds_up, bring_in, everything, frames, rows, touch, write


def _bytes_of(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def _changed_tree(root: Path) -> None:
    touch(root / "sh1" / "beauty.0002.exr")
    (root / "sh2").rename(root / "sh9")
    (root / "still.png").unlink()
    write(root / "new.mov", b"movie")


@pytest.fixture
def tree(root: Path) -> Path:
    """Something of everything."""
    for shot in ("sh1", "sh2", "sh3"):
        frames(root / shot, range(1, 6), content=shot.encode())
    write(root / "still.png")
    return root


def test_I19_a_dry_run_leaves_the_library_to_the_byte(tmp_path: Path, tree: Path) -> None:
    place = tmp_path / "home" / "library.kassettui"
    with Library.open(str(place), create=True) as library:
        bring_in(library, tree)
    _changed_tree(tree)
    before = _bytes_of(place.parent)
    with Library.open(str(place), read_only=True) as library:
        report = bring_in(library, tree, dry_run=True)
    assert _bytes_of(place.parent) == before
    assert (report.status, report.exit_code, report.run_id) == (Status.DRY_RUN, ExitCode.DONE, None)
    stats = report.stats
    assert (stats.updated, stats.moved, stats.ingested, stats.missing, stats.skipped) == (1, 1, 1, 1, 1)


def test_I19_a_dry_run_prints_the_very_plan(library: Library, tree: Path) -> None:
    bring_in(library, tree)
    _changed_tree(tree)
    report = bring_in(library, tree, dry_run=True)
    assert report.plan is not None
    shown = {(entry["decision"], entry["path"]) for entry in report.plan.as_json()}
    assert shown == {
        ("update", "sh1/beauty.#.exr"),
        ("move", "sh9/beauty.#.exr"),
        ("create", "new.mov"),
        ("missing", "still.png"),
    }


def test_I19_a_dry_run_without_a_library_makes_none_and_no_collection(tmp_path: Path, tree: Path) -> None:
    report = bring_in(None, tree, dry_run=True)
    assert (report.status, report.stats.ingested) == (Status.DRY_RUN, 4)
    assert (report.collection, report.collection_id) == ("shows", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shows"]


def test_I19_a_real_run_needs_a_library(tree: Path) -> None:
    assert bring_in(None, tree).status is Status.ERROR


def test_I19_a_throw_away_library_leaves_the_real_one_to_the_byte(tmp_path: Path, tree: Path) -> None:
    place = tmp_path / "home" / "library.kassettui"
    with Library.open(str(place), create=True) as library:
        bring_in(library, tree)
    before = _bytes_of(place.parent)
    with Library.open(str(place.with_name("library.test.kassettui")), create=True) as trial:
        assert bring_in(trial, tree).stats.ingested == 4
        assert bring_in(trial, tree, dry_run=True).stats.skipped == 4
    after = _bytes_of(place.parent)
    assert {name: after[name] for name in before} == before


# -- the plan is what is done -------------------------------------------------------------------------------

DIRECTORIES = ("", "a", "a/b", "c")
NAMES = ("x.png", "y.png", "s.0001.exr", "s.0002.exr", "s.0004.exr", "t_01.dpx", "t_02.dpx", "m.mov")
FILES = st.dictionaries(
    st.tuples(st.sampled_from(DIRECTORIES), st.sampled_from(NAMES)),
    st.tuples(st.binary(max_size=2), st.integers(0, 2)),
    max_size=10,
)
RENAMES = st.lists(
    st.tuples(st.sampled_from(("a", "a/b", "c")), st.sampled_from(("d", "c/e", "a/f"))), max_size=2
)

Tree = dict[tuple[str, str], tuple[bytes, int]]


def _lay(root: Path, files: Tree) -> None:
    for (directory, name), (content, second) in files.items():
        write(root / directory / name, content, OLD_NS + second * 1_000_000_000)


def _rename(root: Path, renames: list[tuple[str, str]]) -> None:
    for source, target in renames:
        if (root / source).is_dir() and not (root / target).exists() and not target.startswith(f"{source}/"):
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            (root / source).rename(root / target)


def _keys(library: Library) -> set[tuple[Any, ...]]:
    living = "missing_since IS NULL"
    return {(row["canonical_key"], row["content_signature"]) for row in rows(library, where=living)}


@settings(max_examples=25)
@given(first=FILES, second=FILES, renames=RENAMES, kept=st.booleans())
def test_I19_the_dry_run_is_what_the_real_run_does(
    first: Tree, second: Tree, renames: list[tuple[str, str]], kept: bool
) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "root")
        root.mkdir()
        _lay(root, first)
        with Library.open(f"{place}/home/library.kassettui", create=True) as library:
            bring_in(library, root)
            if not kept:
                for directory, name in first:
                    (root / directory / name).unlink()
            _rename(root, renames)
            _lay(root, second)
            dry = bring_in(library, root, dry_run=True, accept_missing=True)
            real = bring_in(library, root, accept_missing=True)
            assert dry.plan is not None
            assert real.plan is not None
            assert dry.plan.digest() == real.plan.digest()
            assert dry.stats == real.stats
            assert adds_up(real)
            assert len(real.created_assets) == real.stats.ingested
            again = bring_in(library, root, accept_missing=True)
            assert again.plan is not None
            assert again.plan.unchanged, list(again.plan.as_json())
            with Library.open(f"{place}/home/fresh.kassettui", create=True) as fresh:
                bring_in(fresh, root)
                assert _keys(library) == _keys(fresh)


# -- kept plans ---------------------------------------------------------------------------------------------


def test_I20_a_kept_plan_is_executed(library: Library, tree: Path, tmp_path: Path) -> None:
    bring_in(library, tree)
    _changed_tree(tree)
    file = tmp_path / "plan.json"
    before = everything(library)
    planned = bring_in(library, tree, plan_out=str(file))
    assert planned.status is Status.DRY_RUN
    assert everything(library) == before
    stored = json.loads(file.read_bytes())
    assert stored["digest"] == planned.plan.digest() if planned.plan else False
    assert stored["stats"] == planned.stats.as_json()
    assert len(stored["decisions"]) == 4
    applied = bring_in(library, None, apply_plan=str(file))
    assert (applied.status, applied.stats) == (Status.SUCCESS, planned.stats)


@pytest.mark.parametrize("what", ["tree", "library", "missing frame"])
def test_I20_a_stale_plan_is_refused(library: Library, tree: Path, tmp_path: Path, what: str) -> None:
    file = tmp_path / "plan.json"
    if what == "library":
        bring_in(library, tree)
        touch(tree / "sh1" / "beauty.0001.exr")
    bring_in(library, tree, plan_out=str(file))
    if what == "tree":
        touch(tree / "still.png")
    elif what == "library":
        bring_in(library, tree)
    else:
        (tree / "sh3" / "beauty.0003.exr").unlink()
    before = everything(library)
    report = bring_in(library, None, apply_plan=str(file))
    assert (report.status, report.exit_code, report.code) == (Status.ERROR, ExitCode.STALE_PLAN, "stale_plan")
    assert everything(library) == before


def test_I20_a_plan_applies_once(library: Library, tree: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    bring_in(library, tree, plan_out=file)
    assert bring_in(library, None, apply_plan=file).stats.ingested == 4
    assert bring_in(library, None, apply_plan=file).exit_code is ExitCode.STALE_PLAN


def test_I20_a_plan_remembers_its_options_and_any_path(library: Library, tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write(root / "notes.txt")
    write(root / "x.png")
    file = str(tmp_path / "plan.json")
    bring_in(library, root, plan_out=file, all_files=True, layout="{show}", ignore=("*.tmp",))
    report = bring_in(library, None, apply_plan=file)
    assert (report.status, report.stats.ingested) == (Status.SUCCESS, 2), report.message
    assert rows(library)[0]["path"].endswith("caf\x1ae9/notes.txt")


def test_I20_what_is_no_plan_is_refused(library: Library, tmp_path: Path) -> None:
    for content in (b"", b"{}", b'{"schema_version":1,"type":"x","digest":"","request":{}}', b"\xff\xfe"):
        (tmp_path / "plan.json").write_bytes(content)
        report = bring_in(library, None, apply_plan=str(tmp_path / "plan.json"))
        assert (report.status, report.code) == (Status.ERROR, "invalid")
    assert bring_in(library, None, apply_plan=str(tmp_path / "none")).exit_code is ExitCode.NOT_FOUND


def test_I20_a_plan_that_cannot_be_written_says_so_and_leaves_nothing(
    library: Library, tree: Path, tmp_path: Path
) -> None:
    report = bring_in(library, tree, plan_out=str(tmp_path / "no" / "plan.json"))
    assert report.status is Status.ERROR
    (tmp_path / "plan.json").mkdir()
    (tmp_path / "plan.json" / "x").mkdir()
    assert bring_in(library, tree, plan_out=str(tmp_path / "plan.json")).status is Status.ERROR
    shutil.rmtree(tmp_path / "plan.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "shows"]
