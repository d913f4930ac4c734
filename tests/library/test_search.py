"""Search: what a query finds, in which order, in how many statements (spec: library L7, L8)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kassettui.library import search
from kassettui.library.library import Library
from kassettui.library.search import Cursor, plans
from tests.library import naive
from tests.library.stock import NOW, Stocked, clear, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.core.query import Query
    from kassettui.library.engine import LibraryDatabase

NAMES = (
    "sh010_comp_v001.#.exr", "SH020_plate.dpx", "Été-Grün.mov", "a b (1).png", "x\udc80y.exr",
    "[v001].jpg", "100%_done.txt", "comp", "-", "🎬.mov",
)  # fmt: skip
TAGS = ("hero", "Client/OK", "client/wip", "été", "a b")
FOLDERS = ("", "/dailies", "/dailies/mon", "/Delivery/v1")
TITLES = ("", "final comp", "Grün", "100% [done]")

# One term each; every kind of field and operator is among them.
TERMS = (
    "comp", "sh010_co", "COMP", "gru", "grün", '"final comp"', '"sh010 comp"', '"inal"', "🎬", "-", "%",
    "(1)", "v0*", '"a OR b"', "hero", "client", "80", "x", "name:comp", "name=comp", "name:SH0*",
    "name~^sh0[12]0", "name~v001$", "name:ÉTÉ", "name:%", "name:_", "name>m", "name:a..m", "name!=comp",
    "name:x*y*", 'name:"\udc80"', 'name:"*"', "path:dailies", "path=/shows/abc/comp", "path:*abc*comp",
    "extension:exr", 'extension=""', "id:9e", "id:*", "kind:movie", "kind:m", "kind=image", "state:ready",
    "state:re", "state:growing", "state:n", "health:broken", "health:*", "tag:client", "tag=HERO",
    "tag:*", "tag:É", "tag~^h", "tag:*ip", "tag=nothing", "tag:e", "folder:dailies", "folder=dailies",
    "folder=/dailies/mon", "folder:*", "folder=/", "folder:DEL", "collection:ab", "collection=ABC",
    "collection:*", "collection=nothing", "collection~x|b", "shot:sh01", "shot=sh010", "shot:*",
    "shot:sh010..sh020", "shot>sh010", "layout:comp", "layout:*", "task:é", "metadata:bob",
    "metadata:*", "metadata.artist:BO", "metadata.artist:*", "metadata.take=3", "metadata:3",
    "rating:3", "rating>=3", "rating:unrated", "rating:*", "rating:1..3", "rating<2", "rating!=3",
    "rating:0", "version:v001", "version:>1", "version:*", "missing:>0", "missing:0", "missing:*",
    "missing<2", "missing>=1", "truncated:>0", "truncated:0", "truncated:*", "damaged:>0",
    "inconsistent:>0", "frames:>10", "first:-5..5", "size:>1k", "size:0", "size<2k", "size:1k..3k",
    "duration>10s", "duration:*", "width:1920", "fps:23.976", "mtime>2026-11-18", "mtime:2026-11",
    "mtime:*", "mtime<2026-11-19", "mtime:2026-11-17..2026-11-18", "verified:*", "verified<1y",
    "approved:yes", "approved:no", "best:yes", "best:no", "gone:yes", "deleted:yes", "deleted:no",
    "deleted_at:*", "operator_verified:yes", "title:grün", "title:*", "title:GRUN", 'title=""',
    "title~\\[d", "description:*", "description:line", "compression:zip", "hash:*", "hash=abc",
    "error:x", "created:*", "updated<2020", "health_level:1", "missing_since:*", "pattern:#",
)  # fmt: skip
SORTS = (
    "", "sort:name", "sort:-name", "sort:-mtime", "sort:mtime", "sort:rating", "sort:-rating",
    "sort:-size,name", "sort:shot,-version", "sort:-shot", "sort:kind,-rating", "sort:width",
    "sort:-health,path", "sort:collection", "sort:-truncated", "sort:-rating,-mtime,name", "sort:title",
    "sort:version",
)  # fmt: skip

DIRECTORIES = ("/shows/abc", "/shows/abc/dailies", "/x")
LAYOUT = {"shot": ("sh010", "SH020", "sh030"), "task": ("comp", "é")}
COLUMNS: dict[str, tuple[Any, ...]] = {
    "kind": ("image", "sequence", "movie", "audio", "other"),
    "rating": (0, 1, 2, 3, 4, 5),
    "size": (0, 1024, 1025, 3000),
    "mtime_ns": (0, NOW * 1000, (NOW - 10**11) * 1000, (NOW + 1) * 1000),
    "version_number": (1, 2, 3),
    "hole_count": (0, 1, 2),
    "health": ("growing", "broken", "truncated", "complete"),
    "frame_count": (1, 100),
    "frame_first": (-6, -5, 0, 6),
    "duration_ms": (9_999, 10_000, 10_001),
    "width": (1920, 4096),
    "fps": (23.976, 24.0),
    "title": TITLES,
    "description": ("", "a line\nand one more"),
    "missing_since": (NOW,),
    "verified_at": (NOW,),
    "operator_verified": (0, 1),
    "content_hash": ("abc",),
    "compression": ("zip", "piz"),
    "sequence_pattern": ("/shows/abc/x.#.exr",),
    "metadata": ('{"artist":"Bob","take":3}', "{}", '{"artist":"Zo\\u00eb"}'),
    "standing": ("ready", "approved", "retired", "deleted"),
    "frames": ('{"ok":2}', '{"truncated":1,"ok":1}', '{"inconsistent":2}'),
}


def some_of(pools: dict[str, tuple[Any, ...]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(pool) for key, pool in pools.items()})


stocked = st.builds(
    Stocked,
    name=st.sampled_from(NAMES),
    directory=st.sampled_from(DIRECTORIES),
    collection=st.integers(1, 2),
    layout=some_of(LAYOUT),
    tags=st.lists(st.sampled_from(TAGS), max_size=3, unique=True).map(tuple),
    folders=st.lists(st.sampled_from(FOLDERS), max_size=2, unique=True).map(tuple),
    best=st.sampled_from((None, True, False)),
    columns=some_of(COLUMNS),
)
stocks = st.lists(stocked, max_size=8).map(lambda assets: [_sound(one) for one in assets])


def sample(size: int, seed: int) -> list[Stocked]:
    """Assets of all sorts, the same for the same seed."""
    dice = random.Random(seed)

    def some(pools: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
        return {key: dice.choice(pool) for key, pool in pools.items() if dice.random() < 0.5}

    return [
        _sound(
            Stocked(
                dice.choice(NAMES),
                dice.choice(DIRECTORIES),
                dice.randint(1, 2),
                some(COLUMNS),
                some(LAYOUT),
                tuple(dice.sample(TAGS, dice.randint(0, 3))),
                tuple(dice.sample(FOLDERS, dice.randint(0, 2))),
                dice.choice((None, True, False)),
            )
        )
        for _ in range(size)
    ]


def _sound(one: Stocked) -> Stocked:
    """What the table's constraints and the library's rules allow."""
    columns = dict(one.columns)
    standing = columns.pop("standing", None)
    if standing in ("ready", "approved"):
        columns |= {"state": "ready", "approved_for_broadcast": int(standing == "approved")}
    elif standing == "retired":
        columns["state"] = "retired"
    elif standing == "deleted":
        columns |= {"is_deleted": 1, "deleted_at": NOW}
    counts = columns.pop("frames", None)
    if counts is not None:
        columns |= {"health_counts": counts, "damaged_count": int("truncated" in counts)}
    return Stocked(
        one.name, one.directory, one.collection, columns, one.layout, one.tags, one.folders, one.best
    )


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query of a few terms with every connective."""
    term = st.sampled_from(TERMS).map(lambda text: f'"{text}"' if text in ("-", "(1)") else text)
    tree = st.recursive(
        term,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(" ".join),
            st.tuples(inner, inner).map(" OR ".join),
            inner.map("-({})".format),
            inner.map("({})".format),
        ),
        max_leaves=5,
    )
    return f"{draw(st.one_of(st.just(''), tree))} {draw(st.sampled_from(SORTS))}".strip()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(str(tmp_path_factory.mktemp("search") / "library.db"), create=True) as opened:
        yield opened


