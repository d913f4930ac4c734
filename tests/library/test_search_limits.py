"""Search under stress: any text, deadlines, patterns, the number of statements (spec: library L7, L8)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from kassettui.core.errors import InvalidInput
from kassettui.core.query import QueryError
from kassettui.library import search
from kassettui.library.library import Library
from kassettui.library.search import Cursor, TookTooLong, plans
from tests.library.counting import statements
from tests.library.stock import Stocked, fill
from tests.library.test_search import COLUMNS, LAYOUT, SORTS, TAGS, TERMS, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassettui.library.engine import LibraryDatabase

SEED = 20261121
SCRAPS = (
    '"', "'", "(", ")", "-", "--", "*", "**", "^", "+", "~", "!", "=", ":", "..", "<", ">", ">=",
    "<=", "!=", "@", ",", ";", "\\", "/", "%", "_", "#", "?", "{", "}", "[", "]", "\0", "\n",
    "\t", "\x1a", "\x1b[2J", "🎬", "é", "é", "\udc80", "\u202e", "AND", "OR", "NOT", "NEAR",
    "NEAR(a b, 3)", "rowid", "name MATCH", "tag:", "path:", "sort:", "sort:-", "size>",
    "mtime:-7d", "rating:", "state:", "layout.", "metadata.", "@x", "''; DROP TABLE assets; --",
    "1 OR 1=1", "/*", "*/", "x'00'", "?1", ":a", "$a", "NULL", "col : x", "{name path} : x",
    '"a" + "b"', "a*b*c", "~(a+)+$", "name~(", "name~[", "name~a{9999}", "name~*", "name~(a|b|",
    "name~\\", "9" * 30, "1e999", "nan", "inf", "size:9e99", "mtime:0001", "mtime:9999-12-31",
    "a" * 300, "ａｎｄ", "ß", "İ", "\u0345", "\U0010ffff", "  ",
)  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(str(tmp_path_factory.mktemp("limits") / "library.db"), create=True) as opened:
        opened.write(fill, sample(60, seed=3))
        yield opened


def odd_query(dice: random.Random) -> str:
    """A query as a person, a cat or an enemy would type it."""
    parts = [
        dice.choice(SCRAPS) if dice.random() < 0.5 else dice.choice((*TERMS, *SORTS, *TAGS))
        for _ in range(dice.randint(1, 7))
    ]
    text = dice.choice(("", " ", " ")).join(parts)
    if dice.random() < 0.3:
        cut = dice.randrange(len(text) + 1)
        text = text[:cut] + chr(dice.choice((*range(256), 0x1F3AC, 0xDC80, 0x202E))) + text[cut:]
    return text


def rows_or_error(db: LibraryDatabase, text: str) -> list[int] | QueryError:
    try:
        return search.ids(db, text)
    except QueryError as error:
        return error


def survive(library: Library, seed: int, number: int) -> None:
    """Each odd query gives rows or says where it is wrong."""
    dice = random.Random(seed)

    def read(db: LibraryDatabase) -> None:
        for _ in range(number):
            text = odd_query(dice)
            answer = rows_or_error(db, text)
            if isinstance(answer, QueryError):
                assert 0 <= answer.position <= len(text), text
                assert answer.message, text
            else:
                assert len(set(answer)) == len(answer) <= 60, text

    library.read(read)


def test_L7_any_text_gives_rows_or_the_place_of_the_error(library: Library) -> None:
    survive(library, SEED, 1_500)


@pytest.mark.faults
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", range(10))
def test_L7_a_hundred_thousand_texts_give_rows_or_the_place_of_the_error(library: Library, seed: int) -> None:
    survive(library, SEED + seed, 10_000)


@pytest.mark.parametrize(
    "term", [*TERMS, "@nobody", *(f"sort:{key}" for key in ("name", "-rating", "width"))]
)
def test_L7_no_parameter_of_a_query_is_ever_text_of_the_statement(library: Library, term: str) -> None:
    """What a person wrote is bound: a mark in the value never shows up in the SQL."""
    marked = term.replace("comp", "comp_MARK").replace("hero", "hero_MARK").replace("sh01", "sh01_MARK")
    try:
        explanation = library.read(search.explained, marked)
    except QueryError:
        return
    assert "MARK" not in explanation.sql


# -- patterns and deadlines ---------------------------------------------------------------------------------


def test_L7_a_pattern_that_blows_up_elsewhere_is_linear(library: Library) -> None:
    """Python's re would need 2^4000 steps here, holding every thread."""
    long = Stocked("a" * 4000 + "!", columns={"title": "a" * 4000})

    def read_one(db: LibraryDatabase) -> list[int]:
        return search.ids(db, "title~(a+)+b|(a|a)*c|(.*a){10}d", None, 20.0)

    with Library.open(library.path + "-patterns", create=True) as other:
        other.write(fill, [long] * 20)
        began = time.monotonic()
        assert other.read(read_one) == []
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*", "a{1,99999}", "[[:alpha:]]"])
def test_L7_a_bad_pattern_is_shown_with_its_place(library: Library, pattern: str) -> None:
    with pytest.raises(QueryError) as caught:
        library.read(search.page, f'comp name~"{pattern}"')
    assert caught.value.position == 5


