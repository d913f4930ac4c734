"""B5, B6, B15: the library's writes beside the engine's own fastest way, and pages of a large library.

    python -P -m benchmarks.library                  B5 with 200,000 assets
    python -P -m benchmarks.library --pages          B6 with 1,000,000 assets
    python -P -m benchmarks.library --growth         B5 and the file's size at 10,000, 100,000 and 1,000,000

Raw: the same rows, prepared beforehand, by one executemany over the same tables and indexes, the full-text
index filled in one statement afterwards (its triggers dropped: with them executemany takes three times as
long). Ours: `assets.create_many` over items as an import has them, through the operator, to the
acknowledged commit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Case, alternate, python, table, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kassettui.core.items import Item
    from kassettui.library.engine import LibraryDatabase

_CHILD: Final = "--child"
_COLUMNS: Final = (
    "uuid, collection_uuid, canonical_key, kind, name, extension, path, size, mtime_ns, layout_id, "
    "content_signature, discovered_at, created_at, updated_at"
)


def items(count: int) -> Iterator[Item]:
    """Stills of a made-up show, in the order of their keys: 200 a directory."""
    from kassettui.core.items import Item
    from kassettui.core.kinds import Kind

    for number in range(count):
        shot = number // 2000
        directory = f"sq{shot // 10:03}/sh{shot:04}/task{number // 200 % 10}/publish"
        name = f"element_{number:07}_v{number % 17:03}.png"
        size, mtime_ns = 1000 + number * 7919 % 5_000_000, 1_700_000_000_000_000_000 + number * 7907 % 10**12
        yield Item(
            key=f"fs:{directory}/{name}",
            kind=Kind.IMAGE,
            path=f"/shows/abc/{directory}/{name}",
            directory=directory,
            name=name,
            extension="png",
            size=size,
            mtime_ns=mtime_ns,
            signature=f"f1:{size}:{mtime_ns}",
            layout={"sequence": f"sq{shot // 10:03}", "shot": f"sh{shot:04}"},
        )


def _collection(db: LibraryDatabase) -> str:
    from kassettui.library import collections

    return collections.create(db, "abc", "/shows/abc").uuid


def ours(directory: str, count: int) -> None:
    """B5 through the operator: first all new, then all changed."""
    from kassettui.library import assets
    from kassettui.library.library import Library

    with Library.open(os.path.join(directory, "library.db"), create=True) as library:
        uuid = library.write(_collection)
        prepared = [assets.Found(item) for item in items(count)]
        begun = time.perf_counter()
        library.write(assets.create_many, uuid, prepared, full=True)
        created = time.perf_counter() - begun
        known = library.read(assets.known, uuid)
        changed = [assets.Found(found.item, row.id) for found, row in zip(prepared, known, strict=True)]
        begun = time.perf_counter()
        library.write(assets.update_many, changed, full=True)
        tell(created, updated=time.perf_counter() - begun)


def raw(directory: str, count: int) -> None:
    """The engine alone."""
    import apsw

    from kassettui.library import stamps
    from kassettui.library.library import Library

    path = os.path.join(directory, "raw.db")
    with Library.open(path, create=True) as library:
        uuid = library.write(_collection)
    connection = apsw.Connection(path)
    connection.execute("PRAGMA foreign_keys=1").fetchall()
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("DROP TRIGGER assets_fts_insert")
    uuids = stamps.new_uuids(count)
    rows = [
        (one, uuid, item.key, "image", item.name, item.extension, item.path, item.size, item.mtime_ns, None,
         item.signature, 1, 1, 1)
        for one, item in zip(uuids, items(count), strict=True)
    ]  # fmt: skip
    begun = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO assets ({_COLUMNS}) VALUES ({', '.join('?' * 14)})", rows)
    connection.execute(
        "INSERT INTO assets_fts (rowid, name, path, title, description, tag_text) "
        "SELECT id, name, path, title, description, tag_text FROM assets"
    )
    connection.execute("COMMIT")
    tell(time.perf_counter() - begun, updated=0.0)
    connection.close()


def small(directory: str, count: int) -> None:
    """Small writes: one after the other, each waited for; then all at once."""
    from kassettui.library import settings
    from kassettui.library.library import Library

    with Library.open(os.path.join(directory, "small.db"), create=True) as library:
        library.write(settings.keep, "warm", 0)
        alone: list[float] = []
        for number in range(2000):
            begun = time.perf_counter()
            library.write(settings.keep, f"k{number % 500}", number)
            alone.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        for number in range(count // 10):
            library.operator.schedule_write(_put, f"k{number % 500}", str(number))
        library.operator.flush()
        together = time.perf_counter() - begun
    alone.sort()
    tell(
        together,
        lone_p50_ms=statistics.median(alone) * 1e3,
        lone_p99_ms=alone[len(alone) * 99 // 100] * 1e3,
        a_second=count // 10 / together,
    )


def _put(db: LibraryDatabase, key: str, value: str) -> None:
    db.execute_sql(
        "INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 0) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def pages(directory: str, count: int) -> None:
    """B6: what a list asks for, each the median of many, on one library."""
    from kassettui.library import assets, search
    from kassettui.library.library import Library

    with Library.open(os.path.join(directory, "library.db"), create=True) as library:
        begun = time.perf_counter()
        uuid = library.write(_collection)
        library.write(assets.create_many, uuid, (assets.Found(item) for item in items(count)))
        library.write(_curate)
        built = time.perf_counter() - begun
        figures: dict[str, float] = {"built_s": built}
        figures["raw_keyset_ms"] = _median(
            lambda: library.read(
                lambda db: db.all(
                    "SELECT id, path FROM assets WHERE kind = 'image' AND state = 'ready' AND id > ? "
                    "ORDER BY id LIMIT 100",
                    (count // 2,),
                )
            )
        )
        for name, query in {
            "kind_state": "kind:image state:ready",
            "rating_state": "rating:>=4 state:ready",
            "kind_state_by_path": "kind:image state:ready sort:path",
            "kind_state_newest": "kind:image state:ready sort:-mtime",
            "shot_state": f"shot=sh{count // 4000:04} state:ready",
            "word": "element_0000777",
            "prefix": "elem*",
            "prefix_and_shot": f"v003 sh{count // 4000:04}",
            "unindexed": "width:>100",
            "substring": "path:t_00007",
        }.items():
            figures[f"{name}_ms"] = _median(partial(library.read, search.page, query))
        figures["deep_page_ms"] = _deep(library, "kind:image state:ready sort:path", count)
    tell(built, **figures)


def _deep(library: Any, query: str, count: int) -> float:
    """A page somewhere in the middle, reached by its cursor."""
    from kassettui.library import search

    row = library.read(
        lambda db: db.one(
            "SELECT path, id FROM assets WHERE kind = 'image' AND state = 'ready' "
            "ORDER BY path LIMIT 1 OFFSET ?",
            (count // 3,),
        )
    )
    after = search.Cursor((row[0],), row[1])
    return _median(lambda: library.read(search.page, query, after))


def _curate(db: LibraryDatabase) -> None:
    """Every second asset is ready, every 50th rated."""
    db.execute_sql("UPDATE assets SET state = 'ready', width = 100 WHERE id % 2 = 0")
    db.execute_sql("UPDATE assets SET rating = id / 50 % 6 WHERE id % 50 = 0")


def _median(function: Callable[[], object], rounds: int = 15) -> float:
    """Milliseconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


