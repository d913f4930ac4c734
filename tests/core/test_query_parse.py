"""The grammar of queries, rule by rule (spec: library L7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kassettui.core.errors import ExitCode, InvalidInput
from kassettui.core.query import QueryError, explain, parse
from kassettui.core.query.fields import FIELD_NAMES, FIELDS, Type, find_field
from kassettui.core.query.parser import MAX_DEPTH, MAX_TERMS
from kassettui.core.query.syntax import (
    And,
    Interval,
    IsTrue,
    Match,
    Node,
    Not,
    NumberIn,
    OneOf,
    Or,
    Present,
    Saved,
    TextIn,
    TextIs,
    TimeIn,
    Word,
)
from kassettui.core.query.tokens import MAX_LENGTH

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND
NOON = int(NOW.timestamp()) * SECOND
MIDNIGHT = NOON - DAY // 2


def tree(text: str) -> Node:
    expression = parse(text, now=NOW).expression
    assert expression is not None
    return expression


def text_is(field: str, match: Match, value: str) -> TextIs:
    found = find_field(field)
    assert found is not None
    return TextIs(found, match, value)


def number_in(field: str, *interval: object) -> NumberIn:
    return NumberIn(FIELD_NAMES[field], Interval(*interval))  # type: ignore[arg-type]


# -- structure ----------------------------------------------------------------------------------------------


def test_L7_words_all_have_to_match() -> None:
    assert tree("comp sh020") == And((Word("comp"), Word("sh020")))


def test_L7_precedence_not_and_or() -> None:
    assert tree("a b OR NOT c d") == Or((And((Word("a"), Word("b"))), And((Not(Word("c")), Word("d")))))


def test_L7_parentheses_and_written_and() -> None:
    assert tree("a AND (b OR c)") == And((Word("a"), Or((Word("b"), Word("c")))))


def test_L7_minus_and_not_are_the_same_and_two_are_none() -> None:
    assert tree("-a") == tree("NOT a") == Not(Word("a"))
    assert tree("NOT NOT a") == tree("NOT -a") == Word("a")
    assert tree("-(-a)") == Word("a")


def test_L7_lower_case_and_or_not_are_words() -> None:
    assert tree("this and that") == And((Word("this"), Word("and"), Word("that")))


def test_L7_quotes_make_phrases_and_hide_operators() -> None:
    assert tree('"a OR b" "AND"') == And((Word("a OR b", phrase=True), Word("AND", phrase=True)))
    assert tree(r'"say \"hi\" \\ c:\x"') == Word('say "hi" \\ c:\\x', phrase=True)


def test_L7_nested_groups_of_one_kind_are_flat() -> None:
    assert tree("a (b (c d))") == And((Word("a"), Word("b"), Word("c"), Word("d")))
    assert tree("a OR (b OR c)") == Or((Word("a"), Word("b"), Word("c")))


@pytest.mark.parametrize("text", ["", "   ", "\t\n", "sort:name"])
def test_L7_nothing_asked_is_everything(text: str) -> None:
    assert parse(text, now=NOW).expression is None


def test_L7_words_may_hold_what_names_hold() -> None:
    assert tree("beauty.[1001-1100].exr") == Word("beauty.[1001-1100].exr")
    assert tree("12:30") == Word("12:30")
    assert tree("a-b_c#.exr") == Word("a-b_c#.exr")


def test_L7_saved_searches_by_name() -> None:
    assert tree('@broken OR @"two words"') == Or((Saved("broken"), Saved("two words")))


# -- the order ----------------------------------------------------------------------------------------------


def test_L7_sort_up_down_and_by_several() -> None:
    query = parse("comp sort:-mtime,name", now=NOW)
    assert [(key.field.name, key.descending) for key in query.sort] == [("mtime", True), ("name", False)]
    assert query.expression == Word("comp")
    assert parse("sort:-size a sort:name", now=NOW).sort[1].field.name == "name"


@pytest.mark.parametrize(
    "text",
    ["(sort:name)", "-sort:name", "NOT sort:name", "sort:tag", "sort:name,name", "sort:a,b", "sort:",
     "sort>a", "sort:name,size,mtime,rating,kind"],
)  # fmt: skip
def test_L7_sort_where_it_cannot_be(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, now=NOW)


# -- text fields --------------------------------------------------------------------------------------------


def test_L7_text_contains_exact_regex_glob() -> None:
    assert tree("name:comp") == text_is("name", Match.CONTAINS, "comp")
    assert tree("name=comp") == tree("name:=comp") == text_is("name", Match.EXACT, "comp")
    assert tree("name~^c.*p$") == tree("name:~^c.*p$") == text_is("name", Match.REGEX, "^c.*p$")
    assert tree("name:sh*_comp") == text_is("name", Match.GLOB, "sh*_comp")
    assert tree('name:"a*b"') == text_is("name", Match.CONTAINS, "a*b")
    assert tree("name!=comp") == Not(text_is("name", Match.EXACT, "comp"))


def test_L7_patterns_may_hold_parentheses_in_pairs() -> None:
    assert tree("(name~^(a|b)c$ d)") == And((text_is("name", Match.REGEX, "^(a|b)c$"), Word("d")))
    assert tree('name~"a b)"') == text_is("name", Match.REGEX, "a b)")


def test_L7_presence_and_absence() -> None:
    title = FIELD_NAMES["title"]
    assert tree("title:*") == Present(title)
    assert tree("-title:*") == tree('title=""') == tree("title!=*") == Not(Present(title))
    assert tree('title!=""') == Present(title)


def test_L7_ranges_of_text_need_both_ends() -> None:
    field = find_field("shot")
    assert field is not None
    assert tree("shot:SH010..sh050") == TextIn(field, "sh010", "sh050")
    assert tree("shot>=sh010") == TextIn(field, "sh010", None)
    assert tree("path:../plates") == text_is("path", Match.CONTAINS, "../plates")
    assert tree("name:a..") == text_is("name", Match.CONTAINS, "a..")


def test_L7_layout_levels_by_name_and_dotted() -> None:
    assert tree("shot:sh020") == tree("layout.shot:sh020") == text_is("layout.shot", Match.CONTAINS, "sh020")
    with pytest.raises(QueryError):
        tree("reel:a")
    assert parse("reel:a", levels=("reel",), now=NOW).expression == text_is(
        "layout.reel", Match.CONTAINS, "a"
    )
    assert tree("metadata.artist:bob") == text_is("metadata.artist", Match.CONTAINS, "bob")


def test_L7_columns_win_over_layout_levels_of_the_same_name() -> None:
    found = parse("title:a", levels=("title",), now=NOW).expression
    assert isinstance(found, TextIs)
    assert found.field.name == "title"


# -- closed lists -------------------------------------------------------------------------------------------


def test_L7_choices_whole_or_in_part() -> None:
    assert tree("kind:movie") == OneOf(FIELD_NAMES["kind"], ("movie",))
    assert tree("kind:mo") == OneOf(FIELD_NAMES["kind"], ("movie",))
    assert tree("state:re") == OneOf(FIELD_NAMES["state"], ("ready", "retired"))
    assert tree("state:READY") == OneOf(FIELD_NAMES["state"], ("ready",))
    assert tree("type:image") == tree("kind=image")


def test_L7_state_asks_for_the_asset_and_for_its_frames() -> None:
    assert tree("state:growing") == OneOf(FIELD_NAMES["health"], ("growing",))
    assert tree("state:n") == Or(
        (
            OneOf(FIELD_NAMES["state"], ("new", "enriching")),
            OneOf(FIELD_NAMES["health"], ("growing", "broken")),
        )
    )


@pytest.mark.parametrize("text", ["kind:zzz", "kind=mo", "state>new", "kind~a", "kind:a..b"])
def test_L7_choices_that_are_none(text: str) -> None:
    with pytest.raises(QueryError):
        tree(text)


@pytest.mark.parametrize("value", ["yes", "true", "1", "on", "Y", "*"])
def test_L7_flags_are_yes(value: str) -> None:
    assert tree(f"approved:{value}") == IsTrue(FIELD_NAMES["approved"])


@pytest.mark.parametrize("value", ["no", "false", "0", "none"])
def test_L7_flags_are_no(value: str) -> None:
    assert tree(f"best={value}") == Not(IsTrue(FIELD_NAMES["best"]))


# -- numbers, sizes, durations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("width:1920", (1920, 1920)),
        ("width=1920", (1920, 1920)),
        ("width>1920", (1920, None, True)),
        ("width:>=1920", (1920,)),
        ("width<1920", (None, 1920, False, True)),
        ("width<=1920", (None, 1920)),
        ("width:1280..1920", (1280, 1920)),
        ("width:1280..", (1280, None)),
        ("width:..1920", (None, 1920)),
        ("first:-5..-1", (-5, -1)),
        ("fps:23.976", (23.976, 23.976)),
        ("missing:>0", (0, None, True)),
        ("rating>=4", (4,)),
        ("version:v012", (12, 12)),
        ("version:>v3", (3, None, True)),
    ],
)
def test_L7_numbers(text: str, interval: tuple[object, ...]) -> None:
    node = tree(text)
    assert isinstance(node, NumberIn)
    assert node.interval == Interval(*interval)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("100", 100), ("1k", 1024), ("1K", 1024), ("1kib", 1024), ("1kB", 1000), ("2G", 2 * 1024**3),
        ("2GB", 2 * 10**9), ("1.5M", 1536 * 1024), (".5k", 512), ("1T", 1024**4), ("3b", 3),
    ],
)  # fmt: skip
def test_L7_sizes_have_units(text: str, size: int) -> None:
    assert tree(f"size:{text}") == number_in("size", size, size)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("10s", 10_000), ("10", 10_000), ("500ms", 500), ("1h30m", 5_400_000), ("2min", 120_000),
        ("1.5s", 1500), ("01:30", 90_000), ("1:02:03.5", 3_723_500), ("1d", 86_400_000),
    ],
)  # fmt: skip
def test_L7_durations_have_units(text: str, duration: int) -> None:
    assert tree(f"duration>{text}") == number_in("duration", duration, None, True)


def test_L7_unrated() -> None:
    assert tree("rating:unrated") == tree("rating:none") == Not(Present(FIELD_NAMES["rating"]))
    assert tree("rating:*") == Present(FIELD_NAMES["rating"])


@pytest.mark.parametrize(
    "text",
    ["width:a", "width:1,5", "width:٣", "size:2X", "size:-1", "rating:6", "rating:-1", "rating>unrated",
     "version:vv1", "width~1", "width:5..1", "width:..", "duration:1x", "duration:10s5", "size:99999999999T",
     "width:99999999999999999999", "size:", "fps:1e5"],
)  # fmt: skip
def test_L7_numbers_that_are_none(text: str) -> None:
    with pytest.raises(QueryError):
        tree(text)


# -- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("mtime>-7d", NOON - 7 * DAY + 1, None),
        ("mtime:>=-7d", NOON - 7 * DAY, None),
        ("mtime:-7d", NOON - 7 * DAY, None),
        ("mtime<-7d", None, NOON - 7 * DAY),
        ("mtime<7d", NOON - 7 * DAY + 1, None),
        ("mtime:7d", NOON - 7 * DAY, None),
        ("mtime>7d", None, NOON - 7 * DAY),
        ("verified:<30d", NOON - 30 * DAY + 1, None),
        ("mtime:today", MIDNIGHT, MIDNIGHT + DAY),
        ("mtime:yesterday", MIDNIGHT - DAY, MIDNIGHT),
        ("mtime=2026-11-20", MIDNIGHT - DAY, MIDNIGHT),
        ("mtime>2026-11-20", MIDNIGHT, None),
        ("mtime>=2026-11-20", MIDNIGHT - DAY, None),
        ("mtime<2026-11-20", None, MIDNIGHT - DAY),
        ("mtime<=2026-11-20", None, MIDNIGHT),
        ("mtime:2026-11-19..2026-11-20", MIDNIGHT - 2 * DAY, MIDNIGHT),
        ("mtime:2026-11-20..", MIDNIGHT - DAY, None),
        ("mtime:2026-11-20T12:30Z", MIDNIGHT - DAY // 2 + 1800 * SECOND, MIDNIGHT - DAY // 2 + 1860 * SECOND),
        ("mtime:2026-11-20T12:30:05", NOON - DAY + 1805 * SECOND, NOON - DAY + 1806 * SECOND),
        ("mtime:2d..7d", NOON - 7 * DAY, NOON - 2 * DAY + 1),
        ("mtime:-1w..now", NOON - 7 * DAY, NOON + 1),
        ("mtime>-90min", NOON - 5400 * SECOND + 1, None),
        ("mtime>-2mo", NOON - 60 * DAY + 1, None),
    ],
)
def test_L7_times(text: str, low: int | None, high: int | None) -> None:
    node = tree(text)
    assert isinstance(node, TimeIn)
    assert (node.low, node.high) == (low, high)


def test_L7_months_and_years_have_their_length() -> None:
    february = tree("mtime:2028-02")
    year = tree("mtime:2028")
    assert isinstance(february, TimeIn)
    assert isinstance(year, TimeIn)
    assert (february.high or 0) - (february.low or 0) == 29 * DAY
    assert (year.high or 0) - (year.low or 0) == 366 * DAY


@pytest.mark.parametrize(
    "text",
    ["mtime:soon", "mtime:2026-13", "mtime:2026-02-30", "mtime~a", "mtime:0000", "mtime:9999", "mtime:..",
     "mtime:2026..2025", "mtime:20261121"],
)  # fmt: skip
def test_L7_times_that_are_none(text: str) -> None:
    with pytest.raises(QueryError):
        tree(text)


# -- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "length"),
    [
        ("comp (a b", 5, 1),
        ("a )", 2, 1),
        ("a ()", 2, 1),
        ('a "b c', 2, 4),
        ("a OR", 2, 2),
        ("OR a", 0, 2),
        ("a AND OR b", 6, 2),
        ("NOT", 0, 3),
        ("(a NOT)", 3, 3),
        ("a -", 2, 1),
        ("a - b", 2, 1),
        ("a --b", 2, 1),
        ("a ratng:3", 2, 5),
        ("a rating:9", 9, 1),
        ("a size>", 2, 5),
        ("a sort:nme", 7, 3),
        ("a\0b", 1, 1),
        ("@", 0, 1),
        ('""', 0, 2),
        ('name:""', 5, 2),
        ("tag>a", 0, 5),
        ("approved:maybe", 9, 5),
        ("size:..x", 7, 1),
    ],
)
def test_L7_a_bad_query_says_where(text: str, position: int, length: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, now=NOW)
    assert (caught.value.position, caught.value.length) == (position, length)
    assert caught.value.query == text


def test_L7_errors_are_invalid_input_with_exit_code_1() -> None:
    assert issubclass(QueryError, InvalidInput)
    assert QueryError.exit_code is ExitCode.FAILED


def test_L7_unknown_fields_get_proposals() -> None:
    with pytest.raises(QueryError, match="rating"):
        parse("ratng:3")


def test_L7_the_caret_stands_under_the_fault() -> None:
    with pytest.raises(QueryError) as caught:
        parse("comp ratng:3 more")
    assert caught.value.detail == ("comp ratng:3 more", "     ^^^^^")


def test_L7_the_caret_is_right_behind_wide_and_unsafe_text() -> None:
    with pytest.raises(QueryError) as caught:
        parse("映画 \x1b[2J ratng:3")
    line, carets = caught.value.detail
    assert line == "映画 \\e[2J ratng:3"
    assert carets == " " * (4 + 1 + 5 + 1) + "^" * 5


def test_L7_a_long_query_is_shown_around_the_fault() -> None:
    with pytest.raises(QueryError) as caught:
        parse("a " * 60 + "ratng:3" + " b" * 60)
    line, carets = caught.value.detail
    assert len(line) < 200
    assert line[carets.index("^") :].startswith("ratng")


def test_L7_length_terms_and_depth_are_limited() -> None:
    for text in (
        "a" * (MAX_LENGTH + 1),
        "a " * (MAX_TERMS + 1),
        "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1),
    ):
        with pytest.raises(QueryError):
            parse(text)
    parse("a " * MAX_TERMS)
    parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)


# -- the table of fields ------------------------------------------------------------------------------------


def test_field_names_are_unique_and_lower_case() -> None:
    names = [name for field in FIELDS for name in (field.name, *field.aliases)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_can_be_asked_for_presence_and_has_help(field: object) -> None:
    from kassettui.core.query.fields import Field

    assert isinstance(field, Field)
    assert field.help
    expected = IsTrue(field) if field.type is Type.FLAG else Present(field)
    assert tree(f"{field.name.upper()}:*") == expected


def test_explain_says_the_tree_in_words() -> None:
    lines = explain(parse("comp -(tag:a OR size>2G) sort:-mtime", now=NOW))
    assert lines == [
        "all of",
        "  a word that begins with 'comp'",
        "  not",
        "    any of",
        "      tag contains 'a'",
        "      size > 2147483648",
        "order: mtime downwards",
    ]