def test_L7_a_search_stops_at_its_deadline(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline passes while SQLite works: it is interrupted, and the connection serves the next read."""
    monkeypatch.setattr(search.reading, "_STEPS", 10)
    with pytest.raises(TookTooLong, match="took longer"):
        library.read(search.page, "comp OR name:a sort:width", None, 100, 0.0)
    assert library.read(search.count, "").number > 0


# -- pages --------------------------------------------------------------------------------------------------


PAGED = (
    "",
    "comp tag:hero rating:>=2 sort:-mtime",
    "shot:sh folder:dailies best:yes",
    "name:comp sort:-rating,name",
)


def test_L8_a_page_of_a_thousand_takes_the_statements_of_a_page_of_ten(tmp_path: object) -> None:
    assets = [
        Stocked(
            f"sh{n:04}_comp.exr",
            tags=("hero",),
            folders=("/dailies",),
            layout={"shot": f"sh{n}"},
            best=True,
            columns={"rating": n % 6, "state": "ready"},
        )
        for n in range(1_500)
    ]

    def made(db: LibraryDatabase, limit: int) -> list[int]:
        numbers = []
        for query in PAGED:
            with statements(db) as seen:
                page = search.page(db, query, None, limit)
            assert len(page.rows) == limit
            numbers.append(len(seen))
        return numbers

    with Library.open(f"{tmp_path}/library.db", create=True) as library:
        library.write(fill, assets)
        few, many = library.read(made, 10), library.read(made, 1_000)
    assert few == many
    assert max(many) < 15


def test_L8_a_page_brings_tags_folders_and_versions(library: Library) -> None:
    page = library.read(search.page, "tag:hero folder:dailies best:yes")
    assert page.rows
    for row in page.rows:
        assert "hero" in page.attached.tags[row.id]
        assert page.attached.folders[row.id]
        assert page.attached.versions[row.id].best == page.attached.versions[row.id].number


def test_L8_pages_stay_right_while_rows_come_and_go(tmp_path: object) -> None:
    """A keyset page continues after the last row seen, whatever was put in or taken out before it."""
    with Library.open(f"{tmp_path}/moving.db", create=True) as library:
        library.write(fill, [Stocked(f"n{n:02}.exr") for n in range(20)])
        first = library.read(search.page, "sort:name", None, 10)
        library.write(
            lambda db: db.execute_sql("DELETE FROM assets WHERE name IN ('n03.exr', 'n09.exr')") and None
        )
        second = library.read(search.page, "sort:name", first.next, 10)
        assert [row.name for row in second.rows] == [f"n{n:02}.exr" for n in range(10, 20)]
        assert second.next is None


def test_L8_a_cursor_belongs_to_its_order(library: Library) -> None:
    after = library.read(search.page, "sort:name", None, 1).next
    assert after is not None
    with pytest.raises(InvalidInput):
        library.read(search.page, "", after)
    with pytest.raises(InvalidInput):
        library.read(search.page, "", None, 0)


@pytest.mark.parametrize(
    "text", ["", "x", "!!", "W10", "bnVsbA", "W3RydWUsMV0", "WyJcdWQ4MDAiLDFd", "é", "WzFlOTksIngiXQ"]
)
def test_L8_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Cursor.parse(text)


def test_L8_a_cursor_survives_as_text() -> None:
    for cursor in (Cursor((), 7), Cursor((None, 2.5, "é\x1a80"), 2**62), Cursor((-5,), 1)):
        assert Cursor.parse(cursor.text) == cursor


# -- explain, suggest ---------------------------------------------------------------------------------------


def test_explained_shows_tree_statement_and_shape(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = library.read(search.explained, "comp tag:hero sort:-mtime")
    assert shown.tree[0] == "all of"
    assert shown.sql.startswith("SELECT")
    assert '"comp"*' in shown.parameters
    assert shown.shape == "gather"
    assert shown.steps
    monkeypatch.setattr(plans, "SMALL", 0)
    shapes = [
        library.read(search.explained, text).shape for text in ("comp", "sort:-mtime", "sort:width", "")
    ]
    assert shapes == ["stream", "walk", "scan", "walk"]


def test_suggest_offers_what_the_library_has(library: Library) -> None:
    def offered(text: str) -> list[str]:
        return [one.text for one in library.read(search.suggest, text, len(text)).candidates]

    assert offered("tag:cl") == ["Client/OK", "client/wip"]
    assert offered("tag:a") == ['"a b"']
    assert "/dailies/mon" in offered("folder:mon")
    assert offered("collection:a") == ["abc"]
    assert set(offered("shot:")) >= set(LAYOUT["shot"])
    assert offered("kind:m") == ["movie"]
    assert offered("rat") == ["rating:"]
    assert COLUMNS["rating"] == (0, 1, 2, 3, 4, 5)