def stock(library: Library, assets: list[Stocked]) -> None:
    def restock(db: LibraryDatabase) -> None:
        clear(db)
        fill(db, assets)

    library.write(restock)


def paged(db: LibraryDatabase, query: Query, limit: int) -> list[int]:
    """All ids, page by page."""
    found: list[int] = []
    after: Cursor | None = None
    while True:
        page = search.page(db, query, after, limit)
        found += [row.id for row in page.rows]
        if page.next is None:
            return found
        after = Cursor.parse(page.next.text)


# -- what is found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("small", [0, 2, plans.SMALL])
def test_L7_finds_what_a_plain_reading_of_the_grammar_finds(
    library: Library, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Whichever way the plan goes: `small` decides between gathering, streaming, walking and scanning."""
    monkeypatch.setattr(plans, "SMALL", small)

    @settings(max_examples=60)
    @given(assets=stocks, texts=st.lists(queries(), min_size=6, max_size=6), limit=st.integers(1, 4))
    def check(assets: list[Stocked], texts: list[str], limit: int) -> None:
        stock(library, assets)

        def read(db: LibraryDatabase) -> None:
            for text in texts:
                query = search.prepare(db, text)
                expected = naive.find(assets, query)
                assert search.ids(db, query) == expected, text
                assert paged(db, query, limit) == expected, text
                assert search.count(db, query) == search.Count(len(expected)), text

        library.read(read)

    check()


def test_L7_every_term_finds_what_it_says(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each term of the grammar alone and negated, over one library that has something for all of them."""
    assets = sample(60, seed=7)
    stock(library, assets)

    def read(db: LibraryDatabase) -> None:
        for term in TERMS:
            text = f'"{term}"' if term in ("-", "(1)") else term
            for form in (text, f"-({text})", f"({text}) OR nothing"):
                query = search.prepare(db, form)
                assert search.ids(db, query) == naive.find(assets, query), form

    for small in (0, plans.SMALL):
        monkeypatch.setattr(plans, "SMALL", small)
        library.read(read)
