"""Assets in bulk, and what lists show of them: I5, I8, I11-I15, L8."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.core.errors import Ambiguous, NotFound
from kassettui.core.lifecycle import Standing, State
from kassettui.library import assets, collections, enrichments, folders
from kassettui.library.assets import Found
from kassettui.library.events import AssetsChanged, Event
from kassettui.library.library import Library
from tests.library.samples import ROOT, add, add_collection, image, sequence

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.assets import Asset
    from kassettui.library.engine import LibraryDatabase

ODD_NAMES = [
    "new\nline.exr",
    "\x1b]52;c;AAAA\x07.exr",
    "[red][/].exr",
    "\u202egpj.exr",
    os.fsdecode(b"\xff\xfe\x80.exr"),
    "-rf.exr",
    " spaces .exr",
    "a" * 250 + ".exr",
    "🎬.exr",
    "e\u0301.exr",
    "\u00e9.exr",
    "Case.exr",
    "case.exr",
    ";rm -rf $(x) %s '\".exr",
    "\x1a\x1a1a.exr",
    "tab\tstop.exr",
]


def _get(library: Library, asset_id: int) -> Asset:
    return library.read(assets.get, asset_id)


def test_I5_R8_odd_names_come_back_to_the_byte(library: Library) -> None:
    ids = add(library, *(image(name) for name in ODD_NAMES))
    for asset_id, name in zip(ids, ODD_NAMES, strict=True):
        asset = _get(library, asset_id)
        assert (asset.name, asset.path) == (name, f"{ROOT}/sh010/{name}")
        assert library.read(assets.resolve, asset.path) == asset_id
    assert [row.name for row in library.read(assets.summaries, ids)] == ODD_NAMES
    known = library.read(assets.known, _get(library, ids[0]).collection_uuid)
    assert {row.key for row in known} == {f"fs:sh010/{name}" for name in ODD_NAMES}


def test_a_sequence_keeps_what_was_found(library: Library) -> None:
    item = replace(sequence(ranges="1001-1004,1006", health="holes", health_counts={"hole": 1}), hole_count=1)
    (asset_id,) = add(library, item)
    asset = _get(library, asset_id)
    assert (asset.frame_first, asset.frame_last, asset.frame_count, asset.frame_padding) == (1001, 1006, 5, 4)
    assert (asset.frame_ranges, asset.hole_count, asset.sequence_pattern) == (
        "1001-1004,1006",
        1,
        "beauty.####.exr",
    )
    assert (asset.health, asset.health_level, dict(asset.health_counts)) == ("holes", 0, {"hole": 1})
    assert asset.discovered_at == asset.created_at == asset.health_at
    (still,) = add(library, image())
    assert (_get(library, still).frame_count, _get(library, still).hole_count) == (None, None)
    assert dict(_get(library, still).layout) == {"shot": "sh010"}


def test_layouts_stand_once(library: Library) -> None:
    add(library, image("a.png"), image("b.png"), image("c.png", "sh020"))
    add(library, image("d.png", "sh020"))
    assert library.read(lambda db: db.all("SELECT field, value FROM layout_values ORDER BY value")) == [
        ("shot", "sh010"),
        ("shot", "sh020"),
    ]


def _make_ready(library: Library, asset_id: int) -> None:
    def work(db: LibraryDatabase) -> None:
        assets.write_facts(
            db, [(asset_id, {"width": 10, "height": 5, "content_hash": "x", "health_level": 2})]
        )
        assets.set_standings(db, [(asset_id, Standing(State.READY, approved=True))])
        enrichments.note_done(db, "probe", "1", [(asset_id, None)])
        db.execute_sql(
            "UPDATE assets SET rating = 4, title = 'T', description = 'D' WHERE id = ?", (asset_id,)
        )

    library.write(work)


def test_I11_I12_an_updated_asset_is_new_again_and_keeps_what_people_gave_it(library: Library) -> None:
    (asset_id,) = add(library, sequence())
    folder = library.write(folders.ensure_folder, "dailies")
    library.write(folders.add_assets, [(asset_id, folder)])
    _make_ready(library, asset_id)
    before = _get(library, asset_id)
    assert before.approved_for_broadcast
    library.write(assets.update_many, [Found(sequence(ranges="1-9", size=90, health="growing"), asset_id)])
    after = _get(library, asset_id)
    assert (after.state, after.approved_for_broadcast) == ("new", False)
    assert (after.uuid, after.rating, after.title, after.description) == (before.uuid, 4, "T", "D")
    assert (after.frame_last, after.size, after.health, after.health_level) == (9, 90, "growing", 0)
    assert after.content_hash is None
    assert after.updated_at > before.updated_at
    assert library.read(enrichments.errors_of, [asset_id]) == {}
    assert library.read(assets.attached, [asset_id]).folders == {asset_id: (folder,)}


def test_I10_an_update_for_the_enrichers_sake_keeps_what_the_content_told(library: Library) -> None:
    (asset_id,) = add(library, sequence())
    _make_ready(library, asset_id)
    library.write(assets.update_many, [Found(sequence(health="growing"), asset_id)])
    after = _get(library, asset_id)
    assert (after.state, after.approved_for_broadcast) == ("new", False)
    assert (after.content_hash, after.health, after.health_level) == ("x", "complete", 2)
    assert library.read(enrichments.errors_of, [asset_id]) == {asset_id: {"probe": None}}


def test_I13_retired_stays_retired_through_an_update(library: Library) -> None:
    (asset_id,) = add(library, image())
    library.write(assets.set_standings, [(asset_id, Standing(State.RETIRED))])
    library.write(assets.update_many, [Found(image(size=99), asset_id)])
    assert _get(library, asset_id).state == "retired"


def test_I14_missing_since_when_and_found_again(library: Library) -> None:
    one, two = add(library, image("a.png"), image("b.png"))
    assert library.write(lambda db: assets.mark_missing(db, [one], now=5)) == 1
    assert library.write(lambda db: assets.mark_missing(db, [one, two], now=9)) == 1
    assert (_get(library, one).missing_since, _get(library, two).missing_since) == (5, 9)
    before = _get(library, one)
    library.write(assets.refresh_many, [Found(image("a.png"), one)])
    after = _get(library, one)
    assert (after.missing_since, after.state, after.updated_at) == (None, before.state, before.updated_at)


def test_a_refresh_lets_health_settle_but_never_lowers_its_level(library: Library) -> None:
    growing, deep = add(library, sequence("a.#.exr", health="growing"), sequence("b.#.exr"))
    library.write(assets.write_facts, [(deep, {"health": "broken", "health_level": 1})])
    library.write(
        assets.refresh_many,
        [Found(sequence("a.#.exr"), growing), Found(sequence("b.#.exr"), deep)],
    )
    assert (_get(library, growing).health, _get(library, deep).health) == ("complete", "broken")


def test_I15_moves_keep_the_row_and_may_change_places(library: Library) -> None:
    one, two = add(library, sequence("a.#.exr"), sequence("b.#.exr"))
    folder = library.write(folders.ensure_folder, "dailies")
    library.write(folders.add_assets, [(one, folder), (two, folder)])
    uuids = [_get(library, one).uuid, _get(library, two).uuid]
    library.write(assets.move_many, [Found(sequence("b.#.exr"), one), Found(sequence("a.#.exr"), two)])
    assert [_get(library, one).name, _get(library, two).name] == ["b.#.exr", "a.#.exr"]
    assert [_get(library, one).uuid, _get(library, two).uuid] == uuids
    patterns = library.read(
        lambda db: db.all("SELECT asset_id, sequence_pattern FROM asset_folders ORDER BY asset_id")
    )
    assert patterns == [(one, f"{ROOT}/sh010/b.#.exr"), (two, f"{ROOT}/sh010/a.#.exr")]


def test_I15_many_moves_through_each_others_keys(library: Library) -> None:
    count = 25_000  # more than two slices of the staging table
    ids = add(library, *(image(f"{n:05}.png") for n in range(count)))
    shifted = [Found(image(f"{(n + 1) % count:05}.png"), id_) for n, id_ in enumerate(ids)]
    assert library.write(assets.move_many, shifted) == count
    names = library.read(lambda db: db.all("SELECT name FROM assets ORDER BY id"))
    assert names[:2] + names[-1:] == [("00001.png",), ("00002.png",), ("00000.png",)]


def test_facts_are_of_known_columns_only(library: Library) -> None:
    (asset_id,) = add(library, image())
    facts: dict[str, Any] = {"metadata": {"make": os.fsdecode(b"\xff")}, "fps": 25.0, "last_error": None}
    library.write(assets.write_facts, [(asset_id, facts)])
    found = _get(library, asset_id)
    assert (dict(found.metadata), found.fps) == ({"make": os.fsdecode(b"\xff")}, 25.0)
    for column in ("state", "rating", "approved_for_broadcast", "nonsense"):
        with pytest.raises(ValueError, match=column):
            library.write(assets.write_facts, [(asset_id, {column: 1})])


def test_bulk_writes_say_what_changed(library: Library) -> None:
    seen: list[Event] = []
    library.events.subscribe(AssetsChanged, seen.append)
    one, two = add(library, image("a.png"), image("b.png"))
    library.write(assets.mark_missing, [two])
    assert library.events.settle()
    assert seen == [AssetsChanged((one, two)), AssetsChanged((two,))]


def test_known_reads_scopes_in_slices(library: Library) -> None:
    add(library, *(image(f"{n}.png", shot) for shot in ("sh010", "sh020", "sh0200") for n in range(3)))
    uuid = library.read(collections.everything)[0].uuid
    assert len(library.read(assets.known, uuid)) == 9
    keys = [row.key for row in library.read(assets.known, uuid, ["fs:sh020/"])]
    assert keys == [f"fs:sh020/{n}.png" for n in range(3)]
    slices: list[str] = []
    after = None
    while rows := library.read(
        lambda db, after=after: assets.known(db, uuid, ["fs:sh0200/", "fs:sh010/"], after=after, limit=2)
    ):
        slices += [row.key for row in rows]
        after = slices[-1]
    assert slices == [f"fs:{shot}/{n}.png" for shot in ("sh010", "sh0200") for n in range(3)]


def test_details_leave_out_what_is_gone(library: Library) -> None:
    (asset_id,) = add(library, image())
    found = library.read(assets.details, [asset_id, 999])
    assert found.keys() == {asset_id}
    assert (found[asset_id].key, found[asset_id].signature) == ("fs:sh010/a.png", "f1:10:1")


@pytest.mark.parametrize("count", [10, 200])
def test_L8_a_page_takes_a_constant_number_of_queries(library: Library, count: int) -> None:
    ids = add(library, *(sequence(f"{n}.#.exr") for n in range(count)))
    folder = library.write(folders.ensure_folder, "dailies")
    library.write(folders.add_assets, [(id_, folder) for id_ in ids])

    def hang(db: LibraryDatabase) -> None:
        for id_ in ids:
            db.execute_sql(
                "INSERT INTO tags (uuid, name, name_key, created_at) VALUES (?, ?, ?, 0)", [f"t{id_}"] * 3
            )
            db.execute_sql("INSERT INTO asset_tags SELECT ?, max(id), 0 FROM tags", (id_,))
            db.execute_sql(
                "INSERT INTO version_groups (uuid, project, asset_key, head, best, created_at, updated_at) "
                "VALUES (?1, 'p', ?1, 2, 1, 0, 0)",
                (f"g{id_}",),
            )
            db.execute_sql(
                "INSERT INTO asset_versions (uuid, group_id, number, type, data_kind, asset_id, created_at) "
                "SELECT 'v' || ?1, max(id), 2, 'sequence', 'asset', ?1, 0 FROM version_groups",
                (id_,),
            )

    library.write(hang)

    def page(db: LibraryDatabase) -> tuple[int, assets.Attached]:
        statements: list[str] = []
        db.query_hooks.append(lambda event: statements.append(event.sql))
        try:
            rows, attached = assets.summaries(db, ids), assets.attached(db, ids)
        finally:
            db.query_hooks.clear()
        assert len(rows) == count
        return len(statements), attached

    statements, attached = library.read(page)
    assert statements == 4
    assert attached.tags[ids[3]] == (f"t{ids[3]}",)
    assert attached.folders[ids[3]] == (folder,)
    assert (attached.versions[ids[3]].number, attached.versions[ids[3]].best) == (2, 1)


def test_resolve_by_uuid_prefix_path_pattern_and_frame(library: Library, tmp_path: Path) -> None:
    still, frames = add(library, image(), sequence("beauty_v02.#.exr", ranges="1001-1008"))
    add(library, sequence("beauty_v03.#.exr", ranges="1001-1008"))
    uuid = _get(library, still).uuid
    directory = f"{ROOT}/sh010"
    for selector, wanted in {
        uuid: still,
        uuid.upper(): still,
        uuid[:8]: still,
        uuid[:13]: still,
        f"{directory}/a.png": still,
        f"{directory}/../sh010/./a.png": still,
        f"{directory}/beauty_v02.#.exr": frames,
        f"{directory}/beauty_v02.####.exr": frames,
        f"{directory}/beauty_v02.%04d.exr": frames,
        f"{directory}/beauty_v02.$F4.exr": frames,
        f"{directory}/beauty_v02.@@@@.exr": frames,
        f"{directory}/beauty_v02.1003.exr": frames,
    }.items():
        assert library.read(assets.resolve, selector) == wanted, selector
    for selector in (
        "0" * 8,
        f"{directory}/beauty_v02.1009.exr",
        "nothing",
        "",
        "abc",
        f"{directory}/none.png",
    ):
        with pytest.raises(NotFound):
            library.read(assets.resolve, selector)
    with pytest.raises(NotFound):
        library.read(assets.by_uuid, "0" * 36)
    assert library.read(assets.by_uuid, uuid).id == still


def test_resolve_says_when_a_name_is_more_than_one(library: Library) -> None:
    add(library, image())

    def twin(db: LibraryDatabase) -> None:
        other = add_collection(db, "other", "/shows")
        assets.create_many(db, other, [Found(image())])

    library.write(twin)
    with pytest.raises(Ambiguous, match="more than one asset"):
        library.read(assets.resolve, f"{ROOT}/sh010/a.png")


_NAMES = st.text(
    st.characters(codec=None, exclude_characters="/\0", exclude_categories=[]), min_size=1, max_size=20
).filter(lambda name: "#" not in name)


@settings(max_examples=40)
@given(st.lists(_NAMES, min_size=1, max_size=8, unique=True))
def test_R8_any_name_goes_in_and_comes_out(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = str(tmp_path_factory.mktemp("any") / "library.db")
    with Library.open(path, create=True) as library:
        ids = add(library, *(image(name) for name in names))
        assert [row.name for row in library.read(assets.summaries, ids)] == names
