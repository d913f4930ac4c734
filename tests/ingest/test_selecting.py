"""Which collection an import is about, and whether it may run (I1, I4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kassettui.core.errors import ExitCode
from kassettui.ingest.report import Status
from kassettui.library import collections
from tests.ingest.trees import bring_in, frames, rows, table, write

if TYPE_CHECKING:
    from pathlib import Path

    from kassettui.library.library import Library


def test_I1_a_path_without_a_collection_makes_one(library: Library, root: Path) -> None:
    frames(root / "sh010", range(1, 4))
    report = bring_in(library, root)
    assert report.collection == "shows"
    (made,) = library.read(collections.everything)
    assert (made.uuid, made.name, made.root) == (report.collection_id, "shows", str(root))


def test_I1_the_name_of_a_new_collection_is_made_unique(library: Library, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        write(tmp_path / parent / "plates" / "x.png")
    names = [bring_in(library, tmp_path / parent / "plates").collection for parent in ("a", "b")]
    assert names == ["plates", "plates 2"]
    assert bring_in(library, write(tmp_path / "c" / "y.png"), name="Third").collection == "Third"


def test_I1_a_path_below_a_root_is_a_scope_of_its_collection(library: Library, root: Path) -> None:
    frames(root / "sh010", range(1, 4))
    frames(root / "sh020", range(1, 4))
    whole = bring_in(library, root)
    part = bring_in(library, root / "sh020")
    assert part.collection_id == whole.collection_id
    assert part.stats.discovered == 1
    assert part.scope is not None
    assert part.scope.directories == ("sh020",)


def test_I1_the_deepest_root_wins(library: Library, root: Path) -> None:
    frames(root / "deep" / "sh010", range(1, 4))
    inner = bring_in(library, root / "deep")
    outer = bring_in(library, root)
    assert inner.collection_id != outer.collection_id
    assert bring_in(library, root / "deep" / "sh010").collection_id == inner.collection_id


def test_I1_a_file_is_imported_alone_below_its_directory(library: Library, root: Path) -> None:
    wanted = write(root / "a.png")
    write(root / "b.png")
    write(root / "below" / "c.png")
    report = bring_in(library, wanted)
    assert report.stats.discovered == report.stats.ingested == 1
    assert library.read(collections.everything)[0].root == str(root)
    assert [asset["name"] for asset in rows(library)] == ["a.png"]


def test_I1_a_frame_stands_for_its_sequence(library: Library, root: Path) -> None:
    paths = frames(root, range(1001, 1006))
    write(root / "other.png")
    report = bring_in(library, paths[2])
    assert report.stats.discovered == 1
    assert report.stats.frames == 5


def test_I1_a_collection_is_named_by_uuid_external_id_or_name(library: Library, root: Path) -> None:
    write(root / "a.png")
    made = library.write(lambda db: collections.create(db, "Big Show", str(root), external_id="ext-7"))
    for selector in (made.uuid, "ext-7", "big show"):
        report = bring_in(library, None, collection=selector)
        assert report.collection_id == made.uuid, report.message


def test_I1_an_ambiguous_name_asks_for_the_uuid(library: Library, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        write(tmp_path / parent / "x.png")
        library.write(collections.create, "twin", str(tmp_path / parent))
    report = bring_in(library, None, collection="TWIN")
    assert report.status is Status.ERROR
    assert report.exit_code is ExitCode.FAILED
    assert report.message == "Multiple collections named 'TWIN' exist. Please specify the UUID."


def test_I1_what_is_not_there_is_not_found(library: Library, tmp_path: Path) -> None:
    for report in (bring_in(library, None, collection="nobody"), bring_in(library, tmp_path / "nowhere")):
        assert report.exit_code is ExitCode.NOT_FOUND
    assert library.read(collections.everything) == []


def test_I1_a_path_outside_the_named_collection_is_refused(
    library: Library, root: Path, tmp_path: Path
) -> None:
    write(root / "a.png")
    bring_in(library, root)
    report = bring_in(library, tmp_path / "elsewhere", collection="shows")
    assert report.exit_code is ExitCode.FAILED
    assert "does not lie in the collection" in (report.message or "")


def test_I4_a_collection_that_takes_no_imports_refuses(library: Library, root: Path) -> None:
    write(root / "a.png")
    made = library.write(collections.create, "shows", str(root))
    library.write(lambda db: collections.edit(db, made.uuid, ingestible=False))
    report = bring_in(library, root)
    assert report.exit_code is ExitCode.FAILED
    assert "--ingestible" in (report.remedy or "")
    assert rows(library) == []


def test_I4_a_part_may_be_imported_where_the_whole_is_not_synchronised(library: Library, root: Path) -> None:
    write(root / "sh010" / "a.png")
    made = library.write(collections.create, "shows", str(root))
    library.write(lambda db: collections.edit(db, made.uuid, sync_enabled=False))
    whole = bring_in(library, root)
    assert whole.exit_code is ExitCode.FAILED
    assert "--sync" in (whole.remedy or "")
    assert bring_in(library, root / "sh010").stats.ingested == 1


def test_I4_gates_close_in_order(library: Library, root: Path) -> None:
    """Prerequisites come before the source, the source before the scope: each hides what comes after it."""
    made = library.write(lambda db: collections.create(db, "shows", str(root), layout="{show}"))
    library.write(lambda db: collections.edit(db, made.uuid, ingestible=False))
    root.rmdir()
    codes = [bring_in(library, None, collection="shows", scope={"nothing": "x"}).code]
    library.write(lambda db: collections.edit(db, made.uuid, ingestible=True))
    codes.append(bring_in(library, None, collection="shows", scope={"nothing": "x"}).code)
    root.mkdir()
    codes.append(bring_in(library, None, collection="shows", scope={"nothing": "x"}).code)
    codes.append(bring_in(library, None, collection="shows", scope={"show": "x"}).code)
    assert codes == ["refused", "offline", "invalid", "not_found"]
    assert table(library, "SELECT * FROM runs") == []