CASES: Final[dict[str, Callable[[str, int], None]]] = {
    "raw": raw,
    "ours": ours,
    "small": small,
    "pages": pages,
}


def _case(name: str, where: str, count: int) -> Case:
    def prepare() -> None:
        for entry in os.listdir(where):
            os.unlink(os.path.join(where, entry))

    command = python("-m", "benchmarks.library", _CHILD, name, where, str(count))
    return Case(
        name,
        command,
        prepare=prepare,
        told=True,
        cwd=os.getcwd(),
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        if asked.pages:
            measured = alternate([_case("pages", where, asked.count or 1_000_000)], rounds=1, warm_up=0)
            sample = measured["pages"].samples[0]
            for name, figure in sample.told.items():
                print(f"{name:24}{figure:10.2f}")
            print(f"{'peak MB':24}{sample.peak_bytes / 1e6:10.1f}")
            return
        for count in (10_000, 100_000, 1_000_000) if asked.growth else (asked.count or 200_000,):
            cases = [_case(name, where, count) for name in ("raw", "ours", "small")]
            measured = alternate(cases, rounds=asked.rounds)
            print(f"{count} assets")
            print(table(measured, against="raw"))
            print(f"rate of ours: {1 / measured['ours'].ratio_to(measured['raw']):.2f} of raw")
            print(f"all updated: {measured['ours'].told('updated'):.3f} s")
            for name in ("lone_p50_ms", "lone_p99_ms", "a_second"):
                print(f"small writes, {name}: {measured['small'].told(name):.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        CASES[sys.argv[2]](sys.argv[3], int(sys.argv[4]))
    else:
        main()
