"""B6: typical queries over a curated library of 1,000,000 assets, cold and warm; and bulk curation.

    python -P -m benchmarks.search                       builds the library (about 2 min), then measures
    python -P -m benchmarks.search --keep /tmp/million   keeps it there for the next time
    python -P -m benchmarks.search --bulk                10,000 assets tagged, rated, approved in one call

A figure is a whole first page of 100 rows in Python: the query parsed and planned, the rows with their tags,
folders and versions. Warm: the median of 15 in one process. Cold: the first page of a new process after the
library's pages were dropped from the system's cache. `raw` is the engine alone: 100 ids by keyset.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kassettui.core.items import Item
    from kassettui.library.engine import LibraryDatabase
    from kassettui.library.library import Library

_TASKS: Final = ("comp", "light", "fx", "anim", "plate", "roto", "matchmove", "paint", "lookdev", "model")
_ELEMENTS: Final = ("beauty", "diffuse", "spec", "depth", "mask")
_VERSIONS: Final = 10
_PER_SHOT: Final = len(_TASKS) * len(_ELEMENTS) * _VERSIONS

QUERIES: Final = {
    # what the target of B6 is about: two indexed filters, words with prefix
    "everything": "",
    "kind + state": "kind:image state:ready",
    "kind + state, deep": "kind:image state:ready",
    "tag + rating": "tag:hero rating:>=4",
    "shot + state": "shot=sh00420 state:ready",
    "missing frames": "missing:>0",
    "newest": "sort:-mtime",
    "this week, newest": "mtime:>=-7d sort:-mtime",
    "rare word": "sh00420",
    "common word": "comp",
    "word of every asset": "exr",
    "being typed, 1 letter": "s",
    "being typed, 4 letters": "beau",
    "two words": "comp beauty",
    "word + tag": "comp tag:client",
    "word without word": "comp -beauty",
    # the spec's own example: approved comps of a shot, rated, with holes, touched this week
    "the whole sentence": "approved:yes task:comp shot=sh00420 rating:>=4 missing:>0 mtime:>=-30d",
    # wide answers in another order
    "common word, newest": "comp sort:-mtime",
    "word of all, newest": "exr sort:-mtime",
    "tag, newest": "tag:client sort:-mtime",
    "best rated": "sort:-rating",
    "saved search": "@review",
    # no index: the whole table, or an index read through
    "part of a name": "name:_v007",
    "part of no name": "name:zzz",
    "pattern": "name~^sq0[12].*mask",
    "no index, no answer": "width:5",
    "no index, order": "sort:-width",
}


def items(count: int) -> Iterator[Item]:
    """Sequences and stills of a show: sequence, shot, task, version, element; in the order of their keys."""
    from kassettui.core.frames import FrameRanges
    from kassettui.core.items import Item
    from kassettui.core.kinds import Kind

    ranges = FrameRanges.parse("1001-1100")
    dice = random.Random(1)
    now_ns = time.time_ns()
    for number in range(count):
        shot, rest = divmod(number, _PER_SHOT)
        task, rest = divmod(rest, len(_ELEMENTS) * _VERSIONS)
        version, element = divmod(rest, len(_ELEMENTS))
        levels = {"sequence": f"sq{shot // 20:03}", "shot": f"sh{shot:05}", "task": _TASKS[task]}
        directory = f"{levels['sequence']}/{levels['shot']}/{levels['task']}/v{version + 1:03}"
        stem = (
            f"{levels['sequence']}_{levels['shot']}_{levels['task']}_{_ELEMENTS[element]}_v{version + 1:03}"
        )
        still = element == len(_ELEMENTS) - 1
        name = f"{stem}.png" if still else f"{stem}.#.exr"
        size, mtime_ns = dice.randrange(10**10), now_ns - dice.randrange(400 * 86_400) * 10**9
        yield Item(
            key=f"fs:{directory}/{name}",
            kind=Kind.IMAGE if still else Kind.SEQUENCE,
            path=f"/shows/abc/{directory}/{name}",
            directory=directory,
            name=name,
            extension="png" if still else "exr",
            size=size,
            mtime_ns=mtime_ns,
            signature=f"s1:{size}:{mtime_ns}",
            layout=levels,
            version_number=version + 1,
            frame_ranges=None if still else ranges,
            frame_padding=None if still else 4,
            sequence_pattern=None if still else f"/shows/abc/{directory}/{stem}.####.exr",
            hole_count=dice.choice((0,) * 49 + (2,)),
            health="complete",
            health_counts={"ok": 100},
        )


def build(path: str, count: int) -> None:
    """The library, curated as a show is after a year."""
    from kassettui.library import assets, collections, saved
    from kassettui.library.library import Library

    with Library.open(path, create=True) as library:
        uuid = library.write(lambda db: collections.create(db, "abc", "/shows/abc").uuid)
        library.write(assets.create_many, uuid, (assets.Found(item) for item in items(count)))
        library.write(_curate, count)
        library.write(saved.save, "review", "tag:client rating:>=3 -approved:yes")


def _curate(db: LibraryDatabase, count: int) -> None:
    """9 of 10 ready, half of those rated, 5 % approved; a tag on 30 %, one on 2 %, one on 0.05 %."""
    db.execute_sql("UPDATE assets SET state = 'ready', width = 2048, height = 1152 WHERE id % 10 <> 0")
    db.execute_sql("UPDATE assets SET rating = id / 7 % 6 WHERE id % 2 = 0")
    db.execute_sql("UPDATE assets SET approved_for_broadcast = 1 WHERE state = 'ready' AND id % 20 = 1")
    for number, (name, every) in enumerate((("hero", 3), ("client/approved", 50), ("rare", 2000)), 1):
        db.execute_sql("INSERT INTO tags VALUES (?, ?, ?, ?, 0)", (number, f"t{number}", name, name))
        db.execute_sql(
            "INSERT INTO asset_tags SELECT id, ?, 0 FROM assets WHERE id * 7919 % ? = 0 AND id <= ?",
            (number, every, count),
        )
    db.execute_sql(
        "UPDATE assets SET tag_text = coalesce((SELECT group_concat(t.name, char(10) ORDER BY t.name_key) "
        "FROM asset_tags m JOIN tags t ON t.id = m.tag_id WHERE m.asset_id = assets.id), '')"
    )


# -- measuring ----------------------------------------------------------------------------------------------


def page(library: Library, name: str, count: int) -> int:
    """The first page of a query (or, `deep`, one from the middle); how many rows it has."""
    from kassettui.library import search

    after = search.Cursor((), count // 2) if name.endswith("deep") else None
    return len(library.read(search.page, QUERIES[name], after).rows)


def raw(library: Library, count: int) -> int:
    """100 ids by keyset over two filters, of which one index leads with both."""
    rows = library.read(
        lambda db: db.all(
            "SELECT id FROM assets WHERE kind = 'image' AND state = 'ready' AND id > ? ORDER BY id LIMIT 100",
            (count // 2,),
        )
    )
    return len(rows)


def _median(function: Callable[[], Any], rounds: int = 15) -> float:
    """Milliseconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


