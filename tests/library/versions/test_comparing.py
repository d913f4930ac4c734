"""Versions and assets side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import NotFound
from kassettui.library import versions
from kassettui.library.versions import Data, DataKind, Scope, comparing
from tests.library.counting import statements
from tests.library.stock import Stocked, asset_uuid, fill

if TYPE_CHECKING:
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

ONE = Scope("abc", "shot", ("sh010",))


@pytest.fixture
def stocked(library: Library) -> Library:
    common = {"width": 2048, "height": 1152, "kind": "sequence"}
    library.write(
        fill,
        [
            Stocked(
                "x_v1.#.exr", columns={**common, "size": 10, "frame_ranges": "1-9", "health": "complete"}
            ),
            Stocked("x_v2.#.exr", columns={**common, "size": 12, "frame_ranges": "1-10", "health": "holes"}),
        ],
    )
    for data in (Data(DataKind.ASSET, asset_uuid(1)), Data(DataKind.ASSET, asset_uuid(2))):
        library.write(versions.create_versions, ONE, "comp", "sequence", [data])
    library.write(versions.create_versions, ONE, "comp", "text", [Data(DataKind.URI, "s3://x")])
    return library


def test_versions_stand_side_by_side_with_what_differs(stocked: Library) -> None:
    found = stocked.read(comparing.compare_versions, [2, 1, 3])
    assert found.titles == ("v002", "v001", "v003")
    rows = dict(found.rows)
    assert rows["frame_ranges"] == ("1-10", "1-9", None)
    assert rows["size"] == (12, 10, None)
    assert rows["width"] == (2048, 2048, None)
    assert rows["path"][2] == "s3://x"
    assert "fps" not in rows
    assert [one.number if one else 0 for one in found.versions] == [2, 1, 3]


def test_assets_stand_side_by_side(stocked: Library) -> None:
    found = stocked.read(comparing.compare_assets, [1, 2])
    assert found.titles == ("x_v1.#.exr", "x_v2.#.exr")
    assert set(found.differing) == {"frame_ranges", "size", "health", "path"}
    with pytest.raises(NotFound):
        stocked.read(comparing.compare_assets, [1, 9])
    with pytest.raises(NotFound):
        stocked.read(comparing.compare_versions, [1, 99])


def test_many_take_the_statements_of_two(stocked: Library) -> None:
    def counted(db: LibraryDatabase, ids: list[int]) -> int:
        with statements(db) as seen:
            comparing.compare_versions(db, ids)
        return len(seen)

    assert stocked.read(counted, [1, 2]) == stocked.read(counted, [1, 2, 3] * 50)
