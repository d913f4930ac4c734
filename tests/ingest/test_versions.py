"""What an import finds joins the version groups of its name (library V6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.ingest.trees import bring_in, frames, table, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def _versions(library: Library) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT g.project, g.entity, g.asset_key, v.number, a.canonical_key FROM asset_versions v "
        "JOIN version_groups g ON g.id = v.group_id JOIN assets a ON a.id = v.asset_id ORDER BY 1, 2, 3, 4"
    )
    return [tuple(row.values()) for row in table(library, sql)]


def test_V6_numbers_in_names_make_versions_of_one_role(library: Library, root: Path) -> None:
    for number in (1, 3):
        frames(root / "abc" / "sh1", range(1, 4), f"comp_v{number:03}.{{:04}}.exr")
    write(root / "abc" / "sh1" / "still.png")
    bring_in(library, root, layout="{show}/{shot}")
    assert _versions(library) == [
        ("abc", "sh1", "comp.#.exr", 1, "fs:abc/sh1/comp_v001.#.exr"),
        ("abc", "sh1", "comp.#.exr", 3, "fs:abc/sh1/comp_v003.#.exr"),
    ]
    frames(root / "abc" / "sh1", range(1, 4), "comp_v002.{:04}.exr")
    bring_in(library, root)
    assert [version[3] for version in _versions(library)] == [1, 2, 3]


def test_V6_versions_stay_with_what_moves(library: Library, root: Path) -> None:
    frames(root / "abc" / "sh1", range(1, 4), "comp_v001.{:04}.exr")
    write(root / "abc" / "sh1" / "still.png")
    bring_in(library, root, layout="{show}/{shot}")
    (root / "abc" / "sh1").rename(root / "abc" / "sh2")
    assert bring_in(library, root).stats.moved == 2
    assert _versions(library) == [("abc", "sh2", "comp.#.exr", 1, "fs:abc/sh2/comp_v001.#.exr")]