def warm(path: str, count: int) -> None:
    """Every query in one process; then the peak of its memory."""
    from kassettui.library.library import Library

    with Library.open(path, read_only=True) as library:
        print(f"{'raw keyset':26}{_median(partial(raw, library, count)):10.2f} ms")
        for name in QUERIES:
            rows = page(library, name, count)
            print(
                f"{name:26}{_median(partial(page, library, name, count)):10.2f} ms {rows:5} rows", flush=True
            )
        for text in ("", "comp", "tag:hero rating:>=4"):
            from kassettui.library import search

            begun = time.perf_counter()
            found = library.read(search.count, text)
            print(f"count {text:20}{(time.perf_counter() - begun) * 1e3:10.2f} ms {found.number:,}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def cold(path: str, count: int, name: str) -> None:
    """One query in this new process, the library's pages dropped from the system's cache before."""
    from kassettui.library import search  # noqa: F401 (its import is not what is measured)
    from kassettui.library.library import Library

    _drop(path)
    begun = time.perf_counter()
    with Library.open(path, read_only=True) as library:
        opened = time.perf_counter()
        rows = page(library, name, count)
        ended = time.perf_counter()
    figures = f"{(ended - opened) * 1e3:10.2f} ms {rows:5} rows   (opened in {(opened - begun) * 1e3:.0f} ms)"
    print(f"{name:26}{figures}", flush=True)


def _drop(path: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            descriptor = os.open(path + suffix, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def bulk(path: str, number: int) -> None:
    """One call over many assets: tag, rate, approve; each one transaction with its entry for undo."""
    from kassettui.library import approval, ratings, search, tags
    from kassettui.library.library import Library

    with Library.open(path) as library:
        ids = library.read(search.ids, "state:ready -tag:bulk", number)
        for name, function, arguments in (
            ("tag", tags.add, (["bulk"],)),
            ("untag", tags.remove, (["bulk"],)),
            ("rate", ratings.set_rating, (1,)),
            ("approve", approval.approve, ()),
            ("unapprove", approval.unapprove, ()),
        ):
            begun = time.perf_counter()
            library.write(function, ids, *arguments)
            print(f"{name} {len(ids):,} assets: {time.perf_counter() - begun:.2f} s", flush=True)


def main() -> None:
    """Build what is missing, measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", metavar="DIRECTORY", help="where the library stands between runs")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--bulk", action="store_true")
    parser.add_argument("--cold", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = asked.keep or temporary
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, f"search-{asked.count}.db")
        if asked.cold is not None:
            cold(path, asked.count, asked.cold)
            return
        if not os.path.exists(path):
            begun = time.perf_counter()
            build(path, asked.count)
            print(f"built {asked.count:,} assets in {time.perf_counter() - begun:.0f} s", flush=True)
        if asked.bulk:
            bulk(path, 10_000)
            return
        print("warm")
        warm(path, asked.count)
        print("cold")
        for name in QUERIES:
            subprocess.run([*_again(asked, directory), "--cold", name], check=True)


def _again(asked: argparse.Namespace, directory: str) -> list[str]:
    return [
        sys.executable, "-P", "-m", "benchmarks.search", "--keep", directory, "--count", str(asked.count),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
