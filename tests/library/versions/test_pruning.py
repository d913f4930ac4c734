"""Prune: what goes, what never does, bytes, trash and back (spec: library V6)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.core.errors import InvalidInput
from kassettui.files.listing import select
from kassettui.files.operations import FileOperations
from kassettui.jobs.control import Control
from kassettui.library import approval, journal, tags, versions
from kassettui.library.library import Library
from kassettui.library.versions import Data, DataKind, Operation, Scope, pruning
from kassettui.library.versions.pruning import Rules
from tests.ingest.trees import bring_in, frames, write
from tests.library.counting import statements
from tests.library.stock import NOW, Stocked, asset_uuid, clear, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.versions.pruning import PrunePlan

DAY = 86_400_000_000


def scope(name: str = "sh010") -> Scope:
    return Scope("abc", "shot", (name,))


def group(db: LibraryDatabase, number: int, name: str = "sh010", key: str = "comp", first: int = 1) -> None:
    """A group whose versions are the assets with the ids from `first`."""
    for asset_id in range(first, first + number):
        versions.create_versions(db, scope(name), key, "image", [Data(DataKind.ASSET, asset_uuid(asset_id))])


def planned(library: Library, rules: Rules, **settings: Any) -> list[int]:
    """The numbers that would go."""
    return sorted(one.number for one in library.read(pruning.plan, rules, None, NOW).candidates)


@pytest.fixture
def stocked(library: Library) -> Library:
    ages = [100, 40, 31, 29, 10, 1]
    assets = [
        Stocked(f"x_v{n}.exr", columns={"mtime_ns": (NOW - days * DAY) * 1000, "state": "ready"})
        for n, days in enumerate(ages, 1)
    ]
    library.write(fill, assets)
    library.write(group, 6)
    return library


def test_V6_the_newest_stay_and_best_does_whatever_is_asked(stocked: Library) -> None:
    assert planned(stocked, Rules(keep=2)) == [2, 3, 4]
    stocked.write(versions.set_best, scope(), "comp", [3])
    assert planned(stocked, Rules(keep=2)) == [1, 2, 4]
    stocked.write(versions.set_best, scope(), "comp", [0])
    assert planned(stocked, Rules()) == [1, 2, 3, 4, 5, 6]


def test_V6_only_what_is_older(stocked: Library) -> None:
    assert planned(stocked, Rules(older=30 * 86_400)) == [2, 3]
    assert planned(stocked, Rules(keep=5, older=30 * 86_400)) == []
    assert planned(stocked, Rules(keep=4, older=30 * 86_400)) == [2]


def test_V6_approved_and_tagged_ones_stay(stocked: Library) -> None:
    stocked.write(approval.approve, [2])
    stocked.write(tags.add, [3], ["Client/Final"])
    stocked.write(tags.add, [4], ["clients"])
    assert planned(stocked, Rules(keep=1, keep_tags=("client", "no such tag"))) == [4, 5]
    assert planned(stocked, Rules(keep=1)) == [3, 4, 5]
    found = stocked.read(pruning.plan, Rules(keep=1, keep_tags=("client",)), None, NOW)
    assert found.kept == {"best": 1, "approved": 1, "tag": 1, "newest": 1}


def test_V6_an_approved_version_stays_like_an_approved_asset(stocked: Library) -> None:
    [fourth] = stocked.read(versions.versions_by_number, scope(), "comp", [4])
    assert fourth is not None
    stocked.write(versions.approve_versions, [fourth.id])
    assert 4 not in planned(stocked, Rules())


def test_V6_an_asset_of_two_groups_goes_only_from_both(stocked: Library) -> None:
    stocked.write(group, 3, "sh020", "comp", 2)
    assert planned(stocked, Rules(keep=2)) == []
    assert planned(stocked, Rules(keep=1)) == [2, 3, 5]  # 2 is the second group's number of the third asset
    stocked.write(versions.set_best, scope("sh020"), "comp", [2])
    assert planned(stocked, Rules(keep=1)) == [1, 2, 5]


def test_V6_what_is_missing_locked_or_no_asset_is_left_alone(stocked: Library) -> None:
    def change(db: LibraryDatabase) -> None:
        db.execute_sql("UPDATE assets SET missing_since = 1 WHERE id = 2")
        db.execute_sql("UPDATE assets SET is_deleted = 1, deleted_at = 1 WHERE id = 3")
        versions.create_versions(db, scope(), "comp", "image", [Data(DataKind.PATH, "/x.exr")])

    stocked.write(change)
    assert planned(stocked, Rules()) == [4, 5, 6]
    stocked.write(lambda db: db.execute_sql("UPDATE collections SET locked = 1") and None)
    assert planned(stocked, Rules()) == []


@pytest.mark.parametrize("settings_", [{"keep": -1}, {"older": -1.0}])
def test_V6_rules_that_make_no_sense(settings_: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Rules(**settings_)


def test_V6_planning_takes_as_many_statements_for_a_thousand_groups_as_for_ten(library: Library) -> None:
    library.write(fill, [Stocked(f"x_v{n}.exr") for n in range(1, 2_001)])

    def batch(db: LibraryDatabase) -> None:
        operations = [
            Operation(scope(f"sh{n % 1000}"), "comp", "image", (Data(DataKind.ASSET, asset_uuid(n + 1)),))
            for n in range(2_000)
        ]
        versions.batch_create_versions(db, operations)

    def counted(db: LibraryDatabase, number: int) -> int:
        with statements(db) as seen:
            found = pruning.plan(db, Rules(keep_tags=("a",)), range(1, number + 1))
        assert len(found.candidates) == number
        return len(seen)

    library.write(batch)
    assert library.read(counted, 10) == library.read(counted, 1_000)


# -- whatever the flags -------------------------------------------------------------------------------------

marks = st.fixed_dictionaries(
    {
        "approved": st.booleans(),
        "marked": st.booleans(),
        "tags": st.lists(st.sampled_from(("keep", "keep/sub", "keeper", "other")), max_size=2, unique=True),
        "age": st.integers(0, 100),
        "group": st.sampled_from(("a", "b")),
    }
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(str(tmp_path_factory.mktemp("prune") / "library.db"), create=True) as opened:
        yield opened


@settings(max_examples=60)
@given(
    assets=st.lists(marks, min_size=1, max_size=8),
    best=st.integers(0, 8),
    locked=st.booleans(),
    keep=st.integers(0, 4),
    older=st.one_of(st.none(), st.integers(0, 100)),
    keep_tags=st.lists(st.sampled_from(("keep", "KEEP", "other", "nothing")), max_size=2),
)
def test_V6_best_approved_and_kept_tags_never_go(
    shared: Library,
    assets: list[dict[str, Any]],
    best: int,
    locked: bool,
    keep: int,
    older: int | None,
    keep_tags: list[str],
) -> None:
    def prepare(db: LibraryDatabase) -> None:
        clear(db)
        stock = [
            Stocked(
                f"x_v{n}.exr",
                tags=tuple(one["tags"]),
                columns={
                    "state": "ready",
                    "approved_for_broadcast": int(one["approved"]),
                    "mtime_ns": (NOW - one["age"] * DAY) * 1000,
                },
            )
            for n, one in enumerate(assets)
        ]
        fill(db, stock)
        for n, one in enumerate(assets, 1):
            [made] = versions.create_versions(
                db, scope(one["group"]), "comp", "image", [Data(DataKind.ASSET, asset_uuid(n))]
            )
            versions.approve_versions(db, [made.id], one["marked"])
        for each in versions.listed(db):
            if 0 < best <= each.head:
                versions.set_best_of_groups(db, {each.id: best})
            versions.lock_best(db, [each.id], locked)

    shared.write(prepare)
    rules = Rules(keep, None if older is None else older * 86_400.0, tuple(keep_tags))
    going = shared.read(pruning.plan, rules, None, NOW)
    groups = {one.id: one for one in shared.read(lambda db: versions.listed(db))}
    kept_tags = {tag for name in keep_tags for tag in (name.lower(), f"{name.lower()}/sub")}
    for one in going.candidates:
        asset = assets[one.asset.id - 1]
        assert groups[one.group_id].best != one.number
        assert not asset["approved"]
        assert not asset["marked"]
        assert not kept_tags & set(asset["tags"])
        newer = [
            n for n, other in enumerate(assets, 1) if other["group"] == asset["group"] and n > one.asset.id
        ]
        assert len(newer) >= keep
        assert older is None or asset["age"] > older
    assert len(going.candidates) + sum(going.kept.values()) == len(assets)


# -- on a real disk -----------------------------------------------------------------------------------------


@pytest.fixture
def imported(library: Library, tmp_path: Path) -> Library:
    root = tmp_path / "show"
    for number in range(1, 5):
        frames(root / "comp", range(1, 4), f"x_v{number:03}.{{:04}}.exr", b"p" * 5000)
    write(root / "ref_v001.png", b"r" * 3000)
    write(root / "ref_v002.png", b"s" * 3000)
    bring_in(library, root, name="abc")
    return library


def numbers(library: Library) -> dict[str, list[int]]:
    def read(db: LibraryDatabase) -> dict[str, list[int]]:
        found = versions.listed(db)
        all_ = versions.of_groups(db, [one.id for one in found])
        return {one.key.key: [each.number for each in all_.get(one.id, [])] for one in found}

    return library.read(read)


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def test_V6_a_plan_writes_nothing_and_says_the_bytes(imported: Library, tmp_path: Path) -> None:
    before = tree(tmp_path / "show")
    plan = pruning.measured(imported.read(pruning.plan, Rules(keep=1)))
    assert [(one.number, os.path.basename(one.asset.path)) for one in plan.candidates] == [
        (3, "x_v003.#.exr"),
        (2, "x_v002.#.exr"),
    ]
    assert plan.measured is not None
    assert (plan.measured.files, plan.measured.size) == (6, 30_000)
    assert plan.measured.reclaimable == plan.measured.allocated > 0
    assert tree(tmp_path / "show") == before
    assert numbers(imported) == {"comp/x.#.exr": [4, 3, 2, 1], "ref.png": [2, 1]}


def test_V6_hard_links_count_once_and_other_names_keep_the_bytes(imported: Library, tmp_path: Path) -> None:
    comp = tmp_path / "show" / "comp"
    for frame in range(1, 4):
        (comp / f"x_v003.{frame:04}.exr").unlink()
        os.link(comp / f"x_v002.{frame:04}.exr", comp / f"x_v003.{frame:04}.exr")
    plan = pruning.measured(imported.read(pruning.plan, Rules(keep=1)))
    assert plan.measured is not None
    assert (plan.measured.files, plan.measured.size) == (6, 15_000)
    assert plan.measured.reclaimable == plan.measured.allocated
    os.link(comp / "x_v002.0001.exr", tmp_path / "elsewhere")
    again = pruning.measured(plan).measured
    assert again is not None
    assert again.size == 15_000
    assert again.reclaimable * 3 == again.allocated * 2


class Trash:
    """Throws paths into the trash by the file operations, as the command line does."""

    def __init__(self, library: Library) -> None:
        self.files = FileOperations(library)

    def __call__(self, paths: Sequence[str]) -> list[str]:
        plan = self.files.plans.trash(select(list(paths)))
        assert not self.files.run(plan, Control()).failures
        return list(paths)

    def undo(self) -> None:
        [newest, *_] = self.files.undo_stack()
        plan = self.files.undo_plan(newest)
        assert plan is not None
        assert not self.files.run(plan, Control()).failures


def prune(library: Library, rules: Rules, throw: Any) -> tuple[PrunePlan, int]:
    plan = library.read(pruning.plan, rules)
    return plan, len(pruning.carry_out(library, plan, rules, throw))


def test_V6_pruned_versions_are_in_the_trash_and_undo_brings_them_back(
    imported: Library, tmp_path: Path
) -> None:
    before, trash = tree(tmp_path / "show"), Trash(imported)
    _, gone = prune(imported, Rules(keep=1), trash)
    assert gone == 2
    assert numbers(imported) == {"comp/x.#.exr": [4, 1], "ref.png": [2, 1]}
    assert len(tree(tmp_path / "show")) == len(before) - 6
    assert imported.read(versions.next_version_number, Scope("abc"), "comp/x.#.exr") == [5]
    trash.undo()
    assert tree(tmp_path / "show") == before
    assert numbers(imported) == {"comp/x.#.exr": [4, 3, 2, 1], "ref.png": [2, 1]}
    assert (
        imported.read(lambda db: db.scalar("SELECT count(*) FROM assets WHERE missing_since IS NOT NULL"))
        == 0
    )


def test_V6_files_restored_by_hand_have_their_versions_back_at_the_next_import(
    imported: Library, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()

    def throw(paths: Sequence[str]) -> Sequence[str]:
        for frame in range(1, 4):
            name = f"x_v002.{frame:04}.exr"
            (tmp_path / "show" / "comp" / name).rename(kept / name)
        return [path for path in paths if "v002" in path]

    assert prune(imported, Rules(keep=1), throw)[1] == 1
    bring_in(imported, tmp_path / "show")
    assert numbers(imported)["comp/x.#.exr"] == [4, 3, 1]
    for path in kept.iterdir():
        path.rename(tmp_path / "show" / "comp" / path.name)
    bring_in(imported, tmp_path / "show")
    assert numbers(imported)["comp/x.#.exr"] == [4, 3, 2, 1]


def test_V6_what_became_best_or_approved_since_the_plan_stays(imported: Library) -> None:
    def never(paths: Sequence[str]) -> Sequence[str]:
        raise AssertionError(paths)

    rules = Rules(keep=1)
    plan = imported.read(pruning.plan, rules)
    imported.write(versions.set_best, Scope("abc"), "comp/x.#.exr", [3])
    imported.write(
        lambda db: (
            db.execute_sql(
                "UPDATE assets SET state = 'ready', approved_for_broadcast = 1 WHERE name LIKE 'x_v002%'"
            )
            and None
        )
    )
    assert pruning.carry_out(imported, plan, rules, never) == ()


def test_V6_what_the_trash_did_not_take_keeps_its_version(imported: Library) -> None:
    assert prune(imported, Rules(keep=1), lambda _: [])[1] == 0
    assert numbers(imported)["comp/x.#.exr"] == [4, 3, 2, 1]
    assert imported.read(journal.undo_stack) == []
